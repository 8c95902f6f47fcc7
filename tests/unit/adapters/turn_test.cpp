#include "adapters/system_clock/system_clock.hpp"
#include "ports/turn.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <exception>
#include <optional>

namespace handyrep::ports {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

asio::awaitable<void> hold(Turn& turn, Clock& clock, Duration length, int& inside, int& most, int& done) {
    const auto held = co_await turn.take(clock, clock.now() + seconds{30});
    if (!held) co_return;
    most = std::max(most, ++inside);
    co_await clock.sleep_until(clock.now() + length);
    --inside;
    ++done;
}

TEST(Turn, HasOneHolderAtATimeAndEverybodyGetsIt) {
    asio::io_context context{1};
    adapters::system_clock::SystemClock clock;
    Turn turn;
    int inside = 0;
    int most = 0;
    int done = 0;
    for (int i = 0; i < 5; ++i) asio::co_spawn(context, hold(turn, clock, milliseconds{2}, inside, most, done), asio::detached);
    context.run();
    EXPECT_EQ(most, 1);
    EXPECT_EQ(done, 5);
    EXPECT_FALSE(turn.taken());
}

asio::awaitable<void> try_to_hold(Turn& turn, Clock& clock, Instant deadline, bool& got) {
    got = (co_await turn.take(clock, deadline)).has_value();
}

TEST(Turn, IsNotGivenAfterTheDeadline) {
    asio::io_context context{1};
    adapters::system_clock::SystemClock clock;
    Turn turn;
    int inside = 0;
    int most = 0;
    int done = 0;
    bool got = true;
    asio::co_spawn(context, hold(turn, clock, milliseconds{200}, inside, most, done), asio::detached);
    asio::co_spawn(context, try_to_hold(turn, clock, clock.now() + milliseconds{20}, got), asio::detached);
    context.run();
    EXPECT_FALSE(got);
    EXPECT_EQ(done, 1);
}

TEST(Turn, LetsAStopFlyPastAsOperationAborted) {
    asio::io_context context{1};
    adapters::system_clock::SystemClock clock;
    Turn turn;
    int inside = 0;
    int most = 0;
    int done = 0;
    bool got = false;
    std::exception_ptr thrown;
    asio::cancellation_signal stop;
    asio::co_spawn(context, hold(turn, clock, milliseconds{100}, inside, most, done), asio::detached);
    asio::co_spawn(
        context, try_to_hold(turn, clock, clock.now() + seconds{30}, got),
        asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr error) { thrown = error; }));
    context.run_for(milliseconds{20});
    stop.emit(asio::cancellation_type::terminal);
    context.run();
    ASSERT_TRUE(thrown);
    try {
        std::rethrow_exception(thrown);
    } catch (const boost::system::system_error& error) {
        EXPECT_EQ(error.code(), asio::error::operation_aborted);
    }
}

asio::awaitable<void> wait_for_ring(Bell& bell, std::uint64_t heard, Clock& clock, Instant until, std::optional<bool>& rang) {
    rang = co_await clock.wait(bell, heard, until);
}

TEST(SystemClock, WaitsForABellUntilItRings) {
    asio::io_context context{1};
    adapters::system_clock::SystemClock clock;
    Bell bell;
    std::optional<bool> rang;
    asio::co_spawn(context, wait_for_ring(bell, bell.rung(), clock, Instant::max(), rang), asio::detached);
    context.run_for(milliseconds{20});
    EXPECT_EQ(rang, std::nullopt);
    bell.ring();
    context.run();
    EXPECT_EQ(rang, true);
}

TEST(SystemClock, DoesNotLoseARingBetweenTwoWaits) {
    asio::io_context context{1};
    adapters::system_clock::SystemClock clock;
    Bell bell;
    const std::uint64_t heard = bell.rung();
    bell.ring();
    std::optional<bool> rang;
    asio::co_spawn(context, wait_for_ring(bell, heard, clock, Instant::max(), rang), asio::detached);
    context.run();
    EXPECT_EQ(rang, true);
}

TEST(SystemClock, WaitsForASilentBellUntilTheTimeGiven) {
    asio::io_context context{1};
    adapters::system_clock::SystemClock clock;
    Bell bell;
    const Instant until = clock.now() + milliseconds{10};
    std::optional<bool> rang;
    asio::co_spawn(context, wait_for_ring(bell, bell.rung(), clock, until, rang), asio::detached);
    context.run();
    EXPECT_EQ(rang, false);
    EXPECT_GE(clock.now(), until);
}

TEST(SystemClock, LetsAStopOfAWaitFlyPastAsOperationAborted) {
    asio::io_context context{1};
    adapters::system_clock::SystemClock clock;
    Bell bell;
    std::optional<bool> rang;
    std::exception_ptr thrown;
    asio::cancellation_signal stop;
    asio::co_spawn(
        context, wait_for_ring(bell, bell.rung(), clock, Instant::max(), rang),
        asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr error) { thrown = error; }));
    context.run_for(milliseconds{20});
    stop.emit(asio::cancellation_type::terminal);
    context.run();
    EXPECT_EQ(rang, std::nullopt);
    ASSERT_TRUE(thrown);
    EXPECT_THROW(std::rethrow_exception(thrown), boost::system::system_error);
}

TEST(Bell, MayGoBeforeWhoeverWaitsForItIsUnwound) {
    adapters::system_clock::SystemClock clock;
    std::optional<bool> rang;
    {
        asio::io_context context{1};
        {
            Bell bell;
            asio::co_spawn(context, wait_for_ring(bell, bell.rung(), clock, Instant::max(), rang), asio::detached);
            context.run_for(milliseconds{5});
        }
    }
    EXPECT_EQ(rang, std::nullopt);
}

TEST(SystemClock, SleepsNoShorterThanItWasToldTo) {
    asio::io_context context{1};
    adapters::system_clock::SystemClock clock;
    const Instant until = clock.now() + milliseconds{10};
    Instant woke{};
    bool done = false;
    asio::co_spawn(context, clock.sleep_until(until), [&](std::exception_ptr) {
        woke = clock.now();
        done = true;
    });
    context.run();
    EXPECT_TRUE(done);
    EXPECT_GE(woke, until);
    EXPECT_GE(clock.boot_now(), Instant{});
}

}  // namespace
}  // namespace handyrep::ports
