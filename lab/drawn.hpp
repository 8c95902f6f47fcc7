// lab/drawn.hpp — a story that a seed draws: a cluster, a few faults and when they come.
#pragma once

#include "scenarios/scenario.hpp"

#include <cstdint>

namespace handyrep::lab {

enum class Replication { any, synchronous, asynchronous };

/// The same for the same seed and wish on every machine.
[[nodiscard]] scenarios::Scenario draw_story(std::uint64_t seed, Replication replication = Replication::any);

}  // namespace handyrep::lab
