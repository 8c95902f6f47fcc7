#include "scene.hpp"

#include <gtest/gtest.h>

namespace handyrep::decide::testing {

using model::DialOutcome;
using model::LastWords;
using model::Reach;

TEST(Situation, IsUnknownUntilEveryServerWasLookedAt) {
    Scene scene;
    scene.primary_answers();
    scene.attached("db2");
    EXPECT_EQ(scene.analysis().situation, Situation::unknown);
    scene.attached("db3");
    EXPECT_EQ(scene.analysis().situation, Situation::healthy);
}

TEST(Situation, IsUnknownWhileThePrimaryWasOnlyDialled) {
    Scene scene;
    scene.attached("db2");
    scene.attached("db3");
    scene.see("db1", model::DialOutcome::accepted);
    EXPECT_EQ(scene.analysis().situation, Situation::unknown);
    scene.primary_answers();
    EXPECT_EQ(scene.analysis().situation, Situation::healthy);
}

TEST(Situation, IsHealthyWithoutFindingsWhenAllAnswer) {
    Scene scene;
    scene.healthy();
    EXPECT_EQ(scene.analysis().situation, Situation::healthy);
    EXPECT_TRUE(scene.findings().empty());
}

TEST(Situation, IsPrimaryDeadOnceTheEndOfTheSessionIsConfirmedByTwoRefusedDialsAndEveryReplica) {
    Scene scene;
    scene.primary_killed();
    EXPECT_EQ(scene.analysis().situation, Situation::primary_dead);
}

TEST(Situation, StaysSuspicionAfterOneRefusedDial) {
    Scene scene;
    scene.healthy();
    scene.lost("db1", LastWords::none);
    scene.see("db1", DialOutcome::refused);
    scene.detached("db2");
    scene.detached("db3");
    EXPECT_EQ(scene.analysis().situation, Situation::healthy);
    EXPECT_TRUE(scene.finds(FindingKind::primary_suspected));
}

TEST(Situation, IgnoresReplicaAnswersFromBeforeThePrimaryWentBad) {
    Scene scene;
    scene.healthy();
    scene.detached("db2");
    scene.detached("db3");
    scene.pass(10ms);
    scene.lost("db1", LastWords::none);
    scene.refused_twice();
    EXPECT_EQ(scene.analysis().situation, Situation::all_dark);
}

TEST(Situation, IsUnreachableFromHereWhileAReplicaStillStreams) {
    Scene scene;
    scene.primary_killed();
    scene.attached("db3");
    EXPECT_EQ(scene.analysis().situation, Situation::primary_unreachable_from_here);
}

TEST(Situation, IsUnreachableFromHereWhenAWitnessReachesThePrimary) {
    Scene scene;
    scene.primary_vanished(5s);
    scene.witness("db2", Reach::accepted);
    EXPECT_EQ(scene.analysis().situation, Situation::primary_unreachable_from_here);
}

TEST(Situation, DoesNotCountSilenceBeforeSilenceTimeout) {
    Scene scene;
    scene.primary_vanished(2500ms);
    EXPECT_EQ(scene.analysis().situation, Situation::healthy);
    EXPECT_TRUE(scene.analysis().primary_suspected);
}

TEST(Situation, IsPrimaryDeadAfterSilenceTimeout) {
    Scene scene;
    scene.primary_vanished(3s);
    EXPECT_EQ(scene.analysis().situation, Situation::primary_dead);
}

TEST(Situation, NeedsSilenceTimeoutWhenTheSessionEndedButDialsAreSilent) {
    Scene scene;
    scene.healthy();
    scene.lost("db1", LastWords::none);
    for (int look = 0; look < 3; ++look) {
        scene.pass(500ms);
        scene.see("db1", DialOutcome::connect_timeout);
    }
    scene.detached("db2");
    scene.detached("db3");
    EXPECT_EQ(scene.analysis().situation, Situation::healthy);
}

TEST(Situation, IsSomeReplicasLostWhenOneIsNotSeen) {
    Scene scene;
    scene.primary_killed();
    scene.lost("db3", LastWords::none);
    EXPECT_EQ(scene.analysis().situation, Situation::primary_dead_some_replicas_lost);
}

TEST(Situation, IsNoReplicasWithoutReplicas) {
    Scene scene;
    scene.saved.servers.resize(1, scene.saved.servers.front());
    scene.primary_answers();
    scene.lost("db1", LastWords::none);
    scene.refused_twice();
    EXPECT_EQ(scene.analysis().situation, Situation::primary_dead_no_replicas);
}

TEST(Situation, IsManagerIsolatedWhenNoOtherHostAnswers) {
    Scene scene;
    scene.healthy();
    const Instant since = scene.now;
    for (int look = 0; look < 10; ++look) {
        scene.pass(500ms);
        for (const auto* const name : {"db1", "db2", "db3"}) {
            scene.silent(name, since);
            scene.see(name, DialOutcome::connect_timeout);
            scene.host_is_mute(name);
        }
    }
    EXPECT_EQ(scene.analysis().situation, Situation::manager_isolated);
}

TEST(Situation, IsNotIsolatedWhenOneOtherHostRefuses) {
    Scene scene;
    scene.primary_vanished(4s);
    for (const auto* const name : {"db2", "db3"}) {
        scene.lost(name, LastWords::none);
        scene.see(name, DialOutcome::refused);
    }
    EXPECT_EQ(scene.analysis().situation, Situation::all_dark);
}

TEST(Situation, IsShutDownCleanlyAfterAnAdministratorsWords) {
    Scene scene;
    scene.healthy();
    scene.lost("db1", LastWords::administrator);
    scene.refused_twice();
    scene.detached("db2");
    scene.detached("db3");
    EXPECT_EQ(scene.analysis().situation, Situation::primary_shut_down_cleanly);
    EXPECT_FALSE(scene.analysis().overdue);
}

TEST(Situation, IsShutDownCleanlyByTheControlFileWhenNobodyHeardTheLastWords) {
    Scene scene;
    scene.healthy();
    scene.lost("db1", LastWords::none);
    scene.refused_twice();
    scene.host_answers("db1", model::ControlState::shut_down, 0);
    scene.detached("db2");
    scene.detached("db3");
    EXPECT_EQ(scene.analysis().situation, Situation::primary_shut_down_cleanly);
}

/// A person ended the manager's session and closed the port to new ones; the server itself was not stopped.
TEST(Situation, IsNoShutDownWhileAReplicaStillStreams) {
    Scene scene;
    scene.healthy();
    scene.lost("db1", LastWords::administrator);
    scene.pass(61s);
    scene.refused_twice();
    scene.detached("db2");
    scene.attached("db3");
    EXPECT_EQ(scene.analysis().situation, Situation::primary_unreachable_from_here);
}

TEST(Situation, PlannedGraceRunsOut) {
    Scene scene;
    scene.healthy();
    scene.lost("db1", LastWords::administrator);
    scene.pass(61s);
    scene.refused_twice();
    scene.detached("db2");
    scene.detached("db3");
    EXPECT_EQ(scene.analysis().situation, Situation::primary_shut_down_cleanly);
    EXPECT_TRUE(scene.analysis().overdue);
}

TEST(Situation, IsCrashRecoveryWhileTheServerSaysSo) {
    Scene scene;
    scene.healthy();
    scene.lost("db1", LastWords::backend_crash);
    scene.see("db1", DialOutcome::in_recovery);
    EXPECT_EQ(scene.analysis().situation, Situation::primary_crash_recovery);
    EXPECT_FALSE(scene.analysis().overdue);
    scene.pass(16s);
    scene.see("db1", DialOutcome::in_recovery);
    scene.detached("db2");
    EXPECT_EQ(scene.analysis().situation, Situation::primary_crash_recovery);
    EXPECT_TRUE(scene.analysis().overdue);
}

TEST(Situation, GivesCrashRecoveryNoMoreTimeForALateLoginAndActsOnItsOwnWordOnly) {
    Scene scene;
    scene.healthy();
    scene.lost("db1", LastWords::backend_crash);
    for (int look = 0; look < 6; ++look) {
        scene.see("db1", DialOutcome::in_recovery);
        scene.pass(2s);
        scene.see("db1", DialOutcome::startup_timeout);
        scene.detached("db2");
        EXPECT_EQ(scene.analysis().situation, Situation::primary_crash_recovery);
        EXPECT_FALSE(scene.analysis().overdue);
        scene.pass(1s);
    }
    EXPECT_FALSE(scene.analysis().overdue) << "it may have recovered";
    scene.see("db1", DialOutcome::in_recovery);
    scene.detached("db2");
    EXPECT_TRUE(scene.analysis().overdue) << "18 s of recovery";
    scene.see("db1", DialOutcome::startup_timeout);
    scene.pass(3s);
    scene.see("db1", DialOutcome::startup_timeout);
    EXPECT_NE(scene.analysis().situation, Situation::primary_crash_recovery) << "mute for too long to be only late";
}

TEST(Situation, IsPrimaryDeadAtOnceWhenCrashRecoveryEndsInARefusedPort) {
    Scene scene;
    scene.healthy();
    scene.lost("db1", LastWords::backend_crash);
    scene.see("db1", DialOutcome::in_recovery);
    scene.refused_twice();
    scene.detached("db2");
    scene.detached("db3");
    EXPECT_EQ(scene.analysis().situation, Situation::primary_dead);
}

TEST(Situation, StaysAPersonsStopWhenTheStartAfterItFails) {
    Scene scene;
    scene.healthy();
    scene.lost("db1", LastWords::administrator);
    scene.see("db1", DialOutcome::starting_up);
    scene.refused_twice();
    scene.detached("db2");
    scene.detached("db3");
    EXPECT_EQ(scene.analysis().situation, Situation::primary_shut_down_cleanly);
}

TEST(Situation, IsConnectionsExhaustedWhetherTheSessionLivesOrNot) {
    Scene scene;
    scene.healthy();
    scene.see("db1", DialOutcome::too_many_connections);
    EXPECT_EQ(scene.analysis().situation, Situation::connections_exhausted);
    scene.lost("db1", LastWords::administrator);
    scene.see("db1", DialOutcome::too_many_connections);
    EXPECT_EQ(scene.analysis().situation, Situation::connections_exhausted);
}

TEST(Situation, IsAuthBrokenWhenTheLoginIsRefused) {
    Scene scene;
    scene.healthy();
    scene.see("db1", DialOutcome::authentication_failed);
    EXPECT_EQ(scene.analysis().situation, Situation::auth_broken);
}

TEST(Situation, IsAuthBrokenAndNeverADeathWhenTlsFailsWhetherTheSessionLivesOrNot) {
    Scene scene;
    scene.healthy();
    scene.see("db1", DialOutcome::tls_failed);
    EXPECT_EQ(scene.analysis().situation, Situation::auth_broken);
    EXPECT_NE(scene.analysis().detail.find("TLS failed"), std::string::npos);
    scene.lost("db1", LastWords::administrator);
    for (int look = 0; look < 5; ++look) {
        scene.see("db1", DialOutcome::tls_failed);
        EXPECT_EQ(scene.analysis().situation, Situation::auth_broken);
    }
}

TEST(Situation, IsPostmasterHungWhenOnlyNewSessionsAreMute) {
    Scene scene;
    scene.healthy();
    scene.new_sessions_are_mute(scene.settings.silence_timeout);
    EXPECT_EQ(scene.analysis().situation, Situation::healthy) << "a machine that is only busy";
    scene.new_sessions_are_mute(500ms);
    EXPECT_EQ(scene.analysis().situation, Situation::postmaster_hung);
    scene.see("db1", DialOutcome::accepted);
    EXPECT_EQ(scene.analysis().situation, Situation::healthy);
    scene.new_sessions_are_mute(500ms);
    EXPECT_EQ(scene.analysis().situation, Situation::healthy) << "one that got in between begins the time anew";
}

TEST(Situation, IsListenerOrFirewallWhenOnlyNewSessionsAreRefused) {
    Scene scene;
    scene.healthy();
    scene.see("db1", DialOutcome::refused);
    EXPECT_EQ(scene.analysis().situation, Situation::listener_or_firewall);
}

TEST(Situation, IsPrimaryStalledWhenTheHostAcceptsAndThePostmasterIsMute) {
    Scene scene;
    scene.healthy();
    const Instant since = scene.now;
    for (int look = 0; look < 8; ++look) {
        scene.pass(500ms);
        scene.silent("db1", since);
        scene.see("db1", DialOutcome::startup_timeout);
        scene.see("db2", model::HeldSight{scene.as_standby(Lsn{0x3000000}, Scene::streaming(scene.now - since))});
        scene.see("db3", model::HeldSight{scene.as_standby(Lsn{0x3000000}, Scene::streaming(scene.now - since))});
    }
    EXPECT_EQ(scene.analysis().situation, Situation::primary_stalled);
}

TEST(Situation, IsStorageStalledWhenInsertedWalIsNotFlushedForStallTimeout) {
    Scene scene;
    scene.healthy();
    for (int look = 0; look < 12; ++look) {
        scene.pass(500ms);
        auto answer = scene.as_primary(Lsn{0x3000000});
        std::get<model::PrimaryAnswer>(answer.as).inserted = Lsn{0x3000100 + static_cast<std::uint64_t>(look) * 0x40};
        scene.see("db1", model::HeldSight{answer});
        scene.see("db1", DialOutcome::accepted);
        scene.attached("db2");
        scene.attached("db3");
    }
    EXPECT_EQ(scene.analysis().situation, Situation::storage_stalled);
    EXPECT_FALSE(scene.analysis().writable_sighting);
}

TEST(Situation, IsReadOnlyWhenTransactionsAreReadOnlyByDefault) {
    Scene scene;
    scene.healthy();
    auto answer = scene.as_primary(Lsn{0x3000100});
    std::get<model::PrimaryAnswer>(answer.as).read_only = true;
    scene.see("db1", model::HeldSight{answer});
    EXPECT_EQ(scene.analysis().situation, Situation::primary_read_only);
}

TEST(Situation, IsNoWritablePrimaryWhenThePrimaryAnswersAsStandby) {
    Scene scene;
    scene.healthy();
    scene.see("db1", model::HeldSight{scene.as_standby(Lsn{0x3000000}, std::nullopt)});
    EXPECT_EQ(scene.analysis().situation, Situation::no_writable_primary);
}

TEST(Situation, IsTwoPrimariesWhenAnotherServerIsOutOfRecovery) {
    Scene scene;
    scene.healthy();
    scene.see("db2", model::HeldSight{scene.as_primary(Lsn{0x3000200}, Timeline{2})});
    EXPECT_EQ(scene.analysis().situation, Situation::two_primaries);
}

TEST(Situation, DoesNotCountAForeignServerAsASecondPrimary) {
    Scene scene;
    scene.healthy();
    auto stranger = scene.as_primary(Lsn{0x9000000});
    stranger.system_id = model::SystemId{42};
    scene.see("db2", model::HeldSight{stranger});
    EXPECT_EQ(scene.analysis().situation, Situation::healthy);
    EXPECT_TRUE(scene.finds(FindingKind::foreign_system));
}

TEST(Situation, ReopensQuietlyWhenOnlyTheSessionWasEnded) {
    Scene scene;
    scene.healthy();
    scene.lost("db1", LastWords::administrator);
    scene.see("db1", DialOutcome::accepted);
    EXPECT_EQ(scene.analysis().situation, Situation::healthy);
    EXPECT_TRUE(scene.finds(FindingKind::session_lost));
}

class Returned : public ::testing::Test {
protected:
    Returned() {
        scene.saved.primary = server("db2");
        scene.define("db1").role = model::Role::replica;
        scene.define("db2").role = model::Role::primary;
        scene.saved.must_be_down.push_back(
            {.server = server("db1"),
             .system_id = our_system,
             .hostname = "host-of-db1",
             .pgdata = "/data",
             .fork = {Timeline{1}, Lsn{0x3000000}},
             .successor = server("db2"),
             .successor_history = model::TimelineHistory{Timeline{2}, {{Timeline{1}, Lsn{0x3000000}}}},
             .epoch = 1});
        scene.see("db2", model::HeldSight{scene.as_primary(Lsn{0x3000200}, Timeline{2})});
        scene.see("db2", DialOutcome::accepted);
        scene.attached("db3");
    }
    void returns(std::optional<model::TimelineHistory> history) {
        auto answer = scene.as_primary(Lsn{0x3000400});
        std::get<model::PrimaryAnswer>(answer.as).history = std::move(history);
        scene.see("db1", model::HeldSight{answer});
    }
    Scene scene;
};

TEST_F(Returned, OldPrimaryIsToBeStoppedWhileItsSuccessorIsSeen) {
    returns(model::TimelineHistory{Timeline{1}, {}});
    EXPECT_EQ(scene.analysis().situation, Situation::old_primary_returned);
    EXPECT_EQ(scene.reason(), Reason::returned_primary_must_stop);
}

TEST_F(Returned, OldPrimaryIsLeftAloneInMaintenanceAndWhileAPersonPausedAutomation) {
    returns(model::TimelineHistory{Timeline{1}, {}});
    scene.guards.maintenance = true;
    EXPECT_EQ(scene.reason(), Reason::maintenance);
    scene.guards.paused = true;
    EXPECT_EQ(scene.reason(), Reason::auto_failover_off);
    scene.guards.maintenance = false;
    EXPECT_EQ(scene.reason(), Reason::auto_failover_off);
    scene.guards.paused = false;
    EXPECT_EQ(scene.reason(), Reason::returned_primary_must_stop);
}

TEST_F(Returned, OldPrimaryIsLeftToAPersonWhenItsSuccessorIsNotSeen) {
    returns(model::TimelineHistory{Timeline{1}, {}});
    scene.lost("db2", LastWords::none);
    EXPECT_EQ(scene.analysis().situation, Situation::old_primary_returned);
    EXPECT_EQ(scene.reason(), Reason::situation_holds);
}

TEST_F(Returned, ServerWithUnknownHistoryIsLeftToAPerson) {
    returns(std::nullopt);
    EXPECT_TRUE(scene.analysis().to_be_stopped.empty());
    EXPECT_EQ(scene.reason(), Reason::situation_holds);
}

TEST_F(Returned, ServerWhoseHistoryContainsTheSwitchIsNotStopped) {
    returns(model::TimelineHistory{Timeline{3}, {{Timeline{1}, Lsn{0x3000000}}, {Timeline{2}, Lsn{0x3000300}}}});
    EXPECT_TRUE(scene.analysis().to_be_stopped.empty());
    EXPECT_EQ(scene.analysis().situation, Situation::two_primaries);
}

TEST_F(Returned, SameTimelineNumberWithAnotherForkIsNotTakenForTheSuccessorsHistory) {
    returns(model::TimelineHistory{Timeline{2}, {{Timeline{1}, Lsn{0x2FFF000}}}});
    EXPECT_EQ(scene.analysis().situation, Situation::old_primary_returned);
}

TEST_F(Returned, ForeignSystemIsNeverStopped) {
    scene.saved.must_be_down.front().system_id = model::SystemId{42};
    returns(model::TimelineHistory{Timeline{1}, {}});
    EXPECT_TRUE(scene.analysis().to_be_stopped.empty());
    EXPECT_EQ(scene.analysis().situation, Situation::two_primaries);
}

TEST(Finding, NamesADetachedADeadAndALaggedReplica) {
    Scene scene;
    scene.healthy();
    scene.primary_answers(Lsn{0x3000000 + (17U << 20U)});
    scene.detached("db2");
    scene.lost("db3", LastWords::none);
    const Analysis analysis = scene.analysis();
    EXPECT_EQ(analysis.situation, Situation::healthy);
    EXPECT_TRUE(scene.finds(FindingKind::replica_detached));
    EXPECT_TRUE(scene.finds(FindingKind::replica_dead));
    EXPECT_TRUE(scene.finds(FindingKind::replica_lagged));
}

TEST(Finding, SaysThatAHostCannotBeFenced) {
    Scene scene;
    scene.healthy();
    scene.host_is_mute("db1");
    EXPECT_TRUE(scene.finds(FindingKind::host_unreachable));
}

}  // namespace handyrep::decide::testing
