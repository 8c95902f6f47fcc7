// plans/follow.hpp — re-pointing of replicas by a person's order, as a plan.
//
// Pure. One replica after the other, so that never more than one of them is without its WAL; whatever fails gives every one of
// them its former upstream back.
#pragma once

#include "decide/follow.hpp"
#include "model/saved_state.hpp"
#include "plans/plan.hpp"

namespace handyrep::plans {

[[nodiscard]] Plan follow(const decide::Follow& decision, const model::SavedState& saved);

}  // namespace handyrep::plans
