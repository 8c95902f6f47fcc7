#include "plans/describe.hpp"
#include "plans/rejoin.hpp"
#include "tests/unit/decide/scene.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace handyrep::plans {

using decide::Rejoin;
using decide::testing::our_system;
using decide::testing::Scene;
using decide::testing::server;
using decide::Way;

class RejoinPlan : public ::testing::Test {
protected:
    [[nodiscard]] std::vector<std::string> steps(Way way, bool runs) const {
        const Plan plan = rejoin(decision(way, runs), scene.saved);
        EXPECT_FALSE(plan.commit) << "no step of it makes a primary";
        std::vector<std::string> out;
        for (const Step& it : plan.reversible) {
            EXPECT_TRUE(it.undo.empty());
            out.push_back(it.name);
        }
        return out;
    }
    [[nodiscard]] static Rejoin decision(Way way, bool runs) {
        return {
            server("db1"),
            server("db2"),
            way,
            runs,
            model::DivergenceQuestion{our_system, {model::Timeline{1}, model::Lsn{0x3000000}}, model::Timeline{1}},
            "as decided"};
    }
    Scene scene;
};

TEST_F(RejoinPlan, MarksBeforeItTellsAndTellsBeforeItStarts) {
    EXPECT_EQ(steps(Way::follow, false), (std::vector<std::string>{"mark db1", "prepare db1 to follow", "start db1 as a replica"}));
    EXPECT_EQ(steps(Way::follow, true), (std::vector<std::string>{"re-point db1"}));
}

/// In the order of the safety rules: checked before it is given free, given free before it is started.
TEST_F(RejoinPlan, ChecksTheMarksOfARewoundServerBeforeItIsStarted) {
    const std::vector<std::string> down{
        "checkpoint on db2", "rewind db1", "prepare db1 to follow", "check the marks of db1", "start db1 as a replica"};
    EXPECT_EQ(steps(Way::rewind, false), down);
    const std::vector<std::string> running{
        "checkpoint on db2", "stop db1", "rewind db1", "prepare db1 to follow", "check the marks of db1", "start db1 as a replica"};
    EXPECT_EQ(steps(Way::rewind, true), running);
}

TEST_F(RejoinPlan, ReadsTheEndOfTheWalAgainOnlyWhereItFollowsAsItIs) {
    const Plan follows = rejoin(decision(Way::follow, false), scene.saved);
    EXPECT_EQ(
        std::get<StartRejoined>(follows.reversible.back().apply.front()).fork,
        (model::WalPosition{model::Timeline{1}, model::Lsn{0x3000000}}));
    const Plan rewinds = rejoin(decision(Way::rewind, false), scene.saved);
    EXPECT_EQ(std::get<StartRejoined>(rewinds.reversible.back().apply.front()).fork, std::nullopt);
    std::string text;
    for (const std::string& line : describe(rewinds)) text += line + "\n";
    EXPECT_NE(text.find("pg_rewind -R to db2"), std::string::npos) << text;
    EXPECT_NE(text.find("as decided"), std::string::npos) << text;
}

}  // namespace handyrep::plans
