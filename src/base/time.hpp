// base/time.hpp — the two times of the project.
//
// `Instant` is a point of the manager's own monotonic clock: evidence is aged and deadlines are set by it, and it means
// nothing on another machine. `WallTime` is for people and files; nothing is decided by it. Where "now" comes from is a
// port (ports/clock.hpp); nothing here reads a clock.
#pragma once

#include "base/result.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace handyrep {

using Duration = std::chrono::nanoseconds;

struct MonotonicTime {
    using rep = Duration::rep;
    using period = Duration::period;
    using duration = Duration;
};
using Instant = std::chrono::time_point<MonotonicTime, Duration>;
using WallTime = std::chrono::sys_time<std::chrono::microseconds>;

/// "500ms", "3s", "1.5s", "10min", "2h": the largest unit that keeps it short. "0s" for zero.
[[nodiscard]] std::string text(Duration duration);

/// Reads "500ms", "3s", "10min", "2h", "250us" or a bare number of seconds ("3", "0.5"). Fails with `invalid`, also when negative.
[[nodiscard]] Result<Duration> parse_duration(std::string_view text);

/// ISO 8601 in UTC with microseconds: "2026-11-22T03:04:05.000006Z".
[[nodiscard]] std::string text(WallTime time);

/// The reverse of `text(WallTime)`; the fraction may have zero to six digits. Fails with `invalid`.
[[nodiscard]] Result<WallTime> parse_wall_time(std::string_view text);

}  // namespace handyrep
