#include "plans/switchover.hpp"

#include "plans/failover.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace handyrep::plans {

using model::ServerName;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

/// While nothing has been stopped yet: it may take its time, and clients notice nothing.
std::vector<Step> beforehand(const SwitchoverInput& input) {
    const ServerName& old_primary = input.decision.old_primary;
    const ServerName& candidate = input.decision.candidate;
    std::vector<Step> out;
    if (input.settings.lease_ttl > Duration{} || std::ranges::find(input.saved.leases, old_primary) != input.saved.leases.end()) {
        out.push_back(
            {.name = fmt::format("end the lease of {}", old_primary.text()),
             .why = "while it is stopped on purpose nothing else may stop it, and not the harder way",
             .apply = {DisarmLease{old_primary}},
             .limit = seconds{5}});
    }
    out.push_back(
        {.name = fmt::format("checkpoint on {}", old_primary.text()),
         .why = "the checkpoint of its stop has little left to write then, and so is short",
         .apply = {Checkpoint{old_primary}},
         .limit = minutes{5},
         .may_fail = true});
    out.push_back(
        {.name = fmt::format("wait for {}", candidate.text()),
         .why = "what it still has to replay is waited for by every client once the primary is stopped",
         .apply = {CatchUp{candidate, old_primary}},
         .limit = minutes{2}});
    out.push_back(
        {.name = "prepare candidate",
         .why = "it must not acknowledge a commit by a rule of its own, nor hang on a server that is gone",
         .apply = {PrepareCandidate{
             candidate, synchronous_names_after_switchover(input.synchronous_standby_names, candidate, old_primary, input.saved)}},
         .limit = seconds{3}});
    out.push_back(
        {.name = fmt::format("prepare {} to follow", old_primary.text()),
         .why = fmt::format("started again it is a replica of {}; a primary takes no notice of the setting", candidate.text()),
         .apply = {PrepareToFollow{old_primary, candidate}},
         .limit = seconds{5}});
    return out;
}

}  // namespace

Plan switchover(const SwitchoverInput& input) {
    const ServerName& old_primary = input.decision.old_primary;
    const ServerName& candidate = input.decision.candidate;
    const model::SystemId system_id = input.saved.system_id.value_or(model::SystemId{0});
    Plan plan{
        .kind = OperationKind::switchover,
        .cluster = input.saved.cluster,
        .reversible = beforehand(input),
        .commit =
            Step{
                .name = fmt::format("promote {}", candidate.text()),
                .why = input.decision.text,
                .apply = {Promote{candidate, input.settings.end_blocking_queries}},
                .limit = seconds{10}},
        .finish = after_promotion(
            input.saved, input.settings, {.promoted = candidate, .old_primary = old_primary, .old_end = OldEnd::stopped_cleanly})};
    plan.reversible.push_back(
        {.name = fmt::format("stop {}", old_primary.text()),
         .why = "a clean stop ships its WAL to the end and ends every client: nothing is acknowledged any more",
         .apply = {StopCleanly{old_primary, system_id}},
         .undo = {StartAgain{old_primary, system_id}},
         .limit = seconds{45}});
    plan.reversible.push_back(
        {.name = "check both gates",
         .why = fmt::format("no process of {} is left, and {} has replayed past its last record", old_primary.text(), candidate.text()),
         .apply = {CheckHandover{old_primary, candidate, input.settings.end_blocking_queries}},
         .limit = seconds{10}});
    return plan;
}

}  // namespace handyrep::plans
