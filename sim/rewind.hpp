// sim/rewind.hpp — a rewind on a simulated machine: a job of its own, with the phases of the real one, which a loss of power ends and
// nothing else.
#pragma once

#include "ports/host.hpp"
#include "sim/world.hpp"

namespace handyrep::sim {

/// An interrupted job is settled first, as by whoever looks.
[[nodiscard]] model::RewindLook look_for_rewind(World& world, ServerIndex server);
[[nodiscard]] Result<model::Divergence> measure_divergence(
    const World& world, ServerIndex server, const model::DivergenceQuestion& question);
/// Begins it where none is under way.
[[nodiscard]] Result<model::RewindProgress> rewind(World& world, ServerIndex server, const ports::RewindWanted& wanted);
[[nodiscard]] Result<void> end_rewind(World& world, ServerIndex server, model::SystemId expected);
/// Why its directory is not started; nothing when it may be.
[[nodiscard]] std::optional<Error> held_by_rewind(const Server& server);

}  // namespace handyrep::sim
