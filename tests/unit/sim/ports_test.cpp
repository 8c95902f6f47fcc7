#include "sim/host.hpp"
#include "sim/postgres.hpp"
#include "sim/store.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <string>

namespace handyrep::sim {
namespace {

using namespace std::chrono_literals;
using model::DialOutcome;

constexpr ServerIndex db1 = 0;
constexpr ServerIndex db2 = 1;

template <class T>
asio::awaitable<void> keep(asio::awaitable<T> work, std::optional<T>& out) {
    out.emplace(co_await std::move(work));
}

struct Stand {
    Stand() {
        for (ServerIndex it = 0; it < world.servers.size(); ++it) world.start(it, false);
        advance(8s);
    }
    void advance(Duration length) {
        const Instant end = world.agenda.now() + length;
        world.agenda.at(end, [] {});
        settle();
        while (world.agenda.next() && *world.agenda.next() <= end) {
            world.agenda.run_next();
            settle();
        }
    }
    void settle() {
        io.restart();
        io.poll();
    }
    [[nodiscard]] Instant in(Duration limit) const { return world.agenda.now() + limit; }

    /// The result of `work`, for which time goes on.
    template <class T>
    T wait_for(asio::awaitable<T> work) {
        std::optional<T> out;
        asio::co_spawn(io, keep(std::move(work), out), [](const std::exception_ptr& error) {
            if (error) std::rethrow_exception(error);
        });
        settle();
        while (!out) {
            world.agenda.run_next();
            settle();
        }
        return *out;
    }

    World world{WorldOptions{}, 1};
    asio::io_context io{1};
    std::shared_ptr<Waits> waits = std::make_shared<Waits>(io.get_executor(), world.agenda, world.manager_clock);
    SimPostgres primary{world, waits, db1};
    SimPostgres replica{world, waits, db2};
    SimHost host{world, waits, db1, model::Transport::ssh};
};

TEST(Dial, TellsTheWaysOfNotAnsweringApart) {
    Stand it;
    EXPECT_EQ(it.wait_for(it.primary.dial(it.in(500ms))).outcome, DialOutcome::accepted);
    it.world.at(db1).connections_full = true;
    EXPECT_EQ(it.wait_for(it.primary.dial(it.in(500ms))).outcome, DialOutcome::too_many_connections);
    it.world.at(db1).connections_full = false;
    it.world.at(db1).password_broken = true;
    EXPECT_EQ(it.wait_for(it.primary.dial(it.in(500ms))).outcome, DialOutcome::authentication_failed);
    it.world.at(db1).password_broken = false;
    it.world.freeze(db1);
    EXPECT_EQ(it.wait_for(it.primary.dial(it.in(500ms))).outcome, DialOutcome::startup_timeout);
    it.world.thaw(db1);
    it.world.network.drop(0, 1);
    EXPECT_EQ(it.wait_for(it.primary.dial(it.in(500ms))).outcome, DialOutcome::connect_timeout);
    it.world.network.heal(0, 1);
    it.world.crash_backend(db1);
    EXPECT_EQ(it.wait_for(it.primary.dial(it.in(500ms))).outcome, DialOutcome::in_recovery);
    it.world.kill_all(db1);
    EXPECT_EQ(it.wait_for(it.primary.dial(it.in(500ms))).outcome, DialOutcome::refused);
    it.world.power_off(db1);
    EXPECT_EQ(it.wait_for(it.primary.dial(it.in(500ms))).outcome, DialOutcome::connect_timeout);
}

TEST(Poll, SeesThePrimaryAndMovesItsWalByABeat) {
    Stand it;
    const auto first = it.wait_for(it.primary.poll(true, it.in(500ms)));
    it.advance(200ms);  // walwriter flushes it (S16)
    const auto second = it.wait_for(it.primary.poll(true, it.in(500ms)));
    const auto* const one = std::get_if<model::Answered>(&first);
    const auto* const two = std::get_if<model::Answered>(&second);
    ASSERT_TRUE(one != nullptr && two != nullptr && one->primary() != nullptr && two->primary() != nullptr);
    EXPECT_LT(one->primary()->flushed, two->primary()->flushed);
}

TEST(Poll, KeepsTheTimeOfTheQuestionThatNobodyAnswered) {
    Stand it;
    static_cast<void>(it.wait_for(it.primary.poll(true, it.in(500ms))));
    it.world.freeze(db1);
    const Instant asked = it.world.agenda.now();
    static_cast<void>(it.wait_for(it.primary.poll(true, it.in(500ms))));
    const auto second = it.wait_for(it.primary.poll(true, it.in(500ms)));
    ASSERT_TRUE(std::holds_alternative<model::Silent>(second));
    EXPECT_EQ(std::get<model::Silent>(second).since, asked);
    it.world.thaw(db1);
    EXPECT_TRUE(std::holds_alternative<model::Answered>(it.wait_for(it.primary.poll(true, it.in(500ms)))));
}

TEST(Poll, ReportsTheLastWordsOfEachKindOfEnd) {
    const auto words_after = [](void (*end)(World&)) {
        Stand it;
        static_cast<void>(it.wait_for(it.primary.poll(true, it.in(500ms))));
        end(it.world);
        it.advance(10ms);
        const auto sight = it.wait_for(it.primary.poll(true, it.in(500ms)));
        return std::holds_alternative<model::Lost>(sight) ? std::string(word_for(std::get<model::Lost>(sight).words)) : "not lost";
    };
    EXPECT_EQ(words_after([](World& world) { world.kill_all(db1); }), "closed without a word");
    EXPECT_EQ(words_after([](World& world) { world.kill_postmaster(db1, 1, 1s); }), "its postmaster died");
    EXPECT_EQ(words_after([](World& world) { world.crash_backend(db1); }), "another backend crashed");
    EXPECT_EQ(words_after([](World& world) { world.fast_stop(db1, {}); }), "ended by an administrator");
    EXPECT_EQ(words_after([](World& world) { world.power_off(db1); }), "not lost");
}

TEST(SessionEnded, ReturnsWithoutAPoll) {
    Stand it;
    static_cast<void>(it.wait_for(it.primary.poll(true, it.in(500ms))));
    bool heard = false;
    asio::co_spawn(it.io, it.primary.session_ended(), [&](const std::exception_ptr&) { heard = true; });
    it.advance(1s);
    EXPECT_FALSE(heard);
    it.world.kill_all(db1);
    it.advance(10ms);
    EXPECT_TRUE(heard);
}

TEST(Promote, IsDroppedByTheServerAfterItsExpiryByItsOwnClock) {
    Stand it;
    it.world.at(db2).clock_ahead = 10min;
    const WallTime soon = SimClock::wall_of(it.in(5s));
    const auto late = it.wait_for(it.replica.promote(soon, it.in(1s)));
    ASSERT_FALSE(late.has_value());
    EXPECT_EQ(late.error().kind, ErrorKind::refused);
    EXPECT_TRUE(it.wait_for(it.replica.promote(soon + 10min, it.in(1s))).has_value());
    it.advance(6s);
    EXPECT_TRUE(it.world.at(db2).is_primary());
}

TEST(Promote, ArrivesLateAfterAPartitionUnlessItExpired) {
    Stand it;
    static_cast<void>(it.wait_for(it.replica.poll(false, it.in(500ms))));
    it.world.network.drop(0, 2);
    const auto unanswered = it.wait_for(it.replica.promote(SimClock::wall_of(it.in(1h)), it.in(1s)));
    ASSERT_FALSE(unanswered.has_value());
    EXPECT_FALSE(surely_not_done(unanswered.error().kind));
    EXPECT_TRUE(it.world.at(db2).in_recovery);
    it.world.network.heal(0, 2);
    it.advance(8s);
    EXPECT_FALSE(it.world.at(db2).in_recovery);
}

TEST(Detach, EndsTheReceiverAndFollowBringsItBack) {
    Stand it;
    EXPECT_TRUE(it.wait_for(it.replica.detach(it.in(1s))).has_value());
    EXPECT_FALSE(it.world.at(db2).receiver.has_value());
    EXPECT_TRUE(it.wait_for(it.replica.follow({"db1.example", 5432}, it.in(1s))).has_value());
    it.advance(1s);
    ASSERT_TRUE(it.world.at(db2).receiver.has_value());
    EXPECT_EQ(it.world.at(db2).receiver->state, Receiver::State::streaming);
}

TEST(Fence, LeavesNoProcessAMarkAndNoAutostart) {
    Stand it;
    it.world.at(db1).restarted_after = 5ms;
    it.world.kill_postmaster(db1, 3, 1h);
    const auto report = it.wait_for(it.host.fence(it.world.system_id, it.in(2s)));
    ASSERT_TRUE(report.has_value());
    EXPECT_TRUE(report->processes_gone());
    EXPECT_EQ(report->killed, 3U);
    it.advance(5s);
    EXPECT_FALSE(it.world.at(db1).has_processes());
    EXPECT_TRUE(it.world.at(db1).disk.standby_mark);
}

TEST(Fence, TouchesNothingOfAnotherSystem) {
    Stand it;
    const auto report = it.wait_for(it.host.fence(model::SystemId{1}, it.in(2s)));
    ASSERT_FALSE(report.has_value());
    EXPECT_EQ(report.error().kind, ErrorKind::refused);
    EXPECT_TRUE(it.world.at(db1).is_primary());
}

TEST(Fence, IsNoProofWhereSshdIsStopped) {
    Stand it;
    it.world.at(db1).ssh_answers = false;
    EXPECT_FALSE(it.wait_for(it.host.fence(it.world.system_id, it.in(2s))).has_value());
    EXPECT_TRUE(it.world.at(db1).is_primary());
}

TEST(Reach, SaysWhatTheOtherMachineWouldSee) {
    Stand it;
    EXPECT_EQ(it.wait_for(it.host.reach("db2.example", 5432, 400ms, it.in(1s))), model::Reach::accepted);
    it.world.kill_all(db2);
    EXPECT_EQ(it.wait_for(it.host.reach("db2.example", 5432, 400ms, it.in(1s))), model::Reach::refused);
    it.world.network.drop(1, 2);
    EXPECT_EQ(it.wait_for(it.host.reach("db2.example", 5432, 400ms, it.in(1s))), model::Reach::silent);
    it.world.at(db1).ssh_answers = false;
    EXPECT_EQ(it.wait_for(it.host.reach("db2.example", 5432, 400ms, it.in(1s))), model::Reach::unknown);
}

TEST(Store, KeepsWhatWasAcknowledgedAndForgetsEndedOperations) {
    Stand it;
    StoreDisk disk;
    SimStore store{it.world, it.waits, disk};
    const saved::JournalRecord begun{4, 1, {}, saved::JournalEntry::begun, "failover", "{}"};
    const saved::JournalRecord ended{4, 2, {}, saved::JournalEntry::ended, "operation", "done"};
    EXPECT_TRUE(it.wait_for(store.append(begun, it.in(1s))).has_value());
    EXPECT_EQ(it.wait_for(store.open_operations(it.in(1s)))->size(), 1U);
    EXPECT_EQ(*it.wait_for(store.last_operation(it.in(1s))), 4U);
    EXPECT_TRUE(it.wait_for(store.append(ended, it.in(1s))).has_value());
    EXPECT_TRUE(it.wait_for(store.open_operations(it.in(1s)))->empty());
    disk.hangs = true;
    const auto hung = it.wait_for(store.append(begun, it.in(1s)));
    ASSERT_FALSE(hung.has_value());
    EXPECT_EQ(hung.error().kind, ErrorKind::timed_out);
}

}  // namespace
}  // namespace handyrep::sim
