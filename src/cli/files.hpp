// cli/files.hpp — the files that the command line reads, and where the daemon is according to them.
#pragma once

#include "cli/client.hpp"
#include "cli/invocation.hpp"
#include "config/configuration.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace handyrep::cli {

inline constexpr std::string_view default_configuration_file = "/etc/handyrep/handyrep.conf";

using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// Fails with `denied`, or `invalid` when there is no such file or it is larger than any sensible one; the error names it.
[[nodiscard]] Result<std::string> read_text_file(const std::string& path);

/// --config, else HANDYREP_CONFIG, else the default.
[[nodiscard]] std::string configuration_file(const GlobalOptions& global, const Environment& environment);

/// What is wrong with the configuration's own file and those that it names, for the user who asks: passwords that everybody on this
/// machine can read, certificates that cannot be read, a private key that libpq will refuse.
[[nodiscard]] std::vector<config::Problem> problems_of_files(const config::Configuration& configuration);

/// From the configuration's `listen` and its state_dir's cli.token; HANDYREP_TOKEN where that cannot be read.
[[nodiscard]] Result<Target> local_target(const config::Configuration& configuration, const Environment& environment);

}  // namespace handyrep::cli
