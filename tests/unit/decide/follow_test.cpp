// Who can be made to follow whom, and what stands in the way, each by name.
#include "decide/follow.hpp"
#include "scene.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace handyrep::decide::testing {

class FollowOrder : public ::testing::Test {
protected:
    FollowOrder() { scene.healthy(); }

    [[nodiscard]] Result<Follow> decided() const { return decide_follow(scene.input(), scene.analysis(), wanted); }
    [[nodiscard]] std::string text() const {
        const auto decision = decided();
        return decision ? decision->text : decision.error().what;
    }
    /// The name that a refusal begins with.
    [[nodiscard]] std::string obstacle() const { return text().substr(0, text().find(':')); }
    void wish(std::vector<std::string_view> replicas, std::string_view upstream = {}) {
        wanted = {};
        for (const std::string_view it : replicas) wanted.replicas.push_back(server(it));
        if (!upstream.empty()) wanted.upstream = server(upstream);
    }
    /// `name` streams from `upstream` instead of the primary.
    void cascade(std::string_view name, const std::string& upstream, Lsn replayed = Lsn{0x3000000}) {
        auto receiver = scene.streaming();
        receiver.sender_host = "host-of-" + upstream;
        scene.see(name, model::HeldSight{scene.as_standby(replayed, receiver)});
    }

    Scene scene;
    FollowWanted wanted;
};

TEST_F(FollowOrder, LetsAReplicaFollowAnotherAndKnowsWhomItFollowed) {
    wish({"db3"}, "db2");
    const auto decision = decided();
    ASSERT_TRUE(decision) << decision.error().what;
    EXPECT_EQ(decision->upstream, server("db2"));
    EXPECT_EQ(decision->replicas, (std::vector<Follow::Replica>{{server("db3"), server("db1")}}));
    EXPECT_EQ(decision->text, "lets db3 follow db2");
}

TEST_F(FollowOrder, TakesAllThatDoNotFollowYetWhereNoneIsNamed) {
    EXPECT_EQ(obstacle(), "NoReplica") << "both follow the primary";
    EXPECT_NE(text().find("FollowsAlready: db2"), std::string::npos) << text();
    cascade("db3", "db2");
    EXPECT_EQ(text(), "lets db3 follow db1");
    scene.detached("db2");
    EXPECT_EQ(text(), "lets db2, db3 follow db1");
    scene.define("db3").enabled = false;
    EXPECT_EQ(text(), "lets db2 follow db1") << "who takes no part is left alone";
}

TEST_F(FollowOrder, NamesAReplicaOnceHoweverOftenItIsSaid) {
    cascade("db3", "db2");
    wish({"db3", "db3"});
    EXPECT_EQ(text(), "lets db3 follow db1");
}

TEST_F(FollowOrder, RefusesByNameWhoCannotFollow) {
    wish({"db9"});
    EXPECT_EQ(obstacle(), "UnknownServer");
    EXPECT_EQ(decided().error().kind, ErrorKind::invalid);
    wish({"db2"}, "db9");
    EXPECT_EQ(obstacle(), "UnknownServer");
    wish({"db2"});
    EXPECT_EQ(obstacle(), "FollowsAlready");
    wish({"db1"}, "db2");
    EXPECT_EQ(obstacle(), "IsPrimary");
    wish({"db2"}, "db2");
    EXPECT_EQ(obstacle(), "WouldMakeACircle");
    wish({"db2"}, "db3");
    scene.define("db2").enabled = false;
    EXPECT_EQ(obstacle(), "ServerDisabled");
}

TEST_F(FollowOrder, NeverMakesACircle) {
    cascade("db3", "db2");
    wish({"db2"}, "db3");
    EXPECT_EQ(obstacle(), "WouldMakeACircle");
}

TEST_F(FollowOrder, WantsAReplicaThatAnswers) {
    wish({"db3"}, "db2");
    scene.silent("db3", scene.now);
    scene.pass(20s);
    for (const auto* const name : {"db2"}) scene.attached(name);
    scene.primary_answers();
    EXPECT_EQ(obstacle(), "ReplicaNotSeen");
}

TEST_F(FollowOrder, WantsAnUpstreamThatCanBeStreamedFrom) {
    wish({"db3"}, "db2");
    scene.detached("db2");
    EXPECT_EQ(obstacle(), "UpstreamUnfit");
    scene.attached("db2");
    scene.lost("db1", model::LastWords::administrator);
    scene.refused_twice();
    wish({"db3"}, "db1");
    EXPECT_EQ(obstacle(), "UpstreamUnfit");
}

TEST_F(FollowOrder, RefusesForWhoeverWasFailedOverFrom) {
    scene.saved.must_be_down.push_back(
        {.server = server("db2"),
         .system_id = our_system,
         .hostname = "host-of-db2",
         .pgdata = "",
         .fork = {Timeline{1}, Lsn{0x1000000}},
         .successor = server("db1"),
         .successor_history = model::TimelineHistory{Timeline{2}, {{Timeline{1}, Lsn{0x1000000}}}},
         .epoch = 1});
    wish({"db2"});
    EXPECT_EQ(obstacle(), "ServerBarred");
    wish({"db3"}, "db2");
    EXPECT_EQ(obstacle(), "ServerBarred");
}

TEST_F(FollowOrder, RefusesWhoHasWalThatTheUpstreamLacksByWhatIsReplayed) {
    auto primary = scene.as_primary(Lsn{0x3000000}, Timeline{2});
    std::get<model::PrimaryAnswer>(primary.as).history = model::TimelineHistory{Timeline{2}, {{Timeline{1}, Lsn{0x2FFFFF0}}}};
    scene.see("db1", model::HeldSight{primary});
    wish({"db3"}, "db1");
    scene.detached("db3", Lsn{0x2FFFFF8});
    EXPECT_EQ(obstacle(), "Diverged");
    auto half = scene.as_standby(Lsn{0x2FFFFF8}, std::nullopt);
    std::get<model::StandbyAnswer>(half.as).replayed = Lsn{0x2FFFFF0};
    scene.see("db3", model::HeldSight{half});
    EXPECT_EQ(text(), "lets db3 follow db1") << "half a record past the fork is no divergence (S11)";
}

TEST_F(FollowOrder, WaitsForWhoeverMayHaveBeenPromoted) {
    wish({"db3"}, "db2");
    scene.saved.possible_primary = model::PossiblePrimary{server("db3"), WallTime{}};
    EXPECT_EQ(obstacle(), "PossiblePrimary");
    scene.saved.possible_primary.reset();
    scene.saved.primary.reset();
    EXPECT_EQ(obstacle(), "NoPrimary");
}

}  // namespace handyrep::decide::testing
