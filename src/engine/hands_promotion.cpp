// The commit step: the promotion, until it is seen and written down.
#include "base/ensure.hpp"
#include "engine/changes.hpp"
#include "engine/hands.hpp"
#include "engine/looks.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace handyrep::engine {

using model::ServerName;
using std::chrono::milliseconds;

namespace {

/// Wakes a promotion that sleeps in wal_retrieve_retry_interval (failure analysis, T10).
constexpr Duration nudge_interval = milliseconds{20};

}  // namespace

Result<WallTime> Hands::expiry_for(const ServerName& candidate, Duration limit) const {
    const auto* const seen = state_.evidence.find(candidate);
    if (seen == nullptr || !seen->last_answer)
        return Error{ErrorKind::refused, fmt::format("the clock of {} was never read", candidate.text())};
    const Duration since = state_.clock().now() - seen->last_answer->at;
    return seen->last_answer->what.server_time + std::chrono::duration_cast<std::chrono::microseconds>(since + limit);
}

Async<void> Hands::promote(const plans::Promote& command, Instant deadline) {
    ensure(findings_.expires.has_value(), "a promotion is journalled with its expiry before it is asked for");
    const WallTime expires = findings_.expires.value_or(WallTime{});
    // The gates were asked some steps ago, and the sensors go on looking meanwhile.
    if (auto veto = writable_veto()) co_return *std::move(veto);
    ports::Postgres& postgres = state_.postgres(command.candidate);
    auto asked = co_await postgres.promote(expires, deadline);
    if (const auto now = expiry_for(command.candidate, Duration::zero()); asked && now) findings_.taken = *now;
    if (!asked) {
        // Carried out already (by an earlier attempt): then it answers as primary.
        const model::HeldSight sight = co_await look(command.candidate, deadline);
        const auto* const answer = std::get_if<model::Answered>(&sight);
        if (answer == nullptr || answer->primary() == nullptr)
            co_return asked.error().during(fmt::format("promote {}", command.candidate.text()));
    }
    co_return co_await watch_promotion(command, deadline);
}

Async<void> Hands::watch_promotion(plans::Promote command, Instant deadline) {
    const ServerName& candidate = command.candidate;
    ReplayWatch replay;
    bool may_end = command.end_queries;
    ports::Postgres& postgres = state_.postgres(candidate);
    Instant next_nudge = state_.clock().now() + nudge_interval;
    while (state_.clock().now() < deadline) {
        const model::HeldSight sight = co_await look(candidate, deadline);
        if (const auto* answer = std::get_if<model::Answered>(&sight); answer != nullptr && answer->primary() != nullptr) {
            findings_.history = answer->primary()->history;
            co_return Result<void>{};
        } else if (answer != nullptr) {
            const Instant now = state_.clock().now();
            replay.note(answer->standby()->replayed, now);
            if (may_end && replay.is_held_up(*answer->standby(), now)) {
                may_end = false;
                co_await end_queries(candidate, deadline);
            }
        }
        if (state_.clock().now() >= next_nudge) {
            // A nudge that fails changes nothing: the looks go on and tell.
            static_cast<void>(co_await postgres.nudge(std::min(deadline, state_.clock().now() + look_limit)));
            next_nudge = state_.clock().now() + nudge_interval;
        }
        co_await state_.clock().sleep_until(state_.clock().now() + look_interval / 2);
    }
    co_return Error{ErrorKind::timed_out, fmt::format("{} was told to promote and is not seen as primary", candidate.text())};
}

/// Once in a step: whoever is still in the way then is not a query of a client. That it fails holds nothing up, the step goes on
/// waiting.
asio::awaitable<void> Hands::end_queries(ServerName server, Instant deadline) {
    const auto ended = co_await state_.postgres(server).end_queries(std::min(deadline, state_.clock().now() + look_limit));
    const std::string text = ended ? fmt::format(
                                         "the replay of {} stood still for {}: {} session(s) of clients there were ended", server.text(),
                                         handyrep::text(held_up), *ended)
                                   : fmt::format(
                                         "the replay of {} stood still for {}, and queries of clients there could not be ended: {}",
                                         server.text(), handyrep::text(held_up), ended.error().text());
    state_.tell(
        Level::warning, "queries_ended", text, {{"server", server.text()}, {"sessions", ended ? fmt::format("{}", *ended) : "unknown"}},
        findings_.operation);
}

/// Fields that are the same in every life of the manager: what is not known is said so, never left out.
void Hands::tell_promotion(const plans::RecordPromotion& command) {
    const bool judged = findings_.fence_gate && is_open(*findings_.fence_gate);
    // A promotion that an earlier life of the manager ordered: what it knew is gone with it.
    if (!judged) findings_.loss.unbounded = "this life of the manager did not see the failover";
    const auto bytes = [](const std::optional<model::Bytes>& it) { return it ? fmt::format("{}", it->count) : std::string("unknown"); };
    const std::string age = findings_.loss.at_least && findings_.old_end ? text(std::chrono::floor<milliseconds>(findings_.old_end->age))
                                                                         : std::string("unknown");
    std::vector<Field> fields{
        {"server", command.promoted.text()},
        {"from", command.old_primary.text()},
        {"epoch", fmt::format("{}", state_.saved.epoch)},
        {"proof", judged ? std::string(word_for(std::get<decide::GateOpen>(*findings_.fence_gate).proof)) : "unknown"},
        {"fork", fork_of_promotion() ? text(model::WalPosition{fork_of_promotion()->from, fork_of_promotion()->at}) : "unknown"},
        {"loss_at_least_bytes", bytes(findings_.loss.at_least)},
        {"loss_seen_before", age},
        {"loss_at_most_bytes", bytes(findings_.loss.at_most)}};
    if (!findings_.loss.unbounded.empty()) fields.push_back({"loss_unbounded", findings_.loss.unbounded});
    state_.tell(
        Level::warning, "promoted",
        fmt::format(
            "{} is the primary now, {} must not run as one; lost: {}", command.promoted.text(), command.old_primary.text(),
            text(findings_.loss)),
        std::move(fields), findings_.operation);
}

Async<void> Hands::record(const plans::RecordPromotion& command, Instant deadline) {
    if (state_.saved.primary == command.promoted) co_return Result<void>{};
    if (!findings_.history) {
        const auto history = co_await state_.postgres(command.promoted).timeline_history(deadline);
        if (history) findings_.history = *history;
    }
    record_promotion(
        state_.saved, {.promoted = command.promoted,
                       .old_primary = command.old_primary,
                       .old_position = findings_.old_position,
                       .history = findings_.history,
                       .at = state_.clock().wall(),
                       .automatic = findings_.automatic});
    auto written = co_await state_.save();
    tell_promotion(command);
    if (!written) co_return written.error();
    co_return Result<void>{};
}

/// The last switch of the promoted server's history: where it left the old primary's WAL.
std::optional<model::TimelineSwitch> Hands::fork_of_promotion() const {
    if (!findings_.history || findings_.history->switches().empty()) return std::nullopt;
    return findings_.history->switches().back();
}

void Hands::tell_loss(const plans::ReadLoss& command, const model::TimelineSwitch& fork, const model::WalEnd& read) {
    const model::Bytes lost = gap(fork.at, read.end);
    const std::string commits = read.all_counted ? fmt::format("{}", read.commits) : std::string("unknown");
    state_.tell(
        lost.count == 0 || (read.all_counted && read.commits == 0) ? Level::info : Level::warning, "loss_known",
        fmt::format(
            "the WAL of {} ends at {}, {} behind the fork at {}; committed transactions in it: {}", command.old_primary.text(),
            read.end.text(), text(lost), text(model::WalPosition{fork.from, fork.at}), commits),
        {{"server", command.old_primary.text()},
         {"fork", text(model::WalPosition{fork.from, fork.at})},
         {"end", read.end.text()},
         {"loss_bytes", fmt::format("{}", lost.count)},
         {"loss_transactions", commits}},
        findings_.operation);
}

/// Behind the promotion, so that nobody waits for it; the fence left nobody who could still write there.
Async<void> Hands::read_loss(const plans::ReadLoss& command, Instant deadline) {
    const auto fork = fork_of_promotion();
    if (!fork) co_return Error{ErrorKind::failed, "the timeline history of the promoted server is not known: nobody knows where it forked"};
    const model::WalEndQuestion question{command.system_id, {fork->from, fork->at}};
    const auto read = co_await state_.host(command.old_primary).read_wal_end(question, deadline);
    if (!read) co_return read.error();
    findings_.lost = *read;
    tell_loss(command, *fork, *read);
    co_return Result<void>{};
}

}  // namespace handyrep::engine
