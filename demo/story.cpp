#include "demo/story.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>

namespace handyrep::demo {

using std::chrono::seconds;

namespace {

constexpr const char* old_primary = "db1";
constexpr Duration failover_limit = seconds{30};
// The last heartbeat that HandyRep could see may be this old when the primary dies; what was written after it is in no estimate.
constexpr Duration heartbeat_age = seconds{1};

void headline(const std::string& words) { std::cout << "\n" << words << "\n" << std::string(words.size(), '-') << "\n" << std::flush; }

/// Says that something begins; `done` ends the line.
class Progress {
public:
    explicit Progress(const std::string& doing) { std::cout << fmt::format("{:<52}", doing + " ...") << std::flush; }
    void done(const std::string& how = "") const {
        std::cout << fmt::format("{:>5.1f} s  {}\n", harness::milliseconds_between(began_, harness::now()) / 1000, how) << std::flush;
    }

private:
    harness::Moment began_ = harness::now();
};

void row(const std::string& name, const std::string& value) { std::cout << fmt::format("  {:<42}{}\n", name, value); }

std::string after(harness::Moment from, harness::Moment to) { return fmt::format("{:.0f} ms", harness::milliseconds_between(from, to)); }

}  // namespace

Result<void> Story::tell() {
    std::cout << "HandyRep watches a PostgreSQL cluster from outside and fails it over.\n"
                 "This makes a real one on this machine, kills its primary, and counts what\n"
                 "the clients noticed. Nothing is left behind.\n";
    for (const auto chapter :
         {&Story::make_cluster, &Story::start_daemon, &Story::start_writer, &Story::lose_the_primary, &Story::look_at_what_happened,
          &Story::sum_up}) {
        if (auto told = (this->*chapter)(); !told) return told;
    }
    return {};
}

Result<void> Story::make_cluster() {
    headline("A cluster");
    const Progress progress{"initdb, two base backups, streaming replication"};
    auto cluster = harness::RealCluster::make();
    if (!cluster) {
        std::cout << "\n";
        return cluster.error().during("make the cluster");
    }
    cluster_ = std::move(*cluster);
    progress.done();
    row("folder", cluster_->folder().string());
    for (const auto& server : cluster_->servers()) {
        row(server.name, fmt::format("127.0.0.1:{}  {}", server.port, server.name == old_primary ? "primary" : "streams from db1"));
    }
    return {};
}

Result<void> Story::start_daemon() {
    headline("HandyRep");
    auto daemon = harness::Daemon::make(*cluster_);
    if (!daemon) return daemon.error();
    daemon_ = std::move(*daemon);
    const Progress progress{"handyrep daemon, until it calls the cluster healthy"};
    auto healthy = daemon_->start();
    if (healthy) healthy = daemon_->wait_for_status(0);
    progress.done();
    if (!healthy) return healthy;
    return show({"status"});
}

Result<void> Story::start_writer() {
    headline("A client");
    const Progress progress{"a writer that knows all three servers, 100 rows"};
    auto writer = harness::Writer::start(*cluster_, std::chrono::milliseconds{9});
    if (!writer) return writer.error();
    writer_ = std::move(*writer);
    auto written = writer_->wait_for_rows(100, seconds{20});
    progress.done();
    return written;
}

Result<void> Story::lose_the_primary() {
    headline("kill -9");
    const auto& primary = cluster_->server(old_primary);
    std::cout << fmt::format(
                     "{} processes of {} are killed: the postmaster and all its children.\n", primary.processes().size(), old_primary)
              << std::flush;
    killed_ = primary.kill_all();
    const Progress progress{"until the writer writes again"};
    auto again = harness::wait_until(
        [&] {
            const auto gap = writer_->gap_around(killed_, old_primary);
            if (gap && gap->first_after) promoted_ = gap->first_after->server;
            return !promoted_.empty();
        },
        failover_limit, "the writer writes on another server");
    progress.done(promoted_.empty() ? "" : "on " + promoted_);
    if (!again) return again;
    const Progress rest{"until the failover has finished all its steps"};
    auto ended = daemon_->wait_for_operation(failover_limit);
    rest.done();
    if (!ended) return ended;
    return writer_->wait_for_rows(100, seconds{20});
}

Result<void> Story::look_at_what_happened() {
    headline("What happened");
    if (auto shown = show({"events"}); !shown) return shown;
    headline("What is");
    return show({"status"});
}

Result<void> Story::sum_up() {
    writer_->stop();
    const auto& primary = cluster_->server(promoted_);
    auto missing = writer_->missing_on(primary);
    if (!missing) return missing.error();
    std::vector<std::string> others;
    for (const auto& server : cluster_->servers()) {
        if (server.name != old_primary && server.name != promoted_) others.push_back(server.name);
    }
    auto follows = cluster_->wait_until_streaming(others, promoted_, failover_limit);
    const auto gap = writer_->gap_around(killed_, old_primary);
    const auto announced = daemon_->announced_loss();
    const auto writable = cluster_->writable_servers();

    headline("Summary");
    row("rows acknowledged to the writer", std::to_string(writer_->rows()));
    row("failed statements of the writer", std::to_string(writer_->errors()));
    if (gap && gap->first_after) {
        row("kill to first row on " + promoted_, after(killed_, gap->first_after->at));
        row("gap between two rows", after(gap->last_before.at, gap->first_after->at));
    }
    row("acknowledged rows that are lost", std::to_string(missing->size()));
    row("loss the failover announced", announced.value_or("nothing"));
    row("servers that accept writes", join(writable, ", "));
    row("replicas that stream from " + promoted_, follows ? join(others, ", ") : "not all");
    row("processes of " + std::string{old_primary}, std::to_string(cluster_->server(old_primary).processes().size()));
    row("all in all", fmt::format("{:.0f} s", harness::milliseconds_between(began_, harness::now()) / 1000));

    if (!follows) return follows;
    if (writable != std::vector<std::string>{promoted_}) return Error{ErrorKind::failed, "not exactly one server accepts writes"};
    const auto rows = writer_->acknowledged();
    const auto beyond = std::ranges::count_if(*missing, [&](std::uint64_t id) {
        const auto row_lost = std::ranges::find(rows, id, &harness::Acknowledged::id);
        return !announced || row_lost == rows.end() || row_lost->at + heartbeat_age < killed_;
    });
    if (beyond > 0) return Error{ErrorKind::failed, fmt::format("{} rows were lost beyond what the failover announced", beyond)};
    return {};
}

std::string Story::command_line() const {
    const auto near = std::filesystem::proximate(harness::program());
    const auto shown = near.string().size() < harness::program().string().size() ? near : harness::program();
    return fmt::format("{} --config {}", shown.string(), daemon_->configuration().string());
}

Result<void> Story::show(const std::vector<std::string>& verb) const {
    std::cout << fmt::format("$ handyrep {}\n", join(verb, " "));
    const auto outcome = daemon_->cli(verb);
    if (!outcome) return outcome.error();
    std::cout << outcome->output << outcome->errors << std::flush;
    return {};
}

void Story::keep() {
    if (!cluster_) return;
    if (daemon_) daemon_->release();
    cluster_->temporary_folder().keep();
    headline("It goes on");
    if (daemon_) std::cout << "look:  " << command_line() << " status\n";
    std::cout << "stop:  ./dev demo --stop " << cluster_->folder().string() << "\n";
}

Result<void> stop_kept(const std::string& folder) {
    const auto folders = folder.empty() ? harness::TemporaryFolder::kept() : std::vector<std::filesystem::path>{folder};
    if (folders.empty()) std::cout << "nothing was kept\n";
    for (const auto& one : folders) {
        if (auto removed = harness::TemporaryFolder::remove_kept(one); !removed) return removed;
        std::cout << "stopped and removed " << one.string() << "\n";
    }
    return {};
}

}  // namespace handyrep::demo
