// One named history per kind of fault, from a healthy cluster of three: what the manager does, and what it must leave alone.
#include "tests/simulation/scenario.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace handyrep::sim {
namespace {

using namespace std::chrono_literals;

TEST(Calm, IsHealthyAndLeftAlone) {
    Scenario it;
    EXPECT_EQ(it.situation(), "Healthy");
    EXPECT_EQ(it.failovers_after(60s), 0U) << story(it.run);
    EXPECT_EQ(it.broken(), "");
}

TEST(KilledPrimary, IsReplacedWithinASecond) {
    Scenario it;
    it.strike(FaultKind::kill_primary, 1s);
    EXPECT_TRUE(it.somebody_was_promoted_within(1s)) << story(it.run);
    it.run.run_for(20s);
    EXPECT_EQ(it.proof(), "processes_gone");
    EXPECT_EQ(it.writers(), 1U);
    EXPECT_TRUE(it.run.settled());
    EXPECT_EQ(it.broken(), "") << story(it.run);
}

TEST(KilledPrimary, IsFollowedByTheOtherReplica) {
    Scenario it;
    it.strike(FaultKind::kill_primary, 1s);
    ASSERT_TRUE(it.somebody_was_promoted_within(1s));
    it.run.run_for(20s);
    const ServerIndex promoted = it.run.world().at(db2).is_primary() ? db2 : db3;
    const ServerIndex other = promoted == db2 ? db3 : db2;
    EXPECT_EQ(it.run.world().at(other).disk.branch, it.run.world().at(promoted).disk.branch) << story(it.run);
    EXPECT_EQ(it.run.world().at(other).disk.follows, promoted);
}

TEST(KilledPrimary, IsReplacedSoonAlsoWhenAReplicaDiesMeanwhile) {
    Scenario it;
    it.strike(FaultKind::kill_primary, 60s);
    it.run.disk().after_append = [&] {
        const saved::JournalRecord& record = it.run.disk().records.back();
        if (record.step == "read final positions" && record.entry == saved::JournalEntry::starting) it.run.world().kill_all(db3);
    };
    EXPECT_TRUE(it.somebody_was_promoted_within(3s)) << story(it.run);
    it.run.run_for(20s);
    EXPECT_EQ(it.writers(), 1U);
    EXPECT_EQ(it.broken(), "") << story(it.run);
}

TEST(KilledPostmaster, LeavesNoOrphanThatWritesAfterThePromotion) {
    Scenario it;
    it.strike(FaultKind::kill_postmaster, 60s, 2);
    EXPECT_TRUE(it.somebody_was_promoted_within(2s)) << story(it.run);
    EXPECT_EQ(it.run.world().at(db1).orphans, 0U);
    it.run.run_for(20s);
    EXPECT_EQ(it.broken(), "") << story(it.run);
}

TEST(StallOfThePromotion, IsEndedByNudging) {
    Draw draw = plain(3);
    draw.world.stall_percent = 100;
    Scenario it{draw};
    it.strike(FaultKind::kill_primary, 1s);
    EXPECT_TRUE(it.somebody_was_promoted_within(1s)) << story(it.run);
}

TEST(FastRestart, IsNoReasonToFailOver) {
    Scenario it;
    it.strike(FaultKind::fast_restart, 1s);
    EXPECT_EQ(it.failovers_after(30s), 0U) << story(it.run);
    EXPECT_EQ(it.broken(), "");
}

TEST(CleanStop, IsLeftToThePersonWhoDidItForTheGrace) {
    Scenario it;
    it.strike(FaultKind::clean_stop, 40s);
    EXPECT_EQ(it.failovers_after(60s), 0U) << story(it.run);
    EXPECT_EQ(it.broken(), "");
}

TEST(CleanStop, IsFailedOverWithoutLossOnceTheGraceIsOver) {
    Scenario it;
    it.strike(FaultKind::clean_stop, 300s);
    EXPECT_TRUE(it.somebody_was_promoted_within(70s)) << story(it.run);
    it.run.run_for(20s);
    EXPECT_EQ(it.broken(), "");
}

TEST(CrashOfABackend, IsRecoveredFromWithoutUs) {
    Scenario it;
    it.strike(FaultKind::backend_crash, 1s);
    EXPECT_EQ(it.failovers_after(30s), 0U) << story(it.run);
    EXPECT_EQ(it.broken(), "");
}

TEST(FrozenReplica, IsNoReasonToFailOver) {
    Scenario it;
    it.strike(FaultKind::freeze_replica, 20s);
    EXPECT_EQ(it.failovers_after(40s), 0U) << story(it.run);
    EXPECT_EQ(it.broken(), "");
}

TEST(FrozenPrimary, IsPromotedOverOnlyAfterItsProcessesAreGone) {
    Scenario it;
    it.strike(FaultKind::freeze_primary, 30s);
    it.run.run_for(60s);
    if (it.run.invariants().promotions() > 0) {
        EXPECT_EQ(it.proof(), "processes_gone");
    }
    EXPECT_EQ(it.writers(), 1U);
    EXPECT_EQ(it.broken(), "") << story(it.run);
}

TEST(FrozenPrimary, IsNotFencedWhenItWakesBeforeTheFenceGetsThere) {
    Scenario it;
    World& world = it.run.world();
    it.strike(FaultKind::freeze_primary, 300s);
    it.run.disk().after_append = [&] {
        const saved::JournalRecord& record = it.run.disk().records.back();
        if (record.step == "secure" && record.entry == saved::JournalEntry::starting)
            world.agenda.after(300ms, [&world] { world.thaw(db1); });
    };
    it.run.run_for(40s);
    EXPECT_GT(it.run.invariants().failovers_begun(), 0U);
    EXPECT_EQ(it.run.invariants().promotions(), 0U) << story(it.run);
    EXPECT_TRUE(world.accepts_writes(db1)) << story(it.run);
    EXPECT_EQ(it.situation(), "Healthy");
    EXPECT_EQ(it.broken(), "");
}

TEST(LostMachine, IsReplacedOnceTheSilenceCounts) {
    Scenario it;
    it.strike(FaultKind::power_loss, 300s);
    EXPECT_TRUE(it.somebody_was_promoted_within(10s)) << story(it.run);
    it.run.run_for(40s);
    EXPECT_EQ(it.proof(), "witnessed");
    EXPECT_EQ(it.broken(), "");
}

TEST(LostMachine, IsStoppedWhenItStartsAsPrimaryAgain) {
    Scenario it;
    it.strike(FaultKind::power_loss, 15s);
    ASSERT_TRUE(it.somebody_was_promoted_within(10s));
    it.run.run_for(40s);
    EXPECT_EQ(it.writers(), 1U) << story(it.run);
    EXPECT_TRUE(it.run.world().at(db1).disk.standby_mark);
    EXPECT_EQ(it.broken(), "");
}

TEST(ManagerCutOff, DoesNothing) {
    Scenario it;
    it.strike(FaultKind::manager_cut_off, 20s);
    EXPECT_EQ(it.failovers_after(40s), 0U) << story(it.run);
    EXPECT_EQ(it.broken(), "");
}

TEST(PartitionBetweenManagerAndPrimary, IsNoReasonToFailOver) {
    Scenario it;
    it.strike(FaultKind::cut_manager_primary, 20s);
    EXPECT_EQ(it.failovers_after(10s), 0U) << story(it.run);
    EXPECT_EQ(it.situation(), "PrimaryUnreachableFromHere");
    EXPECT_EQ(it.failovers_after(30s), 0U);
    EXPECT_EQ(it.broken(), "");
}

TEST(PartitionInOneDirection, IsNoReasonToFailOver) {
    Scenario it;
    it.strike(FaultKind::cut_one_way, 20s);
    EXPECT_EQ(it.failovers_after(40s), 0U) << story(it.run);
    EXPECT_EQ(it.broken(), "");
}

TEST(SplitWithOneReplicaOnEachSide, IsNoReasonToFailOver) {
    Scenario it;
    it.strike(FaultKind::split, 20s);
    EXPECT_EQ(it.failovers_after(40s), 0U) << story(it.run);
    EXPECT_EQ(it.broken(), "");
}

TEST(FirewallThatResets, IsNoReasonToFailOver) {
    Scenario it;
    it.strike(FaultKind::firewall, 20s);
    EXPECT_EQ(it.failovers_after(40s), 0U) << story(it.run);
    EXPECT_EQ(it.broken(), "");
}

TEST(StoppedSshd, IsNoReasonToFailOver) {
    Scenario it;
    it.strike(FaultKind::sshd_stopped, 20s);
    EXPECT_EQ(it.failovers_after(40s), 0U) << story(it.run);
}

TEST(FullConnections, AreNoReasonToFailOver) {
    Scenario it;
    it.strike(FaultKind::connections_full, 20s);
    EXPECT_EQ(it.failovers_after(15s), 0U) << story(it.run);
    EXPECT_EQ(it.situation(), "ConnectionsExhausted");
}

TEST(BrokenPassword, IsNoReasonToFailOver) {
    Scenario it;
    it.strike(FaultKind::password_broken, 20s);
    EXPECT_EQ(it.failovers_after(15s), 0U) << story(it.run);
    EXPECT_EQ(it.situation(), "AuthBroken");
}

TEST(DeadReplica, IsNoReasonToFailOver) {
    Scenario it;
    it.strike(FaultKind::replica_dies, 20s);
    EXPECT_EQ(it.failovers_after(40s), 0U) << story(it.run);
}

TEST(DetachedReplica, IsNoReasonToFailOver) {
    Scenario it;
    it.strike(FaultKind::replica_detached, 20s);
    EXPECT_EQ(it.failovers_after(40s), 0U) << story(it.run);
}

TEST(ReturnedPrimary, IsStoppedAlsoWhenAPersonRemovedTheMark) {
    Scenario it;
    it.strike(FaultKind::kill_primary, 1s);
    ASSERT_TRUE(it.somebody_was_promoted_within(1s));
    it.run.run_for(5s);
    it.strike(FaultKind::old_primary_by_hand, 1s);
    it.run.run_for(3s);
    EXPECT_EQ(it.writers(), 1U) << story(it.run);
    EXPECT_FALSE(it.run.world().at(db1).has_processes());
}

TEST(KilledManager, EndsInOnePrimaryWheneverItIsKilled) {
    for (int milliseconds = 0; milliseconds < 400; milliseconds += 13) {
        Scenario it{plain(static_cast<std::uint64_t>(milliseconds) + 1)};
        it.strike(FaultKind::kill_primary, 1s);
        put_on_agenda(it.run.stage(), Fault{FaultKind::manager_killed, milliseconds * 1ms, 300ms, 0});
        it.run.run_for(25s);
        EXPECT_EQ(it.writers(), 1U) << milliseconds << " ms\n" << story(it.run);
        EXPECT_TRUE(it.run.settled()) << milliseconds << " ms\n" << story(it.run);
        EXPECT_EQ(it.broken(), "") << milliseconds << " ms";
    }
}

TEST(KilledManager, EndsInOnePrimaryAtWhicheverStepItIsKilled) {
    constexpr std::uint64_t moments = 48;  // before and after it hears of each of 24 records
    for (std::uint64_t moment = 0; moment < moments; ++moment) {
        Scenario it{plain(moment + 1)};
        it.strike(FaultKind::manager_killed_at_step, 2s, moment);
        it.strike(FaultKind::kill_primary, 1s);
        it.run.run_for(60s);
        EXPECT_EQ(it.writers(), 1U) << "moment " << moment << "\n" << story(it.run);
        EXPECT_TRUE(it.run.settled()) << "moment " << moment << "\n" << story(it.run);
        EXPECT_EQ(it.broken(), "") << "moment " << moment;
    }
}

TEST(SleepingManager, IsNoReasonToFailOverWhenItWakes) {
    Scenario it;
    it.strike(FaultKind::manager_suspended, 10min);
    EXPECT_EQ(it.failovers_after(11min), 0U) << story(it.run);
    EXPECT_EQ(it.situation(), "Healthy");
}

TEST(FullDisk, IsFailedOverOnceRecoveryHasFailed) {
    Scenario it;
    it.strike(FaultKind::disk_full, 300s);
    EXPECT_TRUE(it.somebody_was_promoted_within(10s)) << story(it.run);
    it.run.run_for(20s);
    EXPECT_EQ(it.writers(), 1U);
    EXPECT_EQ(it.broken(), "");
}

TEST(StoppedManager, ForgetsWhatItThoughtToHaveSeen) {
    Scenario it;
    it.strike(FaultKind::manager_stopped, 15s);
    EXPECT_EQ(it.failovers_after(30s), 0U) << story(it.run);
}

TEST(RefusedPromotion, LeavesTheReplicasAttachedOrPromotesAnother) {
    Scenario it;
    it.strike(FaultKind::promotion_refused, 20s);
    it.strike(FaultKind::kill_primary, 1s);
    it.run.run_for(15s);
    EXPECT_EQ(it.run.invariants().promotions(), 0U);
    EXPECT_TRUE(it.somebody_was_promoted_within(60s)) << story(it.run);
    it.run.run_for(20s);
    EXPECT_EQ(it.writers(), 1U);
    EXPECT_EQ(it.broken(), "") << story(it.run);
}

TEST(RefusedPromotion, IsTriedAgainLessAndLessOften) {
    Scenario it;
    it.strike(FaultKind::promotion_refused, 120s);
    it.strike(FaultKind::kill_primary, 1s);
    it.run.run_for(110s);
    const auto refused = static_cast<std::size_t>(std::ranges::count_if(it.run.disk().events, [](const saved::Event& event) {
        return event.name == "operation_ended" && event.text.starts_with("refused");
    }));
    EXPECT_GT(refused, 3U);
    EXPECT_LT(refused, 15U) << story(it.run);
    EXPECT_TRUE(it.somebody_was_promoted_within(30s)) << story(it.run);
    it.run.run_for(20s);
    EXPECT_EQ(it.broken(), "");
}

TEST(RefusedPromotion, IsTriedAgainSoonWhenItsGroundsHaveChanged) {
    Scenario it;
    it.strike(FaultKind::promotion_refused, 60s);
    it.strike(FaultKind::kill_primary, 1s);
    it.run.run_for(50s);
    const std::size_t before = it.run.invariants().failovers_begun();
    // Right after an attempt: the next one would be 15 s away.
    ASSERT_TRUE(it.run.run_until([&] { return it.run.invariants().failovers_begun() > before && it.reason() == "RecentlyRefused"; }, 30s));
    const std::size_t after = it.run.invariants().failovers_begun();
    it.strike(FaultKind::replica_dies, 60s);
    EXPECT_TRUE(it.run.run_until([&] { return it.run.invariants().failovers_begun() > after; }, 8s)) << story(it.run);
}

TEST(HangingPromotion, LetsNoOtherBePromotedBesides) {
    Scenario it;
    it.strike(FaultKind::promotion_hangs, 25s);
    it.strike(FaultKind::kill_primary, 1s);
    it.run.run_for(90s);
    EXPECT_EQ(it.run.invariants().promotions(), 1U) << story(it.run);
    EXPECT_EQ(it.writers(), 1U);
    EXPECT_EQ(it.broken(), "");
}

TEST(HangingPromotion, IsWaitedForHoweverLongTheServerStaysInRecovery) {
    Scenario it;
    it.strike(FaultKind::promotion_hangs, 120s);
    it.strike(FaultKind::kill_primary, 1s);
    it.run.run_for(100s);
    EXPECT_EQ(it.reason(), "PossiblePrimaryUnresolved") << story(it.run);
    it.run.run_for(60s);
    EXPECT_EQ(it.run.invariants().promotions(), 1U) << story(it.run);
    EXPECT_EQ(it.writers(), 1U);
    EXPECT_TRUE(it.run.settled());
    EXPECT_EQ(it.broken(), "");
}

TEST(HangingPromotion, IsOverWhenTheServerWasStartedAgain) {
    Scenario it;
    it.strike(FaultKind::promotion_hangs, 30s);
    it.strike(FaultKind::kill_primary, 1s);
    it.run.run_for(20s);
    World& world = it.run.world();
    for (const ServerIndex server : {db2, db3}) {
        if (world.at(server).promoting) world.fast_stop(server, [&world, server] { world.start(server, false); });
    }
    EXPECT_TRUE(it.somebody_was_promoted_within(40s)) << story(it.run);
    it.run.run_for(20s);
    EXPECT_EQ(it.writers(), 1U);
    EXPECT_EQ(it.broken(), "");
}

TEST(Promotion, IsNotAskedForOnceTheOldPrimaryIsSeenTakingWritesAgain) {
    Draw draw = plain(9);
    draw.settings.fencing = model::Fencing::none;
    Scenario it{draw};
    Network& network = it.run.world().network;
    it.strike(FaultKind::isolate_primary, 300s);
    // Between the gates and the promotion: the way to the primary is open again, that to the replicas slow.
    it.run.disk().after_append = [&] {
        if (it.run.disk().records.back().step != "prepare candidate") return;
        network.heal_all();
        for (const ServerIndex replica : {db2, db3}) network.set_delay(0, it.run.world().at(replica).node, 1s);
    };
    it.run.run_for(20s);
    EXPECT_GT(it.run.invariants().failovers_begun(), 0U);
    EXPECT_EQ(it.run.invariants().promotions(), 0U) << story(it.run);
    EXPECT_EQ(it.broken(), "");
}

TEST(LostJournal, HoldsAutomationBackUntilEveryServerWasReadAlsoAfterAnotherRestart) {
    Scenario it;
    it.strike(FaultKind::replica_dies, 60s);
    it.run.kill_manager();
    it.run.disk().records.clear();
    it.run.disk().journal_lost = true;
    it.run.start_manager();
    it.run.run_for(5s);
    it.run.kill_manager();
    it.run.disk().journal_lost = false;
    it.run.start_manager();
    it.run.run_for(5s);
    it.strike(FaultKind::kill_primary, 1s);
    EXPECT_EQ(it.failovers_after(20s), 0U) << story(it.run);
}

TEST(LostJournal, HoldsNothingBackOnceEveryServerWasRead) {
    Scenario it;
    it.run.kill_manager();
    it.run.disk().journal_lost = true;
    it.run.start_manager();
    it.run.run_for(5s);
    it.strike(FaultKind::kill_primary, 1s);
    EXPECT_TRUE(it.somebody_was_promoted_within(20s)) << story(it.run);
}

TEST(FailingStore, MeansThatNothingIsDone) {
    Scenario it;
    it.strike(FaultKind::store_fails, 20s);
    it.strike(FaultKind::kill_primary, 1s);
    it.run.run_for(15s);
    EXPECT_EQ(it.run.invariants().promotions(), 0U) << story(it.run);
    EXPECT_TRUE(it.somebody_was_promoted_within(60s)) << story(it.run);
    it.run.run_for(40s);
    EXPECT_EQ(it.broken(), "") << story(it.run);
}

TEST(FailingStore, LeavesNothingBehindThatALaterManagerWouldTakeBack) {
    Scenario it;
    it.strike(FaultKind::store_fails, 20s);
    it.strike(FaultKind::kill_primary, 1s);
    it.run.run_for(25s);
    ASSERT_TRUE(it.somebody_was_promoted_within(60s)) << story(it.run);
    it.run.run_for(30s);
    it.run.kill_manager();
    it.run.start_manager();
    it.run.run_for(30s);
    const ServerIndex promoted = true_primary(it.run.world());
    const ServerIndex other = promoted == db2 ? db3 : db2;
    EXPECT_EQ(it.run.world().at(other).disk.follows, promoted) << story(it.run);
    EXPECT_EQ(it.broken(), "");
}

TEST(SynchronousCommits, SurviveAFailover) {
    Draw draw = plain(5);
    draw.synchronous_standby_names = "ANY 1 (db2, db3)";
    Scenario it{draw};
    it.strike(FaultKind::kill_primary, 1s);
    EXPECT_TRUE(it.somebody_was_promoted_within(2s)) << story(it.run);
    it.run.run_for(20s);
    const bool any = std::ranges::any_of(it.run.world().acknowledged, &Acknowledged::synchronous);
    EXPECT_TRUE(any);
    EXPECT_EQ(it.broken(), "") << story(it.run);
}

/// A primary that came back from a crash writes on where its last whole record ends; a replica that was away then still counts
/// the bytes of the record that never came whole.
TEST(SynchronousCommits, AreNotLostToAReplicaThatReceivedMoreOfARecordThatNeverCame) {
    Draw draw = plain(7);
    draw.settings.salvage = false;  // or it makes up for what the replica lacks
    draw.synchronous_standby_names = "ANY 1 (db2, db3)";
    Scenario it{draw};
    World& world = it.run.world();
    world.network.drop(world.at(db1).node, world.at(db2).node);
    world.network.drop(world.at(db2).node, world.at(db1).node);
    it.run.run_for(300ms);
    const auto ahead = gap(world.at(db2).disk.end, world.at(db3).disk.end).count;
    ASSERT_GT(ahead, 0U);
    world.at(db2).disk.partial = ahead + 5000;
    it.strike(FaultKind::kill_primary, 1s);
    EXPECT_TRUE(it.somebody_was_promoted_within(10s)) << story(it.run);
    it.run.run_for(20s);
    EXPECT_TRUE(world.at(db3).is_primary()) << story(it.run);
    EXPECT_EQ(it.broken(), "") << story(it.run);
}

/// A startup process sleeps when its receiver has ended, and reads what came last only when it wakes.
TEST(SynchronousCommits, AreNotLostToAReplicaWhoseSiblingHasNotReadThemYet) {
    Draw draw = plain(8);
    draw.synchronous_standby_names = "ANY 1 (db2, db3)";
    Scenario it{draw};
    World& world = it.run.world();
    world.network.drop(world.at(db1).node, world.at(db2).node);
    world.network.drop(world.at(db2).node, world.at(db1).node);
    it.run.run_for(300ms);
    it.run.disk().after_append = [&] {
        const saved::JournalRecord& record = it.run.disk().records.back();
        if (record.step != "read final positions" || record.entry != saved::JournalEntry::starting) return;
        world.at(db3).unread = gap(world.at(db2).disk.end, world.at(db3).disk.end).count + 100;
    };
    it.strike(FaultKind::kill_primary, 1s);
    EXPECT_TRUE(it.somebody_was_promoted_within(10s)) << story(it.run);
    it.run.run_for(20s);
    EXPECT_TRUE(world.at(db3).is_primary()) << story(it.run);
    EXPECT_EQ(it.broken(), "") << story(it.run);
}

TEST(SynchronousCommits, KeepTheOnlyReplicaInSightFromBeingPromoted) {
    Draw draw = plain(6);
    draw.synchronous_standby_names = "ANY 1 (db2, db3)";
    Scenario it{draw};
    it.strike(FaultKind::replica_dies, 60s);
    it.run.run_for(2s);
    it.strike(FaultKind::kill_primary, 1s);
    EXPECT_FALSE(it.somebody_was_promoted_within(30s)) << story(it.run);
    EXPECT_EQ(it.broken(), "");
}

}  // namespace
}  // namespace handyrep::sim
