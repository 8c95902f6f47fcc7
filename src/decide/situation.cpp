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
        case Situation::connections_exhausted: return "the primary is alive and has no connection left";
        case Situation::auth_broken: return "the primary is alive and refuses the manager's login";
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
        case FindingKind::replica_foreign: return "ForeignSystem";
        case FindingKind::primary_suspected: return "PrimarySuspected";
        case FindingKind::session_lost: return "SessionLost";
        case FindingKind::host_unreachable: return "HostUnreachable";
        case FindingKind::access_refused: return "AccessRefused";
        case FindingKind::look_refused: return "LookRefused";
        case FindingKind::barred_server_down: return "MustBeDown";
        case FindingKind::possible_primary: return "PossiblePrimary";
        case FindingKind::no_fence_possible: return "NoFencePossible";
        case FindingKind::no_candidate: return "NoPromotableReplica";
        case FindingKind::never_read: return "NeverRead";
    }
    return "";
}

}  // namespace handyrep::decide
