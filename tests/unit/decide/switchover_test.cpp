// What stands in the way of a handover, each by name, and who gets the role where nothing does.
#include "decide/switchover.hpp"
#include "scene.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace handyrep::decide::testing {

class Switchover : public ::testing::Test {
protected:
    Switchover() { scene.healthy(); }

    void check(CheckName name, std::string_view of, CheckOutcome outcome) {
        checks.push_back({.name = name, .server = server(of), .outcome = outcome, .text = "seen", .remedy = "mend it"});
    }
    [[nodiscard]] Result<SwitchOver> decided() const { return decide_switchover(scene.input(), scene.analysis(), checks, wanted); }
    [[nodiscard]] std::string candidate() const {
        const auto decision = decided();
        return decision ? decision->candidate.text() : decision.error().what;
    }
    /// The name that a refusal begins with.
    [[nodiscard]] std::string obstacle() const {
        const auto decision = decided();
        return decision ? "none" : decision.error().what.substr(0, decision.error().what.find(':'));
    }
    void wish(std::string_view name) { wanted.to = server(name); }

    Scene scene;
    std::vector<Check> checks;
    SwitchoverWanted wanted;
};

TEST_F(Switchover, HandsTheRoleToTheLowestPriorityAmongThoseThatKeepUp) {
    EXPECT_EQ(candidate(), "db2");
    scene.define("db3").failover_priority = 50;
    EXPECT_EQ(candidate(), "db3");
    scene.attached("db3", Lsn{0x2FFFF80});
    EXPECT_EQ(candidate(), "db3") << "what it lacks is waited for";
}

TEST_F(Switchover, TakesTheServerThatIsNamed) {
    wish("db3");
    const auto decision = decided();
    ASSERT_TRUE(decision) << decision.error().what;
    EXPECT_EQ(decision->old_primary, server("db1"));
    EXPECT_EQ(decision->candidate, server("db3"));
}

TEST_F(Switchover, IsRefusedByNameForWhomItCannotTake) {
    wish("db9");
    EXPECT_EQ(obstacle(), "UnknownServer");
    EXPECT_EQ(decided().error().kind, ErrorKind::invalid);
    wish("db1");
    EXPECT_EQ(obstacle(), "AlreadyPrimary");
    wish("db2");
    scene.define("db2").enabled = false;
    EXPECT_EQ(obstacle(), "ServerDisabled");
    scene.define("db2").enabled = true;
    scene.define("db2").failover_priority = 0;
    EXPECT_EQ(obstacle(), "ReplicaNotEligible");
}

TEST_F(Switchover, IsRefusedForAReplicaThatFollowsAnother) {
    wish("db2");
    auto cascaded = scene.streaming();
    cascaded.sender_host = "host-of-db3";
    scene.see("db2", model::HeldSight{scene.as_standby(Lsn{0x3000000}, cascaded)});
    EXPECT_EQ(obstacle(), "ReplicaNotAttached");
    scene.detached("db2");
    EXPECT_EQ(obstacle(), "ReplicaNotAttached");
}

TEST_F(Switchover, IsRefusedForAReplicaThatHasTooMuchToReplay) {
    wish("db2");
    scene.define("db2").lag_limit = model::Bytes{0x1000};
    scene.attached("db2", Lsn{0x2FFF000});
    EXPECT_EQ(candidate(), "db2");
    scene.attached("db2", Lsn{0x2FFEFFF});
    EXPECT_EQ(obstacle(), "ReplicaTooFarBehind");
}

TEST_F(Switchover, IsRefusedForAServerThatWasFailedOverFrom) {
    wish("db2");
    scene.saved.must_be_down.push_back(
        {.server = server("db2"),
         .system_id = our_system,
         .hostname = "host-of-db2",
         .pgdata = "",
         .fork = {Timeline{1}, Lsn{0x1000000}},
         .successor = server("db1"),
         .successor_history = model::TimelineHistory{Timeline{2}, {{Timeline{1}, Lsn{0x1000000}}}},
         .epoch = 1});
    EXPECT_EQ(obstacle(), "ServerBarred");
}

TEST_F(Switchover, IsRefusedWithoutAnybodyAndSaysWhyOfEach) {
    scene.define("db2").failover_priority = 0;
    scene.detached("db3");
    EXPECT_EQ(obstacle(), "NoReplica");
    EXPECT_NE(candidate().find("ReplicaNotEligible: db2"), std::string::npos) << candidate();
    EXPECT_NE(candidate().find("ReplicaNotAttached: db3"), std::string::npos) << candidate();
}

TEST_F(Switchover, NeedsAPrimaryThatIsWell) {
    scene.lost("db1", model::LastWords::administrator);
    scene.refused_twice();
    EXPECT_EQ(obstacle(), "PrimaryNotHealthy");
    scene.saved.primary.reset();
    EXPECT_EQ(obstacle(), "NoPrimary");
}

TEST_F(Switchover, WaitsForWhoeverMayHaveBeenPromoted) {
    scene.saved.possible_primary = model::PossiblePrimary{server("db3"), WallTime{}};
    EXPECT_EQ(obstacle(), "PossiblePrimary");
}

TEST_F(Switchover, NeedsTheRightsOnTheOldPrimarysHostAndTheLoginAtTheNew) {
    wish("db2");
    const auto broken_is = [this](CheckName name, std::string_view of, CheckOutcome outcome) {
        checks.clear();
        check(name, of, outcome);
        return obstacle();
    };
    for (const CheckName name :
         {CheckName::host_answers, CheckName::pg_ctl, CheckName::control_data, CheckName::data_directory_writable, CheckName::fence_drill,
          CheckName::alter_system_allowed, CheckName::manager_rights}) {
        EXPECT_EQ(broken_is(name, "db1", CheckOutcome::broken), "NotReady") << word_for(name);
        EXPECT_EQ(broken_is(name, "db1", CheckOutcome::unknown), "NotReady") << word_for(name);
        EXPECT_EQ(broken_is(name, "db1", CheckOutcome::debt), "none") << word_for(name);
        EXPECT_EQ(broken_is(name, "db3", CheckOutcome::broken), "none") << "db3 takes no part: " << word_for(name);
    }
    EXPECT_EQ(broken_is(CheckName::replication_login, "db2", CheckOutcome::debt), "NotReady") << "it is needed at once";
    EXPECT_EQ(broken_is(CheckName::replication_login, "db2", CheckOutcome::ok), "none");
    EXPECT_EQ(broken_is(CheckName::replication_lag, "db1", CheckOutcome::broken), "none") << "that is no right";
}

TEST_F(Switchover, LosesALogicalSlotOnlyByOrder) {
    check(CheckName::logical_slots, "db1", CheckOutcome::debt);
    EXPECT_EQ(obstacle(), "LosesLogicalSlots");
    wanted.drop_logical = true;
    EXPECT_EQ(obstacle(), "none");
}

TEST(Obstacles, HaveEachAWordOfItsOwn) {
    std::set<std::string_view> words;
    for (const Obstacle it : all_obstacles) words.insert(word_for(it));
    EXPECT_EQ(words.size(), obstacles);
    EXPECT_FALSE(words.contains(""));
}

}  // namespace handyrep::decide::testing
