// ports/clock.hpp — where time comes from, and the one way to bound a wait.
#pragma once

#include "base/time.hpp"
#include "ports/async.hpp"
#include "ports/bell.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/multiple_exceptions.hpp>
#include <fmt/format.h>

#include <cstdint>
#include <exception>
#include <string>

namespace handyrep::ports {

class Clock {
public:
    Clock() = default;
    Clock(const Clock&) = delete;
    Clock& operator=(const Clock&) = delete;
    virtual ~Clock() = default;

    /// Monotonic; stands still while the machine is suspended (CLOCK_MONOTONIC).
    [[nodiscard]] virtual Instant now() const = 0;
    /// Monotonic and goes on while the machine is suspended (CLOCK_BOOTTIME): where it runs ahead of `now`, we slept.
    [[nodiscard]] virtual Instant boot_now() const = 0;
    /// For people and files; may jump.
    [[nodiscard]] virtual WallTime wall() const = 0;
    /// Returns no earlier than `when`. Told to stop first, it throws `operation_aborted`; it never returns early.
    virtual asio::awaitable<void> sleep_until(Instant when) = 0;
    /// Until `bell` has rung more often than `heard`, or until `until`; true when it has rung. Told to stop first, it throws
    /// `operation_aborted`.
    virtual asio::awaitable<bool> wait(Bell& bell, std::uint64_t heard, Instant until) = 0;

    /// The same without an end of its own.
    asio::awaitable<bool> wait(Bell& bell, std::uint64_t heard) { return wait(bell, heard, Instant::max()); }
};

/// `work`, or `timed_out` at `deadline`; the work is told to stop then. A timeout is not a "no": what `work` asked for may still happen.
template <class T>
Async<T> within(Clock& clock, Instant deadline, std::string what, Async<T> work) {
    using namespace asio::experimental::awaitable_operators;
    try {
        auto first = co_await (std::move(work) || clock.sleep_until(deadline));
        if (first.index() == 0) co_return std::get<0>(std::move(first));
    } catch (const asio::multiple_exceptions& both) {
        // Told to stop, both sides throw, and Asio packs the two `operation_aborted` into one exception that nobody looks for.
        std::rethrow_exception(both.first_exception());
    }
    co_return Error{ErrorKind::timed_out, fmt::format("{} was not done in time", what)};
}

}  // namespace handyrep::ports
