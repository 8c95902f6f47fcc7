// plans/copying.hpp — making a server's data directory anew as a copy of another's, as a plan.
//
// Pure. The copy itself goes on without us; each step finds what is there of it already, so that the same plan, made afresh, goes on where
// a manager that is gone, or a failover in between, left it.
#pragma once

#include "decide/copying.hpp"
#include "model/saved_state.hpp"
#include "plans/plan.hpp"

#include <string>
#include <string_view>

namespace handyrep::plans {

[[nodiscard]] Plan copying(const decide::CopyServer& decision, const model::SavedState& saved);

/// What a later life of the manager needs to go on with it, for the journal.
[[nodiscard]] std::string copy_text(const decide::CopyServer& decision);
/// Fails with `invalid`.
[[nodiscard]] Result<decide::CopyServer> parse_copy(std::string_view text);

}  // namespace handyrep::plans
