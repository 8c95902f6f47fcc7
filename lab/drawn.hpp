// lab/drawn.hpp — a story that a seed draws: a cluster, a few faults and when they come.
#pragma once

#include "scenarios/scenario.hpp"

#include <cstdint>

namespace handyrep::lab {

/// The same for the same seed on every machine. Afterwards everything is whole again, and one server must take writes.
[[nodiscard]] scenarios::Scenario draw_story(std::uint64_t seed);

}  // namespace handyrep::lab
