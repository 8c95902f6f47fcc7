#include "engine/looks.hpp"

#include "base/overloaded.hpp"

#include <fmt/format.h>

#include <utility>

namespace handyrep::engine {

bool ReplayWatch::note(model::Lsn replayed, Instant now) {
    if (std::exchange(reached_, replayed) == replayed) return false;
    since_ = now;
    return true;
}

bool ReplayWatch::is_held_up(const model::StandbyAnswer& standby, Instant now) const {
    return standby.received > standby.replayed && !standby.replay_waits && !standby.replay_paused &&
           standby.apply_delay == Duration::zero() && still(now) >= held_up;
}

std::string words_of(const model::HeldSight& sight) {
    return std::visit(
        Overloaded{
            [](const model::Answered& it) { return std::string(it.primary() != nullptr ? "answers as primary" : "answers as standby"); },
            [](const model::Silent&) { return std::string("does not answer"); },
            [](const model::Lost& it) { return fmt::format("session lost: {}", word_for(it.words)); },
            [](const model::NotOpen& it) { return fmt::format("{} {}", word_for(it.why), it.message); },
            [](const model::Complained& it) { return fmt::format("{} {}", it.sqlstate, it.message); },
        },
        sight);
}

}  // namespace handyrep::engine
