// decide/readiness.hpp — what a look at every server means for the night it is needed: one list of checks, each ok, a debt, broken
// or unknown, with its remedy.
//
// Pure: the same inspections give the same list. It decides nothing about failovers: gates and guards judge by what is seen then.
// A check that cannot be made is `unknown` and says why; unknown is never ok.
#pragma once

#include "model/readiness.hpp"
#include "model/saved_state.hpp"
#include "model/server.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace handyrep::decide {

enum class CheckName {
    database_answers,
    host_answers,
    role,
    system_identity,
    read_only,
    replication,
    replication_lag,
    replay,
    minor_version,
    manager_rights,
    detach_by_reload,
    rewind_possible,
    full_page_writes,
    durable_writes,
    hot_standby,
    wal_level,
    target_timeline,
    alter_system_allowed,
    effective_settings,
    standby_limits,
    replication_timeouts,
    apply_delay,
    standby_delay,
    reserved_connections,
    sender_headroom,
    slot_headroom,
    wal_kept,
    application_name,
    upstream_password,
    replication_login,
    synchronous_standbys,
    synchronous_commit,
    logical_slots,
    prepared_transactions,
    clock,
    collation_versions,
    collation_skew,
    pg_ctl,
    control_data,
    data_directory_writable,
    parent_writable,
    wal_space,
    reclone_space,
    autostart,
    fence_drill,
    lease,  // these two only where failover.lease_ttl asks for one
    lease_replies,
};
inline constexpr std::size_t check_names = static_cast<std::size_t>(CheckName::lease_replies) + 1;
/// "rewind_possible": the name in API, CLI and user guide.
[[nodiscard]] std::string_view word_for(CheckName name);

/// `broken`: something HandyRep would do now fails, or is not as it is said to be. `debt`: it works, and will cost when it is needed.
enum class CheckOutcome { ok, debt, broken, unknown };
[[nodiscard]] std::string_view word_for(CheckOutcome outcome);

struct Check {
    CheckName name;
    model::ServerName server;
    CheckOutcome outcome;
    std::string text;    // one sentence: what was seen
    std::string remedy;  // what to do about it; empty when it is ok
};

struct ReadinessInput {
    const model::FailoverSettings& settings;
    const model::SavedState& saved;  // servers and their roles, what must be down
    std::span<const model::ServerInspection> inspections;
};

/// In the order of the servers, for each in the order of CheckName. Disabled servers are left out.
[[nodiscard]] std::vector<Check> judge(const ReadinessInput& input);

struct CheckCounts {
    std::size_t ok = 0;
    std::size_t debts = 0;
    std::size_t broken = 0;
    std::size_t unknown = 0;
};
[[nodiscard]] CheckCounts count(std::span<const Check> checks);

}  // namespace handyrep::decide
