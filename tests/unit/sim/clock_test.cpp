#include "sim/clock.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <string>

namespace handyrep::sim {
namespace {

using namespace std::chrono_literals;

/// An io_context over virtual time, as the driver of a run does it.
struct Drive {
    void run_for(Duration length) {
        const Instant end = agenda.now() + length;
        agenda.at(end, [] {});
        settle();
        while (agenda.next() && *agenda.next() <= end) {
            agenda.run_next();
            settle();
        }
    }
    void settle() {
        io.restart();
        io.poll();
    }

    Agenda agenda{};
    asio::io_context io{1};
    MachineClock machine{};
    std::shared_ptr<Waits> waits = std::make_shared<Waits>(io.get_executor(), agenda, machine);
    SimClock clock{agenda, machine, waits};
};

asio::awaitable<void> sleep_and_say(SimClock& clock, Instant when, std::string word, std::string& said) {
    co_await clock.sleep_until(when);
    said += word;
}

Async<int> slow_answer(SimClock& clock, Duration takes) {
    co_await clock.sleep_until(clock.now() + takes);
    co_return 7;
}

asio::awaitable<void> ask_within(SimClock& clock, Duration takes, Duration limit, Result<int>& out) {
    out = co_await ports::within(clock, clock.now() + limit, "the answer", slow_answer(clock, takes));
}

asio::awaitable<void> wait_and_say(SimClock& clock, ports::Bell& bell, Instant until, std::string& said) {
    const bool rang = co_await clock.wait(bell, bell.rung(), until);
    said += rang ? "rung" : "time";
}

TEST(Agenda, RunsEntriesOfOneTimeInTheOrderTheyWereMade) {
    Agenda agenda;
    std::string order;
    agenda.after(2s, [&] { order += "c"; });
    agenda.after(1s, [&] { order += "a"; });
    agenda.after(1s, [&] { order += "b"; });
    while (agenda.next()) agenda.run_next();
    EXPECT_EQ(order, "abc");
}

TEST(Agenda, NeverGoesBack) {
    Agenda agenda;
    agenda.after(1s, [&] { agenda.at(agenda.now() - 1h, [] {}); });
    agenda.run_next();
    const Instant before = agenda.now();
    agenda.run_next();
    EXPECT_EQ(agenda.now(), before);
}

TEST(SimClock, WakesSleepersInTheOrderOfTheirTimes) {
    Drive drive;
    std::string said;
    asio::co_spawn(drive.io, sleep_and_say(drive.clock, drive.clock.now() + 2s, "late ", said), asio::detached);
    asio::co_spawn(drive.io, sleep_and_say(drive.clock, drive.clock.now() + 1s, "early ", said), asio::detached);
    drive.run_for(1999ms);
    EXPECT_EQ(said, "early ");
    drive.run_for(1ms);
    EXPECT_EQ(said, "early late ");
}

TEST(SimClock, EndsARaceThatTheWorkWins) {
    Drive drive;
    Result<int> out{Error{ErrorKind::failed, "not asked yet"}};
    asio::co_spawn(drive.io, ask_within(drive.clock, 1s, 5s, out), asio::detached);
    drive.run_for(1s);
    ASSERT_TRUE(out.has_value());
    EXPECT_EQ(*out, 7);
}

TEST(SimClock, EndsARaceThatTheDeadlineWins) {
    Drive drive;
    Result<int> out{7};
    asio::co_spawn(drive.io, ask_within(drive.clock, 5s, 1s, out), asio::detached);
    drive.run_for(1s);
    ASSERT_FALSE(out.has_value());
    EXPECT_EQ(out.error().kind, ErrorKind::timed_out);
}

TEST(Waits, TellWhoeverRestsToStopWhenTheManagerDies) {
    Drive drive;
    std::string said;
    std::exception_ptr stopped;
    asio::co_spawn(drive.io, sleep_and_say(drive.clock, drive.clock.now() + 1s, "woken", said), [&](const std::exception_ptr& error) {
        stopped = error;
    });
    drive.settle();
    drive.waits->close();
    drive.settle();
    EXPECT_TRUE(stopped != nullptr);
    drive.run_for(5s);
    EXPECT_EQ(said, "");
}

TEST(SimClock, WaitsForABellOrForTheTimeWhicheverIsFirst) {
    Drive drive;
    ports::Bell bell;
    std::string said;
    asio::co_spawn(drive.io, wait_and_say(drive.clock, bell, drive.clock.now() + 1s, said), asio::detached);
    drive.run_for(999ms);
    EXPECT_EQ(said, "");
    drive.run_for(1ms);
    EXPECT_EQ(said, "time");
    asio::co_spawn(drive.io, wait_and_say(drive.clock, bell, Instant::max(), said), asio::detached);
    drive.run_for(1h);
    EXPECT_EQ(said, "time");
    bell.ring();
    drive.settle();
    EXPECT_EQ(said, "timerung");
}

}  // namespace
}  // namespace handyrep::sim
