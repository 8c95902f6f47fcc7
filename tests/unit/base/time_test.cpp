#include "base/time.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string_view>

namespace handyrep {
namespace {

using namespace std::chrono_literals;

struct Reading {
    std::string_view written;
    Duration meant;
};

class DurationReading : public testing::TestWithParam<Reading> {};

TEST_P(DurationReading, GivesWhatIsWritten) {
    const auto read = parse_duration(GetParam().written);
    ASSERT_TRUE(read) << read.error().what;
    EXPECT_EQ(*read, GetParam().meant);
}

INSTANTIATE_TEST_SUITE_P(
    Durations, DurationReading,
    testing::Values(
        Reading{"500ms", 500ms}, Reading{"3s", 3s}, Reading{"3", 3s}, Reading{"0.5", 500ms}, Reading{"1.5s", 1500ms},
        Reading{"10min", 10min}, Reading{"10m", 10min}, Reading{"2h", 2h}, Reading{"1d", 24h}, Reading{"2day", 48h},
        Reading{"250us", 250us}, Reading{"7ns", 7ns}, Reading{"0", 0s}, Reading{" 3 s ", 3s}));

class NoDuration : public testing::TestWithParam<std::string_view> {};

TEST_P(NoDuration, IsRefused) {
    const auto read = parse_duration(GetParam());
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().kind, ErrorKind::invalid);
}

INSTANTIATE_TEST_SUITE_P(
    Durations, NoDuration,
    testing::Values(
        "", " ", "s", "ms", "-1s", "-0.5", "3 s s", "3x", "1e3", "inf", "nan", "three", "0x10", "1,5s", "999999999999999999h", "--1"));

TEST(Duration, IsShownInAShortUnit) {
    EXPECT_EQ(text(Duration{0}), "0s");
    EXPECT_EQ(text(Duration{500ms}), "500ms");
    EXPECT_EQ(text(Duration{1500ms}), "1.5s");
    EXPECT_EQ(text(Duration{90s}), "90s");
    EXPECT_EQ(text(Duration{10min}), "10min");
    EXPECT_EQ(text(Duration{3h}), "3h");
    EXPECT_EQ(text(Duration{250us}), "250us");
    EXPECT_EQ(text(Duration{-2s}), "-2s");
}

TEST(Duration, OfAnySizeIsShownWithoutAbort) {
    EXPECT_EQ(text(Duration::max()), "2562047.788h");
    EXPECT_EQ(text(Duration::min()).front(), '-');
}

TEST(WallTime, IsShownInUtcWithMicroseconds) {
    const WallTime time{std::chrono::sys_days{std::chrono::year{2026} / 11 / 22} + 3h + 4min + 5s + 6us};
    EXPECT_EQ(text(time), "2026-11-22T03:04:05.000006Z");
}

TEST(WallTime, IsReadBackAsItWasShown) {
    for (const std::int64_t count : {0LL, 1LL, 1'800'000'000'123'456LL, -1LL, 951'782'400'000'000LL}) {
        const WallTime time{std::chrono::microseconds{count}};
        const auto read = parse_wall_time(text(time));
        ASSERT_TRUE(read) << text(time);
        EXPECT_EQ(*read, time);
    }
}

TEST(WallTime, IsReadWithAnyFraction) {
    const auto whole = parse_wall_time("2026-11-22T03:04:05Z");
    const auto tenth = parse_wall_time("2026-11-22T03:04:05.1Z");
    ASSERT_TRUE(whole && tenth);
    EXPECT_EQ(*tenth - *whole, 100ms);
}

TEST(WallTime, ThatIsNoneIsRefused) {
    for (const std::string_view wrong :
         {"", "now", "2026-11-22", "2026-11-22 03:04:05Z", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-11-22T24:00:00Z",
          "2026-11-22T03:60:00Z", "2026-11-22T03:04:05", "2026-11-22T03:04:05.Z", "2026-11-22T03:04:05.1234567Z", "2026-11-22T03:04:05.-1Z",
          "2026-11-22T+3:04:05Z", "2026-11-22T-3:04:05Z", "-026-11-22T03:04:05Z", "2026-11-22T-1:04:05Z"}) {
        EXPECT_FALSE(parse_wall_time(wrong)) << wrong;
    }
}

}  // namespace
}  // namespace handyrep
