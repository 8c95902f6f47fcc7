// A judge that never complains proves nothing: each claim is broken once here.
#include "lab/announced.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace handyrep::lab {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Acknowledged row(std::string server, std::uint32_t timeline, std::uint64_t lsn, bool synchronous = false) {
    return {
        .id = 7,
        .sent = {},
        .at = {},
        .server = std::move(server),
        .position = {model::Timeline{timeline}, model::Lsn{lsn}},
        .synchronous = synchronous};
}

/// A failover from db1, forked at 0x1000 of timeline 1, and what was read afterwards.
std::vector<Announced> failover(std::string proof, std::string at_most, const std::optional<std::string>& read = {}) {
    std::vector<Telling> told{
        {"promoted",
         {{"from", "db1"},
          {"server", "db2"},
          {"proof", std::move(proof)},
          {"fork", "1:0/1000"},
          {"loss_at_most_bytes", std::move(at_most)},
          {"loss_unbounded", "it may go on"}}}};
    if (read) told.push_back({"loss_known", {{"server", "db1"}, {"fork", "1:0/1000"}, {"loss_bytes", *read}}});
    return announced(told);
}

TEST(LossJudge, LetsWhatWasAnnouncedPass) {
    EXPECT_THAT(judge_loss({row("db1", 1, 0x1100)}, failover("processes_gone", "256")), IsEmpty());
    EXPECT_THAT(judge_loss({row("db1", 1, 0x1100)}, failover("processes_gone", "1", "256")), IsEmpty());
    EXPECT_THAT(judge_loss({row("db1", 1, 0x1100)}, failover("witnessed", "unknown")), IsEmpty());
    EXPECT_THAT(judge_loss({}, {}), IsEmpty());
}

TEST(LossJudge, GoesByTheLastWord) {
    EXPECT_THAT(
        judge_loss({row("db1", 1, 0x1100)}, failover("processes_gone", "1000", "255")),
        ElementsAre(HasSubstr("256 bytes are lost; announced")));
    EXPECT_THAT(
        judge_loss({row("db1", 1, 0x1100)}, failover("processes_gone", "255")), ElementsAre(HasSubstr("at most 255 bytes (estimated)")));
}

TEST(LossJudge, AsksForABoundWhereSomethingWasProved) {
    EXPECT_THAT(
        judge_loss({row("db1", 1, 0x1100)}, failover("processes_gone", "unknown")), ElementsAre(HasSubstr("no bound was announced")));
}

TEST(LossJudge, KnowsALossThatNobodyAnnounced) {
    EXPECT_THAT(judge_loss({row("db3", 1, 0x1100)}, failover("witnessed", "unknown")), ElementsAre(HasSubstr("no failover announced")));
    EXPECT_THAT(judge_loss({row("db1", 2, 0x1100)}, failover("witnessed", "unknown")), ElementsAre(HasSubstr("no failover announced")));
}

TEST(LossJudge, ForgivesNoSynchronousRow) {
    EXPECT_THAT(
        judge_loss({row("db1", 1, 0x1100, true)}, failover("witnessed", "unknown")),
        ElementsAre(HasSubstr("1 rows that were acknowledged under")));
}

TEST(OverlapJudge, ForgivesOnlyAFailoverFromTheOlderOneThatProvedNothing) {
    const std::vector<Overlap> both{{"db1", 1, "db2"}};
    EXPECT_THAT(judge_overlaps(both, failover("witnessed", "unknown")), IsEmpty());
    EXPECT_THAT(judge_overlaps(both, failover("nothing", "unknown")), IsEmpty());
    EXPECT_THAT(judge_overlaps(both, failover("processes_gone", "1")), ElementsAre(HasSubstr("db1 took a write on timeline 1 after db2")));
    EXPECT_THAT(judge_overlaps({{"db3", 1, "db2"}}, failover("witnessed", "unknown")), ElementsAre(HasSubstr("db3 took a write")));
    EXPECT_THAT(judge_overlaps(both, {}), ElementsAre(HasSubstr("db1 took a write")));
}

}  // namespace
}  // namespace handyrep::lab
