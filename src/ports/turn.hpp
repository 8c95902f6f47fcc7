// ports/turn.hpp — taking turns at one neighbour, and being told that something changed, within one strand.
//
// Neither is safe between threads: everything that touches one object runs on the strand of its cluster.
#pragma once

#include "ports/clock.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <cstdint>
#include <optional>
#include <utility>

namespace handyrep::ports {

/// Wakes everyone who waits; they look again at what they wait for. The count closes the gap between looking and waiting.
class Signal {
public:
    explicit Signal(const asio::any_io_executor& executor) : timer_{executor, asio::steady_timer::time_point::max()} {}

    [[nodiscard]] std::uint64_t count() const { return count_; }
    void wake_all() {
        ++count_;
        timer_.cancel();
    }
    /// Returns once there was a wake after `seen` was read. Told to stop first, it throws `operation_aborted`.
    asio::awaitable<void> wait(std::uint64_t seen) {
        if (count_ != seen) co_return;
        boost::system::error_code ended;
        co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ended));
        if (count_ == seen) throw boost::system::system_error{asio::error::operation_aborted};
    }
    /// False at the deadline.
    asio::awaitable<bool> wait_until(Clock& clock, std::uint64_t seen, Instant deadline) {
        co_await first_of(wait(seen), clock.sleep_until(deadline));
        co_return count_ != seen;
    }

private:
    asio::steady_timer timer_;
    std::uint64_t count_ = 0;
};

/// One holder at a time.
class Turn {
public:
    /// Ends the turn when it goes.
    class Held {
    public:
        explicit Held(Turn& turn) : turn_{&turn} {}
        Held(Held&& other) noexcept : turn_{std::exchange(other.turn_, nullptr)} {}
        Held(const Held&) = delete;
        Held& operator=(const Held&) = delete;
        Held& operator=(Held&&) = delete;
        ~Held() {
            if (turn_ != nullptr) turn_->free();
        }

    private:
        Turn* turn_;
    };

    explicit Turn(const asio::any_io_executor& executor) : freed_{executor} {}

    /// Nothing at the deadline.
    asio::awaitable<std::optional<Held>> take(Clock& clock, Instant deadline) {
        while (taken_) {
            const bool woken = co_await freed_.wait_until(clock, freed_.count(), deadline);
            if (!woken && taken_) co_return std::nullopt;
        }
        taken_ = true;
        since_ = clock.now();
        co_return std::optional<Held>{std::in_place, *this};
    }

    [[nodiscard]] bool taken() const { return taken_; }
    /// When the present turn began.
    [[nodiscard]] Instant since() const { return since_; }
    [[nodiscard]] Signal& freed() { return freed_; }

private:
    void free() {
        taken_ = false;
        freed_.wake_all();
    }

    Signal freed_;
    bool taken_ = false;
    Instant since_{};
};

}  // namespace handyrep::ports
