// plans/failover.hpp — the failover of safety rule S1 as a plan, for one named candidate.
//
// Pure. The next candidate is a new plan; whether this one may go on past its gates is judged by decide/gates with what
// the steps before found out.
#pragma once

#include "decide/decision.hpp"
#include "model/saved_state.hpp"
#include "plans/plan.hpp"

#include <optional>
#include <string>

namespace handyrep::plans {

struct FailoverInput {
    const decide::FailOver& decision;
    const model::FailoverSettings& settings;
    const model::SavedState& saved;
    const decide::Analysis& analysis;
    std::string synchronous_standby_names;  // of the old primary, as last read
    /// How long after the last detach its lease has surely stopped the old primary; nothing: it is not what the fence gate goes by.
    std::optional<Duration> lease_wait{};
};

[[nodiscard]] Plan failover(const FailoverInput& input);

/// What became of the old primary.
enum class OldEnd { out_of_reach, host_answers, stopped_cleanly };
/// What remains when the promotion itself is known to have happened: recording it, re-pointing the others, and, where the old
/// primary's host answers, reading what was lost, or, where it was stopped cleanly, starting it as a replica.
struct Promoted {
    model::ServerName promoted;
    model::ServerName old_primary;
    OldEnd old_end = OldEnd::out_of_reach;
};
[[nodiscard]] std::vector<Group> after_promotion(
    const model::SavedState& saved, const model::FailoverSettings& settings, const Promoted& what);

/// Stops a server that was failed over from and runs as primary again (S12).
[[nodiscard]] Plan stop_returned_primary(const model::SavedState& saved, const model::MustBeDown& entry);

/// synchronous_standby_names for the world after `candidate` was promoted (S9): the rule of the old primary among the
/// replicas that are seen, never naming the candidate itself or a server that is not there, for that would hang every commit.
[[nodiscard]] std::string synchronous_names_after(
    const std::string& before, const model::ServerName& candidate, const decide::Analysis& analysis, const model::SavedState& saved);

/// The same for a planned change: the old primary comes back at once and takes the candidate's place in the rule, so that no
/// commit is acknowledged by fewer servers than before; commits wait for it until it streams.
[[nodiscard]] std::string synchronous_names_after_switchover(
    const std::string& before, const model::ServerName& candidate, const model::ServerName& old_primary, const model::SavedState& saved);

}  // namespace handyrep::plans
