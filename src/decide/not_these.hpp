// decide/not_these.hpp — why it is not another situation. Internal to decide/.
#pragma once

#include "decide/explain.hpp"

#include <vector>

namespace handyrep::decide {

/// The situations that are near the one of `analysis`, in the order of decision, each with what keeps it from being the one.
[[nodiscard]] std::vector<NotThis> not_these(const AnalysisInput& input, const Analysis& analysis);

}  // namespace handyrep::decide
