#include "app/start.hpp"

#include "adapters/postgres/connection.hpp"
#include "app/daemon.hpp"
#include "cli/run.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <malloc.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string_view>

namespace handyrep::app {

namespace {

std::optional<std::string> environment(const std::string& name) {
    const char* const value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
}

std::size_t terminal_columns() {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    std::size_t columns = 0;
    const std::string text = environment("COLUMNS").value_or("");
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), columns);
    return error == std::errc{} && columns > 0 ? columns : 120;
}

std::string libpq_version() {
    const int number = PQlibVersion();
    return fmt::format("{}.{}", number / 10000, number % 10000);
}

}  // namespace

int start(int count, char** arguments) {
    // Few arenas: each thread that allocates would otherwise keep megabytes of its own for ever.
    ::mallopt(M_ARENA_MAX, 2);
    // A shell or a browser that went away is an error of that write, not the end of the program.
    std::signal(SIGPIPE, SIG_IGN);
    // Connection options come from the configuration only.
    adapters::postgres::clear_libpq_environment();

    const control::Versions versions{.handyrep = HANDYREP_VERSION, .libpq = libpq_version()};
    cli::Surroundings surroundings{
        .out = std::cout,
        .error = std::cerr,
        .in = std::cin,
        .in_is_terminal = ::isatty(STDIN_FILENO) == 1,
        .out_is_terminal = ::isatty(STDOUT_FILENO) == 1,
        .columns = terminal_columns(),
        .environment = environment,
        .versions = versions,
        .now = std::chrono::time_point_cast<WallTime::duration>(std::chrono::system_clock::now()),
        .daemon = [&](const std::string& configuration_file) { return run_daemon(configuration_file, versions); },
    };
    const int exit_code = cli::run(std::vector<std::string>(arguments + 1, arguments + count), surroundings);
    std::cout.flush();
    return exit_code;
}

}  // namespace handyrep::app
