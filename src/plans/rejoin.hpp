// plans/rejoin.hpp — a server comes back as a replica, as a plan.
//
// Pure. No step of it makes a primary, so none is the point of no return and none is undone: what is begun is gone on with by the same
// order, given again. A directory that is being rewound is held against every start by its host until its marks are checked.
#pragma once

#include "decide/rejoin.hpp"
#include "model/saved_state.hpp"
#include "plans/plan.hpp"

namespace handyrep::plans {

[[nodiscard]] Plan rejoin(const decide::Rejoin& decision, const model::SavedState& saved);

}  // namespace handyrep::plans
