// plans/switchover.hpp — the planned change of primary by a clean stop (order D of the safety rules) as a plan.
//
// Pure. The old primary is stopped cleanly, which ships its WAL to the end, shutdown checkpoint included; the candidate is promoted
// once it has replayed that record (S22); the old primary then follows without a rewind, for its WAL ends before the fork. Whatever
// fails before the promotion starts it again as primary.
#pragma once

#include "decide/switchover.hpp"
#include "model/saved_state.hpp"
#include "plans/plan.hpp"

#include <string>

namespace handyrep::plans {

struct SwitchoverInput {
    const decide::SwitchOver& decision;
    const model::FailoverSettings& settings;
    const model::SavedState& saved;
    std::string synchronous_standby_names;  // of the old primary, as last read
};

[[nodiscard]] Plan switchover(const SwitchoverInput& input);

}  // namespace handyrep::plans
