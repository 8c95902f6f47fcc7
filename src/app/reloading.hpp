// app/reloading.hpp — the configuration and the logins, read from their files: at the start, and again on SIGHUP.
#pragma once

#include "api/credentials.hpp"
#include "app/reload.hpp"
#include "config/configuration.hpp"
#include "ports/async.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <optional>
#include <string>
#include <vector>

namespace handyrep::app {

struct Read {
    std::optional<config::Configuration> configuration;
    std::vector<std::string> problems;  // for people; without configuration at least one
    std::vector<config::Problem> warnings;
};
/// Also refuses a file with passwords that everybody on the machine can read. Blocks.
[[nodiscard]] Read read_configuration(const std::string& file);

struct Reread {
    std::optional<config::Configuration> configuration;
    std::optional<api::Credentials> credentials;
    std::vector<std::string> problems;
    bool hangs = false;  // the thread is still at it, and may come back at any time
};
/// The same and the logins, on a thread of its own: a disk that hangs does not stop the watching. `executor` gets the
/// answer and outlives the thread, unless it hangs: then the process must end without a goodbye.
[[nodiscard]] asio::awaitable<Reread> reread(asio::any_io_executor executor, std::string file, std::string state_dir);

}  // namespace handyrep::app
