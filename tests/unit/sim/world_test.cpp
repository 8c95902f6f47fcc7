#include "sim/world.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

namespace handyrep::sim {
namespace {

using namespace std::chrono_literals;

constexpr ServerIndex db1 = 0;
constexpr ServerIndex db2 = 1;
constexpr ServerIndex db3 = 2;

WorldOptions without_chance() {
    WorldOptions options;
    options.stall_percent = 0;
    options.half_record_percent = 0;
    options.longest_crash_recovery = 1s;
    return options;
}

struct Stand {
    explicit Stand(const WorldOptions& options = without_chance()) : world{options, 1} {
        for (ServerIndex it = 0; it < world.servers.size(); ++it) {
            world.at(it).disk.control = it == 0 ? model::ControlState::shut_down : model::ControlState::shut_down_in_recovery;
            world.start(it, false);
        }
        world.add_client({.node = 4, .period = 20ms});
        advance(8s);
    }
    void advance(Duration length) {
        const Instant end = world.agenda.now() + length;
        world.agenda.at(end, [] {});
        while (world.agenda.next() && *world.agenda.next() <= end) world.agenda.run_next();
    }
    [[nodiscard]] std::size_t acknowledged_on(ServerIndex server) const {
        std::size_t count = 0;
        for (const Acknowledged& it : world.acknowledged) count += it.server == server ? 1 : 0;
        return count;
    }
    World world;
};

TEST(Branches, TellTwoTimelinesOfOneNumberApart) {
    Branches branches;
    const BranchId one = branches.fork(0, model::Lsn{100}, model::Timeline{2});
    const BranchId other = branches.fork(0, model::Lsn{200}, model::Timeline{2});
    EXPECT_TRUE(branches.holds(one, model::Lsn{300}, 0, model::Lsn{100}));
    EXPECT_FALSE(branches.holds(one, model::Lsn{300}, 0, model::Lsn{101}));
    EXPECT_TRUE(branches.holds(other, model::Lsn{300}, 0, model::Lsn{200}));
    EXPECT_FALSE(branches.holds(one, model::Lsn{300}, other, model::Lsn{250}));
    EXPECT_EQ(branches.history(other).text(), "1\t0/C8\n");
}

TEST(Router, SendsItsClientsToThePrimaryAndAfterAPromotionToTheNewOne) {
    Stand it;
    it.world.add_client({.node = 4, .period = 20ms, .router = Node{4}});
    it.world.clients.front().period = 1h;
    it.advance(3s);
    ASSERT_EQ(it.world.routers.size(), 1U);
    EXPECT_EQ(it.world.routers.front().points_to, db1);
    const std::size_t before = it.acknowledged_on(db1);
    it.advance(3s);
    EXPECT_GT(it.acknowledged_on(db1), before);
    it.world.kill_all(db1);
    it.world.begin_promotion(db2);
    it.advance(5s);
    EXPECT_EQ(it.world.routers.front().points_to, db2);
    EXPECT_GT(it.acknowledged_on(db2), 0U);
}

TEST(Router, ThatIsCutOffReachesNobody) {
    Stand it;
    it.world.clients.clear();
    it.world.add_client({.node = 4, .period = 20ms, .router = Node{4}});
    it.advance(3s);
    EXPECT_TRUE(it.world.clients_reach(db1));
    it.world.network.drop(4, it.world.at(db1).node);
    EXPECT_FALSE(it.world.clients_reach(db1));
}

TEST(World, ReplicatesWhatClientsWrite) {
    Stand it;
    EXPECT_GT(it.acknowledged_on(db1), 100U);
    it.world.clients[0].period = 24h;
    it.advance(1s);
    EXPECT_EQ(it.world.at(db2).disk.end, it.world.at(db1).disk.end);
}

TEST(Replica, NoticesTheDeathOfAProcessAtOnceAndThatOfAMachineOnlyByItsTimeout) {
    Stand killed;
    killed.world.kill_all(db1);
    killed.advance(100ms);
    EXPECT_FALSE(killed.world.at(db2).receiver.has_value());

    Stand dark;
    dark.world.power_off(db1);
    dark.advance(30s);
    ASSERT_TRUE(dark.world.at(db2).receiver.has_value());
    EXPECT_EQ(dark.world.at(db2).receiver->state, Receiver::State::streaming);
    dark.advance(40s);
    EXPECT_NE(
        dark.world.at(db2).receiver.has_value() ? dark.world.at(db2).receiver->state : Receiver::State::connecting,
        Receiver::State::streaming);
}

TEST(Promotion, ForksAtTheLastReplayedRecord) {
    Stand it;
    it.world.kill_all(db1);
    it.advance(100ms);
    const model::Lsn replayed = it.world.at(db2).disk.replayed;
    it.world.begin_promotion(db2);
    it.advance(200ms);
    ASSERT_TRUE(it.world.at(db2).is_primary());
    EXPECT_EQ(it.world.branches.timeline(it.world.at(db2).disk.branch).id, 2U);
    EXPECT_EQ(it.world.branches.left(it.world.at(db2).disk.branch, 0), replayed);
}

TEST(Promotion, SleepsForTheRetryIntervalUnlessNudged) {
    WorldOptions options = without_chance();
    options.stall_percent = 100;
    Stand asleep{options};
    asleep.world.kill_all(db1);
    asleep.advance(20ms);
    asleep.world.begin_promotion(db2);
    asleep.advance(4s);
    EXPECT_FALSE(asleep.world.at(db2).is_primary());
    asleep.world.nudge(db2);
    asleep.advance(100ms);
    EXPECT_TRUE(asleep.world.at(db2).is_primary());
}

TEST(Promotion, WaitsForAQueryThatBlocksReplay) {
    Stand it;
    it.world.block_replay(db2, 3s);
    it.advance(500ms);
    it.world.kill_all(db1);
    it.advance(20ms);
    it.world.begin_promotion(db2);
    it.advance(1s);
    EXPECT_FALSE(it.world.at(db2).is_primary());
    it.advance(3s);
    EXPECT_TRUE(it.world.at(db2).is_primary());
}

TEST(ReturnedPrimary, IsPastTheForkAlthoughNobodyWrote) {
    Stand it;
    it.world.kill_all(db1);
    it.advance(100ms);
    it.world.begin_promotion(db2);
    it.advance(200ms);
    it.world.start(db1, false);
    it.advance(2s);
    EXPECT_GT(it.world.at(db1).disk.end, *it.world.branches.left(it.world.at(db2).disk.branch, 0));
    EXPECT_TRUE(it.world.accepts_writes(db1));
    EXPECT_TRUE(it.world.accepts_writes(db2));
}

TEST(Replica, WaitsForEverWhereItsWalDoesNotFit) {
    Stand it;
    it.world.end_receiver(db2, false);
    it.world.at(db2).disk.follows.reset();
    it.advance(2s);
    it.world.kill_all(db1);
    it.world.begin_promotion(db2);
    it.advance(200ms);
    it.world.at(db3).disk.follows = db2;
    it.world.reload_receiver(db3);
    it.advance(1s);
    ASSERT_TRUE(it.world.at(db3).receiver.has_value());
    EXPECT_EQ(it.world.at(db3).receiver->state, Receiver::State::waiting);
}

TEST(Replica, FollowsWithHalfARecordThatNobodyHas) {
    WorldOptions options = without_chance();
    options.half_record_percent = 100;
    Stand it{options};
    it.world.clients[0].period = 24h;
    it.advance(1s);
    it.world.kill_all(db1);
    const ServerIndex half = it.world.at(db2).disk.partial > 0 ? db2 : db3;
    const ServerIndex whole = half == db2 ? db3 : db2;
    ASSERT_GT(it.world.at(half).disk.partial, 0U);
    it.advance(50ms);
    it.world.begin_promotion(whole);
    it.advance(200ms);
    it.world.at(half).disk.follows = whole;
    it.world.reload_receiver(half);
    it.advance(1s);
    EXPECT_EQ(it.world.at(half).receiver->state, Receiver::State::streaming);
    EXPECT_EQ(it.world.at(half).disk.branch, it.world.at(whole).disk.branch);
}

TEST(SynchronousCommit, WaitsForAStandbyAndIsAcknowledgedWhenOneConfirms) {
    Stand it;
    it.world.end_receiver(db2, false);
    it.world.at(db2).disk.follows.reset();
    it.world.end_receiver(db3, false);
    it.world.at(db3).disk.follows.reset();
    it.world.at(db1).disk.synchronous_standby_names = "ANY 1 (db2, db3)";
    it.world.reload_settings(db1);
    it.advance(100ms);
    const std::size_t before = it.acknowledged_on(db1);
    it.advance(1s);
    EXPECT_EQ(it.acknowledged_on(db1), before);
    EXPECT_FALSE(it.world.accepts_writes(db1));
    it.world.at(db2).disk.follows = db1;
    it.world.reload_receiver(db2);
    it.advance(1s);
    EXPECT_GT(it.acknowledged_on(db1), before);
    EXPECT_TRUE(it.world.acknowledged.back().synchronous);
}

TEST(SynchronousCommit, IsAcknowledgedButNotSynchronousWhenItsClientCancelsTheWait) {
    Stand it;
    it.world.clients[0].cancels_after = 200ms;
    it.world.at(db1).disk.synchronous_standby_names = "ANY 1 (db2, db3)";
    it.world.reload_settings(db1);
    for (const ServerIndex replica : {db2, db3}) it.world.network.drop(it.world.at(replica).node, it.world.at(db1).node);
    it.advance(100ms);
    const std::size_t before = it.acknowledged_on(db1);
    it.advance(2s);
    EXPECT_GT(it.acknowledged_on(db1), before);
    EXPECT_FALSE(it.world.acknowledged.back().synchronous);
}

TEST(SynchronousCommit, DoesNotWaitBeforeTheCheckpointerHasHeardOfTheSetting) {
    Stand it;
    for (const ServerIndex replica : {db2, db3}) it.world.network.drop(it.world.at(replica).node, it.world.at(db1).node);
    it.world.occupy_checkpointer(db1, 2s);
    it.world.at(db1).disk.synchronous_standby_names = "ANY 1 (db2, db3)";
    it.world.reload_settings(db1);
    const std::size_t before = it.acknowledged_on(db1);
    it.advance(1900ms);
    EXPECT_GT(it.acknowledged_on(db1), before);
    it.advance(200ms);
    const std::size_t after = it.acknowledged_on(db1);
    it.advance(1s);
    EXPECT_EQ(it.acknowledged_on(db1), after);
}

TEST(AsynchronousCommit, IsAcknowledgedBeforeItIsOnTheDisk) {
    Stand it;
    it.world.clients[0].commit = CommitMode::off;
    it.world.stall_storage(db1, true);
    const std::size_t before = it.acknowledged_on(db1);
    it.advance(1s);
    EXPECT_GT(it.acknowledged_on(db1), before);
    EXPECT_FALSE(it.world.acknowledged.back().flushed);
    EXPECT_GT(it.world.acknowledged.back().end, it.world.at(db1).disk.end);
}

TEST(SlowStorage, AcknowledgesACommitOnceItIsFlushed) {
    Stand it;
    it.world.slow_storage(db1, 300ms);
    const std::size_t before = it.acknowledged_on(db1);
    it.advance(250ms);
    EXPECT_LE(it.acknowledged_on(db1), before + 1);  // what was under way
    it.advance(400ms);
    EXPECT_GT(it.acknowledged_on(db1), before);
}

TEST(FullDisk, EndsTheServerAndEveryRecoveryUntilThereIsRoom) {
    Stand it;
    it.world.fill_disk(db1);
    it.advance(5s);
    EXPECT_FALSE(it.world.at(db1).has_processes());
    it.world.start(db1, false);
    it.advance(5s);
    EXPECT_FALSE(it.world.at(db1).has_processes());
    it.world.free_disk(db1);
    it.world.start(db1, false);
    it.advance(5s);
    EXPECT_TRUE(it.world.accepts_writes(db1));
}

TEST(LossyLink, DeliversEverythingInOrderAndSomeOfItLate) {
    Stand it;
    it.world.network.set_loss(0, 1, 30);
    std::string order;
    const Instant began = it.world.agenda.now();
    Instant last = began;
    for (char letter = 'a'; letter <= 'z'; ++letter) {
        it.world.network.send(0, 1, [&, letter] {
            order += letter;
            last = it.world.agenda.now();
        });
    }
    it.advance(30s);
    EXPECT_EQ(order, "abcdefghijklmnopqrstuvwxyz");
    EXPECT_GT(last, began + 200ms);
}

TEST(Replica, GetsNoMoreFromAPrimaryThatRemovedWhatItNeeds) {
    WorldOptions options = without_chance();
    options.wal_keep_bytes = 1000;
    Stand it{options};
    it.world.power_off(db2);
    it.advance(10s);
    it.world.power_on(db2);
    it.advance(20s);
    EXPECT_LT(it.world.at(db2).disk.end, it.world.at(db1).disk.end);
    EXPECT_FALSE(it.world.at(db2).receiver.has_value() && it.world.at(db2).receiver->state == Receiver::State::streaming);
}

TEST(Session, ToAMachineThatStartedAnewIsEndedByAKeepalive) {
    Stand it;
    auto session = std::make_shared<Session>();
    it.world.at(db1).sessions.push_back(session);
    it.world.power_off(db1);
    it.world.power_on(db1);
    it.advance(4s);
    EXPECT_FALSE(session->ended);
    it.advance(2s);
    EXPECT_TRUE(session->ended);
}

TEST(Orphans, GoOnCommittingAfterThePostmasterIsDead) {
    Stand it;
    it.world.kill_postmaster(db1, 2, 5s);
    const std::size_t before = it.acknowledged_on(db1);
    it.advance(2s);
    EXPECT_GT(it.acknowledged_on(db1), before);
    EXPECT_TRUE(it.world.accepts_writes(db1));
    it.world.kill_all(db1);
    EXPECT_FALSE(it.world.accepts_writes(db1));
    EXPECT_EQ(it.world.at(db1).processes(), 0U);
}

TEST(FrozenServer, DoesWhatArrivedWhenItWakes) {
    Stand it;
    it.world.freeze(db1);
    const std::size_t before = it.acknowledged_on(db1);
    it.advance(2s);
    EXPECT_EQ(it.acknowledged_on(db1), before);
    it.world.thaw(db1);
    it.advance(100ms);
    EXPECT_GT(it.acknowledged_on(db1), before);
}

TEST(SupervisedServer, IsStartedAgainUnlessItsAutostartIsOff) {
    Stand it;
    it.world.at(db1).restarted_after = 200ms;
    it.world.kill_all(db1);
    it.advance(3s);
    EXPECT_TRUE(it.world.at(db1).is_primary());
    it.world.at(db1).disk.autostart = false;
    it.world.kill_all(db1);
    it.advance(3s);
    EXPECT_FALSE(it.world.at(db1).has_processes());
}

TEST(Network, DeliversLateWhatWasSentIntoADroppingLink) {
    Stand it;
    it.world.network.drop(0, 2);
    bool arrived = false;
    EXPECT_EQ(it.world.network.send(0, 2, [&] { arrived = true; }), Network::Sent::held);
    it.advance(5s);
    EXPECT_FALSE(arrived);
    it.world.network.heal(0, 2);
    it.advance(2s);
    EXPECT_TRUE(arrived);
}

TEST(World, ReplaysLaterOnADelayedReplicaAndAllOfItWhenItIsPromoted) {
    Stand it;
    it.world.at(db2).setup.apply_delay = 2s;
    it.advance(10s);
    const Disk& disk = it.world.at(db2).disk;
    EXPECT_EQ(disk.end, it.world.at(db1).disk.end);
    EXPECT_LT(disk.replayed, disk.end);
    const model::Lsn received = disk.end;
    it.advance(3s);
    EXPECT_GE(disk.replayed, received);
    it.world.kill_all(db1);
    it.world.begin_promotion(db2);
    it.advance(1s);
    EXPECT_EQ(disk.replayed, disk.end);
}

TEST(World, PassesWalOnToAReplicaOfAReplica) {
    Stand it;
    it.world.at(db3).disk.follows = db2;
    it.world.reload_receiver(db3);
    it.advance(1s);
    EXPECT_EQ(it.world.at(db3).disk.end, it.world.at(db1).disk.end);
    it.world.fast_stop(db2, {});
    it.advance(2s);
    const std::optional<Receiver>& receiver = it.world.at(db3).receiver;
    EXPECT_FALSE(receiver && receiver->state == Receiver::State::streaming);
}

TEST(World, ServesNoClientWhoseTransactionsAreReadOnly) {
    Stand it;
    it.world.at(db1).setup.read_only = true;
    it.advance(1s);
    const std::size_t before = it.acknowledged_on(db1);
    it.advance(1s);
    EXPECT_EQ(it.acknowledged_on(db1), before);
    EXPECT_FALSE(it.world.accepts_writes(db1));
}

}  // namespace
}  // namespace handyrep::sim
