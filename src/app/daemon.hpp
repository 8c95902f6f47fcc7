// app/daemon.hpp — `handyrep daemon`: starts, runs until told to stop, ends cleanly.
//
// SIGTERM, SIGINT: a running operation ends or undoes itself, within a limit; the second one ends the program at once.
// SIGHUP: reads the configuration again, whole; a bad one changes nothing.
#pragma once

#include "control/service.hpp"

#include <string>

namespace handyrep::app {

/// The exit code: 0 after SIGTERM, 5 for a bad configuration, 9 when it cannot start or an end was not clean.
[[nodiscard]] int run_daemon(const std::string& configuration_file, const control::Versions& versions);

}  // namespace handyrep::app
