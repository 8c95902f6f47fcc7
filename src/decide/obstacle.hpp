// decide/obstacle.hpp — what stands in the way of a person's order, by name: found before anything is touched.
//
// Every order's refusal begins with one of these words; the documentation lists them, and a test reaches each.
#pragma once

#include "base/error.hpp"
#include "decide/situation.hpp"
#include "model/saved_state.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace handyrep::decide {

enum class Obstacle {
    no_primary,           // nobody holds the role
    primary_not_healthy,  // a switchover needs a primary that answers; a failover does not
    possible_primary,     // somebody was told to promote and may have
    unknown_server,       // no such name
    already_primary,
    server_disabled,
    server_barred,           // it was failed over from and is not back yet
    replica_not_eligible,    // for the reasons that also keep it from a failover
    replica_not_attached,    // it does not stream from the primary itself
    replica_too_far_behind,  // more than its lag_limit
    no_replica,              // none of them is free of the above
    not_ready,               // a check of the readiness round that was made for this is not ok
    loses_logical_slots,     // S23
    // of what is ordered of a replica
    is_primary,        // it holds the role
    replica_not_seen,  // it does not answer as a standby of this cluster
    follows_already,
    would_make_a_circle,  // the upstream gets its WAL from this very server
    upstream_unfit,       // it does not answer, or cannot be streamed from
    diverged,             // its WAL goes past the point where its upstream's timeline left it
    // of what is ordered of a server's service
    runs_already,
    others_follow_it,    // replicas that stream from it would receive nothing
    commits_would_wait,  // synchronous commits need it
    // of what is to come back as a replica
    takes_writes,    // it runs as a primary
    still_runs,      // processes hold its data directory
    host_unknown,    // its host does not say what is on its disk
    foreign_system,  // another system's data
    history_unknown,
    too_old_to_rewind,
    no_rewind_programs,
    pages_unprotected,      // neither data checksums nor wal_log_hints (S24)
    configuration_unknown,  // its postgresql.conf was not found
    wal_missing,            // back to the last common checkpoint
    no_room_to_save,        // for what only it has
    half_rewound,
    no_common_history,
    nothing_to_rewind,
    // of a copy
    source_unfit,            // not seen, of another system, its replay paused or delayed, or the target itself
    host_not_reached,        // the place of the data cannot be looked at
    no_rights,               // or nothing can be put there
    directory_unidentified,  // something else stands there
    directory_not_empty,     // clone over a data directory of this system
    no_space,
};
inline constexpr std::size_t obstacles = static_cast<std::size_t>(Obstacle::no_space) + 1;
inline constexpr auto all_obstacles = each_of<Obstacle, obstacles>();
/// "ReplicaTooFarBehind": begins the text of the refusal.
[[nodiscard]] std::string_view word_for(Obstacle obstacle);

/// `invalid` for a name that nobody has, else `refused`.
[[nodiscard]] Error obstacle(Obstacle why, std::string_view text);

// What an order for a server of that name meets first. Nothing: it does not.
/// `unknown_server`, `server_disabled`.
[[nodiscard]] std::optional<Error> no_member(const model::SavedState& saved, const model::ServerName& name);
/// `server_barred`: for what only a server can do that follows the primary.
[[nodiscard]] std::optional<Error> barred_from_following(const model::SavedState& saved, const model::ServerName& name);

}  // namespace handyrep::decide
