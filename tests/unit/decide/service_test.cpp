// What can be ordered of one server's service, and what stands in the way, each by name.
#include "decide/service.hpp"
#include "decide/switchover.hpp"
#include "scene.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace handyrep::decide::testing {

class ServiceOrderTest : public ::testing::Test {
protected:
    ServiceOrderTest() { scene.healthy(); }

    [[nodiscard]] Result<ServiceOrder> decided(ServiceDeed deed, std::string_view name) const {
        return decide_service(scene.input(), scene.analysis(), checks, {deed, server(name)});
    }
    /// The name that a refusal begins with, or what is done.
    [[nodiscard]] std::string word(ServiceDeed deed, std::string_view name) const {
        const auto decision = decided(deed, name);
        return decision ? decision->text : decision.error().what.substr(0, decision.error().what.find(':'));
    }
    void bar(std::string_view name) {
        scene.saved.must_be_down.push_back(
            {.server = server(name),
             .system_id = our_system,
             .hostname = "",
             .pgdata = "",
             .fork = {Timeline{1}, Lsn{0x1000000}},
             .successor = server("db1"),
             .successor_history = model::TimelineHistory{Timeline{2}, {{Timeline{1}, Lsn{0x1000000}}}},
             .epoch = 1});
    }

    Scene scene;
    std::vector<Check> checks;
};

TEST_F(ServiceOrderTest, StopsRestartsAndFencesAReplica) {
    EXPECT_EQ(word(ServiceDeed::stop, "db2"), "stops db2");
    EXPECT_EQ(word(ServiceDeed::restart, "db2"), "restarts db2");
    EXPECT_EQ(word(ServiceDeed::fence, "db2"), "fences db2");
    EXPECT_EQ(decided(ServiceDeed::restart, "db2")->upstream, server("db1"));
    EXPECT_FALSE(decided(ServiceDeed::restart, "db2")->holds_role);
}

TEST_F(ServiceOrderTest, RefusesANameThatNobodyHas) {
    for (const ServiceDeed deed : {ServiceDeed::stop, ServiceDeed::start, ServiceDeed::restart, ServiceDeed::fence}) {
        EXPECT_EQ(word(deed, "db9"), "UnknownServer");
        EXPECT_EQ(decided(deed, "db9").error().kind, ErrorKind::invalid);
    }
}

TEST_F(ServiceOrderTest, StopsThePrimaryOnlyInAMaintenanceAndFencesItNever) {
    EXPECT_EQ(word(ServiceDeed::stop, "db1"), "IsPrimary");
    EXPECT_EQ(word(ServiceDeed::fence, "db1"), "IsPrimary");
    scene.saved.maintenance = model::Maintenance{.since = {}, .until = {}};
    EXPECT_EQ(word(ServiceDeed::stop, "db1"), "stops db1");
    EXPECT_TRUE(decided(ServiceDeed::stop, "db1")->holds_role);
    EXPECT_EQ(word(ServiceDeed::fence, "db1"), "IsPrimary");
}

TEST_F(ServiceOrderTest, RestartsAPrimaryThatIsWellAndHasTheRights) {
    EXPECT_EQ(word(ServiceDeed::restart, "db1"), "restarts db1");
    checks.push_back(
        {.name = CheckName::pg_ctl, .server = server("db1"), .outcome = CheckOutcome::broken, .text = "missing", .remedy = "install it"});
    EXPECT_EQ(word(ServiceDeed::restart, "db1"), "NotReady");
    EXPECT_EQ(word(ServiceDeed::restart, "db2"), "restarts db2") << "of the primary's host nothing is needed for it";
    checks.clear();
    scene.lost("db1", model::LastWords::administrator);
    scene.refused_twice();
    EXPECT_EQ(word(ServiceDeed::restart, "db1"), "PrimaryNotHealthy");
}

TEST_F(ServiceOrderTest, StartsOnlyWhatDoesNotRun) {
    EXPECT_EQ(word(ServiceDeed::start, "db2"), "RunsAlready");
    scene.lost("db2", model::LastWords::administrator);
    EXPECT_EQ(word(ServiceDeed::start, "db2"), "starts db2");
    bar("db2");
    EXPECT_EQ(word(ServiceDeed::start, "db2"), "ServerBarred");
    EXPECT_EQ(word(ServiceDeed::restart, "db2"), "ServerBarred");
}

TEST_F(ServiceOrderTest, StopsNobodyWhomOthersFollow) {
    auto receiver = scene.streaming();
    receiver.sender_host = "host-of-db2";
    scene.see("db3", model::HeldSight{scene.as_standby(Lsn{0x3000000}, receiver)});
    EXPECT_EQ(word(ServiceDeed::stop, "db2"), "OthersFollowIt");
    EXPECT_EQ(word(ServiceDeed::fence, "db2"), "OthersFollowIt");
    scene.saved.paused = model::Pause{.since = {}};
    EXPECT_EQ(word(ServiceDeed::stop, "db2"), "stops db2") << "a person who holds HandyRep back takes it on himself";
}

TEST_F(ServiceOrderTest, LeavesEnoughSynchronousStandbys) {
    auto primary = scene.as_primary(Lsn{0x3000000});
    auto& role = std::get<model::PrimaryAnswer>(primary.as);
    role.synchronous_standby_names = "ANY 1 (db2, db3)";
    role.senders = {{"db2", "streaming", "quorum"}, {"db3", "streaming", "quorum"}};
    scene.see("db1", model::HeldSight{primary});
    EXPECT_EQ(word(ServiceDeed::stop, "db2"), "stops db2");
    role.senders = {{"db2", "streaming", "quorum"}, {"db3", "streaming", "async"}};
    scene.see("db1", model::HeldSight{primary});
    EXPECT_EQ(word(ServiceDeed::stop, "db2"), "CommitsWouldWait");
    EXPECT_EQ(word(ServiceDeed::stop, "db3"), "stops db3");
}

TEST_F(ServiceOrderTest, RestartsAReplicaThatIsSeen) {
    scene.silent("db3", scene.now);
    scene.pass(20s);
    scene.primary_answers();
    EXPECT_EQ(word(ServiceDeed::restart, "db3"), "ReplicaNotSeen");
}

TEST_F(ServiceOrderTest, WaitsForWhoeverMayHaveBeenPromoted) {
    scene.saved.possible_primary = model::PossiblePrimary{server("db3"), WallTime{}};
    EXPECT_EQ(word(ServiceDeed::stop, "db2"), "PossiblePrimary");
    scene.saved.possible_primary.reset();
    scene.saved.system_id.reset();
    EXPECT_EQ(word(ServiceDeed::stop, "db2"), "NotReady");
}

TEST_F(ServiceOrderTest, RestartsEverybodyBeforeAHandoverTheCandidateLast) {
    const auto all = decide_switchover(scene.input(), scene.analysis(), checks, {.to = server("db2"), .restart_all = true});
    ASSERT_TRUE(all) << all.error().what;
    EXPECT_EQ(all->restarted, (std::vector<Restarted>{{server("db3"), server("db1")}, {server("db2"), server("db1")}}));
    const auto plain = decide_switchover(scene.input(), scene.analysis(), checks, {.to = server("db2")});
    ASSERT_TRUE(plain);
    EXPECT_TRUE(plain->restarted.empty());
}

}  // namespace handyrep::decide::testing
