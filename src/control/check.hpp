// control/check.hpp — a cluster's state as a monitoring plug-in says it: one line and an exit code.
//
// Pure. The exit codes are Nagios's, and the CLI's own: 0 healthy, 1 warning, 2 down, 3 unknown.
#pragma once

#include "engine/report.hpp"

#include <string>

namespace handyrep::control {

struct Check {
    model::ClusterName cluster;
    int exit_code = 3;
    std::string word;  // "OK", "WARNING", "CRITICAL", "UNKNOWN"
    std::string text;  // the whole line, with performance data behind the bar
};

[[nodiscard]] int exit_code_for(model::ClusterStatus status);
/// Of `verify`: 2 when something is broken, else 1 when there are debts, else 3 when something is unknown, else 0.
[[nodiscard]] int exit_code_for(const decide::CheckCounts& counts);
[[nodiscard]] Check check(const engine::ClusterReport& report);

}  // namespace handyrep::control
