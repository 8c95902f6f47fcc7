// What every adapter of the port `clock` does.
#include "tests/contract/stage.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <gtest/gtest.h>

namespace handyrep::contract {
namespace {

using namespace std::chrono_literals;

asio::awaitable<void> ring_after(ports::Clock& clock, ports::Bell& bell, Duration wait) {
    co_await clock.sleep_until(clock.now() + wait);
    bell.ring();
}

asio::awaitable<bool> wait_while_ringing(ports::Clock& clock, ports::Bell& bell, Duration rings_after, Duration limit) {
    const std::uint64_t heard = bell.rung();
    asio::co_spawn(co_await asio::this_coro::executor, ring_after(clock, bell, rings_after), [](const std::exception_ptr&) {});
    co_return co_await clock.wait(bell, heard, clock.now() + limit);
}

TEST(ClockContract, SleepsNoShorterThanAsked) {
    const auto stage = make_store_stage();
    const Instant until = stage->in(30ms);
    stage->run([](ports::Clock& clock, Instant when) -> asio::awaitable<bool> {
        co_await clock.sleep_until(when);
        co_return true;
    }(stage->clock(), until));
    EXPECT_GE(stage->clock().now(), until);
}

TEST(ClockContract, AWaitEndsWithTheRingThatComesBeforeItsTime) {
    const auto stage = make_store_stage();
    ports::Bell bell;
    const Instant far = stage->in(30s);
    EXPECT_TRUE(stage->run(wait_while_ringing(stage->clock(), bell, 10ms, 30s)));
    EXPECT_LT(stage->clock().now(), far);
}

TEST(ClockContract, AWaitEndsAtItsTimeWithoutARing) {
    const auto stage = make_store_stage();
    ports::Bell bell;
    const Instant until = stage->in(20ms);
    EXPECT_FALSE(stage->run(stage->clock().wait(bell, bell.rung(), until)));
    EXPECT_GE(stage->clock().now(), until);
}

TEST(ClockContract, ARingBetweenTwoWaitsIsNotLost) {
    const auto stage = make_store_stage();
    ports::Bell bell;
    const std::uint64_t heard = bell.rung();
    bell.ring();
    EXPECT_TRUE(stage->run(stage->clock().wait(bell, heard, stage->in(30s))));
}

}  // namespace
}  // namespace handyrep::contract
