// What every adapter of the port `host` does.
#include "tests/contract/stage.hpp"

#include <gtest/gtest.h>

namespace handyrep::contract {
namespace {

using namespace std::chrono_literals;

constexpr Duration limit = 20s;

class HostContract : public testing::Test {
protected:
    std::unique_ptr<Stage> stage = make_stage();

    Result<model::HostLook> look(Which which) { return stage->run(stage->host(which).look(stage->in(limit))); }
    Result<ports::FenceReport> fence(model::SystemId expected) {
        return stage->run(stage->host(Which::primary).fence(expected, stage->in(limit)));
    }
    model::Reach reach_of_primary(Duration within = limit) {
        const ports::Upstream to = stage->address(Which::primary);
        return stage->run(stage->host(Which::replica).reach(to.hostname, to.port, stage->in(within)));
    }
};

TEST_F(HostContract, ARunningPrimaryHasProcessesAndNoMark) {
    const auto seen = look(Which::primary);
    ASSERT_TRUE(seen) << seen.error().text();
    EXPECT_GT(seen->processes, 0U);
    EXPECT_FALSE(seen->marked_standby);
    EXPECT_EQ(seen->state, model::ControlState::in_production);
}

TEST_F(HostContract, ARunningReplicaIsMarkedAndInRecovery) {
    const auto seen = look(Which::replica);
    ASSERT_TRUE(seen) << seen.error().text();
    EXPECT_GT(seen->processes, 0U);
    EXPECT_TRUE(seen->marked_standby);
    EXPECT_EQ(seen->state, model::ControlState::in_archive_recovery);
}

TEST_F(HostContract, AKilledPrimaryHasNoProcessAndItsControlFileStillSaysInProduction) {
    stage->kill(Which::primary);
    const auto seen = look(Which::primary);
    ASSERT_TRUE(seen) << seen.error().text();
    EXPECT_EQ(seen->processes, 0U);
    EXPECT_EQ(seen->state, model::ControlState::in_production);
}

TEST_F(HostContract, AStoppedPrimarysControlFileSaysShutDown) {
    stage->fast_stop(Which::primary);
    const auto seen = look(Which::primary);
    ASSERT_TRUE(seen) << seen.error().text();
    EXPECT_EQ(seen->processes, 0U);
    EXPECT_EQ(seen->state, model::ControlState::shut_down);
}

TEST_F(HostContract, AFenceEndsEveryProcessAndMarksTheDirectory) {
    const auto before = look(Which::primary);
    ASSERT_TRUE(before) << before.error().text();
    const auto fenced = fence(before->system_id);
    ASSERT_TRUE(fenced) << fenced.error().text();
    EXPECT_TRUE(fenced->processes_gone());
    const auto after = look(Which::primary);
    ASSERT_TRUE(after) << after.error().text();
    EXPECT_EQ(after->processes, 0U);
    EXPECT_TRUE(after->marked_standby);
}

TEST_F(HostContract, AFenceEndsAFrozenServerToo) {
    const auto before = look(Which::primary);
    ASSERT_TRUE(before) << before.error().text();
    stage->freeze(Which::primary);
    const auto fenced = fence(before->system_id);
    ASSERT_TRUE(fenced) << fenced.error().text();
    EXPECT_TRUE(fenced->processes_gone());
}

TEST_F(HostContract, AFenceOfAnotherSystemIsRefusedAndTouchesNothing) {
    const auto before = look(Which::primary);
    ASSERT_TRUE(before) << before.error().text();
    const auto fenced = fence(model::SystemId{before->system_id.value + 1});
    ASSERT_FALSE(fenced);
    EXPECT_EQ(fenced.error().kind, ErrorKind::refused);
    const auto after = look(Which::primary);
    ASSERT_TRUE(after) << after.error().text();
    EXPECT_GT(after->processes, 0U);
    EXPECT_FALSE(after->marked_standby);
}

TEST_F(HostContract, TheReplicasHostReachesAPrimaryThatRunsAndIsRefusedByOneThatIsDead) {
    EXPECT_EQ(reach_of_primary(), model::Reach::accepted);
    stage->kill(Which::primary);
    EXPECT_EQ(reach_of_primary(), model::Reach::refused);
}

/// Although its kernel still takes the connection.
TEST_F(HostContract, TheReplicasHostGetsNoAnswerOfAFrozenPrimary) {
    stage->freeze(Which::primary);
    EXPECT_EQ(reach_of_primary(5s), model::Reach::silent);
}

}  // namespace
}  // namespace handyrep::contract
