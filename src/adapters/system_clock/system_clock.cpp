#include "adapters/system_clock/system_clock.hpp"

#include "base/ensure.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <time.h>

#include <chrono>

namespace handyrep::adapters::system_clock {

namespace {

Instant read(clockid_t clock) {
    timespec time{};
    ensure(clock_gettime(clock, &time) == 0, "the kernel knows its own clocks");
    return Instant{std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec}};
}

}  // namespace

Instant SystemClock::now() const { return read(CLOCK_MONOTONIC); }

Instant SystemClock::boot_now() const { return read(CLOCK_BOOTTIME); }

WallTime SystemClock::wall() const { return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()); }

asio::awaitable<void> SystemClock::sleep_until(Instant when) {
    asio::steady_timer timer{co_await asio::this_coro::executor};
    // A wait that is already over still passes through the loop once, so that a stop is noticed and others get their turn.
    do {
        timer.expires_after(when - now());
        co_await timer.async_wait(asio::use_awaitable);
    } while (now() < when);
}

}  // namespace handyrep::adapters::system_clock
