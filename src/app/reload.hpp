// app/reload.hpp — what a changed configuration means for a daemon that runs. Pure.
#pragma once

#include "config/configuration.hpp"

#include <string>
#include <vector>

namespace handyrep::app {

struct Changes {
    std::vector<std::string> at_once;       // keys that are applied while running
    std::vector<std::string> need_restart;  // keys that wait for a restart
};

/// Keys as "failover.poll_interval" and "servers.db2.port"; values are never named, some are secret.
[[nodiscard]] Changes changes_between(const config::Configuration& running, const config::Configuration& fresh);

/// handyrep.log_verbose.
[[nodiscard]] bool is_verbose(const config::Configuration& configuration);

}  // namespace handyrep::app
