#include "plans/service.hpp"
#include "plans/switchover.hpp"
#include "tests/unit/decide/scene.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace handyrep::plans {

using decide::ServiceDeed;
using decide::testing::Scene;
using decide::testing::server;

class ServicePlan : public ::testing::Test {
protected:
    [[nodiscard]] Plan plan(ServiceDeed deed, std::string_view name) const {
        return service(
            {.deed = deed, .server = server(name), .holds_role = name == "db1", .upstream = server("db1"), .text = ""}, scene.saved);
    }
    Scene scene;
};

TEST_F(ServicePlan, RestartsThePrimaryInPlaceAndGivesItBackWhateverFails) {
    const Plan it = plan(ServiceDeed::restart, "db1");
    ASSERT_EQ(it.reversible.size(), 2U);
    EXPECT_TRUE(std::holds_alternative<Checkpoint>(it.reversible[0].apply.front()));
    EXPECT_TRUE(std::holds_alternative<StopCleanly>(it.reversible[1].apply.front()));
    EXPECT_TRUE(std::holds_alternative<StartAgain>(it.reversible[1].undo.front()));
    ASSERT_TRUE(it.commit);
    EXPECT_TRUE(std::holds_alternative<StartAgain>(it.commit->apply.front()));
    EXPECT_FALSE(moves_role(it.kind));
}

TEST_F(ServicePlan, StopsAPrimaryWithoutAnUndo) {
    const Plan it = plan(ServiceDeed::stop, "db1");
    ASSERT_TRUE(it.commit);
    EXPECT_TRUE(std::holds_alternative<StopCleanly>(it.commit->apply.front()));
    EXPECT_TRUE(it.commit->undo.empty());
    EXPECT_TRUE(std::holds_alternative<StartAgain>(plan(ServiceDeed::start, "db1").commit->apply.front()));
}

TEST_F(ServicePlan, IsOneStepOfAReplica) {
    EXPECT_TRUE(std::holds_alternative<HoldDown>(plan(ServiceDeed::stop, "db2").commit->apply.front()));
    EXPECT_TRUE(std::holds_alternative<Fence>(plan(ServiceDeed::fence, "db2").commit->apply.front()));
    const Plan restart = plan(ServiceDeed::restart, "db2");
    EXPECT_EQ(std::get<RestartReplica>(restart.commit->apply.front()).upstream, server("db1"));
    const Plan start = plan(ServiceDeed::start, "db2");
    EXPECT_EQ(std::get<StartReplica>(start.commit->apply.front()).system_id, *scene.saved.system_id);
    EXPECT_TRUE(start.reversible.empty());
}

TEST_F(ServicePlan, RestartsEveryReplicaBeforeAHandover) {
    scene.healthy();
    const decide::SwitchOver decision{
        server("db1"), server("db2"), "hands over", {{server("db3"), server("db1")}, {server("db2"), server("db1")}}};
    const Plan it = switchover({.decision = decision, .settings = scene.settings, .saved = scene.saved, .synchronous_standby_names = ""});
    EXPECT_EQ(it.reversible[0].name, "restart db3");
    EXPECT_EQ(it.reversible[1].name, "restart db2");
    EXPECT_EQ(it.reversible[2].name, "checkpoint on db1");
}

}  // namespace handyrep::plans
