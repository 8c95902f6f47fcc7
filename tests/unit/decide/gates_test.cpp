// Both gates, closed once for each reason, and open where nothing is in the way.
#include "scene.hpp"

#include <gtest/gtest.h>

namespace handyrep::decide::testing {

using model::DialOutcome;
using model::LastWords;
using model::Reach;

TEST(FenceGate, AcceptsProcessesGoneUnderEveryPolicy) {
    for (const auto policy : {model::Fencing::strict, model::Fencing::witnessed, model::Fencing::none}) {
        Scene scene;
        scene.settings.fencing = policy;
        scene.primary_killed();
        const Gate gate = fence_gate(scene.input(), scene.analysis(), {.host_answered = true, .processes_gone = true, .text = "gone"}, {});
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

TEST(FenceGate, TakesNoReplicaForAWitnessThatCannotBeKeptFromStreamingAgain) {
    Scene scene;
    scene.primary_vanished(5s);
    auto old = scene.as_standby(Lsn{0x3000000}, std::nullopt);
    old.version = model::ServerVersion{120020};
    scene.see("db3", model::HeldSight{old});
    const Gate gate = fence_outlook(scene.input(), scene.analysis());
    ASSERT_FALSE(is_open(gate));
    EXPECT_EQ(std::get<GateClosed>(gate).why, Closed::replica_not_detached) << text_of(gate);
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
    const Gate gate = fence_gate(scene.input(), scene.analysis(), {.host_answered = true, .processes_gone = false, .text = "2 left"}, {});
    EXPECT_EQ(std::get<GateClosed>(gate).why, Closed::fence_failed);
}

TEST(FenceGate, DoesNotTakeWitnessesWhenTheHostSaidNoToTheFenceAndIsMuteSince) {
    Scene scene;
    scene.primary_vanished(5s);
    const std::vector<FinalPosition> finals{
        {server("db2"), "", true, {Timeline{1}, Lsn{0x3000000}}}, {server("db3"), "", true, {Timeline{1}, Lsn{0x3000000}}}};
    ASSERT_FALSE(scene.analysis().primary_host_answers);
    ASSERT_TRUE(is_open(fence_gate(scene.input(), scene.analysis(), {}, finals)));
    const Gate gate = fence_gate(scene.input(), scene.analysis(), {.host_answered = true, .text = "sudo: no"}, finals);
    EXPECT_EQ(std::get<GateClosed>(gate).why, Closed::fence_failed);
}

/// A shell that is too slow for a look and for a fence is not a machine that is gone.
TEST(FenceGate, TakesNoWitnessForAMachineThatRefusesThePortAndWasHeardAMomentAgo) {
    Scene scene;
    scene.primary_killed();
    const Instant heard = scene.now;
    const auto stays = [&scene](Duration time) {
        for (Duration passed{}; passed < time; passed += 500ms) {
            scene.pass(500ms);
            scene.see("db1", DialOutcome::refused);
            scene.see("db1", model::HeldSight{model::NotOpen{DialOutcome::refused, ""}});
            scene.detached("db2");
            scene.detached("db3");
        }
        scene.see("db1", model::HostSight{Error{ErrorKind::timed_out, "the host did not answer in time"}});
        scene.witness("db2", Reach::refused);
        scene.witness("db3", Reach::refused);
    };
    const std::vector<FinalPosition> finals{
        {server("db2"), "", true, {Timeline{1}, Lsn{0x3000000}}}, {server("db3"), "", true, {Timeline{1}, Lsn{0x3000000}}}};
    const auto gate = [&] { return fence_gate(scene.input(), scene.analysis(), {.text = "was not answered in time"}, finals); };

    stays(5s);
    ASSERT_EQ(scene.analysis().situation, Situation::primary_dead);
    ASSERT_FALSE(scene.analysis().primary_host_answers);
    EXPECT_EQ(std::get<GateClosed>(fence_outlook(scene.input(), scene.analysis())).why, Closed::fence_unreachable);
    EXPECT_EQ(std::get<GateClosed>(gate()).why, Closed::fence_unreachable);
    stays(heard + host_memory - scene.now);
    EXPECT_EQ(std::get<GateClosed>(gate()).why, Closed::fence_unreachable);
    stays(500ms);
    EXPECT_TRUE(is_open(fence_outlook(scene.input(), scene.analysis()))) << text_of(fence_outlook(scene.input(), scene.analysis()));
    EXPECT_TRUE(is_open(gate())) << text_of(gate());
}

/// As right after the start of the manager, whose first login there takes longer than silence_timeout.
TEST(FenceGate, WaitsForTheFirstWordOfAHostWhoseMachineRefusesThePort) {
    Scene scene;
    scene.primary_killed();
    scene.evidence.of(server("db1")).host_heard.reset();
    scene.evidence.of(server("db1")).host.reset();
    const Instant bad = scene.evidence.of(server("db1")).bad_since.value_or(scene.now);
    const auto outlook = [&scene](Instant at) {
        scene.pass(at - scene.now);
        scene.see("db1", DialOutcome::refused);
        scene.see("db1", model::HeldSight{model::NotOpen{DialOutcome::refused, ""}});
        for (const auto* const name : {"db2", "db3"}) {
            scene.detached(name);
            scene.witness(name, Reach::refused);
        }
        return fence_outlook(scene.input(), scene.analysis());
    };
    const Gate waits = outlook(bad + 4s);
    ASSERT_FALSE(is_open(waits));
    EXPECT_EQ(std::get<GateClosed>(waits).why, Closed::fence_unreachable);
    EXPECT_FALSE(is_open(outlook(bad + host_patience)));
    EXPECT_TRUE(is_open(outlook(bad + host_patience + 1ms))) << text_of(outlook(bad + host_patience + 1ms));
    scene.host_is_mute("db1");
    EXPECT_TRUE(is_open(fence_outlook(scene.input(), scene.analysis()))) << "it was asked, and is out of reach";
}

/// As a reboot is: heard while it ends, and then not there any more.
TEST(FenceGate, TakesWitnessesForAMachineThatFellSilentAfterItWasHeard) {
    Scene scene;
    scene.primary_vanished(4s);
    scene.host_answers("db1");
    scene.stays_vanished(4s);
    EXPECT_TRUE(is_open(fence_outlook(scene.input(), scene.analysis()))) << text_of(fence_outlook(scene.input(), scene.analysis()));
}

/// Its host answered when the failover began and is gone since, so that witnesses would do, under another policy.
TEST(FenceGate, TakesNoWitnessUnderStrict) {
    Scene scene;
    scene.primary_vanished(5s);
    const std::vector<FinalPosition> finals{
        {server("db2"), "", true, {Timeline{1}, Lsn{0x3000000}}}, {server("db3"), "", true, {Timeline{1}, Lsn{0x3000000}}}};
    ASSERT_TRUE(is_open(fence_gate(scene.input(), scene.analysis(), {}, finals)));
    scene.settings.fencing = model::Fencing::strict;
    EXPECT_EQ(std::get<GateClosed>(fence_gate(scene.input(), scene.analysis(), {}, finals)).why, Closed::fence_failed);
}

TEST(FenceGate, AsksForSilenceBeforeItTakesWitnessesForARefusedPort) {
    Scene scene;
    scene.primary_killed();
    scene.evidence.of(server("db1")).host_heard.reset();  // its shell was shut before
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

TEST_F(Synchronous, WhatWasSalvagedToItsEndOpensTheGateWhoeverIsMissing) {
    killed_with("ANY 1 (db2, db3)");
    const auto with_disk = [&](Lsn end, std::uint32_t timeline = 1) {
        return is_open(durability_gate(scene.input(), std::vector{db3}, server("db3"), model::WalPosition{Timeline{timeline}, end}));
    };
    EXPECT_TRUE(with_disk(Lsn{0x3000100}));
    EXPECT_FALSE(with_disk(Lsn{0x3000108})) << "it lacks the last of it";
    EXPECT_FALSE(with_disk(Lsn{0x3000100}, 2)) << "another timeline's";
    EXPECT_FALSE(with_disk(Lsn{0x2FFFFF8})) << "that disk lost what was seen on it";
    scene.saved.acknowledged = model::WalPosition{Timeline{1}, Lsn{0x3000200}};
    EXPECT_FALSE(with_disk(Lsn{0x3000100})) << "standbys confirmed more";
}

TEST(DurabilityGate, JudgesByWhatIsOnTheDiskWhereThatIsMore) {
    Scene scene;
    scene.primary_killed();
    scene.settings.max_lag_on_failover = model::Bytes{100};
    const std::vector<FinalPosition> finals{{server("db2"), "db2", true, {Timeline{1}, Lsn{0x3000000}}}};
    const auto with_disk = [&](Lsn end) {
        return is_open(durability_gate(scene.input(), finals, server("db2"), model::WalPosition{Timeline{1}, end}));
    };
    EXPECT_TRUE(with_disk(Lsn{0x3000000 + 100}));
    EXPECT_FALSE(with_disk(Lsn{0x3000000 + 101}));
}

TEST_F(Synchronous, ACandidateThatHasNotReplayedEverythingIsNotCounted) {
    killed_with("ANY 1 (db2, db3)");
    db3.replayed_all = false;
    EXPECT_EQ(closed({db2, db3}, "db3"), Closed::not_replayed);
}

TEST_F(Synchronous, WhatWasConfirmedWithinARecordIsComparedWithWhatArrived) {
    killed_with("ANY 2 (db2, db3)");
    scene.saved.acknowledged = model::WalPosition{Timeline{1}, Lsn{0x3000200}};
    EXPECT_EQ(closed({db3}, "db3"), Closed::below_acknowledged);
    db3.received = Lsn{0x3000200};
    EXPECT_TRUE(is_open(durability_gate(scene.input(), std::vector{db3}, server("db3"))));
}

TEST_F(Synchronous, AStarCannotBeCounted) {
    killed_with("ANY 1 (*)");
    EXPECT_EQ(closed({db2, db3}, "db3"), Closed::sync_set_open);
}

TEST_F(Synchronous, TwoServersOfOneNameCannotBeCounted) {
    killed_with("ANY 1 (db2, db3)");
    db2.application_name = "db3";
    EXPECT_EQ(closed({db2, db3}, "db3"), Closed::sync_name_shared);
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

TEST_F(Synchronous, ANameThatTwoMachinesBoreLatelyCannotBeCounted) {
    killed_with("ANY 1 (db2, db3)");
    scene.saved.sync_members = {{"db3", "10.0.0.3", {}}, {"db3", "10.0.0.9", {}}};
    EXPECT_EQ(closed({db2, db3}, "db3"), Closed::sync_name_shared);
}

TEST_F(Synchronous, ANameThatTwoWalsendersBoreAtOnceCannotBeCounted) {
    killed_with("ANY 1 (db2, db3)");
    auto& answer = std::get<model::PrimaryAnswer>(scene.evidence.of(server("db1")).last_answer->what.as);
    answer.senders = {{"db3", "streaming", "quorum"}, {"DB3", "streaming", "quorum"}};
    EXPECT_EQ(closed({db2, db3}, "db3"), Closed::sync_name_shared);
}

TEST_F(Synchronous, AMissingMemberThatIsNotOursIsNamed) {
    killed_with("ANY 1 (db2, barman)");
    EXPECT_EQ(closed({db2, db3}, "db3"), Closed::sync_member_unmanaged);
}

TEST_F(Synchronous, AMissingMemberThatIsTooOldIsNamed) {
    killed_with("ANY 1 (db2, db3)");
    auto old = scene.as_standby(Lsn{0x3000000}, Scene::streaming());
    old.version = model::ServerVersion{120020};
    scene.see("db2", model::HeldSight{old});
    EXPECT_EQ(closed({db3}, "db3"), Closed::sync_member_too_old);
}

TEST_F(Synchronous, AMemberThatIsSwitchedOffCountsAsMissing) {
    killed_with("ANY 1 (db2, db3)");
    scene.define("db2").enabled = false;
    EXPECT_EQ(scene.reason(), Reason::durability_gate_closed);
}

TEST_F(Synchronous, TheFormerSetCountsWhileTheChangeIsYoung) {
    killed_with("ANY 1 (db3)");
    EXPECT_TRUE(is_open(durability_gate(scene.input(), std::vector{db3}, server("db3"))));
    scene.saved.former_synchronous_standby_names = "ANY 1 (db2)";
    EXPECT_EQ(closed({db3}, "db3"), Closed::sync_members_missing);
    EXPECT_TRUE(is_open(durability_gate(scene.input(), std::vector{db2, db3}, server("db3"))));
}

TEST_F(Synchronous, AFormerSetCountsEvenWhenCommitsAreAsynchronousNow) {
    killed_with("");
    scene.saved.former_synchronous_standby_names = "ANY 1 (db2)";
    EXPECT_EQ(closed({db3}, "db3"), Closed::sync_members_missing);
}

TEST_F(Synchronous, TheCandidateMayNotBeBelowWhatWasSeenConfirmed) {
    killed_with("ANY 2 (db2, db3)");
    scene.saved.acknowledged = model::WalPosition{Timeline{1}, Lsn{0x3000001}};
    EXPECT_EQ(closed({db2}, "db2"), Closed::below_acknowledged);
    scene.saved.acknowledged = model::WalPosition{Timeline{1}, Lsn{0x3000000}};
    EXPECT_TRUE(is_open(durability_gate(scene.input(), std::vector{db2}, server("db2"))));
}

TEST(ConfirmedBySet, IsWhatTheLastNeededStandbyHasOnDisk) {
    model::PrimaryAnswer answer{
        .timeline = Timeline{1},
        .inserted = Lsn{9},
        .flushed = Lsn{9},
        .synchronous_standby_names = "ANY 2 (a, b, c)",
        .synchronous_commit = {},
        .senders = {}};
    answer.senders = {
        {"a", "streaming", "quorum", "", Lsn{7}}, {"b", "streaming", "quorum", "", Lsn{5}}, {"c", "streaming", "quorum", "", Lsn{3}}};
    EXPECT_EQ(confirmed_by_set(answer), Lsn{5});
    answer.senders.resize(1);
    EXPECT_FALSE(confirmed_by_set(answer));
    answer.synchronous_standby_names = "";
    EXPECT_FALSE(confirmed_by_set(answer));
}

TEST(FenceGate, RefusesUnderStrictWhenTheFenceFailed) {
    Scene scene;
    scene.settings.fencing = model::Fencing::strict;
    scene.primary_killed();
    EXPECT_EQ(
        std::get<GateClosed>(fence_gate(scene.input(), scene.analysis(), {.host_answered = true, .text = "1 left"}, {})).why,
        Closed::fence_failed);
}

TEST(FenceGate, TakesNoWitnessForAStalledPrimary) {
    Scene scene;
    scene.primary_vanished(6s);
    scene.see("db1", DialOutcome::startup_timeout);
    scene.detached("db2");
    scene.detached("db3");
    ASSERT_EQ(scene.analysis().situation, Situation::primary_stalled);
    EXPECT_EQ(std::get<GateClosed>(fence_gate(scene.input(), scene.analysis(), {}, {})).why, Closed::fence_unreachable);
}

TEST(FenceGate, StaysShutWhenAWitnessReachesThePrimary) {
    Scene scene;
    scene.primary_vanished(5s);
    Analysis analysis = scene.analysis();
    analysis.replicas[0].reach = Reach::accepted;
    EXPECT_EQ(std::get<GateClosed>(fence_outlook(scene.input(), analysis)).why, Closed::witness_reaches_primary);
}

TEST(DurabilityGate, SaysWhatItDoesNotKnow) {
    Scene scene;
    scene.primary_killed();
    scene.evidence.of(server("db1")).last_answer.reset();
    const std::vector<FinalPosition> finals{{server("db2"), "", true, {Timeline{1}, Lsn{0x3000000}}}};
    EXPECT_EQ(std::get<GateClosed>(durability_gate(scene.input(), finals, server("db2"))).why, Closed::loss_unknown);
    EXPECT_EQ(std::get<GateClosed>(durability_gate(scene.input(), finals, server("db3"))).why, Closed::loss_unknown);
}

}  // namespace handyrep::decide::testing
