// sim/clock.hpp — virtual time for the real engine's coroutines.
//
// `Waits` is the one place where a coroutine of a manager rests: the world fulfils its ticket, or the coroutine is told to
// stop. The world never runs the manager's code itself: fulfilling posts, and the driver polls the io_context afterwards.
#pragma once

#include "ports/clock.hpp"
#include "sim/agenda.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/system/error_code.hpp>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace handyrep::sim {

/// The clocks of the manager's machine. They survive the manager.
struct MachineClock {
    Duration suspended{};    // the machine slept for so long: its monotonic clock stood still, the boot-time clock went on
    Duration wall_jumped{};  // somebody set its wall clock

    [[nodiscard]] Instant monotonic(Instant truly) const { return truly - suspended; }
    [[nodiscard]] Instant truly(Instant monotonic) const { return monotonic == Instant::max() ? monotonic : monotonic + suspended; }
};

class Waits {
public:
    using Ticket = std::uint64_t;
    Waits(asio::any_io_executor executor, const Agenda& agenda, const MachineClock& machine);
    Waits(const Waits&) = delete;
    Waits& operator=(const Waits&) = delete;
    ~Waits();

    [[nodiscard]] Ticket open() { return ++last_; }
    /// By the manager's own monotonic clock; deadlines are given in it.
    [[nodiscard]] Instant now() const { return machine_.monotonic(agenda_.now()); }
    /// When that will truly be, unless the machine sleeps meanwhile.
    [[nodiscard]] Instant truly(Instant when) const { return machine_.truly(when); }
    /// Until the ticket is fulfilled; throws `operation_aborted` when told to stop first.
    asio::awaitable<void> wait(Ticket ticket);
    /// Throws `operation_aborted` when closed: asked by a port before it touches the world.
    void ensure_alive() const;
    /// Whether something was woken since the last time this was asked: otherwise there is nothing to run.
    [[nodiscard]] bool take_woken() { return std::exchange(woken_, false); }
    /// There is something to run that no ticket woke.
    void wake() { woken_ = true; }
    /// Nothing happens when nobody waits for it (any more).
    void fulfil(Ticket ticket);
    /// The manager died: whoever waits, or comes to wait, is told to stop at once. Nothing it still does reaches the world.
    void close();
    [[nodiscard]] bool closed() const { return closed_; }

private:
    struct Parked;
    template <class Handler>
    struct ParkedHandler;
    template <class Handler>
    void park(Ticket ticket, Handler handler);
    void finish(Ticket ticket, boost::system::error_code error);

    asio::any_io_executor executor_;
    const Agenda& agenda_;
    const MachineClock& machine_;
    std::vector<std::pair<Ticket, std::unique_ptr<Parked>>> parked_;  // in the order of waiting; never many
    Ticket last_ = 0;
    bool closed_ = false;
    bool woken_ = true;  // at first: the coroutines have not begun
};

class SimClock final : public ports::Clock {
public:
    SimClock(Agenda& agenda, const MachineClock& machine, std::shared_ptr<Waits> waits)
        : agenda_{agenda}, machine_{machine}, waits_{std::move(waits)} {}

    [[nodiscard]] Instant now() const override { return waits_->now(); }
    [[nodiscard]] Instant boot_now() const override { return agenda_.now(); }
    [[nodiscard]] WallTime wall() const override { return wall_of(agenda_.now() + machine_.wall_jumped); }
    using Clock::wait;
    asio::awaitable<void> sleep_until(Instant when) override;
    asio::awaitable<bool> wait(ports::Bell& bell, std::uint64_t heard, Instant until) override;

    /// Every run begins on the same day, so that wall times are the same in every repetition.
    [[nodiscard]] static WallTime wall_of(Instant instant);

private:
    Agenda& agenda_;
    const MachineClock& machine_;
    std::shared_ptr<Waits> waits_;
};

/// Fulfils the ticket at that time of the manager's monotonic clock; `Instant::max()` is never.
void wake_at(Agenda& agenda, const std::shared_ptr<Waits>& waits, Waits::Ticket ticket, Instant when);

/// What the world will say to a waiting coroutine. Shared, so that an answer that comes too late falls on no dead ground.
template <class T>
struct Reply {
    std::optional<T> value{};
    bool over = false;  // nothing will come any more
    std::weak_ptr<Waits> waits{};
    Waits::Ticket ticket = 0;

    void give(T it) {
        if (value) return;
        value = std::move(it);
        wake();
    }
    void wake() const {
        if (const auto alive = waits.lock()) alive->fulfil(ticket);
    }
};

/// The value, or nothing when the deadline passed or the reply is `over` without one.
template <class T>
asio::awaitable<std::optional<T>> answer_by(
    Agenda& agenda, std::shared_ptr<Waits> waits, std::shared_ptr<Reply<T>> reply, Instant deadline) {
    if (!reply->value && !reply->over && waits->now() < deadline) {
        reply->waits = waits;
        reply->ticket = waits->open();
        const Waits::Ticket ticket = reply->ticket;
        wake_at(agenda, waits, ticket, deadline);
        co_await waits->wait(ticket);
    }
    co_return reply->value;
}

}  // namespace handyrep::sim
