#include "adapters/system_clock/system_clock.hpp"
#include "app/daemon_log.hpp"
#include "app/log_line.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <string>

namespace handyrep::app {
namespace {

const WallTime at = *parse_wall_time("2026-11-22T03:04:05.678901Z");

TEST(LogLine, ShowsTimeLevelEventAndFields) {
    EXPECT_EQ(
        human_line(at, Level::info, "promoted", {{"server", "db2"}, {"timeline", "4"}}),
        "2026-11-22T03:04:05.678Z info promoted server=db2 timeline=4");
}

TEST(LogLine, StaysOneLineWhateverAServerSays) {
    EXPECT_EQ(
        human_line(at, Level::error, "step_failed", {{"text", "no\nsuch \"file\""}, {"empty", ""}}),
        R"(2026-11-22T03:04:05.678Z error step_failed text="no\nsuch \"file\"" empty="")");
}

TEST(LogLine, IsOneJsonObjectAndKeepsItsOwnMembers) {
    EXPECT_EQ(
        json_line(at, Level::warning, "login_failed", {{"from", "::1"}, {"level", "x"}}),
        R"({"time":"2026-11-22T03:04:05.678Z","level":"warning","event":"login_failed","from":"::1","field_level":"x"})");
}

TEST(DaemonLog, WritesWholeLinesAndLeavesOutWhatIsTooQuiet) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const adapters::system_clock::SystemClock clock;
    {
        DaemonLog log{clock, ends[1]};
        log.write(Level::debug, "quiet", {});
        log.write(Level::info, "loud", {{"a", "b"}});
    }
    ::close(ends[1]);
    std::array<char, 1000> text{};
    const ssize_t got = ::read(ends[0], text.data(), text.size());
    ::close(ends[0]);
    ASSERT_GT(got, 0);
    const std::string line(text.data(), static_cast<std::size_t>(got));
    EXPECT_TRUE(line.ends_with("Z info loud a=b\n")) << line;
    EXPECT_EQ(line.find("quiet"), std::string::npos);
}

TEST(DaemonLog, DoesNotBlockWhenNobodyReads) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const adapters::system_clock::SystemClock clock;
    {
        DaemonLog log{clock, ends[1]};
        for (int line = 0; line < 5000; ++line) log.write(Level::info, "noise", {{"text", std::string(200, 'x')}});
    }
    ::close(ends[0]);
    ::close(ends[1]);
}

}  // namespace
}  // namespace handyrep::app
