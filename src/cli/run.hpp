// cli/run.hpp — the command line: one invocation in, text and an exit code out.
#pragma once

#include "cli/files.hpp"
#include "control/service.hpp"

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

namespace handyrep::cli {

/// Exit codes besides those of error kinds (base/error.hpp) and of `status` and `check` (control/check.hpp).
inline constexpr int exit_done = 0;
inline constexpr int exit_usage = 4;
inline constexpr int exit_configuration = 5;
inline constexpr int exit_denied = 7;
inline constexpr int exit_failed = 9;

/// Everything of the process that a verb touches, so that a test can be the process.
struct Surroundings {
    std::ostream& out;
    std::ostream& error;
    std::istream& in;
    bool in_is_terminal = false;
    bool out_is_terminal = false;
    std::size_t columns = 100;
    Environment environment;
    control::Versions versions;
    WallTime now;
    std::function<int(const std::string& configuration_file)> daemon;
};

[[nodiscard]] int run(const std::vector<std::string>& arguments, Surroundings& surroundings);

/// The exit code for an HTTP answer that is not a success. `kind` as in its problem object.
[[nodiscard]] int exit_code_for(int http_status, std::string_view kind);

}  // namespace handyrep::cli
