// sim/salvage.hpp — WAL that is carried from one simulated disk to another (S10): what the scripts and statements for it do where they arrive.
#pragma once

#include "model/wal_stretch.hpp"
#include "sim/service_scripts.hpp"
#include "sim/world.hpp"

#include <cstdint>

namespace handyrep::sim {

[[nodiscard]] Said<model::PackedWal> read_stretch(const World& world, ServerIndex server, const model::WalStretch& stretch);
[[nodiscard]] Said<model::WalPlace> make_place(World& world, ServerIndex server, const model::WalStretch& stretch);
[[nodiscard]] Said<Started> put_stretch(World& world, ServerIndex server, const model::WalStretch& stretch, const model::PackedWal& wal);

/// ALTER SYSTEM and reload; nothing when it was done.
[[nodiscard]] std::optional<Error> offer(World& world, ServerIndex server, std::uint64_t operation);
void end_offer(World& world, ServerIndex server);

}  // namespace handyrep::sim
