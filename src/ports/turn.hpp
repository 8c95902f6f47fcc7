// ports/turn.hpp — taking turns at one neighbour, within one strand.
//
// Not safe between threads: everything that touches one object runs on the strand of its cluster.
#pragma once

#include "ports/clock.hpp"

#include <optional>
#include <utility>

namespace handyrep::ports {

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

    /// Nothing at the deadline.
    asio::awaitable<std::optional<Held>> take(Clock& clock, Instant deadline) {
        while (taken_) {
            const bool woken = co_await clock.wait(freed_, freed_.rung(), deadline);
            if (!woken && taken_) co_return std::nullopt;
        }
        taken_ = true;
        since_ = clock.now();
        co_return std::optional<Held>{std::in_place, *this};
    }

    [[nodiscard]] bool taken() const { return taken_; }
    /// When the present turn began.
    [[nodiscard]] Instant since() const { return since_; }
    [[nodiscard]] Bell& freed() { return freed_; }

private:
    void free() {
        taken_ = false;
        freed_.ring();
    }

    Bell freed_;
    bool taken_ = false;
    Instant since_{};
};

}  // namespace handyrep::ports
