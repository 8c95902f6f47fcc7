#include "sim/setup.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace handyrep::sim {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(Setup, TakesSettingsByTheNamesOfPostgres) {
    sim::Setup setup;  // gtest has a Setup of its own
    ASSERT_TRUE(set(setup, "server_version", "15.7"));
    ASSERT_TRUE(set(setup, "recovery_min_apply_delay", "1h"));
    ASSERT_TRUE(set(setup, "replay", "paused"));
    ASSERT_TRUE(set(setup, "wal_log_hints", "off"));
    ASSERT_TRUE(set(setup, "max_slot_wal_keep_size", "200MB"));
    EXPECT_EQ(setup.version, 150007);
    EXPECT_EQ(setup.apply_delay, 1h);
    EXPECT_TRUE(setup.replay_paused);
    EXPECT_FALSE(setup.wal_log_hints);
    EXPECT_EQ(setup.slots_keep, model::Bytes{200ULL << 20U});
}

TEST(Setup, RefusesWhatIsNoSettingAndSaysWhichThereAre) {
    sim::Setup setup;  // gtest has a Setup of its own
    const auto done = set(setup, "shared_buffers", "1GB");
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().text(), HasSubstr("'shared_buffers' is not one of: server_version"));
}

TEST(Setup, RefusesAValueThatItsSettingDoesNotTake) {
    sim::Setup setup;  // gtest has a Setup of its own
    const auto done = set(setup, "wal_log_hints", "perhaps");
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().text(), HasSubstr("'perhaps' is neither on nor off"));
    EXPECT_FALSE(set(setup, "server_version", "fifteen"));
    EXPECT_FALSE(set(setup, "max_connections", "-1"));
}

}  // namespace
}  // namespace handyrep::sim
