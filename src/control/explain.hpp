// control/explain.hpp — the answers to `explain`, as JSON, from a recording: the daemon's own of this moment, or one that a user sent in.
//
// One function for both, so that a replay prints exactly what the daemon would have printed.
#pragma once

#include "control/json.hpp"
#include "saved/recording.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>

namespace handyrep::control {

struct ExplainQuestion {
    bool if_primary_died = false;
    /// How many changes back; 0 is when the recording was made.
    std::size_t back = 0;
};

/// Json converts to nearly everything, so a Result of it alone would be ambiguous.
struct Explained {
    Json json;
};

/// Fails with `invalid` when there are not so many changes, with `refused` when the question makes no sense (nobody is primary).
[[nodiscard]] Result<Explained> explain(const saved::Recording& recording, const ExplainQuestion& question);

}  // namespace handyrep::control
