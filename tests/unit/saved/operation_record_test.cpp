#include "saved/operation.hpp"
#include "saved/operation_record.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace handyrep::saved {
namespace {

using namespace std::chrono_literals;

const WallTime began = *parse_wall_time("2026-11-22T03:04:05Z");

OperationRecord after(std::initializer_list<JournalRecord> records) {
    OperationRecord out;
    for (const JournalRecord& it : records) note(out, it);
    return out;
}

JournalRecord begun() {
    const OperationBegun what{
        .kind = "failover",
        .by = "automation",
        .reason = "PrimaryIsDead",
        .old_primary = {},
        .candidate = {},
        .commit_step = "promote db2",
        .plan = {" 1. secure"}};
    return {7, 1, began, JournalEntry::begun, "failover", to_text(what)};
}

OperationRecord ended_one() {
    return after(
        {begun(),
         {7, 2, began + 1ms, JournalEntry::starting, "secure", ""},
         {7, 3, began + 41ms, JournalEntry::done, "secure", "done"},
         {7, 4, began + 42ms, JournalEntry::starting, "check gates", ""},
         {7, 5, began + 43ms, JournalEntry::failed, "check gates", "NoProof: it may be alive"},
         {7, 6, began + 90ms, JournalEntry::undone, "secure", "undone"},
         {7, 7, began + 91ms, JournalEntry::ended, "operation", "refused: NoProof"}});
}

TEST(OperationRecord, SaysWhoOrderedItWhyAndByWhatPlan) {
    const OperationRecord it = after({begun()});
    EXPECT_EQ(it.id, 7U);
    EXPECT_EQ(it.kind, "failover");
    EXPECT_EQ(it.by, "automation");
    EXPECT_EQ(it.reason, "PrimaryIsDead");
    EXPECT_EQ(it.plan, std::vector<std::string>{" 1. secure"});
    EXPECT_EQ(it.outcome, "running");
    EXPECT_FALSE(it.ended);
}

TEST(OperationRecord, KnowsOfEachStepHowLongItTookAndWhatCameOfIt) {
    const OperationRecord it = ended_one();
    ASSERT_EQ(it.steps.size(), 2U);
    EXPECT_EQ(it.steps[0].took, 40ms);
    EXPECT_EQ(it.steps[0].outcome, "undone");
    EXPECT_EQ(it.steps[1].outcome, "failed");
    EXPECT_EQ(it.steps[1].text, "NoProof: it may be alive");
    EXPECT_EQ(it.step(), "check gates");
}

TEST(OperationRecord, EndsWithItsOutcome) {
    EXPECT_EQ(ended_one().ended, began + 91ms);
    EXPECT_EQ(ended_one().outcome, "refused: NoProof");
}

TEST(OperationRecord, OfAStepThatIsTriedAgainKeepsBoth) {
    const OperationRecord it = after(
        {begun(),
         {7, 2, began, JournalEntry::starting, "re-point db3", ""},
         {7, 3, began + 1s, JournalEntry::unknown, "re-point db3", "no answer"},
         {7, 4, began + 2s, JournalEntry::starting, "re-point db3", ""},
         {7, 5, began + 3s, JournalEntry::done, "re-point db3", "done"}});
    ASSERT_EQ(it.steps.size(), 2U);
    EXPECT_EQ(it.steps[0].outcome, "unknown");
    EXPECT_EQ(it.steps[1].outcome, "done");
}

TEST(OperationRecord, IsReadBackAsItWasWritten) {
    OperationRecord promotion = ended_one();
    promotion.loss = LossRecord{.at_least = model::Bytes{0}, .unbounded = "nothing proves it", .transactions = 3};
    OperationRecord copy = ended_one();
    copy.progress = ProgressRecord{.done = model::Bytes{7}, .total = model::Bytes{9}};
    for (const OperationRecord& it : {after({begun()}), ended_one(), promotion, copy}) {
        const auto read = operation_record_from_text(to_text(it));
        ASSERT_TRUE(read) << read.error().what;
        EXPECT_EQ(*read, it);
    }
}

TEST(OperationRecord, ThatIsDamagedIsRefused) {
    const std::string whole = to_text(ended_one());
    for (std::size_t length = 0; length < whole.size(); length += 7) EXPECT_FALSE(operation_record_from_text(whole.substr(0, length)));
    EXPECT_FALSE(operation_record_from_text("[]"));
    EXPECT_FALSE(operation_record_from_text(R"({"id": "seven"})"));
}

}  // namespace
}  // namespace handyrep::saved
