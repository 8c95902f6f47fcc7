// The hands' part of the lease: waiting until it has surely stopped the old primary (S6).
#include "decide/lease.hpp"
#include "engine/hands.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace handyrep::engine {

namespace {

constexpr Duration veto_interval = std::chrono::milliseconds{100};

}  // namespace

/// What makes the wait pointless, or the promotion behind it wrong.
std::optional<Error> Hands::lease_veto(const model::ServerName& server) const {
    if (auto veto = writable_veto()) return veto;
    if (auto veto = life_veto()) return veto;
    const decide::AnalysisInput input = state_.input();
    const decide::Analysis analysis = decide::analyse(input);
    if (analysis.primary_host_answers)
        return Error{ErrorKind::refused, fmt::format("the host of {} answers: it can be fenced", server.text())};
    if (const auto objection = decide::lease_objects(input, analysis)) return Error{ErrorKind::refused, *objection};
    for (const decide::ReplicaView& view : analysis.replicas) {
        if (view.standby() != nullptr && view.standby()->receiver && view.upstream == server)
            return Error{ErrorKind::refused, fmt::format("{} streams from {} again", view.server.text(), server.text())};
    }
    return std::nullopt;
}

Async<void> Hands::await_lease(const plans::AwaitLease& command, Instant deadline) {
    for (;;) {
        if (auto veto = lease_veto(command.server)) co_return *std::move(veto);
        const auto runs_out = decide::lease_runs_out(*state_.evidence.lease, findings_.finals);
        if (!runs_out)
            co_return Error{ErrorKind::refused, "a replica whose replies keep the old primary alive is not known to be detached"};
        const Instant now = state_.clock().now();
        if (now >= *runs_out) {
            state_.tell(
                Level::info, "lease_ran_out",
                fmt::format("the lease of {} has surely run out: PostgreSQL is stopped there", command.server.text()),
                {{"server", command.server.text()}}, findings_.operation);
            co_return Result<void>{};
        }
        if (*runs_out >= deadline) co_return Error{ErrorKind::refused, "the lease does not run out in time"};
        co_await state_.clock().sleep_until(std::min(*runs_out, now + veto_interval));
    }
}

}  // namespace handyrep::engine
