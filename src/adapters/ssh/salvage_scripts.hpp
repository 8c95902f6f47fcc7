// adapters/ssh/salvage_scripts.hpp — what brings WAL from one host to another (S10), as text; the rules of scripts.hpp hold.
#pragma once

#include "adapters/ssh/scripts.hpp"
#include "model/wal_stretch.hpp"

#include <string>

namespace handyrep::adapters::ssh {

/// Answers `wal`, by gzip and base64, or as wal_end_script where it may not be read.
[[nodiscard]] std::string read_wal_script(const Node& node, const model::WalStretch& stretch);

/// Answers `folder`, and `head`: how many bytes of the first file the server itself has. Or as read_done reads it.
[[nodiscard]] std::string make_place_script(const Node& node, const model::WalStretch& stretch);
[[nodiscard]] std::string put_wal_script(const Node& node, const model::WalStretch& stretch, const model::PackedWal& wal);
[[nodiscard]] std::string remove_place_script(const Node& node);

}  // namespace handyrep::adapters::ssh
