// The commit step: the promotion, until it is seen and written down.
#include "base/ensure.hpp"
#include "engine/changes.hpp"
#include "engine/hands.hpp"
#include "engine/looks.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace handyrep::engine {

using model::ServerName;

Result<WallTime> Hands::expiry_for(const ServerName& candidate, Duration limit) const {
    const auto* const seen = state_.evidence.find(candidate);
    if (seen == nullptr || !seen->last_answer)
        return Error{ErrorKind::refused, fmt::format("the clock of {} was never read", candidate.text())};
    const Duration since = state_.clock().now() - seen->last_answer->at;
    return seen->last_answer->what.server_time + std::chrono::duration_cast<std::chrono::microseconds>(since + limit);
}

Async<void> Hands::ask_to_promote(const plans::Promote& command, WallTime expires, Instant deadline) {
    if (command.how != model::Promoting::by_host) co_return co_await state_.postgres(command.candidate).promote(expires, deadline);
    if (!state_.saved.system_id) co_return Error{ErrorKind::refused, "the cluster's system identifier was never read"};
    co_return co_await state_.host(command.candidate).promote(*state_.saved.system_id, expires, deadline);
}

Async<void> Hands::promote(const plans::Promote& command, Instant deadline) {
    ensure(findings_.expires.has_value(), "a promotion is journalled with its expiry before it is asked for");
    const WallTime expires = findings_.expires.value_or(WallTime{});
    // The gates were asked some steps ago, and the sensors go on looking meanwhile.
    if (auto veto = writable_veto()) co_return *std::move(veto);
    auto asked = co_await ask_to_promote(command, expires, deadline);
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

}  // namespace handyrep::engine
