// decide/situation.hpp — the vocabulary: what can be wrong with the primary (a situation), what can be wrong besides (findings).
//
// An Analysis has exactly one situation, the first that matches in the order of `docs/decisions/0004-order-of-decision.md`,
// and any number of findings, each about one server or the set-up; findings never compete with the situation.
// What each means and what to do about it stands in decide/reasons.cpp, from which docs/reasons.md is made.
#pragma once

#include <array>
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
    sync_commit_blocked,
    sync_commit_blocked_suspect,
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
inline constexpr std::size_t situations = static_cast<std::size_t>(Situation::primary_dead) + 1;
/// "PrimaryDead": the name in events, API, CLI and page.
[[nodiscard]] std::string_view word_for(Situation situation);
/// What it means, in one sentence for the status line.
[[nodiscard]] std::string_view sentence_for(Situation situation);
/// The primary was seen to live: by an answer of its own, or by somebody who still hears it. Silence and darkness are not that,
/// and neither are a stop and a recovery, which may fail.
[[nodiscard]] bool primary_lives(Situation situation);

enum class FindingKind {
    // one server
    replica_detached,              // answers, but receives nothing
    replica_dead,                  // does not answer
    replica_lagged,                // further behind than its lag_limit
    replica_cannot_reach_primary,  // has had no WAL receiver for a while, although the primary answers
    diverged_replica,              // has replayed WAL that the primary's history does not contain (S11)
    timeline_drift,                // is on another timeline than the primary, or would not follow it to the next
    foreign_system,                // answers with another system identifier
    went_back,                     // is on an older timeline or position than it was seen at before
    version_unknown,               // says it is of a version that this program does not know
    primary_suspected,             // does not answer, not yet long enough to count
    session_lost,                  // the held session is gone although a dial is accepted
    host_unreachable,              // SSH or local commands fail: no fence possible there
    access_refused,                // our own login is refused, or there is no connection left for it
    look_refused,                  // the server answers, but refuses the question
    barred_server_down,            // a must_be_down server
    possible_primary,              // was told to promote and has not been seen since
    never_read,                    // not seen since the start
    disk_full,                     // hardly any room for data or WAL
    slot_inactive,                 // a replication slot that nobody uses keeps WAL
    slot_at_risk,                  // a replication slot is about to lose the WAL it needs
    slot_lost,                     // a replication slot has lost it
    // a server that others stream from
    cascade_node_dead,
    cascade_branch_dark,
    cascade_node_stalled,
    cascade_node_unreachable_from_here,
    cascade_node_refuses_children,
    cascade_children_detached,
    // the set-up
    primary_without_replicas,
    sole_replica_detached,
    sole_replica_dead,
    no_replica_streaming,
    no_replica_streaming_some_dead,
    no_promotable_replica,
    sync_set_drift,     // the synchronous set names somebody whom nobody knows, or two at once
    sync_shortfall,     // fewer synchronous standbys are attached than a commit needs; nobody waits yet
    wal_sink_detached,  // an archive or WAL receiver that was there is not
    collation_skew,
    minor_skew,
    failover_degraded,  // a failover would work, but something that follows it would not
};
inline constexpr std::size_t finding_kinds = static_cast<std::size_t>(FindingKind::failover_degraded) + 1;
[[nodiscard]] std::string_view word_for(FindingKind kind);

/// A note is a debt that `verify` lists too; only a warning colours the cluster's status.
enum class Severity { note, warning };
[[nodiscard]] Severity severity_of(FindingKind kind);

/// Every value of a closed set, in its order.
template <class T, std::size_t size>
[[nodiscard]] constexpr std::array<T, size> each_of() {
    std::array<T, size> out{};
    for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<T>(i);
    return out;
}
inline constexpr auto all_situations = each_of<Situation, situations>();
inline constexpr auto all_finding_kinds = each_of<FindingKind, finding_kinds>();

}  // namespace handyrep::decide
