#include "scene.hpp"

#include <gtest/gtest.h>

namespace handyrep::decide::testing {

using model::DialOutcome;
using model::LastWords;

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

TEST(Decide, WaitsForALostReplicaAndThenNeedsARealFence) {
    Scene scene;
    scene.primary_killed();
    scene.lost("db3", LastWords::none);
    EXPECT_EQ(scene.reason(), Reason::waiting_for_grace);
    const auto look_again = [&scene] {
        scene.see("db1", DialOutcome::refused);
        scene.detached("db2");
    };
    scene.pass(3s);
    look_again();
    EXPECT_TRUE(std::holds_alternative<FailOver>(scene.decision())) << scene.text();
    scene.host_is_mute("db1");
    EXPECT_EQ(scene.reason(), Reason::needs_real_fence);
}

TEST(Decide, TakesNoLookIntoAHostThatWasAskedLongAgoForAFenceInReach) {
    Scene scene;
    scene.primary_vanished(4s);
    scene.lost("db3", LastWords::none);
    const auto looked = [&scene](Duration took) {
        scene.see("db1", model::HostSight{model::HostLook{our_system, model::ControlState::in_production, 6, false}, took});
    };
    looked(0ms);
    EXPECT_TRUE(scene.analysis().primary_host_answers);
    looked(2900ms);
    EXPECT_TRUE(scene.analysis().primary_host_answers) << "a slow host";
    looked(3100ms);
    EXPECT_FALSE(scene.analysis().primary_host_answers) << "delivered late";
}

TEST(Decide, TakesNoLookIntoAHostThatWasAskedBeforeThePrimaryWentBadForAFenceInReach) {
    Scene scene;
    scene.primary_vanished(2s);
    const Duration bad = scene.now - scene.evidence.of(server("db1")).bad_since.value_or(scene.now);
    scene.see("db1", model::HostSight{model::HostLook{our_system, model::ControlState::in_production, 6, false}, bad + 1ms});
    EXPECT_FALSE(scene.analysis().primary_host_answers);
    scene.see("db1", model::HostSight{model::HostLook{our_system, model::ControlState::in_production, 6, false}, bad});
    EXPECT_TRUE(scene.analysis().primary_host_answers);
}

TEST(Decide, TakesAHostThatSaysNoForALivingOneThatMustBeFenced) {
    Scene scene;
    scene.primary_vanished(4s);
    EXPECT_FALSE(scene.analysis().primary_host_answers) << "nobody answers there";
    scene.see("db1", model::HostSight{Error{ErrorKind::denied, "sudo: a password is required"}});
    const Analysis analysis = scene.analysis();
    EXPECT_TRUE(analysis.primary_host_answers);
    scene.pass(20s);
    EXPECT_TRUE(scene.analysis().primary_host_answers) << "it is asked less and less often";
    std::vector<FinalPosition> finals;
    for (const auto* const name : {"db2", "db3"})
        finals.push_back({server(name), name, true, {model::Timeline{1}, Lsn{0x3000000}}, true, Lsn{0x3000000}});
    const Gate gate = fence_gate(scene.input(), analysis, {.host_answered = true, .text = "sudo: a password is required"}, finals);
    ASSERT_FALSE(is_open(gate));
    EXPECT_EQ(std::get<GateClosed>(gate).why, Closed::fence_failed);
}

TEST(Decide, TakesAHostThatFindsNoDataDirectoryForALivingOneThatMustBeFenced) {
    Scene scene;
    scene.primary_vanished(4s);
    scene.see("db1", model::HostSight{Error{ErrorKind::failed, "a look ended with status 65: no such directory: /data"}});
    EXPECT_TRUE(scene.analysis().primary_host_answers);
    scene.see("db1", model::HostSight{Error{ErrorKind::timed_out, "the host did not answer in time"}});
    EXPECT_FALSE(scene.analysis().primary_host_answers) << "silence takes its place";
}

TEST(Decide, SaysWhyTheLastAttemptWasRefused) {
    Scene scene;
    scene.primary_killed();
    scene.guards.refused = model::Refusal{.until = scene.now + 4s, .in_a_row = 2, .why = "LossTooLarge: 2 MB"};
    EXPECT_EQ(scene.reason(), Reason::recently_refused);
    EXPECT_EQ(scene.text(), "tries again later: the last attempt was refused (2 in a row): LossTooLarge: 2 MB");
    scene.pass(4s);
    EXPECT_NE(scene.reason(), Reason::recently_refused);
}

TEST(Decide, SaysWhoHoldsItBackUntilWhenAndWhatFor) {
    Scene scene;
    scene.primary_killed();
    const WallTime begun = *parse_wall_time("2026-11-22T04:00:00Z");
    scene.guards.maintenance = true;
    EXPECT_EQ(scene.text(), "nothing by itself: in maintenance") << "a recording need not say more";
    scene.saved.maintenance = model::Maintenance{.since = begun, .until = begun + 1h, .by = "ann", .reason = "new kernel"};
    EXPECT_EQ(scene.text(), "nothing by itself: in maintenance until 2026-11-22T05:00:00Z, since 2026-11-22T04:00:00Z by ann: new kernel");
    scene.guards.paused = true;
    scene.saved.paused = model::Pause{.since = begun, .by = "bob", .reason = ""};
    EXPECT_EQ(scene.text(), "nothing by itself: automation is paused since 2026-11-22T04:00:00Z by bob");
}

TEST(Decide, ObeysAPersonInMaintenanceAndWhilePaused) {
    Scene scene;
    scene.primary_killed();
    scene.guards.maintenance = true;
    scene.guards.paused = true;
    EXPECT_TRUE(decide_order(scene.input(), scene.analysis(), server("db2")));
}

TEST(Grounds, AreOthersWhenACandidateTheHostOrTheSituationIsAnother) {
    Scene scene;
    scene.primary_killed();
    const auto grounds_now = [&scene] { return grounds(scene.input(), scene.analysis()); };
    const std::string first = grounds_now();
    EXPECT_EQ(grounds_now(), first);
    scene.pass(100ms);
    scene.detached("db2", Lsn{0x2000000});
    EXPECT_EQ(grounds_now(), first) << "how far it is moves all the time";
    scene.host_is_mute("db1");
    const std::string mute = grounds_now();
    EXPECT_NE(mute, first);
    scene.lost("db3", LastWords::none);
    EXPECT_NE(grounds_now(), mute);
}

TEST(Decide, FailsOverFromAStalledPrimaryOnlyWhereItCanBeFenced) {
    Scene scene;
    scene.primary_vanished(5s);
    const auto stalled = [&scene] {
        scene.see("db1", DialOutcome::startup_timeout);
        for (const auto* const name : {"db2", "db3"}) scene.detached(name);
    };
    stalled();
    scene.settings.stall_timeout = 6s;
    EXPECT_EQ(scene.reason(), Reason::waiting_for_grace);
    scene.pass(1s);
    stalled();
    EXPECT_EQ(scene.reason(), Reason::needs_real_fence);
    scene.host_answers("db1");
    EXPECT_EQ(scene.reason(), Reason::needs_real_fence) << "its machine may be waking up: the last dial began before";
    scene.pass(scene.settings.connect_timeout);
    scene.see("db1", DialOutcome::startup_timeout);
    ASSERT_TRUE(std::holds_alternative<FailOver>(scene.decision())) << scene.text();
    EXPECT_EQ(std::get<FailOver>(scene.decision()).reason, Reason::stall_overran);
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
        GuardRow{"JustRefused", [](Scene& it) { it.guards.refused = model::Refusal{.until = it.now + 1s}; }, Reason::recently_refused},
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
            "FromTheFuture", [](model::Answered& it) { it.version = model::ServerVersion{190000}; }, Eligibility::version_unknown},
        IneligibleRow{
            "TooOld", [](model::Answered& it) { it.version = model::ServerVersion{90624}; }, Eligibility::version_cannot_promote}),
    [](const auto& row) { return row.param.name; });

/// Before 12, where there is no promotion by SQL.
TEST(Candidates, ArePromotedOverTheirHostsOnlyWhereThoseAnswer) {
    Scene scene;
    scene.primary_killed();
    model::Answered old = scene.as_standby(Lsn{0x3000900}, std::nullopt);
    old.version = model::ServerVersion{110022};
    scene.see("db3", model::HeldSight{old});
    const auto of_db3 = [&scene] {
        const Ranking ranking = rank(scene.input(), scene.analysis());
        return std::ranges::find(ranking.best_first, server("db3"), &Ranked::server)->eligibility;
    };
    EXPECT_EQ(of_db3(), Eligibility::eligible);
    scene.host_is_mute("db3");
    EXPECT_EQ(of_db3(), Eligibility::promotion_needs_host);
    scene.witness("db3", model::Reach::refused);
    EXPECT_EQ(of_db3(), Eligibility::eligible) << "it answered a question of the primary";
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

TEST(DecidePromotion, IsOpenedByTheOverrideOrThePolicyOnlyAndSaysWhatItLeavesOut) {
    Scene scene;
    scene.primary_killed();
    const auto promotion = [&scene](Overrides overrides) {
        return decide_promotion(scene.input(), scene.analysis(), server("db2"), overrides);
    };
    const auto refused = promotion({.durability = true});
    ASSERT_FALSE(refused) << "its host answers, and still nobody is fenced by it";
    EXPECT_NE(refused.error().what.find("ends no process of db1"), std::string::npos) << refused.error().what;
    EXPECT_NE(refused.error().what.find("--override fence"), std::string::npos) << refused.error().what;
    const auto order = promotion({.fence = true});
    ASSERT_TRUE(order) << order.error().text();
    EXPECT_TRUE(order->alone && order->overrides.fence);
    EXPECT_NE(order->text.find("nothing else"), std::string::npos) << order->text;
    EXPECT_NE(order->text.find("clients can go on writing there"), std::string::npos) << order->text;
    scene.settings.fencing = model::Fencing::none;
    EXPECT_TRUE(promotion({}));
    EXPECT_EQ(decide_promotion(scene.input(), scene.analysis(), server("db9")).error().kind, ErrorKind::invalid);
}

TEST(DecideOrder, StatesTheLossOfAnOverriddenGateAndRefusesWithoutTheOverride) {
    Scene scene;
    scene.settings.fencing = model::Fencing::strict;
    scene.primary_vanished(5s);
    const auto refused = decide_order(scene.input(), scene.analysis(), std::nullopt);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().what.find("--override fence"), std::string::npos) << refused.error().what;
    EXPECT_FALSE(decide_order(scene.input(), scene.analysis(), std::nullopt, {.durability = true}));
    const auto order = decide_order(scene.input(), scene.analysis(), std::nullopt, {.fence = true});
    ASSERT_TRUE(order) << order.error().text();
    EXPECT_TRUE(order->overrides.fence);
    EXPECT_NE(order->text.find("clients can go on writing there"), std::string::npos) << order->text;
}

TEST(DecideOrder, TakesTheLossThatAPersonNames) {
    Scene scene;
    scene.primary_killed();
    scene.settings.max_lag_on_failover = model::Bytes{100};
    for (const auto* const name : {"db2", "db3"}) scene.detached(name, Lsn{0x3000000 - 101});
    EXPECT_FALSE(decide_order(scene.input(), scene.analysis(), std::nullopt));
    const auto order = decide_order(scene.input(), scene.analysis(), std::nullopt, {.durability = true});
    ASSERT_TRUE(order) << order.error().text();
    EXPECT_NE(order->text.find("101"), std::string::npos) << order->text;
}

TEST(DecideOrder, SaysNothingOfAnOverrideThatWasNotNeeded) {
    Scene scene;
    scene.primary_killed();
    const auto order = decide_order(scene.input(), scene.analysis(), std::nullopt, {.fence = true, .durability = true});
    ASSERT_TRUE(order);
    EXPECT_EQ(order->text, "fails over from db1 to db2");
}

TEST(Overrides, AreReadByNameOnly) {
    const std::vector<std::string> both{"fence", "durability"};
    EXPECT_EQ(*parse_overrides(both), (Overrides{.fence = true, .durability = true}));
    const std::vector<std::string> wrong{"everything"};
    EXPECT_EQ(parse_overrides(wrong).error().kind, ErrorKind::invalid);
}

}  // namespace handyrep::decide::testing
