#include "tests/harness/writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

namespace handyrep::harness {
namespace {

constexpr Duration dial_limit = std::chrono::milliseconds{300};
constexpr Duration write_limit = std::chrono::seconds{1};
constexpr Duration pause_between_rounds = std::chrono::milliseconds{10};

}  // namespace

std::optional<double> Gap::milliseconds() const {
    if (!first_after) return std::nullopt;
    return milliseconds_between(last_before.at, first_after->at);
}

Result<std::unique_ptr<Writer>> Writer::start(const RealCluster& cluster, Duration pause) {
    const auto writable = cluster.writable_servers();
    if (writable.size() != 1) return Error{ErrorKind::refused, fmt::format("{} servers accept writes, not one", writable.size())};
    auto highest = cluster.server(writable.front()).ask("SELECT coalesce(max(id), 0) FROM harness_rows");
    if (!highest) return highest.error();
    std::unique_ptr<Writer> writer{new Writer(cluster, pause, std::stoull(*highest) + 1)};
    writer->thread_ = std::thread{[it = writer.get()] { it->go_round(); }};
    if (auto begun = writer->wait_for_rows(1, std::chrono::seconds{10}); !begun) return begun.error();
    return writer;
}

void Writer::stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
}

void Writer::go_round() {
    while (!stopping_) {
        for (const auto& server : servers_) {
            if (!stopping_) write_on(server);
        }
        std::this_thread::sleep_for(pause_between_rounds);
    }
}

void Writer::write_on(const RealServer& server) {
    auto session = Session::open(server.target("writer"), dial_limit);
    if (!session) return;
    if (const auto standby = session->value("SELECT pg_is_in_recovery()", dial_limit); !standby || *standby != "f") return;
    while (!stopping_) {
        // Every attempt has a number of its own: whether a failed one was committed is not known, so it is never repeated.
        const std::uint64_t id = next_++;
        if (!session->query(fmt::format("INSERT INTO harness_rows (id) VALUES ({})", id), write_limit)) {
            ++errors_;
            return;
        }
        {
            const std::scoped_lock lock{guard_};
            acknowledged_.push_back({id, now(), server.name});
        }
        std::this_thread::sleep_for(pause_);
    }
}

std::uint64_t Writer::rows() const {
    const std::scoped_lock lock{guard_};
    return acknowledged_.size();
}

std::vector<Acknowledged> Writer::acknowledged() const {
    const std::scoped_lock lock{guard_};
    return acknowledged_;
}

std::optional<Gap> Writer::gap_around(Moment fault, const std::string& old_primary) const {
    std::optional<Gap> gap;
    for (const auto& row : acknowledged()) {
        // Rows that the old primary acknowledged while the fault was being made belong to the time before.
        if (row.at < fault || row.server == old_primary) gap = Gap{row, std::nullopt};
        if (row.at >= fault && row.server != old_primary && gap && !gap->first_after) {
            gap->first_after = row;
            return gap;
        }
    }
    return gap;
}

Result<void> Writer::wait_for_row_on(const std::string& server, Moment since, Duration limit) const {
    return wait_until(
        [&] {
            const std::scoped_lock lock{guard_};
            return !acknowledged_.empty() && acknowledged_.back().server == server && acknowledged_.back().at >= since;
        },
        limit, "the writer writes on " + server);
}

Result<void> Writer::wait_for_rows(std::uint64_t count, Duration limit) const {
    const std::uint64_t wanted = rows() + count;
    return wait_until([&] { return rows() >= wanted; }, limit, fmt::format("the writer writes {} rows more", count));
}

Result<std::vector<std::uint64_t>> Writer::missing_on(const RealServer& server) const {
    const auto promised = acknowledged();
    if (promised.empty()) return std::vector<std::uint64_t>{};
    auto session = server.session();
    if (!session) return session.error();
    auto rows = session->query(fmt::format("SELECT id FROM harness_rows WHERE id >= {}", promised.front().id), std::chrono::seconds{30});
    if (!rows) return rows.error();
    std::unordered_set<std::uint64_t> there;
    for (const auto& row : *rows) there.insert(std::stoull(row.front()));
    std::vector<std::uint64_t> missing;
    for (const auto& row : promised) {
        if (!there.contains(row.id)) missing.push_back(row.id);
    }
    return missing;
}

Prober::Prober(RealServer server, Duration pause) : server_{std::move(server)}, pause_{pause} {
    thread_ = std::thread{[this] { probe(); }};
}

Prober::~Prober() {
    stopping_ = true;
    thread_.join();
}

void Prober::probe() {
    const std::string insert = fmt::format("INSERT INTO harness_probes (prober) VALUES ({})", sql_literal(server_.name));
    while (!stopping_) {
        auto session = Session::open(server_.target("prober"), dial_limit);
        while (session && !stopping_) {
            const auto standby = session->value("SELECT pg_is_in_recovery()", write_limit);
            if (!standby) break;
            if (*standby == "f") {
                if (!session->query(insert, write_limit)) break;
                const std::scoped_lock lock{guard_};
                accepted_.push_back(now());
            }
            std::this_thread::sleep_for(pause_);
        }
        std::this_thread::sleep_for(pause_);
    }
}

std::vector<Moment> Prober::accepted() const {
    const std::scoped_lock lock{guard_};
    return accepted_;
}

std::optional<Moment> Prober::first_accepted_after(Moment when) const {
    const std::scoped_lock lock{guard_};
    const auto found = std::ranges::lower_bound(accepted_, when);
    if (found == accepted_.end()) return std::nullopt;
    return *found;
}

}  // namespace handyrep::harness
