// sim/player.hpp — plays a story of scenarios/ in virtual time.
#pragma once

#include "scenarios/player.hpp"
#include "sim/trace.hpp"

#include <vector>

namespace handyrep::sim {

/// What came of a story, and everything that happened in it.
struct Told : scenarios::Told {
    std::vector<Trace::Line> lines;
};

/// `invalid` when the story asks for settings that handyrep.conf would refuse.
[[nodiscard]] Result<Told> play(const scenarios::Scenario& scenario, std::uint64_t seed = 1);

}  // namespace handyrep::sim
