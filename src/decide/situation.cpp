#include "decide/situation.hpp"

namespace handyrep::decide {

std::string_view word_for(Situation situation) {
    switch (situation) {
        case Situation::unknown: return "Unknown";
        case Situation::healthy: return "Healthy";
        case Situation::manager_isolated: return "ManagerIsolated";
        case Situation::two_primaries: return "TwoPrimaries";
        case Situation::old_primary_returned: return "OldPrimaryReturned";
        case Situation::no_writable_primary: return "NoWritablePrimary";
        case Situation::primary_read_only: return "PrimaryReadOnly";
        case Situation::storage_stalled: return "StorageStalled";
        case Situation::sync_commit_blocked: return "SyncCommitBlocked";
        case Situation::sync_commit_blocked_suspect: return "SyncCommitBlockedSuspect";
        case Situation::connections_exhausted: return "ConnectionsExhausted";
        case Situation::auth_broken: return "AuthBroken";
        case Situation::postmaster_hung: return "PostmasterHung";
        case Situation::listener_or_firewall: return "ListenerOrFirewall";
        case Situation::primary_shut_down_cleanly: return "PrimaryShutDownCleanly";
        case Situation::primary_crash_recovery: return "PrimaryCrashRecovery";
        case Situation::primary_unreachable_from_here: return "PrimaryUnreachableFromHere";
        case Situation::all_dark: return "AllDark";
        case Situation::primary_stalled: return "PrimaryStalled";
        case Situation::primary_dead_no_replicas: return "PrimaryDeadNoReplicas";
        case Situation::primary_dead_some_replicas_lost: return "PrimaryDeadSomeReplicasLost";
        case Situation::primary_dead: return "PrimaryDead";
    }
    return "";
}

std::string_view sentence_for(Situation situation) {
    switch (situation) {
        case Situation::unknown: return "not every server has been looked at since the start";
        case Situation::healthy: return "the primary takes writes";
        case Situation::manager_isolated: return "nothing outside the primary's host answers: it is probably the manager's own network";
        case Situation::two_primaries: return "two servers of this cluster are out of recovery";
        case Situation::old_primary_returned: return "a server that was failed over from runs as primary again";
        case Situation::no_writable_primary: return "no server of this cluster is out of recovery";
        case Situation::primary_read_only: return "the primary is set to read-only transactions by default";
        case Situation::storage_stalled: return "the primary answers, but its WAL is not flushed";
        case Situation::sync_commit_blocked: return "commits wait for synchronous standbys that do not confirm them";
        case Situation::sync_commit_blocked_suspect: return "fewer synchronous standbys are attached than a commit needs";
        case Situation::connections_exhausted: return "the primary is alive and has no connection left";
        case Situation::auth_broken: return "the primary answers and does not let the manager in";
        case Situation::postmaster_hung: return "the primary's open sessions work, new ones get no answer";
        case Situation::listener_or_firewall: return "the primary's open sessions work, new ones are not accepted";
        case Situation::primary_shut_down_cleanly: return "the primary was shut down by an administrator";
        case Situation::primary_crash_recovery: return "the primary crashed and recovers by itself";
        case Situation::primary_unreachable_from_here: return "the primary is alive for its replicas, only the manager cannot reach it";
        case Situation::all_dark: return "neither the primary nor any replica answers";
        case Situation::primary_stalled: return "the primary accepts connections and says nothing";
        case Situation::primary_dead_no_replicas: return "the primary is dead and there is no replica";
        case Situation::primary_dead_some_replicas_lost: return "the primary is dead and not every replica can be seen";
        case Situation::primary_dead: return "the primary is dead: no sensor reaches it and no replica hears from it";
    }
    return "";
}

std::string_view word_for(FindingKind kind) {
    switch (kind) {
        case FindingKind::replica_detached: return "ReplicaDetached";
        case FindingKind::replica_dead: return "ReplicaDead";
        case FindingKind::replica_lagged: return "ReplicaLagged";
        case FindingKind::replica_cannot_reach_primary: return "ReplicaCannotReachPrimary";
        case FindingKind::diverged_replica: return "DivergedReplica";
        case FindingKind::timeline_drift: return "TimelineDrift";
        case FindingKind::foreign_system: return "ForeignSystem";
        case FindingKind::went_back: return "WentBack";
        case FindingKind::version_unknown: return "VersionUnknown";
        case FindingKind::primary_suspected: return "PrimarySuspected";
        case FindingKind::session_lost: return "SessionLost";
        case FindingKind::host_unreachable: return "HostUnreachable";
        case FindingKind::access_refused: return "AccessRefused";
        case FindingKind::look_refused: return "LookRefused";
        case FindingKind::barred_server_down: return "MustBeDown";
        case FindingKind::possible_primary: return "PossiblePrimary";
        case FindingKind::never_read: return "NeverRead";
        case FindingKind::disk_full: return "DiskFull";
        case FindingKind::slot_inactive: return "SlotInactive";
        case FindingKind::slot_at_risk: return "SlotAtRisk";
        case FindingKind::slot_lost: return "SlotLost";
        case FindingKind::cascade_node_dead: return "CascadeNodeDead";
        case FindingKind::cascade_branch_dark: return "CascadeBranchDark";
        case FindingKind::cascade_node_stalled: return "CascadeNodeStalled";
        case FindingKind::cascade_node_unreachable_from_here: return "CascadeNodeUnreachableFromHere";
        case FindingKind::cascade_node_refuses_children: return "CascadeNodeRefusesChildren";
        case FindingKind::cascade_children_detached: return "CascadeChildrenDetached";
        case FindingKind::primary_without_replicas: return "PrimaryWithoutReplicas";
        case FindingKind::sole_replica_detached: return "SoleReplicaDetached";
        case FindingKind::sole_replica_dead: return "SoleReplicaDead";
        case FindingKind::no_replica_streaming: return "NoReplicaStreaming";
        case FindingKind::no_replica_streaming_some_dead: return "NoReplicaStreamingSomeDead";
        case FindingKind::no_promotable_replica: return "NoPromotableReplica";
        case FindingKind::sync_set_drift: return "SyncSetDrift";
        case FindingKind::sync_shortfall: return "SyncShortfall";
        case FindingKind::wal_sink_detached: return "WalSinkDetached";
        case FindingKind::collation_skew: return "CollationSkew";
        case FindingKind::minor_skew: return "MinorSkew";
        case FindingKind::failover_degraded: return "FailoverDegraded";
    }
    return "";
}

bool primary_lives(Situation situation) {
    switch (situation) {
        case Situation::healthy:
        case Situation::primary_read_only:
        case Situation::storage_stalled:
        case Situation::sync_commit_blocked:
        case Situation::sync_commit_blocked_suspect:
        case Situation::connections_exhausted:
        case Situation::auth_broken:
        case Situation::postmaster_hung:
        case Situation::listener_or_firewall:
        case Situation::primary_unreachable_from_here: return true;
        case Situation::unknown:
        case Situation::manager_isolated:
        case Situation::two_primaries:
        case Situation::old_primary_returned:
        case Situation::no_writable_primary:
        case Situation::primary_shut_down_cleanly:
        case Situation::primary_crash_recovery:
        case Situation::all_dark:
        case Situation::primary_stalled:
        case Situation::primary_dead_no_replicas:
        case Situation::primary_dead_some_replicas_lost:
        case Situation::primary_dead: return false;
    }
    return false;
}

Severity severity_of(FindingKind kind) {
    switch (kind) {
        case FindingKind::minor_skew:
        case FindingKind::failover_degraded: return Severity::note;
        case FindingKind::replica_detached:
        case FindingKind::replica_dead:
        case FindingKind::replica_lagged:
        case FindingKind::replica_cannot_reach_primary:
        case FindingKind::diverged_replica:
        case FindingKind::timeline_drift:
        case FindingKind::foreign_system:
        case FindingKind::went_back:
        case FindingKind::version_unknown:
        case FindingKind::primary_suspected:
        case FindingKind::session_lost:
        case FindingKind::host_unreachable:
        case FindingKind::access_refused:
        case FindingKind::look_refused:
        case FindingKind::barred_server_down:
        case FindingKind::possible_primary:
        case FindingKind::never_read:
        case FindingKind::disk_full:
        case FindingKind::slot_inactive:
        case FindingKind::slot_at_risk:
        case FindingKind::slot_lost:
        case FindingKind::cascade_node_dead:
        case FindingKind::cascade_branch_dark:
        case FindingKind::cascade_node_stalled:
        case FindingKind::cascade_node_unreachable_from_here:
        case FindingKind::cascade_node_refuses_children:
        case FindingKind::cascade_children_detached:
        case FindingKind::primary_without_replicas:
        case FindingKind::sole_replica_detached:
        case FindingKind::sole_replica_dead:
        case FindingKind::no_replica_streaming:
        case FindingKind::no_replica_streaming_some_dead:
        case FindingKind::no_promotable_replica:
        case FindingKind::sync_set_drift:
        case FindingKind::sync_shortfall:
        case FindingKind::wal_sink_detached:
        case FindingKind::collation_skew: return Severity::warning;
    }
    return Severity::warning;
}

}  // namespace handyrep::decide
