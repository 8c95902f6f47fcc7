// decide/switchover.hpp — whether the role of primary can be handed over now, and to whom.
//
// A switchover is a person's order while all is well: what stands in its way is found before anything is touched, each
// obstacle by name and with its remedy. Pure. What only the servers and their hosts can say (rights, logins, programs) comes
// in as the checks of a readiness round that was made for this order.
#pragma once

#include "decide/analysis.hpp"
#include "decide/readiness.hpp"

#include <optional>
#include <span>
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
};
inline constexpr std::size_t obstacles = static_cast<std::size_t>(Obstacle::loses_logical_slots) + 1;
inline constexpr auto all_obstacles = each_of<Obstacle, obstacles>();
/// "ReplicaTooFarBehind": begins the text of the refusal.
[[nodiscard]] std::string_view word_for(Obstacle obstacle);

struct SwitchoverWanted {
    std::optional<model::ServerName> to{};  // nothing: the best
    bool drop_logical = false;              // logical slots that a promotion loses may be lost (S23)
};

struct SwitchOver {
    model::ServerName old_primary;
    model::ServerName candidate;
    std::string text;
};

/// `checks`: of a round that looked into every host. Without a wish the replica with the lowest failover_priority takes over,
/// then the one that is furthest, then the first by name: the plan waits until it has caught up, so priority may choose.
/// Fails with `refused`, or with `invalid` for a name that nobody has.
[[nodiscard]] Result<SwitchOver> decide_switchover(
    const AnalysisInput& input, const Analysis& analysis, std::span<const Check> checks, const SwitchoverWanted& wanted);

}  // namespace handyrep::decide
