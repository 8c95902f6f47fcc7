// plans/service.hpp — what a person orders of one server's service, as a plan.
//
// Pure. A primary that is restarted in place is stopped cleanly as in a switchover, and given back whatever fails.
#pragma once

#include "decide/service.hpp"
#include "model/saved_state.hpp"
#include "plans/plan.hpp"

#include <optional>

namespace handyrep::plans {

/// Of a cluster whose system identifier is known.
[[nodiscard]] Plan service(const decide::ServiceOrder& order, const model::SavedState& saved);

/// One replica, restarted and seen to stream again.
[[nodiscard]] Step restart_of(
    const model::ServerName& replica, const std::optional<model::ServerName>& upstream, model::SystemId system_id);

}  // namespace handyrep::plans
