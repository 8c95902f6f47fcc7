#include "plans/describe.hpp"
#include "plans/follow.hpp"
#include "plans/undo_text.hpp"
#include "tests/unit/decide/scene.hpp"

#include <gtest/gtest.h>

#include <string>

namespace handyrep::plans {

using decide::testing::Scene;
using decide::testing::server;

class FollowPlan : public ::testing::Test {
protected:
    [[nodiscard]] Plan plan() const {
        return follow(
            {.replicas = {{server("db3"), server("db1")}, {server("db4"), std::nullopt}}, .upstream = server("db2"), .text = ""},
            scene.saved);
    }
    Scene scene;
};

TEST_F(FollowPlan, RepointsOneAfterTheOther) {
    const Plan it = plan();
    ASSERT_EQ(it.reversible.size(), 2U);
    EXPECT_EQ(std::get<Repoint>(it.reversible[0].apply.front()).replica, server("db3"));
    EXPECT_EQ(std::get<Repoint>(it.reversible[1].apply.front()).upstream, server("db2"));
    EXPECT_FALSE(it.commit) << "it can be taken back until it has ended";
    EXPECT_TRUE(it.finish.empty());
    EXPECT_FALSE(moves_role(it.kind));
}

TEST_F(FollowPlan, GivesTheFormerUpstreamBackWhereItIsKnown) {
    const Plan it = plan();
    ASSERT_EQ(it.reversible[0].undo.size(), 1U);
    EXPECT_TRUE(it.reversible[1].undo.empty());
    const auto read = parse_undo(undo_text(it.reversible[0].undo));
    ASSERT_TRUE(read) << "a later life of the manager has the journal only: " << read.error().what;
    EXPECT_EQ(std::get<Repoint>(read->front()).replica, server("db3"));
    EXPECT_EQ(std::get<Repoint>(read->front()).upstream, server("db1"));
}

TEST_F(FollowPlan, IsShownWithItsUndoAndWithoutAPointOfNoReturn) {
    std::string shown;
    for (const std::string& line : describe(plan())) shown += line + "\n";
    EXPECT_NE(shown.find("undo: let db3 follow db1"), std::string::npos) << shown;
    EXPECT_EQ(shown.find("point of no return"), std::string::npos) << shown;
}

}  // namespace handyrep::plans
