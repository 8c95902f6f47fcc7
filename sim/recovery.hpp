// sim/recovery.hpp — the claim of a run's second phase: once nothing is broken any more, the cluster is well again, or the
// manager says what is the matter with it. Judged from the truth of the world against what the manager reports.
#pragma once

#include "engine/report.hpp"
#include "sim/store.hpp"
#include "sim/world.hpp"

#include <string>

namespace handyrep::sim {

enum class Ending {
    well,       // one server takes writes, every other follows it
    parked,     // something is left for a person, and the manager names it
    unsettled,  // something is under way, or wrong and not named
};

struct Verdict {
    Ending ending;
    std::string text;  // of `unsettled`: what it is
};

[[nodiscard]] Verdict judge_recovery(const World& world, const StoreDisk& disk, const engine::ClusterReport& report);

}  // namespace handyrep::sim
