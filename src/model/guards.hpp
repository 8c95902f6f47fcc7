// model/guards.hpp — what holds automation back apart from the evidence.
#pragma once

#include "base/time.hpp"

#include <optional>

namespace handyrep::model {

struct Guards {
    bool paused = false;       // a person paused automation
    bool maintenance = false;  // of the cluster or its primary
    bool provisional = false;  // started without intact saved state, and not every server was read yet (S13)
    bool operation_running = false;
    bool journal_available = true;
    std::optional<Duration> cooldown_left{};  // since the last automatic failover, while not acknowledged
    std::optional<Instant> refused_until{};   // an attempt was just refused: look again then
};

}  // namespace handyrep::model
