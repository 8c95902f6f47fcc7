// plans/describe.hpp — a plan as people read it before they say yes.
#pragma once

#include "plans/plan.hpp"

#include <string>
#include <vector>

namespace handyrep::plans {

/// "fence db1: autostart off, mark its directory standby, kill every process of it".
[[nodiscard]] std::string describe(const Command& command);

/// One line per step and command, numbered, with the point of no return marked.
[[nodiscard]] std::vector<std::string> describe(const Plan& plan);

}  // namespace handyrep::plans
