// adapters/ssh/standby_scripts.hpp — what is done to a standby on its host where SQL cannot (before PostgreSQL 12 and 13), as text;
// the rules of scripts.hpp hold. Each refuses a directory of another system and one that is not marked standby, with nothing touched.
#pragma once

#include "adapters/ssh/scripts.hpp"
#include "base/time.hpp"

#include <string>

namespace handyrep::adapters::ssh {

/// pg_ctl promote, unless the node's clock has passed `expires`.
[[nodiscard]] std::string promote_script(const Node& node, model::SystemId expected, WallTime expires);

/// Stops and starts it with the options that it has, mostly within `limit`. Once stopped it is started also after that.
[[nodiscard]] std::string restart_script(const Node& node, model::SystemId expected, Duration limit);

/// primary_conninfo as recovery.conf or, since 12, the next start has it, within its quotes.
[[nodiscard]] std::string read_upstream_script(const Node& node);
/// Puts it there, and recovery_target_timeline = 'latest', without which it could follow nobody who was promoted.
[[nodiscard]] std::string write_upstream_script(const Node& node, model::SystemId expected, const std::string& conninfo);

}  // namespace handyrep::adapters::ssh
