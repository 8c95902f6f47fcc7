// adapters/ssh/report.hpp — the answers of the scripts, read strictly: a line more, less or out of place is an error, never a proof.
#pragma once

#include "base/result.hpp"
#include "model/readiness.hpp"
#include "model/rewind.hpp"
#include "model/sighting.hpp"
#include "model/wal_end.hpp"
#include "model/wal_stretch.hpp"
#include "ports/host.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace handyrep::adapters::ssh {

/// As the control file numbers it; nothing for a number that it does not use.
[[nodiscard]] std::optional<model::ControlState> control_state(std::size_t number);
[[nodiscard]] Result<model::HostLook> read_look(std::string_view text);
/// `refused` when the script found another system's directory and touched nothing.
[[nodiscard]] Result<ports::FenceReport> read_fence(std::string_view text);
[[nodiscard]] Result<ports::StopReport> read_stop(std::string_view text);
/// `refused` for another system's directory, `conflict` while processes hold it, `failed` when the end was not found.
[[nodiscard]] Result<model::WalEnd> read_wal_end(std::string_view text, const model::WalEndQuestion& question);
[[nodiscard]] Result<model::RewindLook> read_rewind_look(std::string_view text);
/// `refused` for another system's directory.
[[nodiscard]] Result<model::Divergence> read_divergence(std::string_view text);
[[nodiscard]] Result<model::RewindProgress> read_rewind(std::string_view text);
/// Errors as of `read_wal_end`; `failed` as well when what came is not what base64 makes.
[[nodiscard]] Result<model::PackedWal> read_packed_wal(std::string_view text);
/// `stretch`: what was asked for.
[[nodiscard]] Result<model::WalPlace> read_wal_place(std::string_view text, const model::WalStretch& stretch);
/// What the fence's drill answers, in the fence's own words.
[[nodiscard]] Result<model::FenceDrill> read_drill(std::string_view text);
[[nodiscard]] Result<model::HostInspection> read_inspection(std::string_view text);

/// psql's exit status and what it said; 127 when there is none.
struct LoginReport {
    int status;
    std::string said;
};
[[nodiscard]] Result<LoginReport> read_login(std::string_view text);
/// "done", or `refused` or `failed` with what the script said.
[[nodiscard]] Result<void> read_done(std::string_view text);
/// primary_conninfo, freed of the quoting of a configuration file.
[[nodiscard]] Result<std::string> read_upstream(std::string_view text);
[[nodiscard]] Result<std::string> read_path(std::string_view text);

}  // namespace handyrep::adapters::ssh
