#include "plans/describe.hpp"
#include "plans/failover.hpp"
#include "tests/unit/decide/scene.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace handyrep::plans {

using decide::testing::Scene;
using decide::testing::server;
using model::Lsn;

class Failover : public ::testing::Test {
protected:
    Failover() { scene.primary_killed(); }
    [[nodiscard]] Plan plan(const std::string& names = "", bool alone = false) const {
        const decide::Analysis analysis = scene.analysis();
        const decide::FailOver decision{
            .reason = decide::Reason::primary_is_dead,
            .old_primary = server("db1"),
            .candidate = server("db2"),
            .text = "fails over",
            .alone = alone};
        return failover(
            {.decision = decision,
             .settings = scene.settings,
             .saved = scene.saved,
             .analysis = analysis,
             .synchronous_standby_names = names});
    }
    template <class C>
    [[nodiscard]] static std::vector<std::string> servers_of(const Step& step, model::ServerName C::* member) {
        std::vector<std::string> out;
        for (const Command& command : step.apply) {
            if (const auto* it = std::get_if<C>(&command)) out.push_back((it->*member).text());
        }
        return out;
    }
    Scene scene;
};

TEST_F(Failover, FencesAndDetachesBeforeItReadsPositionsAndAsksTheGates) {
    const Plan it = plan();
    ASSERT_EQ(it.reversible.size(), 6U);
    EXPECT_EQ(servers_of(it.reversible[0], &Fence::server), std::vector<std::string>{"db1"});
    EXPECT_EQ(servers_of(it.reversible[0], &Detach::replica), (std::vector<std::string>{"db2", "db3"}));
    EXPECT_EQ(servers_of(it.reversible[1], &ReadFinalPosition::replica), (std::vector<std::string>{"db2", "db3"}));
    EXPECT_TRUE(std::holds_alternative<CheckGates>(it.reversible[4].apply.front()));
    EXPECT_TRUE(std::holds_alternative<PrepareCandidate>(it.reversible[5].apply.front()));
    EXPECT_EQ(std::get<Promote>(it.commit->apply.front()).candidate, server("db2"));
}

TEST_F(Failover, TouchesNobodyElseWhenAPersonWantsThePromotionAlone) {
    const Plan it = plan("", true);
    ASSERT_EQ(it.reversible.size(), 4U) << "nothing is salvaged from whom nobody fenced";
    EXPECT_TRUE(servers_of(it.reversible[0], &Fence::server).empty());
    EXPECT_EQ(servers_of(it.reversible[0], &Detach::replica), std::vector<std::string>{"db2"});
    EXPECT_EQ(servers_of(it.reversible[1], &ReadFinalPosition::replica), std::vector<std::string>{"db2"});
    EXPECT_TRUE(std::holds_alternative<CheckGates>(it.reversible[2].apply.front()));
    ASSERT_EQ(it.finish.size(), 1U);
    EXPECT_TRUE(std::holds_alternative<RecordPromotion>(it.finish.front().steps.front().apply.front()));
}

TEST_F(Failover, EndsQueriesThatHoldUpReplayOnTheCandidateOnlyAndWhereThePolicySaysSo) {
    const auto on = [this] {
        const Plan it = plan();
        std::vector<bool> out;
        for (const Command& command : it.reversible[1].apply) out.push_back(std::get<ReadFinalPosition>(command).end_queries);
        out.push_back(std::get<Promote>(it.commit->apply.front()).end_queries);
        return out;
    };
    EXPECT_EQ(on(), (std::vector<bool>{true, false, true}));
    scene.settings.end_blocking_queries = false;
    EXPECT_EQ(on(), (std::vector<bool>{false, false, false}));
}

TEST_F(Failover, UndoesEveryDetachAndTheSalvageAndNothingElse) {
    const Plan it = plan();
    EXPECT_EQ(it.reversible[0].undo.size(), 2U);
    for (std::size_t i = 1; i < it.reversible.size(); ++i)
        EXPECT_EQ(it.reversible[i].undo.size(), it.reversible[i].name == "salvage" ? 1U : 0U);
    EXPECT_TRUE(it.commit->undo.empty());
}

TEST_F(Failover, SalvagesBetweenTheFenceAndTheGatesAndPutsBackWhateverBecameOfIt) {
    const Plan it = plan();
    const Step& salvage = it.reversible[2];
    EXPECT_EQ(servers_of(salvage, &Salvage::old_primary), std::vector<std::string>{"db1"});
    EXPECT_EQ(servers_of(salvage, &Salvage::candidate), std::vector<std::string>{"db2"});
    EXPECT_TRUE(salvage.may_fail);
    EXPECT_EQ(salvage.limit, scene.settings.salvage_limit);
    EXPECT_TRUE(std::holds_alternative<EndSalvage>(salvage.undo.front()));
    EXPECT_TRUE(std::holds_alternative<EndSalvage>(it.reversible[3].apply.front()));
    EXPECT_FALSE(it.reversible[3].may_fail);
}

TEST_F(Failover, SalvagesNothingByPolicyOrWhereItCannotBe) {
    const auto salvages = [this] {
        return std::ranges::any_of(plan().reversible, [](const Step& step) { return step.name == "salvage"; });
    };
    ASSERT_TRUE(salvages());
    scene.settings.salvage = false;
    EXPECT_FALSE(salvages());
    scene.settings.salvage = true;
    auto old = scene.as_standby(Lsn{0x3000000}, std::nullopt);
    old.version = model::ServerVersion{130012};
    scene.see("db2", model::HeldSight{old});
    EXPECT_FALSE(salvages());
}

TEST_F(Failover, RecordsTheNewPrimaryBeforeAnybodyFollowsIt) {
    const Plan it = plan();
    ASSERT_EQ(it.finish.size(), 2U);
    EXPECT_TRUE(std::holds_alternative<RecordPromotion>(it.finish[0].steps.front().apply.front()));
    ASSERT_EQ(it.finish[1].steps.size(), 2U);
    EXPECT_EQ(std::get<Repoint>(it.finish[1].steps.front().apply.front()).replica, server("db3"));
}

TEST_F(Failover, RepointsNobodyWhenRemasterIsOff) {
    scene.settings.remaster = false;
    const Plan it = plan();
    ASSERT_EQ(it.finish.size(), 2U);
    ASSERT_EQ(it.finish[1].steps.size(), 1U);
    EXPECT_TRUE(std::holds_alternative<ReadLoss>(it.finish[1].steps.front().apply.front()));
}

TEST_F(Failover, ReadsWhatWasLostOnlyAfterThePromotionIsWrittenDown) {
    const Plan it = plan();
    EXPECT_EQ(servers_of(it.finish[1].steps.back(), &ReadLoss::old_primary), std::vector<std::string>{"db1"});
    EXPECT_TRUE(servers_of(it.finish[0].steps.front(), &ReadLoss::old_primary).empty());
}

TEST_F(Failover, DoesNotWaitForAHostThatDoesNotAnswer) {
    scene.host_is_mute("db1");
    EXPECT_TRUE(servers_of(plan().reversible[0], &Fence::server).empty());
    EXPECT_EQ(plan().reversible.size(), 4U) << "nor is anything salvaged from it";
}

TEST_F(Failover, DoesNotDetachWhatCannotBeDetachedWithoutARestart) {
    auto old = scene.as_standby(Lsn{0x3000000}, std::nullopt);
    old.version = model::ServerVersion{120020};
    scene.see("db3", model::HeldSight{old});
    EXPECT_EQ(servers_of(plan().reversible[0], &Detach::replica), std::vector<std::string>{"db2"});
}

TEST_F(Failover, EveryStepHasALimitAndAReasonAndANameOfItsOwn) {
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

TEST_F(Failover, KeepsTheSynchronousRuleAmongTheReplicasThatAreLeft) {
    EXPECT_EQ(synchronous_names_after("ANY 1 (db2, db3)", server("db2"), scene.analysis(), scene.saved), "ANY 1 (\"db3\")");
    EXPECT_EQ(synchronous_names_after("FIRST 2 (db2, db3)", server("db2"), scene.analysis(), scene.saved), "FIRST 1 (\"db3\")");
}

TEST_F(Failover, KnowsAReplicaByItsApplicationName) {
    scene.saved.upstream_settings.push_back({server("db3"), "host=h port=5432 application_name=site_b user=rep"});
    EXPECT_EQ(synchronous_names_after("ANY 1 (site_a, site_b)", server("db2"), scene.analysis(), scene.saved), "ANY 1 (\"site_b\")");
}

TEST_F(Failover, NamesNobodyWhoIsGoneForThatWouldHangEveryCommit) {
    EXPECT_EQ(synchronous_names_after("db2", server("db2"), scene.analysis(), scene.saved), "");
    EXPECT_EQ(synchronous_names_after("", server("db2"), scene.analysis(), scene.saved), "");
    scene.lost("db3", model::LastWords::none);
    EXPECT_EQ(synchronous_names_after("ANY 1 (db2, db3)", server("db2"), scene.analysis(), scene.saved), "");
}

TEST_F(Failover, IsDescribedWithItsPointOfNoReturn) {
    const auto lines = describe(plan());
    const auto marked =
        std::ranges::count_if(lines, [](const std::string& line) { return line.find("point of no return") != std::string::npos; });
    EXPECT_EQ(marked, 1);
    EXPECT_NE(lines.front().find("secure"), std::string::npos);
}

TEST(StopReturnedPrimary, FencesExactlyTheDirectoryThatWasLeft) {
    Scene scene;
    const model::MustBeDown entry{
        .server = server("db1"),
        .system_id = decide::testing::our_system,
        .hostname = "h",
        .pgdata = "/d",
        .fork = {model::Timeline{1}, Lsn{1}},
        .successor = server("db2"),
        .successor_history = model::TimelineHistory{model::Timeline{2}, {}},
        .epoch = 3};
    const Plan it = stop_returned_primary(scene.saved, entry);
    const auto& fence = std::get<Fence>(it.commit->apply.front());
    EXPECT_EQ(fence.server, server("db1"));
    EXPECT_EQ(fence.system_id, decide::testing::our_system);
    EXPECT_TRUE(it.reversible.empty());
    EXPECT_TRUE(it.finish.empty());
}

}  // namespace handyrep::plans
