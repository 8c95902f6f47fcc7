// adapters/ssh/service_scripts.hpp — what stops a server for a while and starts it again, as text; the rules of scripts.hpp hold.
#pragma once

#include "adapters/ssh/scripts.hpp"
#include "base/time.hpp"

#include <string>

namespace handyrep::adapters::ssh {

/// Gives back what fence_script or stop_script disabled, and starts it within `limit`; in the place of a stop that is under way. Answers as
/// read_done reads it. Refuses a directory of another system, and as a standby one that is not marked, with nothing touched.
[[nodiscard]] std::string start_script(const Node& node, model::SystemId expected, bool as_primary, Duration limit);

}  // namespace handyrep::adapters::ssh
