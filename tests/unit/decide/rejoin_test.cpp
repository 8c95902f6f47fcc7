// How a server comes back as a replica, which ways are skipped and why, and what stands in the way, each by name.
#include "decide/rejoin.hpp"
#include "scene.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace handyrep::decide::testing {

using model::ControlState;
using model::RewindPhase;

/// db2 took over at 1:0/3000000 and is on timeline 2; db1 was killed, and its disk is asked.
class RejoinOrder : public ::testing::Test {
protected:
    static constexpr Lsn fork{0x3000000};

    RejoinOrder() {
        scene.healthy();
        scene.saved.primary = server("db2");
        primary_answers();
        scene.lost("db1", model::LastWords::postmaster_died);
        scene.refused_twice();
        survey.look = Result<model::RewindLook>{model::RewindLook{
            .system_id = our_system,
            .version = 15,
            .processes = 0,
            .state = ControlState::in_production,
            .history = model::TimelineHistory{Timeline{1}, {}},
            .programs = true,
            .protects_pages = true,
            .configured = true}};
        ends_at(Lsn{0x3000100});
        survey.divergence = Result<model::Divergence>{model::Divergence{
            .to_save = model::Bytes{16ULL << 20U}, .room = model::Bytes{1ULL << 30U}, .common_checkpoint = Lsn{0x2000028}}};
    }

    void primary_answers() {
        for (const auto flushed : {Lsn{0x3000200}, Lsn{0x3000300}}) {
            scene.pass(500ms);
            model::Answered answer = scene.as_primary(flushed, Timeline{2});
            std::get<model::PrimaryAnswer>(answer.as).history = model::TimelineHistory{Timeline{2}, {{Timeline{1}, fork}}};
            scene.see("db2", model::HeldSight{answer});
            scene.see("db2", model::DialOutcome::accepted);
        }
    }
    void ends_at(Lsn end) { survey.wal_end = Result<model::WalEnd>{model::WalEnd{end}}; }
    model::RewindLook& look() { return **survey.look; }
    model::Divergence& divergence() { return **survey.divergence; }
    [[nodiscard]] Result<Rejoin> decided() const { return decide_rejoin(scene.input(), scene.analysis(), survey, wanted); }
    [[nodiscard]] std::string text() const {
        const auto decision = decided();
        return decision ? decision->text : decision.error().what;
    }
    [[nodiscard]] std::string obstacle() const {
        const auto decision = decided();
        return decision ? "none" : decision.error().what.substr(0, decision.error().what.find(':'));
    }

    Scene scene;
    RejoinSurvey survey{.server = server("db1")};
    RejoinWanted wanted{.server = server("db1")};
};

TEST_F(RejoinOrder, RewindsWhoWroteMoreThanTheNewPrimaryHas) {
    const auto decision = decided();
    ASSERT_TRUE(decision) << decision.error().what;
    EXPECT_EQ(decision->way, Way::rewind);
    EXPECT_EQ(decision->upstream, server("db2"));
    EXPECT_FALSE(decision->runs);
    ASSERT_TRUE(decision->behind);
    EXPECT_EQ(decision->behind->fork, (model::WalPosition{Timeline{1}, fork}));
    EXPECT_EQ(
        decision->text, "rewinds db1, which then follows db2; not followed as it is: its WAL ends 256 B behind the fork at 1:0/3000000");
}

TEST_F(RejoinOrder, FollowsAsItIsWhereItsWalEndsAtTheFork) {
    ends_at(fork);
    const auto decision = decided();
    ASSERT_TRUE(decision) << decision.error().what;
    EXPECT_EQ(decision->way, Way::follow);
    EXPECT_FALSE(decision->runs);
    ASSERT_TRUE(decision->behind);
    EXPECT_EQ(decision->behind->fork.lsn, fork);
    wanted.only_rewind = true;
    EXPECT_EQ(obstacle(), "NothingToRewind");
}

TEST_F(RejoinOrder, RewindsWhereNothingSaysWhereItsWalEnds) {
    survey.wal_end = Result<model::WalEnd>{Error{ErrorKind::failed, "recycled"}};
    const auto decision = decided();
    ASSERT_TRUE(decision) << decision.error().what;
    EXPECT_EQ(decision->way, Way::rewind);
    EXPECT_NE(text().find("nothing says where its WAL ends"), std::string::npos);
}

/// S12: the same number, another history.
TEST_F(RejoinOrder, RewindsATwinThatWasPromotedToo) {
    look().history = model::TimelineHistory{Timeline{2}, {{Timeline{1}, Lsn{0x3000080}}}};
    survey.wal_end.reset();
    const auto decision = decided();
    ASSERT_TRUE(decision) << decision.error().what;
    EXPECT_EQ(decision->way, Way::rewind);
    ASSERT_TRUE(decision->behind);
    EXPECT_EQ(decision->behind->fork.lsn, fork);
    EXPECT_EQ(decision->behind->last, Timeline{2});
    EXPECT_NE(text().find("has gone on to timeline 2 of its own"), std::string::npos) << text();
}

TEST_F(RejoinOrder, StartsAReplicaThatIsDownOnThePrimarysTimeline) {
    look().history = model::TimelineHistory{Timeline{2}, {{Timeline{1}, fork}}};
    look().state = ControlState::shut_down_in_recovery;
    const auto decision = decided();
    ASSERT_TRUE(decision) << decision.error().what;
    EXPECT_EQ(decision->way, Way::follow);
    EXPECT_FALSE(decision->behind);
    look().state = ControlState::in_production;
    EXPECT_EQ(obstacle(), "NoCommonHistory") << "a number does not tell twins apart";
}

TEST_F(RejoinOrder, GoesOnWithARewindThatIsUnderWay) {
    look().processes = 1;
    for (const RewindPhase phase : {RewindPhase::saving, RewindPhase::recovering, RewindPhase::rewinding, RewindPhase::done}) {
        look().phase = phase;
        const auto decision = decided();
        ASSERT_TRUE(decision) << decision.error().what;
        EXPECT_EQ(decision->way, Way::rewind);
    }
}

TEST_F(RejoinOrder, RepointsAReplicaThatOnlyLostItsUpstreamAndStopsOneThatDiverged) {
    scene.detached("db1", fork);
    EXPECT_FALSE(needs_survey(scene.input(), server("db1")));
    survey.look.reset();
    const auto follows = decided();
    ASSERT_TRUE(follows) << follows.error().what;
    EXPECT_EQ(follows->way, Way::follow);
    EXPECT_TRUE(follows->runs);
    EXPECT_EQ(follows->text, "lets db1 follow db2");

    scene.detached("db1", Lsn{0x3000080});
    EXPECT_TRUE(needs_survey(scene.input(), server("db1")));
    EXPECT_EQ(obstacle(), "HostUnknown");
}

TEST_F(RejoinOrder, StopsAReplicaThatDivergedAndRewindsIt) {
    scene.detached("db1", Lsn{0x3000080});
    look().processes = 7;
    survey.wal_end.reset();
    const auto decision = decided();
    ASSERT_TRUE(decision) << decision.error().what;
    EXPECT_EQ(decision->way, Way::rewind);
    EXPECT_TRUE(decision->runs);
    EXPECT_NE(text().find("it has replayed 1:0/3000080, which db2 does not have"), std::string::npos) << text();
}

TEST_F(RejoinOrder, IsRefusedByNameForWhomItCannotTake) {
    wanted.server = server("db9");
    EXPECT_EQ(obstacle(), "UnknownServer");
    EXPECT_EQ(decided().error().kind, ErrorKind::invalid);
    wanted.server = server("db2");
    EXPECT_EQ(obstacle(), "IsPrimary");
    wanted.server = server("db1");
    scene.define("db1").enabled = false;
    EXPECT_EQ(obstacle(), "ServerDisabled");
    scene.define("db1").enabled = true;
    scene.saved.possible_primary = model::PossiblePrimary{server("db3"), {}};
    EXPECT_EQ(obstacle(), "PossiblePrimary");
    scene.saved.possible_primary.reset();
    scene.saved.primary.reset();
    EXPECT_EQ(obstacle(), "NoPrimary");
}

TEST_F(RejoinOrder, IsRefusedWhileThePrimaryDoesNotAnswer) {
    scene.lost("db2", model::LastWords::postmaster_died);
    EXPECT_EQ(obstacle(), "PrimaryNotHealthy");
}

TEST_F(RejoinOrder, IsRefusedForAServerThatRuns) {
    scene.see("db1", model::HeldSight{scene.as_primary(Lsn{0x3000100})});
    EXPECT_EQ(decide_rejoin(scene.input(), scene.analysis(), survey, wanted).error().what.substr(0, 11), "PrimaryNotH")
        << "two that take writes are nobody's to choose from";
    scene.see("db1", model::HeldSight{scene.as_standby(Lsn{0x3000080}, scene.streaming())});
    scene.see("db1", model::HeldSight{scene.as_standby(fork, scene.streaming())});
    EXPECT_EQ(obstacle(), "FollowsAlready");
}

TEST_F(RejoinOrder, IsRefusedWithTheRemedyForWhatCannotBeRewound) {
    struct Row {
        const char* name;
        std::function<void()> spoil;
        bool clone;
    };
    const auto good_look = look();
    const auto good_divergence = divergence();
    const std::vector<Row> rows{
        {"TooOldToRewind", [&] { look().version = 12; }, true},
        {"NoRewindPrograms", [&] { look().programs = false; }, false},
        {"PagesUnprotected", [&] { look().protects_pages = false; }, true},
        {"ConfigurationUnknown", [&] { look().configured = false; }, false},
        {"WalMissing", [&] { divergence().common_checkpoint.reset(); }, true},
        {"NoRoomToSave", [&] { divergence().room = model::Bytes{70ULL << 20U}; }, false},
        {"HalfRewound", [&] { look().phase = RewindPhase::half; }, true},
        {"StillRuns", [&] { look().processes = 3; }, false},
        {"ForeignSystem", [&] { look().system_id = model::SystemId{7}; }, false},
        {"NoCommonHistory", [&] { look().history = model::TimelineHistory{Timeline{2}, {{Timeline{1}, fork}}}; }, true}};
    for (const Row& row : rows) {
        row.spoil();
        EXPECT_EQ(obstacle(), row.name);
        EXPECT_EQ(text().find("must be cloned anew") != std::string::npos, row.clone) << text();
        look() = good_look;
        divergence() = good_divergence;
    }
    EXPECT_EQ(obstacle(), "none");
    divergence().common_checkpoint.reset();
    look().restores = true;
    EXPECT_EQ(obstacle(), "none") << "its restore_command gets what is missing";
    survey.look = Result<model::RewindLook>{Error{ErrorKind::unreachable, "no route to host"}};
    EXPECT_EQ(obstacle(), "HostUnknown");
}

TEST_F(RejoinOrder, NeedsTheHistoryOfThePrimary) {
    scene.pass(500ms);
    model::Answered answer = scene.as_primary(Lsn{0x3000400}, Timeline{2});
    std::get<model::PrimaryAnswer>(answer.as).history.reset();
    scene.see("db2", model::HeldSight{answer});
    EXPECT_EQ(obstacle(), "HistoryUnknown");
}

}  // namespace handyrep::decide::testing
