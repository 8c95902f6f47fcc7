#include "adapters/system_clock/system_clock.hpp"

#include "base/ensure.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <time.h>

#include <algorithm>
#include <chrono>

namespace handyrep::adapters::system_clock {

namespace {

Instant read(clockid_t clock) {
    timespec time{};
    ensure(clock_gettime(clock, &time) == 0, "the kernel knows its own clocks");
    return Instant{std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec}};
}

/// Asio adds what it is told to wait to its own clock, which must not overflow.
constexpr Duration longest_wait = std::chrono::hours{24};

class Alarm final : public ports::Bell::Listener {
public:
    Alarm(ports::Bell& bell, asio::steady_timer& timer) : Listener{bell}, timer_{timer} {}
    void rung() override { timer_.cancel(); }

private:
    asio::steady_timer& timer_;
};

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

asio::awaitable<bool> SystemClock::wait(ports::Bell& bell, std::uint64_t heard, Instant until) {
    asio::steady_timer timer{co_await asio::this_coro::executor};
    const Alarm alarm{bell, timer};
    while (bell.rung() <= heard) {
        timer.expires_after(std::min(until - now(), longest_wait));
        const auto [error] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        if (bell.rung() > heard) break;
        if (error) throw boost::system::system_error{error};
        if (now() >= until) co_return false;
    }
    co_return true;
}

}  // namespace handyrep::adapters::system_clock
