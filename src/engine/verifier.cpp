#include "engine/verifier.hpp"

#include "engine/parallel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace handyrep::engine {

using std::chrono::minutes;
using std::chrono::seconds;

namespace {

constexpr Duration database_limit = seconds{5};
constexpr Duration host_limit = seconds{20};
constexpr Duration tries_limit = seconds{40};  // the drill and the logins of one host
/// Logins, drills and shells leave lines in the servers' logs: by itself no more often than this.
constexpr Duration hosts_interval = minutes{60};
constexpr Duration shortest_interval = minutes{1};

/// The shells of a round close with it.
class Shells {
public:
    explicit Shells(const State& state) : state_{state} {}
    ~Shells() {
        for (const ServerPorts& it : state_.servers()) it.host_inspector.done();
    }
    Shells(const Shells&) = delete;
    Shells& operator=(const Shells&) = delete;

private:
    const State& state_;
};

const model::DatabaseInspection* database_of(const model::ServerInspection& seen) {
    return seen.database && *seen.database ? &**seen.database : nullptr;
}

}  // namespace

Verifier::Verifier(State& state, std::function<bool()> calm) : state_{state}, calm_{std::move(calm)} {
    for (const ServerPorts& it : state_.servers()) seen_.push_back({.server = it.server});
}

Duration Verifier::interval() const {
    return std::max<Duration>(shortest_interval, state_.settings().poll_interval * state_.settings().verify_frequency);
}

asio::awaitable<void> Verifier::work() {
    const StopNotice notice{stopped_, done_};
    Instant due = state_.clock().now() + interval();
    for (;;) {
        const std::uint64_t heard = asked_.rung();
        if (wanted_ <= begun_) co_await state_.clock().wait(asked_, heard, due);
        const bool asked = wanted_ > begun_;
        if (!asked && !calm_()) {
            due = state_.clock().now() + interval();
            continue;
        }
        const bool stale = !full_at_ || state_.clock().now() - *full_at_ >= hosts_interval;
        const bool full = asked || stale;
        if (full) ++begun_;
        co_await round(full ? ports::Depth::full : ports::Depth::brief);
        if (full) ended_ = begun_;
        due = state_.clock().now() + interval();
        done_.ring();
    }
}

Async<Readiness> Verifier::verify() {
    const std::uint64_t mine = begun_ + 1;
    wanted_ = std::max(wanted_, mine);
    asked_.ring();
    while (ended_ < mine || !last_) {
        const std::uint64_t heard = done_.rung();
        if (stopped_) co_return Error{ErrorKind::refused, "the daemon stops; ask again once it runs"};
        co_await state_.clock().wait(done_, heard);
    }
    co_return *last_;
}

asio::awaitable<void> Verifier::round(ports::Depth depth) {
    const Instant began = state_.clock().now();
    const Shells shells{state_};
    std::vector<asio::awaitable<void>> looks;
    for (std::size_t index = 0; index < seen_.size(); ++index) looks.push_back(look_at(index, depth, began));
    co_await all(std::move(looks));
    if (depth == ports::Depth::full) {
        std::vector<asio::awaitable<void>> tries;
        for (std::size_t index = 0; index < seen_.size(); ++index) tries.push_back(try_host(index, state_.clock().now() + tries_limit));
        co_await all(std::move(tries));
        full_at_ = began;
    }
    Readiness found{
        .cluster = state_.saved.cluster,
        .at = state_.clock().wall(),
        .hosts_at = depth == ports::Depth::full ? std::optional{state_.clock().wall()}
                    : last_                     ? last_->hosts_at
                                                : std::nullopt,
        .took = state_.clock().now() - began,
        .checks = decide::judge({state_.settings(), state_.saved, seen_})};
    tell_news(found);
    last_ = std::move(found);
}

/// What is worse or better than in the last round; a cluster that stays as it is says nothing.
void Verifier::tell_news(const Readiness& now) {
    const auto before_of = [&](const decide::Check& check) {
        if (!last_) return decide::CheckOutcome::ok;
        const auto same = [&](const decide::Check& it) { return it.name == check.name && it.server == check.server; };
        const auto found = std::ranges::find_if(last_->checks, same);
        return found == last_->checks.end() ? decide::CheckOutcome::ok : found->outcome;
    };
    std::vector<Field> fields;
    Level level = Level::info;
    for (const decide::Check& check : now.checks) {
        const auto before = before_of(check);
        if (check.outcome == before || check.outcome == decide::CheckOutcome::unknown) continue;
        if (check.outcome == decide::CheckOutcome::broken) level = Level::warning;
        fields.push_back(
            {fmt::format("{} {}", check.server.text(), word_for(check.name)), fmt::format("{}: {}", word_for(check.outcome), check.text)});
    }
    if (fields.empty()) return;
    const decide::CheckCounts counts = decide::count(now.checks);
    state_.tell(
        level, "readiness", fmt::format("{} broken, {} debts: see `handyrep verify`", counts.broken, counts.debts), std::move(fields));
}

asio::awaitable<void> Verifier::look_at(std::size_t index, ports::Depth depth, Instant began) {
    const ServerPorts& server = state_.servers()[index];
    auto database = co_await server.database_inspector.inspect(depth, began + database_limit);
    // What only a full round reads stays as that round read it.
    if (depth == ports::Depth::brief && database && database_of(seen_[index]) != nullptr) database->size = database_of(seen_[index])->size;
    seen_[index].database.emplace(std::move(database));
    if (depth == ports::Depth::full) seen_[index].host.emplace(co_await server.host_inspector.inspect(began + host_limit));
}

/// The drill, and a replication login to each candidate, one after the other over the one shell.
asio::awaitable<void> Verifier::try_host(std::size_t index, Instant deadline) {
    model::ServerInspection& seen = seen_[index];
    seen.logins.clear();
    seen.drill.reset();
    if (!seen.host || !*seen.host) co_return;
    ports::HostInspector& host = state_.servers()[index].host_inspector;
    if (const auto expected = system_id()) seen.drill.emplace(co_await host.drill(*expected, deadline));
    seen.lease.reset();
    if (state_.settings().lease_ttl > Duration{}) seen.lease.emplace(co_await host.drill_lease(deadline));
    for (std::size_t to = 0; to < seen_.size(); ++to) {
        const auto question = login_question(index, to);
        if (!question) continue;
        model::LoginAttempt attempt = co_await host.try_login(*question, deadline);
        attempt.with_own_settings = database_of(seen)->upstream || state_.servers()[index].postgres.upstream_settings();
        seen.logins.push_back(std::move(attempt));
    }
}

/// Nothing where nobody would follow: the target is no candidate, or nothing is known of how this node logs in.
std::optional<ports::LoginQuestion> Verifier::login_question(std::size_t from, std::size_t to) const {
    const auto saved = std::ranges::find(state_.saved.servers, seen_[to].server, &model::ServerDefinition::name);
    const auto expected = system_id();
    const auto* const own = database_of(seen_[from]);
    if (from == to || saved == state_.saved.servers.end() || !saved->enabled || !expected || own == nullptr) return std::nullopt;
    if (saved->role == model::Role::primary || saved->failover_priority == 0 || state_.saved.barred(saved->name) != nullptr)
        return std::nullopt;
    // Before 12 it stands in recovery.conf, where no session reads it: what was tried would not be what the node uses.
    if (!own->settings.contains("primary_conninfo")) return std::nullopt;
    ports::LoginQuestion out{
        .to = saved->name,
        .hostname = saved->hostname,
        .port = saved->port,
        .conninfo = state_.servers()[from].postgres.upstream_settings().value_or(own->made_conninfo),
        .password = {},
        .expected = *expected};
    if (own->upstream) {
        out.conninfo = own->upstream->conninfo;
        out.password = own->upstream->password;
    }
    return out;
}

std::optional<model::SystemId> Verifier::system_id() const {
    if (state_.saved.system_id) return state_.saved.system_id;
    for (const model::ServerInspection& it : seen_) {
        if (database_of(it) != nullptr && database_of(it)->system_id) return database_of(it)->system_id;
    }
    return std::nullopt;
}

}  // namespace handyrep::engine
