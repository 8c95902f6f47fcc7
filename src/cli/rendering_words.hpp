// cli/rendering_words.hpp — members of an answer as words and cells. Internal to the room.
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"
#include "control/json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <string>
#include <utility>

namespace handyrep::cli {

/// Without control characters. Throws Json::exception when it is not there or no text.
[[nodiscard]] std::string field(const control::Json& object, const char* name);
[[nodiscard]] std::string or_dash(const control::Json& value);
/// "0.3s", "12s", "4min", "2.5h": as exact as a glance needs.
[[nodiscard]] std::string rough(double seconds);
/// "2026-11-22 03:04:05".
[[nodiscard]] std::string plain_time(WallTime time);
/// "2026-11-22 03:04:05 UTC (41s ago)".
[[nodiscard]] std::string moment(const std::string& iso, WallTime now);
/// Of verify's checks: "2 broken, 3 debts, 1 unknown, 110 ok".
[[nodiscard]] std::string counts_text(const control::Json& counts);

/// The daemon may be of another version; what it lacks is a failure to say, not to crash on.
template <class F>
Result<std::string> guarded(F&& render) {
    try {
        return std::forward<F>(render)();
    } catch (const control::Json::exception& error) {
        return Error{
            ErrorKind::failed,
            fmt::format("the daemon's answer is not what this version of handyrep knows ({}); compare `handyrep version`", error.what())};
    }
}

}  // namespace handyrep::cli
