// model/guards.hpp — what holds automation back apart from the evidence.
#pragma once

#include "base/time.hpp"

#include <optional>
#include <string>

namespace handyrep::model {

/// What the last attempt came to. The same attempt again waits longer each time.
struct Refusal {
    Instant until;
    int in_a_row = 1;
    std::string why{};
    friend bool operator==(const Refusal&, const Refusal&) = default;
};

struct Guards {
    bool paused = false;       // a person paused automation
    bool maintenance = false;  // of the cluster or its primary
    bool provisional = false;  // started without intact saved state, and not every server was read yet (S13)
    bool operation_running = false;
    bool journal_available = true;
    std::optional<Duration> cooldown_left{};  // since the last automatic failover, while not acknowledged
    std::optional<Refusal> refused{};         // an attempt was just refused: look again then
};

}  // namespace handyrep::model
