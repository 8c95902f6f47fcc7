#include "model/rewind.hpp"

#include <gtest/gtest.h>

#include <string>

namespace handyrep::model {
namespace {

TimelineHistory history(std::uint32_t current, std::vector<TimelineSwitch> switches) { return {Timeline{current}, std::move(switches)}; }
constexpr TimelineSwitch from(std::uint32_t timeline, std::uint64_t at) { return {Timeline{timeline}, Lsn{at}}; }
constexpr WalPosition position(std::uint32_t timeline, std::uint64_t at) { return {Timeline{timeline}, Lsn{at}}; }

TEST(CommonEnd, IsWhereTheOneLeftTheOther) {
    EXPECT_EQ(common_end(history(1, {}), history(2, {from(1, 100)})), position(1, 100));
    EXPECT_EQ(common_end(history(2, {from(1, 100)}), history(1, {})), position(1, 100));
    EXPECT_EQ(common_end(history(1, {}), history(3, {from(1, 100), from(2, 200)})), position(1, 100));
    EXPECT_EQ(common_end(history(2, {from(1, 100)}), history(3, {from(1, 100), from(2, 200)})), position(2, 200));
}

/// Both were promoted to timeline 2, from different places of timeline 1.
TEST(CommonEnd, OfTwinsIsTheEarlierOfTheirForks) {
    EXPECT_EQ(common_end(history(2, {from(1, 100)}), history(2, {from(1, 150)})), position(1, 100));
    EXPECT_EQ(common_end(history(3, {from(1, 120), from(2, 200)}), history(2, {from(1, 100)})), position(1, 100));
}

TEST(CommonEnd, OfServersOnOneTimelineIsNotKnown) {
    EXPECT_EQ(common_end(history(1, {}), history(1, {})), std::nullopt);
    EXPECT_EQ(common_end(history(2, {from(1, 100)}), history(2, {from(1, 100)})), std::nullopt);
}

TEST(RewindPhases, HaveOneWordEach) {
    for (const RewindPhase phase :
         {RewindPhase::none, RewindPhase::saving, RewindPhase::recovering, RewindPhase::trying, RewindPhase::rewinding, RewindPhase::done,
          RewindPhase::untouched, RewindPhase::half})
        EXPECT_EQ(parse_rewind_phase(word_for(phase)), phase);
    EXPECT_EQ(parse_rewind_phase("rewound"), std::nullopt);
    EXPECT_TRUE(under_way(RewindPhase::rewinding));
    EXPECT_FALSE(under_way(RewindPhase::done));
}

TEST(DivergedWal, IsToldSoThatAPersonSeesWhatWasLost) {
    const DivergedWal wal{
        .folder = "/saved",
        .records = 40,
        .commits = 3,
        .first_commit = "10:00",
        .last_commit = "10:01",
        .tables = {{"shop: orders", 20, 0, 1}, {"1663/5/16390", 0, 2, 0}},
        .more_tables = 0,
        .whole = true};
    EXPECT_EQ(
        text(wal),
        "3 committed transactions from 10:00 to 10:01 in shop: orders: 20 inserted, 1 deleted; 1663/5/16390: 2 updated, 40 records; saved in "
        "/saved");
    DivergedWal none{.folder = "/saved", .records = 2, .commits = 0};
    EXPECT_EQ(text(none), "0 committed transactions, 2 records; saved in /saved");
    none.whole = false;
    EXPECT_NE(text(none).find("recycled"), std::string::npos);
}

}  // namespace
}  // namespace handyrep::model
