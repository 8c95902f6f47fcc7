// adapters/postgres/replication.hpp — what only a replication connection tells: the live timeline and its history.
#pragma once

#include "adapters/postgres/target.hpp"
#include "model/server.hpp"
#include "model/timeline.hpp"
#include "ports/async.hpp"
#include "ports/clock.hpp"

#include <optional>

namespace handyrep::adapters::postgres {

struct SystemIdentity {
    model::SystemId system_id;
    model::Timeline timeline;
    std::optional<model::TimelineHistory> history;  // where it was asked for
};

/// IDENTIFY_SYSTEM, and TIMELINE_HISTORY when asked for and the timeline has one (manual, "Streaming Replication Protocol").
Async<SystemIdentity> identify_system(Target target, bool with_history, ports::Clock& clock, Instant deadline);

}  // namespace handyrep::adapters::postgres
