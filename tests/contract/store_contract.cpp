// What every adapter of the port `store` does.
#include "tests/contract/stage.hpp"

#include <gtest/gtest.h>

namespace handyrep::contract {
namespace {

using namespace std::chrono_literals;
using saved::JournalEntry;

constexpr Duration limit = 20s;

class StoreContract : public testing::Test {
protected:
    std::unique_ptr<StoreStage> stage = make_store_stage();

    Result<void> append(std::uint64_t operation, std::uint64_t sequence, JournalEntry entry) {
        return stage->run(stage->store().append({operation, sequence, stage->clock().wall(), entry, "step", "a detail"}, stage->in(limit)));
    }
    std::vector<saved::JournalRecord> open_operations() {
        auto found = stage->run(stage->store().open_operations(stage->in(limit)));
        return found ? *found : std::vector<saved::JournalRecord>{};
    }
};

TEST_F(StoreContract, ServersSaveIsNotThereAtFirstAndReadBackAsItWasWritten) {
    auto text = stage->run(stage->store().read_servers(stage->in(limit)));
    ASSERT_TRUE(text);
    EXPECT_FALSE(*text);
    ASSERT_TRUE(stage->run(stage->store().write_servers("one\n", stage->in(limit))));
    ASSERT_TRUE(stage->run(stage->store().write_servers("two\n", stage->in(limit))));
    stage->open_again();
    text = stage->run(stage->store().read_servers(stage->in(limit)));
    ASSERT_TRUE(text);
    EXPECT_EQ(**text, "two\n");
}

TEST_F(StoreContract, AnOperationIsOpenFromItsBeginToItsEndAlsoAfterARestart) {
    ASSERT_TRUE(append(1, 1, JournalEntry::begun));
    ASSERT_TRUE(append(1, 2, JournalEntry::starting));
    stage->open_again();
    const auto open = open_operations();
    ASSERT_EQ(open.size(), 2U);
    EXPECT_EQ(open.front().entry, JournalEntry::begun);
    EXPECT_EQ(open.back().entry, JournalEntry::starting);
    EXPECT_EQ(open.back().detail, "a detail");
    ASSERT_TRUE(append(1, 3, JournalEntry::ended));
    EXPECT_TRUE(open_operations().empty());
}

TEST_F(StoreContract, OfEachOperationTheLastRecordIsRememberedOldestFirst) {
    const WallTime now = stage->clock().wall();
    for (const std::uint64_t id : {3U, 4U, 5U}) stage->store().remember(saved::OperationRecord{.id = id, .kind = "failover", .began = now});
    stage->store().remember(saved::OperationRecord{.id = 4, .kind = "failover", .began = now, .outcome = "done"});
    stage->open_again();
    const auto found = stage->run(stage->store().operations(2, stage->in(limit)));
    ASSERT_TRUE(found) << found.error().what;
    ASSERT_EQ(found->size(), 2U);
    EXPECT_EQ(found->front().id, 4U);
    EXPECT_EQ(found->front().outcome, "done");
    EXPECT_EQ(found->back().id, 5U);
}

TEST_F(StoreContract, AWholeDiskHasRoomForAnOperation) { EXPECT_TRUE(stage->run(stage->store().check(stage->in(limit)))); }

TEST_F(StoreContract, TheHighestNumberOfAnOperationIsKeptAfterItsEnd) {
    ASSERT_TRUE(append(7, 1, JournalEntry::begun));
    ASSERT_TRUE(append(7, 2, JournalEntry::ended));
    stage->open_again();
    const auto last = stage->run(stage->store().last_operation(stage->in(limit)));
    ASSERT_TRUE(last);
    EXPECT_EQ(*last, 7U);
}

TEST_F(StoreContract, TheNewestEventsComeBackOldestFirst) {
    for (const char* const name : {"a", "b", "c"})
        stage->store().remember(
            {.at = stage->clock().wall(), .level = Level::info, .name = name, .text = "t", .operation = {}, .fields = {}});
    const Instant end = stage->in(limit);
    std::vector<std::string> names;
    while (names.size() < 2 && stage->clock().now() < end) {
        const auto found = stage->run(stage->store().events(2, stage->in(limit)));
        ASSERT_TRUE(found);
        names.clear();
        for (const saved::Event& it : *found) names.push_back(it.name);
        if (names == std::vector<std::string>{"b", "c"}) return;
    }
    EXPECT_EQ(names, (std::vector<std::string>{"b", "c"}));
}

}  // namespace
}  // namespace handyrep::contract
