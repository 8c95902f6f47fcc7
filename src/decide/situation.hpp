// decide/situation.hpp — the vocabulary: what can be wrong with the primary (a situation), what can be wrong besides (findings).
//
// An Analysis has exactly one situation, the first that matches in the order of `docs/decisions/0004-order-of-decision.md`,
// and any number of findings, each about one server or the set-up; findings never compete with the situation.
#pragma once

#include <string_view>

namespace handyrep::decide {

enum class Situation {
    unknown,
    healthy,
    manager_isolated,
    two_primaries,
    old_primary_returned,
    no_writable_primary,
    primary_read_only,
    storage_stalled,
    connections_exhausted,
    auth_broken,
    postmaster_hung,
    listener_or_firewall,
    primary_shut_down_cleanly,
    primary_crash_recovery,
    primary_unreachable_from_here,
    all_dark,
    primary_stalled,
    primary_dead_no_replicas,
    primary_dead_some_replicas_lost,
    primary_dead,
};
/// "PrimaryDead": the name in events, API, CLI and page.
[[nodiscard]] std::string_view word_for(Situation situation);
/// What it means, in one sentence for the status line.
[[nodiscard]] std::string_view sentence_for(Situation situation);

enum class FindingKind {
    replica_detached,    // answers, but receives nothing
    replica_dead,        // does not answer
    replica_lagged,      // further behind than its lag_limit
    replica_foreign,     // answers with another system identifier
    primary_suspected,   // does not answer, not yet long enough to count
    session_lost,        // the held session is gone although a dial is accepted
    host_unreachable,    // SSH or local commands fail: no fence possible there
    access_refused,      // our own login is refused, or there is no connection left for it
    look_refused,        // the server answers, but refuses the question
    barred_server_down,  // a must_be_down server is down, as it must be
    possible_primary,    // was told to promote and has not been seen since
    no_fence_possible,   // beforehand: a failover could not fence the primary (said because of policy)
    no_candidate,        // no replica could be promoted now
    never_read,          // not seen since the start
};
[[nodiscard]] std::string_view word_for(FindingKind kind);

}  // namespace handyrep::decide
