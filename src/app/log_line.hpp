// app/log_line.hpp — an event as one line of text. Pure.
#pragma once

#include "base/log.hpp"
#include "base/time.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace handyrep::app {

/// `2026-11-22T03:04:05.678Z info promoted server=db2 timeline=4`; a value with spaces or quotes is quoted as in JSON.
[[nodiscard]] std::string human_line(WallTime at, Level level, std::string_view event, const std::vector<Field>& fields);

/// `{"time":"…","level":"info","event":"promoted","server":"db2","timeline":"4"}`.
[[nodiscard]] std::string json_line(WallTime at, Level level, std::string_view event, const std::vector<Field>& fields);

}  // namespace handyrep::app
