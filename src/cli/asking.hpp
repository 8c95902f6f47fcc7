// cli/asking.hpp — what every verb that asks the daemon does: find it, ask, end with a reason, print. Internal to the room.
#pragma once

#include "cli/client.hpp"
#include "cli/invocation.hpp"
#include "cli/run.hpp"
#include "control/json.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>
#include <variant>

namespace handyrep::cli {

inline constexpr Duration question_limit = std::chrono::seconds{10};

/// Why a verb ends early: said on standard error, and the exit code.
struct Ending {
    std::string text;
    int exit_code;
};
[[nodiscard]] Ending ending_of(const Error& error);
[[nodiscard]] int end(const Ending& ending, Surroundings& surroundings);

using Answer = std::variant<control::Json, Ending>;
/// One question to the daemon of --url or of the configuration.
[[nodiscard]] Answer fetch(const GlobalOptions& global, const Surroundings& surroundings, const Question& question, Duration limit);
/// `path` with --cluster and what else is asked.
[[nodiscard]] std::string path_of(std::string_view path, const GlobalOptions& global, std::string query = {});

/// As --output says; `table` is what people read.
[[nodiscard]] int print(
    const control::Json& json, const Result<std::string>& table, const GlobalOptions& global, Surroundings& surroundings);

}  // namespace handyrep::cli
