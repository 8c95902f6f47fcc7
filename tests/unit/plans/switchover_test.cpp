#include "plans/failover.hpp"
#include "plans/switchover.hpp"
#include "plans/undo_text.hpp"
#include "tests/unit/decide/scene.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace handyrep::plans {

using decide::testing::Scene;
using decide::testing::server;

class SwitchoverPlan : public ::testing::Test {
protected:
    SwitchoverPlan() { scene.healthy(); }
    [[nodiscard]] Plan plan(const std::string& names = "") const {
        const decide::SwitchOver decision{server("db1"), server("db2"), "hands over"};
        return switchover({.decision = decision, .settings = scene.settings, .saved = scene.saved, .synchronous_standby_names = names});
    }
    template <class C>
    [[nodiscard]] static std::size_t place_of(const Plan& plan) {
        const auto found =
            std::ranges::find_if(plan.reversible, [](const Step& step) { return std::holds_alternative<C>(step.apply.front()); });
        return static_cast<std::size_t>(found - plan.reversible.begin());
    }
    Scene scene;
};

TEST_F(SwitchoverPlan, StopsThePrimaryOnlyWhenAllElseIsReady) {
    const Plan it = plan();
    const std::size_t stop = place_of<StopCleanly>(it);
    for (const std::size_t before :
         {place_of<Checkpoint>(it), place_of<CatchUp>(it), place_of<PrepareCandidate>(it), place_of<PrepareToFollow>(it)})
        EXPECT_LT(before, stop);
    EXPECT_EQ(place_of<CheckHandover>(it), stop + 1) << "both gates, right before the promotion";
    EXPECT_EQ(it.reversible.size(), stop + 2);
    EXPECT_EQ(std::get<Promote>(it.commit->apply.front()).candidate, server("db2"));
}

TEST_F(SwitchoverPlan, GivesThePrimaryBackWhateverFailsBeforeThePromotion) {
    const Plan it = plan();
    const Step& stop = it.reversible[place_of<StopCleanly>(it)];
    ASSERT_EQ(stop.undo.size(), 1U);
    EXPECT_EQ(std::get<StartAgain>(stop.undo.front()).server, server("db1"));
    EXPECT_FALSE(stop.may_fail);
    const auto read = parse_undo(undo_text(stop.undo));
    ASSERT_TRUE(read) << "a later life of the manager has the journal only: " << read.error().what;
    EXPECT_EQ(std::get<StartAgain>(read->front()).system_id, *scene.saved.system_id);
    EXPECT_FALSE(parse_undo(R"([{"do":"start_again","server":"db1"}])"));
    EXPECT_FALSE(parse_undo(R"([{"do":"start_again","server":"db1","system_id":"1"}])"));
}

TEST_F(SwitchoverPlan, StartsTheOldPrimaryAsAReplicaAfterThePromotionIsWrittenDown) {
    const Plan it = plan();
    ASSERT_EQ(it.finish.size(), 2U);
    EXPECT_TRUE(std::holds_alternative<RecordPromotion>(it.finish[0].steps.front().apply.front()));
    const auto starts = std::ranges::count_if(
        it.finish[1].steps, [](const Step& step) { return std::holds_alternative<StartAsReplica>(step.apply.front()); });
    EXPECT_EQ(starts, 1);
    EXPECT_EQ(it.finish[1].steps.size(), 2U) << "and db3 follows; nothing is lost that had to be read";
}

TEST_F(SwitchoverPlan, EveryStepHasALimitAndAReasonAndANameOfItsOwn) {
    const Plan it = plan();
    std::vector<std::string> names{it.commit->name};
    std::vector<Step> steps = it.reversible;
    for (const Group& group : it.finish) steps.insert(steps.end(), group.steps.begin(), group.steps.end());
    for (const Step& step : steps) {
        EXPECT_GT(step.limit, Duration::zero()) << step.name;
        EXPECT_FALSE(step.why.empty()) << step.name;
        EXPECT_EQ(std::ranges::count(names, step.name), 0) << step.name;
        names.push_back(step.name);
    }
}

TEST_F(SwitchoverPlan, LetsTheOldPrimaryTakeTheCandidatesPlaceInTheRule) {
    const auto after = [&](const std::string& before) {
        return synchronous_names_after_switchover(before, server("db2"), server("db1"), scene.saved);
    };
    EXPECT_EQ(after("ANY 1 (db2, db3)"), "ANY 1 (\"db1\", \"db3\")");
    EXPECT_EQ(after("FIRST 2 (db2, db3)"), "FIRST 2 (\"db1\", \"db3\")");
    EXPECT_EQ(after("db2"), "FIRST 1 (\"db1\")");
    EXPECT_EQ(after("ANY 1 (db1, db2, db3)"), "ANY 1 (\"db1\", \"db3\")") << "every server has the same rule";
    EXPECT_EQ(after("ANY 1 (db3)"), "ANY 1 (\"db3\")");
    EXPECT_EQ(after("*"), "*");
    EXPECT_EQ(after(""), "");
}

}  // namespace handyrep::plans
