// sim/recovery.hpp — the claim of a run's second phase: once nothing is broken any more, the cluster is well again, or the
// manager says what is the matter with it. Judged from the truth of the world against what the manager reports.
#pragma once

#include "engine/report.hpp"
#include "sim/store.hpp"
#include "sim/world.hpp"

#include <string>
#include <string_view>

namespace handyrep::sim {

enum class Ending {
    well,       // one server takes writes, every other follows it
    parked,     // something is left for a person, and the manager names it
    unsettled,  // something is under way, or wrong and not named
};

[[nodiscard]] std::string_view word_for(Ending ending);

struct Verdict {
    Ending ending;
    std::string text;  // what is under way, wrong, or left for a person; empty when all is well
};

[[nodiscard]] Verdict judge_recovery(const World& world, const StoreDisk& disk, const engine::ClusterReport& report);

}  // namespace handyrep::sim
