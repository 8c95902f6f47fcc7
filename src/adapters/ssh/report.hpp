// adapters/ssh/report.hpp — the answers of the scripts, read strictly: a line more, less or out of place is an error, never a proof.
#pragma once

#include "base/result.hpp"
#include "model/readiness.hpp"
#include "model/sighting.hpp"
#include "model/wal_end.hpp"
#include "ports/host.hpp"

#include <string>
#include <string_view>

namespace handyrep::adapters::ssh {

[[nodiscard]] Result<model::HostLook> read_look(std::string_view text);
/// `refused` when the script found another system's directory and touched nothing.
[[nodiscard]] Result<ports::FenceReport> read_fence(std::string_view text);
[[nodiscard]] Result<ports::StopReport> read_stop(std::string_view text);
/// `refused` for another system's directory, `conflict` while processes hold it, `failed` when the end was not found.
[[nodiscard]] Result<model::WalEnd> read_wal_end(std::string_view text, const model::WalEndQuestion& question);
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
/// What a script of the lease answers: `refused` and `failed` as there, `conflict` when none is armed.
[[nodiscard]] Result<model::LeaseAnswer> read_lease(std::string_view text);
[[nodiscard]] Result<model::LeaseDrill> read_lease_drill(std::string_view text);
/// primary_conninfo, freed of the quoting of a configuration file.
[[nodiscard]] Result<std::string> read_upstream(std::string_view text);
[[nodiscard]] Result<std::string> read_path(std::string_view text);

}  // namespace handyrep::adapters::ssh
