#include "scene.hpp"

#include <gtest/gtest.h>

namespace handyrep::decide::testing {

using model::DialOutcome;
using model::LastWords;
using model::Reach;

TEST(Decide, FailsOverToTheFurthestReplicaOnceThePrimaryIsDead) {
    Scene scene;
    scene.primary_killed();
    scene.detached("db3", Lsn{0x3000100});
    const Decision decision = scene.decision();
    ASSERT_TRUE(std::holds_alternative<FailOver>(decision)) << scene.text();
    EXPECT_EQ(std::get<FailOver>(decision).candidate, server("db3"));
    EXPECT_EQ(std::get<FailOver>(decision).reason, Reason::primary_is_dead);
}

TEST(Decide, LetsPriorityBreakATieAndTheNameBreakTheRest) {
    Scene scene;
    scene.primary_killed();
    EXPECT_EQ(std::get<FailOver>(scene.decision()).candidate, server("db2"));
    scene.define("db3").failover_priority = 50;
    EXPECT_EQ(std::get<FailOver>(scene.decision()).candidate, server("db3"));
}

TEST(Decide, HoldsWhileAReplicaStillStreams) {
    Scene scene;
    scene.primary_killed();
    scene.attached("db2");
    EXPECT_EQ(scene.reason(), Reason::situation_holds);
}

TEST(Decide, HoldsWhenOneReplicaIsLost) {
    Scene scene;
    scene.primary_killed();
    scene.lost("db3", LastWords::none);
    EXPECT_EQ(scene.reason(), Reason::situation_holds);
}

TEST(Decide, IsVetoedByAWritableSightingOfASilentPrimary) {
    Scene scene;
    scene.settings.silence_timeout = 1s;
    scene.primary_vanished(1500ms);
    scene.detached("db2");
    scene.detached("db3");
    EXPECT_EQ(scene.analysis().situation, Situation::primary_dead);
    EXPECT_EQ(scene.reason(), Reason::writable_sighting);
    scene.pass(600ms);
    EXPECT_FALSE(scene.analysis().writable_sighting);
}

TEST(Decide, TakesTheEndOfTheSessionAsTakingBackAnEarlierWritableSighting) {
    Scene scene;
    scene.primary_killed();
    EXPECT_FALSE(scene.analysis().writable_sighting);
}

struct GuardRow {
    std::string name;
    void (*set)(Scene&);
    Reason reason;
};
class GuardTable : public ::testing::TestWithParam<GuardRow> {};

TEST_P(GuardTable, HoldsAutomationBack) {
    Scene scene;
    scene.primary_killed();
    GetParam().set(scene);
    EXPECT_EQ(scene.reason(), GetParam().reason) << scene.text();
}
INSTANTIATE_TEST_SUITE_P(
    Guards, GuardTable,
    ::testing::Values(
        GuardRow{"AutoFailoverOff", [](Scene& it) { it.settings.auto_failover = false; }, Reason::auto_failover_off},
        GuardRow{"Paused", [](Scene& it) { it.guards.paused = true; }, Reason::auto_failover_off},
        GuardRow{"Maintenance", [](Scene& it) { it.guards.maintenance = true; }, Reason::maintenance},
        GuardRow{"Provisional", [](Scene& it) { it.guards.provisional = true; }, Reason::provisional_start},
        GuardRow{"OperationRunning", [](Scene& it) { it.guards.operation_running = true; }, Reason::operation_running},
        GuardRow{"JournalGone", [](Scene& it) { it.guards.journal_available = false; }, Reason::journal_unavailable},
        GuardRow{"Cooldown", [](Scene& it) { it.guards.cooldown_left = 5min; }, Reason::cooldown},
        GuardRow{"JustRefused", [](Scene& it) { it.guards.refused_until = it.now + 1s; }, Reason::recently_refused},
        GuardRow{
            "PossiblePrimary", [](Scene& it) { it.saved.possible_primary = model::PossiblePrimary{server("db3"), {}}; },
            Reason::possible_primary_unresolved},
        GuardRow{
            "NobodyEligible",
            [](Scene& it) {
                it.define("db2").failover_priority = 0;
                it.define("db3").failover_priority = 0;
            },
            Reason::no_eligible_replica}),
    [](const auto& row) { return row.param.name; });

struct IneligibleRow {
    std::string name;
    void (*change)(model::Answered&);
    Eligibility eligibility;
};
class IneligibleTable : public ::testing::TestWithParam<IneligibleRow> {};

TEST_P(IneligibleTable, IsNeverACandidate) {
    Scene scene;
    scene.primary_killed();
    model::Answered answer = scene.as_standby(Lsn{0x3000900}, std::nullopt);
    GetParam().change(answer);
    scene.see("db3", model::HeldSight{answer});
    const Ranking ranking = rank(scene.input(), scene.analysis());
    EXPECT_EQ(ranking.winner()->server, server("db2"));
    EXPECT_EQ(ranking.best_first.back().eligibility, GetParam().eligibility);
}
model::StandbyAnswer& standby_of(model::Answered& it) { return std::get<model::StandbyAnswer>(it.as); }
INSTANTIATE_TEST_SUITE_P(
    Candidates, IneligibleTable,
    ::testing::Values(
        IneligibleRow{"Foreign", [](model::Answered& it) { it.system_id = model::SystemId{42}; }, Eligibility::not_seen},
        IneligibleRow{"Delayed", [](model::Answered& it) { standby_of(it).apply_delay = 1h; }, Eligibility::delayed},
        IneligibleRow{"Paused", [](model::Answered& it) { standby_of(it).replay_paused = true; }, Eligibility::replay_paused},
        IneligibleRow{"OtherTimeline", [](model::Answered& it) { standby_of(it).timeline = Timeline{2}; }, Eligibility::other_timeline},
        IneligibleRow{"UnknownTimeline", [](model::Answered& it) { standby_of(it).timeline.reset(); }, Eligibility::unknown_timeline},
        IneligibleRow{
            "TooOld", [](model::Answered& it) { it.version = model::ServerVersion{110022}; }, Eligibility::version_cannot_promote}),
    [](const auto& row) { return row.param.name; });

TEST(FenceGate, AcceptsProcessesGoneUnderEveryPolicy) {
    for (const auto policy : {model::Fencing::strict, model::Fencing::witnessed, model::Fencing::none}) {
        Scene scene;
        scene.settings.fencing = policy;
        scene.primary_killed();
        const Gate gate = fence_gate(scene.input(), scene.analysis(), {.attempted = true, .processes_gone = true, .text = "gone"}, {});
        ASSERT_TRUE(is_open(gate));
        EXPECT_EQ(std::get<GateOpen>(gate).proof, Proof::processes_gone);
    }
}

TEST(FenceGate, NeedNotWaitForALookIntoAHostThatRefusesThePortAndAnsweredLately) {
    Scene scene;
    scene.healthy();
    scene.lost("db1", LastWords::none);
    scene.refused_twice();
    scene.detached("db2");
    scene.detached("db3");
    EXPECT_TRUE(std::holds_alternative<FailOver>(scene.decision())) << scene.text();
}

TEST(FenceGate, WaitsForALookWhenNobodyHeardTheSessionEnd) {
    Scene scene;
    scene.healthy();
    scene.pass(10ms);
    scene.see("db1", model::HeldSight{model::NotOpen{DialOutcome::refused, ""}});
    scene.refused_twice();
    scene.detached("db2");
    scene.detached("db3");
    EXPECT_EQ(scene.reason(), Reason::fence_gate_closed);
}

TEST(FenceGate, StaysShutUnderStrictWithoutAProof) {
    Scene scene;
    scene.settings.fencing = model::Fencing::strict;
    scene.primary_vanished(5s);
    EXPECT_EQ(scene.reason(), Reason::fence_gate_closed);
}

TEST(FenceGate, IsOpenByWitnessesForAVanishedHost) {
    Scene scene;
    scene.primary_vanished(5s);
    const Gate gate = fence_outlook(scene.input(), scene.analysis());
    ASSERT_TRUE(is_open(gate)) << text_of(gate);
    EXPECT_EQ(std::get<GateOpen>(gate).proof, Proof::witnessed);
    EXPECT_TRUE(std::holds_alternative<FailOver>(scene.decision()));
}

TEST(FenceGate, StaysShutWhenAReplicasHostCannotTell) {
    Scene scene;
    scene.primary_vanished(5s);
    scene.witness("db3", Reach::unknown);
    EXPECT_EQ(std::get<GateClosed>(fence_outlook(scene.input(), scene.analysis())).why, Closed::witness_missing);
}

TEST(FenceGate, DoesNotTakeWitnessesWhenTheHostAnswersAndTheFenceFailed) {
    Scene scene;
    scene.primary_vanished(5s);
    scene.host_answers("db1");
    const Gate gate = fence_gate(scene.input(), scene.analysis(), {.attempted = true, .processes_gone = false, .text = "2 left"}, {});
    EXPECT_EQ(std::get<GateClosed>(gate).why, Closed::fence_failed);
}

TEST(FenceGate, AsksForSilenceBeforeItTakesWitnessesForARefusedPort) {
    Scene scene;
    scene.primary_killed();
    scene.host_is_mute("db1");
    scene.witness("db2", Reach::refused);
    scene.witness("db3", Reach::refused);
    EXPECT_EQ(std::get<GateClosed>(fence_outlook(scene.input(), scene.analysis())).why, Closed::silence_too_short);
}

TEST(FenceGate, AsksThatEveryReplicaIsDetachedBeforeItTakesWitnesses) {
    Scene scene;
    scene.primary_vanished(5s);
    const std::vector<FinalPosition> finals{
        {server("db2"), "", true, {Timeline{1}, Lsn{0x3000000}}}, {server("db3"), "", false, {Timeline{1}, Lsn{0x3000000}}}};
    EXPECT_EQ(std::get<GateClosed>(fence_gate(scene.input(), scene.analysis(), {}, finals)).why, Closed::replica_not_detached);
}

TEST(FenceGate, DoesNotTakeWitnessesForACrashRecoveryThatOverran) {
    Scene scene;
    scene.healthy();
    scene.lost("db1", LastWords::backend_crash);
    scene.see("db1", DialOutcome::in_recovery);
    scene.host_is_mute("db1");
    scene.pass(16s);
    scene.see("db1", DialOutcome::in_recovery);
    scene.detached("db2");
    scene.detached("db3");
    EXPECT_EQ(scene.analysis().situation, Situation::primary_crash_recovery);
    EXPECT_EQ(scene.reason(), Reason::fence_gate_closed);
}

TEST(DurabilityGate, RefusesMoreLossThanAllowed) {
    Scene scene;
    scene.primary_killed();
    scene.settings.max_lag_on_failover = model::Bytes{100};
    scene.detached("db2", Lsn{0x3000000 - 101});
    scene.detached("db3", Lsn{0x3000000 - 101});
    EXPECT_EQ(scene.reason(), Reason::durability_gate_closed);
    scene.detached("db2", Lsn{0x3000000 - 100});
    EXPECT_TRUE(std::holds_alternative<FailOver>(scene.decision()));
}

class Synchronous : public ::testing::Test {
protected:
    void killed_with(const std::string& names) {
        scene.healthy();
        auto answer = scene.as_primary(Lsn{0x3000000});
        std::get<model::PrimaryAnswer>(answer.as).synchronous_standby_names = names;
        scene.see("db1", model::HeldSight{answer});
        scene.pass(10ms);
        scene.lost("db1", LastWords::postmaster_died);
        scene.refused_twice();
        scene.detached("db2", Lsn{0x3000000});
        scene.detached("db3", Lsn{0x3000100});
        scene.host_answers("db1", model::ControlState::in_production, 0);
    }
    Closed closed(std::vector<FinalPosition> finals, std::string_view candidate) {
        return std::get<GateClosed>(durability_gate(scene.input(), finals, server(candidate))).why;
    }
    Scene scene;
    FinalPosition db2{server("db2"), "db2", true, {Timeline{1}, Lsn{0x3000000}}};
    FinalPosition db3{server("db3"), "db3", true, {Timeline{1}, Lsn{0x3000100}}};
};

TEST_F(Synchronous, AnyOneOfTwoNeedsBothMembers) {
    killed_with("ANY 1 (db2, db3)");
    EXPECT_TRUE(is_open(durability_gate(scene.input(), std::vector{db2, db3}, server("db3"))));
    EXPECT_EQ(closed({db3}, "db3"), Closed::sync_members_missing);
}

TEST_F(Synchronous, AnyTwoOfTwoNeedsOneMember) {
    killed_with("ANY 2 (db2, db3)");
    EXPECT_TRUE(is_open(durability_gate(scene.input(), std::vector{db3}, server("db3"))));
}

TEST_F(Synchronous, AMemberThatIsStillAttachedDoesNotCount) {
    killed_with("ANY 1 (db2, db3)");
    db2.detached = false;
    EXPECT_EQ(closed({db2, db3}, "db3"), Closed::sync_members_missing);
}

TEST_F(Synchronous, TheCandidateMustHoldWhatEveryMemberHolds) {
    killed_with("ANY 1 (db2, db3)");
    EXPECT_EQ(closed({db2, db3}, "db2"), Closed::loss_too_large);
}

TEST_F(Synchronous, AStarCannotBeCounted) {
    killed_with("ANY 1 (*)");
    EXPECT_EQ(closed({db2, db3}, "db3"), Closed::sync_set_open);
}

TEST_F(Synchronous, TwoServersOfOneNameCannotBeCounted) {
    killed_with("ANY 1 (db2, db3)");
    db2.application_name = "db3";
    EXPECT_EQ(closed({db2, db3}, "db3"), Closed::sync_set_open);
}

TEST_F(Synchronous, AMemberThatIsNotOursKeepsTheGateShut) {
    killed_with("ANY 1 (db2, barman)");
    EXPECT_EQ(scene.reason(), Reason::durability_gate_closed);
}

TEST_F(Synchronous, AnUnknownSettingKeepsTheGateShut) {
    killed_with("");
    scene.saved.synchronous_standby_names.reset();
    scene.evidence.of(server("db1")).last_answer.reset();
    EXPECT_EQ(closed({db2, db3}, "db3"), Closed::sync_unknown);
}

TEST(DecideOrder, LetsAPersonFailOverAHealthyPrimaryWhoseHostAnswers) {
    Scene scene;
    scene.healthy();
    const auto order = decide_order(scene.input(), scene.analysis(), server("db3"));
    ASSERT_TRUE(order) << order.error().text();
    EXPECT_EQ(order->candidate, server("db3"));
    EXPECT_EQ(order->reason, Reason::ordered_by_person);
}

TEST(DecideOrder, RefusesAnUnknownTheSameAndAnIneligibleServer) {
    Scene scene;
    scene.healthy();
    scene.define("db3").failover_priority = 0;
    EXPECT_EQ(decide_order(scene.input(), scene.analysis(), server("db9")).error().kind, ErrorKind::invalid);
    EXPECT_EQ(decide_order(scene.input(), scene.analysis(), server("db1")).error().kind, ErrorKind::refused);
    EXPECT_EQ(decide_order(scene.input(), scene.analysis(), server("db3")).error().kind, ErrorKind::refused);
}

TEST(DecideOrder, RefusesACandidateThatWouldForkAFurtherOneAway) {
    Scene scene;
    scene.primary_killed();
    scene.detached("db3", Lsn{0x3000100});
    const auto order = decide_order(scene.input(), scene.analysis(), server("db2"));
    ASSERT_FALSE(order);
    EXPECT_NE(order.error().what.find("behind db3"), std::string::npos);
}

TEST(DecideOrder, RefusesWhileTwoServersAreOutOfRecovery) {
    Scene scene;
    scene.healthy();
    scene.see("db2", model::HeldSight{scene.as_primary(Lsn{0x3000200}, Timeline{2})});
    EXPECT_FALSE(decide_order(scene.input(), scene.analysis(), std::nullopt));
}

}  // namespace handyrep::decide::testing
