// decide/lease.hpp — the primary's lease (S6): whom it lists, and when its end is a proof that the old primary is stopped.
//
// Pure. It is a proof of the fence gate only while every listed replica is seen and detached, with autostart known to be off on the
// node, by the script's own last word. In {manager, R2} | {P, R3} it proves nothing: R3 keeps P alive for ever.
#pragma once

#include "decide/analysis.hpp"
#include "decide/gates.hpp"
#include "model/lease.hpp"

#include <optional>
#include <span>
#include <string>

namespace handyrep::decide {

/// Of the present primary. Whoever does not stream from it now stays listed as in `before`: he may come back while the manager is
/// lost. Fails with `refused`, and why, where none may be armed: the loss of the manager alone must stop nothing.
[[nodiscard]] Result<model::LeaseTerms> lease_terms(const AnalysisInput& input, std::span<const model::ListedReplica> before = {});

/// Why the end of the lease would prove nothing, whatever time passes; nothing: it would, once every listed replica is detached.
[[nodiscard]] std::optional<std::string> lease_objects(const AnalysisInput& input, const Analysis& analysis);

/// From the last renewal or the last detach until it has surely stopped the primary: the TTL, the stop as measured there, and a
/// margin for two clocks that do not run alike.
[[nodiscard]] Duration lease_wait(const model::Lease& lease);

/// The same, where the fence gate would go by the lease now; nothing: it would not.
[[nodiscard]] std::optional<Duration> awaited_lease(const AnalysisInput& input, const Analysis& analysis);

/// When it has; nothing: a listed replica is not known to be detached. Counted from the sending of the last renewal and from the last
/// detach, whichever is later.
[[nodiscard]] std::optional<Instant> lease_runs_out(const model::Lease& lease, std::span<const FinalPosition> finals);

/// "armed on db1 (process 4711, 30 s), renewed 2 s ago; kept alive by db2, db3 too": for people.
[[nodiscard]] std::string lease_text(const AnalysisInput& input);

}  // namespace handyrep::decide
