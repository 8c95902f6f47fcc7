// decide/switchover.hpp — whether the role of primary can be handed over now, and to whom.
//
// A switchover is a person's order while all is well: what stands in its way is found before anything is touched, each
// obstacle by name and with its remedy. Pure. What only the servers and their hosts can say (rights, logins, programs) comes
// in as the checks of a readiness round that was made for this order.
#pragma once

#include "decide/analysis.hpp"
#include "decide/obstacle.hpp"
#include "decide/readiness.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace handyrep::decide {

struct SwitchoverWanted {
    std::optional<model::ServerName> to{};  // nothing: the best
    bool drop_logical = false;              // logical slots that a promotion loses may be lost (S23)
    bool restart_all = false;               // every replica first, one after the other; the handover itself restarts the old primary
};

/// A replica that is restarted, and whom it streams from, where that is one of ours.
struct Restarted {
    model::ServerName replica;
    std::optional<model::ServerName> upstream;
    friend bool operator==(const Restarted&, const Restarted&) = default;
};

struct SwitchOver {
    model::ServerName old_primary;
    model::ServerName candidate;
    std::string text;
    std::vector<Restarted> restarted{};  // before it, in this order
};

/// `checks`: of a round that looked into every host. Without a wish the replica with the lowest failover_priority takes over,
/// then the one that is furthest, then the first by name: the plan waits until it has caught up, so priority may choose.
/// Fails with `refused`, or with `invalid` for a name that nobody has.
[[nodiscard]] Result<SwitchOver> decide_switchover(
    const AnalysisInput& input, const Analysis& analysis, std::span<const Check> checks, const SwitchoverWanted& wanted);

}  // namespace handyrep::decide
