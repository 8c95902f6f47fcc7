// The answers about a copy, read strictly: half an answer is none.
#include "adapters/ssh/copy_report.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace handyrep::adapters::ssh {
namespace {

using model::CopyProgress;
using model::Standing;

constexpr std::string_view good_look =
    "standing database\nsystem_id 7300000000000000001\nstate 2\nprocesses 0\nroom 100 50\nimpediment -\nwal_directory /wal/of it\nend\n";

TEST(TargetLookReport, IsReadWhenItIsWhole) {
    const auto look = read_target_look(good_look);
    ASSERT_TRUE(look) << look.error().what;
    EXPECT_EQ(look->standing, Standing::database);
    EXPECT_EQ(look->system_id, model::SystemId{7300000000000000001});
    EXPECT_EQ(look->state, model::ControlState::shut_down_in_recovery);
    EXPECT_EQ(look->room->free, model::Bytes{50ULL << 10U});
    EXPECT_EQ(look->impediment, "");
    EXPECT_EQ(look->wal_directory, "/wal/of it");
    const auto absent = read_target_look(
        "standing absent\nsystem_id -\nstate 0\nprocesses 0\nroom 100 50\nimpediment nobody may write there\nwal_directory -\nend\n");
    ASSERT_TRUE(absent) << absent.error().what;
    EXPECT_EQ(absent->standing, Standing::absent);
    EXPECT_EQ(absent->system_id, std::nullopt);
    EXPECT_EQ(absent->impediment, "nobody may write there");
}

TEST(TargetLookReport, IsAnErrorWhenAnythingIsDamaged) {
    for (std::size_t length = 0; length + 1 < good_look.size(); ++length)
        EXPECT_FALSE(read_target_look(good_look.substr(0, length))) << length;
    EXPECT_FALSE(read_target_look(std::string(good_look) + "more\n"));
    EXPECT_FALSE(
        read_target_look("standing database\nsystem_id -\nstate 2\nprocesses 0\nroom 100 50\nimpediment -\nwal_directory -\nend\n"));
    EXPECT_FALSE(read_target_look("standing lost\nsystem_id 7\nstate 2\nprocesses 0\nroom 100 50\nimpediment -\nwal_directory -\nend\n"));
}

TEST(CopyProgressReport, IsReadWithAndWithoutCounts) {
    const auto running = read_copy_progress("state running\ncopied 512\ntotal 2048\npassed 7\nsaid waiting for checkpoint\nend\n");
    ASSERT_TRUE(running) << running.error().what;
    EXPECT_EQ(running->state, CopyProgress::State::running);
    EXPECT_EQ(running->copied, model::Bytes{512ULL << 10U});
    EXPECT_EQ(running->total, model::Bytes{2048ULL << 10U});
    EXPECT_EQ(running->running_for, std::chrono::seconds{7});
    const auto begun = read_copy_progress("state running\ncopied \ntotal \npassed 0\nsaid -\nend\n");
    ASSERT_TRUE(begun) << begun.error().what;
    EXPECT_EQ(begun->copied, model::Bytes{});
    EXPECT_EQ(begun->total, std::nullopt);
    EXPECT_EQ(begun->said, "");
    EXPECT_FALSE(read_copy_progress("state running\ncopied \ntotal \npassed 0\nsaid -\n"));
    EXPECT_FALSE(read_copy_progress("state away\ncopied \ntotal \npassed 0\nsaid -\nend\n"));
}

}  // namespace
}  // namespace handyrep::adapters::ssh
