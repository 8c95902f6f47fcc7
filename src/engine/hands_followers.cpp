// The finishing steps: the other replicas follow the new primary.
#include "decide/look.hpp"
#include "engine/changes.hpp"
#include "engine/hands.hpp"
#include "engine/looks.hpp"
#include "model/version_facts.hpp"

#include <fmt/format.h>

namespace handyrep::engine {

using model::ServerName;

namespace {

constexpr Duration upstream_patience = std::chrono::seconds{2};

}  // namespace

Async<void> Hands::follow(const ServerName& replica, const ServerName& upstream, Instant deadline) {
    const model::ServerDefinition& to = state_.define(upstream);
    auto outcome = co_await state_.postgres(replica).follow(ports::Upstream{to.hostname, to.port}, deadline);
    if (!outcome) co_return outcome.error().during(fmt::format("let {} follow {}", replica.text(), upstream.text()));
    co_return outcome;
}

Async<void> Hands::restart(const ServerName& replica, Instant deadline) {
    if (!state_.saved.system_id) co_return Error{ErrorKind::refused, "the cluster's system identifier was never read"};
    auto outcome = co_await state_.host(replica).restart_standby(*state_.saved.system_id, deadline);
    state_.tell(
        outcome ? Level::info : Level::warning, "restarted",
        outcome ? fmt::format("{} was restarted, so that it follows its new upstream", replica.text())
                : fmt::format("{} follows its new upstream from its next start on: {}", replica.text(), outcome.error().text()),
        {{"server", replica.text()}}, findings_.operation);
    if (!outcome) co_return outcome.error().during(fmt::format("restart {}", replica.text()));
    co_return outcome;
}

Async<void> Hands::repoint(const plans::Repoint& command, Instant deadline) {
    const model::HeldSight first = co_await look(command.replica, deadline);
    const auto* const before = std::get_if<model::Answered>(&first);
    if (before == nullptr || before->standby() == nullptr)
        co_return Error{ErrorKind::unreachable, fmt::format("{} {}", command.replica.text(), words_of(first))};
    // Whoever stands at that address with another system's data is not ours to change.
    if (decide::is_foreign(state_.input(), *before))
        co_return Error{
            ErrorKind::refused, fmt::format("{} answers as another system ({})", command.replica.text(), before->system_id.value)};
    // Judged by what was replayed, never by what was received: half a record is no divergence (S11).
    const model::StandbyAnswer& standby = *before->standby();
    if (findings_.history && standby.timeline && !findings_.history->contains({*standby.timeline, standby.replayed})) {
        co_return Error{
            ErrorKind::refused, fmt::format(
                                    "{} has replayed {} that {} does not have: it must be rewound or cloned", command.replica.text(),
                                    text(model::WalPosition{*standby.timeline, standby.replayed}), command.upstream.text())};
    }
    const model::ServerDefinition& to = state_.define(command.upstream);
    const bool by_restart = model::needs_restart(model::facts_of(before->version).repointing);
    // A restart is not repeated for nothing.
    if (by_restart && follows(standby, to, findings_.history)) co_return Result<void>{};
    auto told = co_await follow(command.replica, command.upstream, deadline);
    if (told && by_restart) told = co_await restart(command.replica, deadline);
    if (!told) co_return told;
    co_return co_await see_it_follow(command.replica, command.upstream, upstream_patience, deadline);
}

/// Until it replays from `upstream`; given up when that has not answered for `patience`.
Async<void> Hands::see_it_follow(const ServerName& replica, const ServerName& upstream, Duration patience, Instant deadline) {
    const model::ServerDefinition& to = state_.define(upstream);
    while (state_.clock().now() < deadline) {
        const model::HeldSight sight = co_await look(replica, deadline);
        const auto* const answer = std::get_if<model::Answered>(&sight);
        if (answer != nullptr && answer->standby() != nullptr && follows(*answer->standby(), to, findings_.history))
            co_return Result<void>{};
        if (answer != nullptr && answer->primary() != nullptr)
            co_return Error{ErrorKind::refused, fmt::format("{} is out of recovery: somebody promoted it", replica.text())};
        // Whoever is told to follow a server that died right after its promotion waits in vain, and holds up the next failover.
        const auto* const above = state_.evidence.find(upstream);
        if (above != nullptr && above->bad_since && state_.clock().now() - *above->bad_since > patience)
            co_return Error{ErrorKind::unreachable, fmt::format("{} does not answer", upstream.text())};
        co_await state_.clock().sleep_until(state_.clock().now() + 2 * look_interval);
    }
    co_return Error{ErrorKind::timed_out, fmt::format("{} does not replay from {} yet; look at its log", replica.text(), upstream.text())};
}

}  // namespace handyrep::engine
