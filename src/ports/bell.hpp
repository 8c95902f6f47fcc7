// ports/bell.hpp — wakes everybody who waits for news; they look again at what they wait for.
//
// A value without a clock or an executor: how one rests until it rings is for the clock (`Clock::wait`), so that a wait for
// "news, or this time" needs no race of two coroutines whose loser has to be unwound. Not safe between threads: everything
// that touches one bell runs on the strand of its cluster.
#pragma once

#include <cstdint>
#include <utility>

namespace handyrep::ports {

/// Counted, so that a ring between two waits is not lost: whoever waits says which ring was the last it heard.
class Bell {
public:
    /// Is told of every ring while it lives. Being told, it must neither ring nor end a listener: it notes, and wakes later.
    class Listener {
    public:
        explicit Listener(Bell& bell) : bell_{&bell}, next_{std::exchange(bell.first_, this)} {
            if (next_ != nullptr) next_->before_ = this;
        }
        Listener(const Listener&) = delete;
        Listener& operator=(const Listener&) = delete;
        virtual ~Listener() {
            if (bell_ == nullptr) return;
            (before_ != nullptr ? before_->next_ : bell_->first_) = next_;
            if (next_ != nullptr) next_->before_ = before_;
        }
        virtual void rung() = 0;

    private:
        friend class Bell;
        Bell* bell_;  // nothing once the bell is gone: what waits for it may be unwound later than its owner
        Listener* before_ = nullptr;
        Listener* next_;
    };

    Bell() = default;
    Bell(const Bell&) = delete;
    Bell& operator=(const Bell&) = delete;
    ~Bell() {
        for (Listener* it = first_; it != nullptr; it = it->next_) it->bell_ = nullptr;
    }

    [[nodiscard]] std::uint64_t rung() const { return rung_; }
    void ring() {
        ++rung_;
        for (Listener* it = first_; it != nullptr; it = it->next_) it->rung();
    }

private:
    Listener* first_ = nullptr;
    std::uint64_t rung_ = 0;
};

}  // namespace handyrep::ports
