#pragma once

namespace handyrep::app {

/// The whole program: sets the process up, reads the command line, runs a verb. Returns the exit code.
[[nodiscard]] int start(int count, char** arguments);

}  // namespace handyrep::app
