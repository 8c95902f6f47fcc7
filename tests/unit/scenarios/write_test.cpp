// A story that is written is the story that is read.
#include "scenarios/scenario.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace handyrep::scenarios {
namespace {

using namespace std::chrono_literals;

TEST(DrawnStory, IsReadAgainAsItWasWritten) {
    Scenario story{.file = "seed 7", .title = "drawn by seed 7", .covers = {}, .seed = 7};
    story.cluster.servers = 4;
    story.cluster.synchronous_standby_names = "ANY 1 (db2, db3, db4)";
    story.cluster.failover = {{"fencing", "none"}, {"cooldown", "0s"}};
    story.cluster.restarted_after = 1234ms;
    story.steps = {
        {1, Until{{.situation = "Healthy", .takes_writes = "db1", .replicas_of_it = {"db2", "db3", "db4"}}, 2min}},
        {2, scenarios::Run{3807ms}},
        {3, Deed{.kind = DeedKind::kill_all, .on = {"db1"}}},
        {4, Deed{.kind = DeedKind::one_way, .on = {"db1", "manager"}, .lasts = 14999ms}},
        {5, Deed{.kind = DeedKind::partition, .on = {"db1", "apps"}, .other = {"db2", "db3", "db4", "manager"}, .lasts = 501ms}},
        {6, Deed{.kind = DeedKind::kill_manager, .lasts = 5s}},
        {7, Deed{.kind = DeedKind::set, .on = {"db2"}, .settings = {{"wal_log_hints", "off"}}}},
        {8, End{DeedKind::set}},
    };
    const auto read = scenarios::read(yaml(story), "story.yaml");
    ASSERT_TRUE(read) << read.error().text() << "\n" << yaml(story);
    EXPECT_EQ(yaml(*read), yaml(story));
    EXPECT_EQ(read->seed, 7U);
    EXPECT_EQ(read->cluster.restarted_after, story.cluster.restarted_after);
    ASSERT_EQ(read->steps.size(), story.steps.size());
    EXPECT_EQ(std::get<scenarios::Run>(read->steps[1].what).length, 3807ms);
    EXPECT_EQ(std::get<Deed>(read->steps[3].what).lasts, 14999ms);
    EXPECT_EQ(std::get<Deed>(read->steps[4].what).other.size(), 4U);
}

}  // namespace
}  // namespace handyrep::scenarios
