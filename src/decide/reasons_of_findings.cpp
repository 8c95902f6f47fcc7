#include "decide/reasons.hpp"

namespace handyrep::decide {

namespace {

constexpr std::string_view reports = "Reports it.";
constexpr std::string_view never_candidate = "Reports it; such a server is never a candidate.";

Page page_of_cascade(FindingKind kind) {
    constexpr std::string_view repoint =
        "Let those that streamed from it follow the primary: change their primary_conninfo (13+: and reload). That is always safe on one timeline.";
    if (kind == FindingKind::cascade_node_dead)
        return {
            "A replica that others stream from is dead, and they receive nothing.",
            "It does not answer; those of its followers that answer have no WAL receiver.", reports, repoint};
    if (kind == FindingKind::cascade_branch_dark)
        return {
            "A replica that others stream from does not answer, nor does any of them.", "No answer from the whole branch.", reports,
            "Probably the link to that site. See from there."};
    if (kind == FindingKind::cascade_node_stalled)
        return {
            "A replica that others stream from does not answer, and they hear nothing from it.",
            "Its followers say 'streaming', with a last message older than failover.witness_freshness.", reports, repoint};
    if (kind == FindingKind::cascade_node_unreachable_from_here)
        return {
            "A replica that others stream from lives; only the manager cannot reach it.", "A follower of it hears from it.", reports,
            "Check the network between manager and that server."};
    if (kind == FindingKind::cascade_node_refuses_children)
        return {
            "A replica that others stream from answers, but none of them can stream from it any more.",
            "It answers; two or more followers, and none has a WAL receiver.", reports,
            "Check its pg_hba.conf, max_wal_senders and the followers' logs; or let them follow the primary."};
    return {
        "A replica that others stream from answers, but not all of them stream.",
        "It answers; a follower of it has no WAL receiver, or waits.", reports, "Read the log of the follower that is named."};
}

}  // namespace

Page page_of(FindingKind kind) {
    switch (kind) {
        case FindingKind::replica_detached:
            return {
                "A replica answers but receives no WAL.",
                "No row in its pg_stat_wal_receiver, or one that waits (its timeline does not fit).", reports,
                "Read the replica's log: password, pg_hba.conf, a removed slot or WAL segment, a timeline that forked off."};
        case FindingKind::replica_dead:
            return {
                "A replica does not answer.", "Its held session is lost or silent.", "Reports it; it cannot witness or take over.",
                "Start it, or take it out of the configuration."};
        case FindingKind::replica_lagged:
            return {
                "A replica is further behind than its lag_limit.", "Its receive position against the primary's last known flush position.",
                reports, "Look at its disk and network. A failover to it would lose that much."};
        case FindingKind::replica_cannot_reach_primary:
            return {
                "A replica has had no WAL receiver for over ten seconds, although the primary answers.",
                "It retries every wal_retrieve_retry_interval (5 s) and does not get in.", reports,
                "Try from the replica's host: psql with its primary_conninfo. Firewall, pg_hba.conf, password, max_wal_senders."};
        case FindingKind::diverged_replica:
            return {
                "A replica has replayed WAL that the primary does not have.",
                "Its replay position (never its receive position) is past the point where the primary's history left that timeline.",
                never_candidate, "Bring it back with handyrep rejoin, which saves what only it has and rewinds it, or clone it again."};
        case FindingKind::timeline_drift:
            return {
                "A replica is on another timeline than the primary, or would not follow a new one.",
                "Its timeline against the primary's; or recovery_target_timeline is not 'latest'.", never_candidate,
                "Set recovery_target_timeline to latest; let it follow the present primary."};
        case FindingKind::foreign_system:
            return {
                "A server belongs to another cluster.", "Its database system identifier is not this cluster's.", never_candidate,
                "The address leads to the wrong server, or it was initialised anew: correct the configuration, or clone it from the primary."};
        case FindingKind::went_back:
            return {
                "A server is further back than it was seen before: an older copy of itself.",
                "Its timeline or position is below the highest that was ever seen on it (for a standby, by more than a segment).",
                never_candidate,
                "Somebody restored a backup or a snapshot over it. Clone it from the primary. If it is the primary, data is missing: find out before anything is overwritten."};
        case FindingKind::version_unknown:
            return {
                "A server says it is of a PostgreSQL version that this HandyRep does not know.", "Its server_version_num.", never_candidate,
                "Upgrade HandyRep."};
        case FindingKind::primary_suspected:
            return {
                "The primary does not answer at this moment.", "The held session ended or is silent; not yet long enough to count.",
                "Looks every 50 ms.", "Wait a moment."};
        case FindingKind::session_lost:
            return {
                "HandyRep's session at the primary ended, though a new one is accepted.", "Held session lost, dial accepted.",
                "Opens a new one.", "Nothing, unless it repeats: then something ends idle sessions."};
        case FindingKind::host_unreachable:
            return {
                "HandyRep cannot run commands on a host: there it could not fence.", "SSH or the local shell failed.",
                "Reports it. A failover would have no fence by processes.",
                "Try 'ssh -F … user@host true' as the daemon's user; check keys and the host's sshd."};
        case FindingKind::access_refused:
            return {
                "A server refuses HandyRep's fresh connections.", "Class 28, 53300, TLS, name resolution or another refusal.", reports,
                "Check password, pg_hba.conf and max_connections; for TLS the text says whose certificate it is and what to do."};
        case FindingKind::look_refused:
            return {
                "A server answers, but refuses the poll's question.", "An SQLSTATE instead of a row.", reports,
                "Grant the role pg_monitor, or read the text: a statement_timeout, a missing function."};
        case FindingKind::barred_server_down:
            return {
                "A server was failed over from and must not run as primary.", "Its entry in servers.save.",
                "Stops it when it comes back as primary; never promotes it.",
                "Bring it back with handyrep rejoin, or a new copy that follows the primary: the entry then ends by itself."};
        case FindingKind::possible_primary:
            return {
                "A server was told to promote and has not been seen since.",
                "The request had no answer, and its expiry has not been seen to pass there.",
                "Counts it as a primary until it is seen; promotes nobody else.",
                "Bring it back into sight, or make sure that it is stopped."};
        case FindingKind::never_read:
            return {
                "A server has not been seen since the start.", "No sensor has ended on it.", "Does nothing before it was looked at.",
                "Check its address."};
        case FindingKind::disk_full:
            return {
                "A server's disk is nearly full.",
                "Less than 5 % (of large disks: 10 GB) or less than four segments free, for data or WAL, by a look into the host.",
                "Reports it. No failover: the replicas' disks are usually as full.",
                "Make room. A full pg_wal stops PostgreSQL with a PANIC: look for inactive slots and a failing archive_command."};
        case FindingKind::slot_inactive:
            return {
                "A replication slot that nobody uses keeps WAL.", "active is false and it keeps more than four segments.", reports,
                "If its owner is not coming back, pg_drop_replication_slot. It fills pg_wal until then."};
        case FindingKind::slot_at_risk:
            return {
                "A replication slot is about to lose the WAL it needs.",
                "wal_status 'unreserved', or little safe_wal_size left (max_slot_wal_keep_size).", reports,
                "Bring its owner back quickly, or raise max_slot_wal_keep_size if the disk allows it."};
        case FindingKind::slot_lost:
            return {
                "A replication slot has lost WAL that it was to keep.", "wal_status 'lost'.", reports,
                "Clone its owner again (a subscriber: subscribe anew), and drop the slot."};
        case FindingKind::cascade_node_dead:
        case FindingKind::cascade_branch_dark:
        case FindingKind::cascade_node_stalled:
        case FindingKind::cascade_node_unreachable_from_here:
        case FindingKind::cascade_node_refuses_children:
        case FindingKind::cascade_children_detached: return page_of_cascade(kind);
        case FindingKind::primary_without_replicas:
            return {
                "There is no replica.", "No enabled, not barred server besides the primary.", "Reports it: no failover is possible.",
                "Add a replica, or rejoin the old primary."};
        case FindingKind::sole_replica_detached:
            return {
                "The only replica does not stream from the primary.", "It answers without an attached WAL receiver.",
                "Reports it: a failover would lose what it lacks.", "As for ReplicaDetached, but now."};
        case FindingKind::sole_replica_dead:
            return {
                "The only replica does not answer.", "Its sensors.", "Reports it: no failover is possible.",
                "Start it. Watch its slot on the primary: it keeps WAL meanwhile."};
        case FindingKind::no_replica_streaming:
            return {
                "All replicas answer and none streams.", "No attached WAL receiver anywhere.", reports,
                "The cause is usually at the primary: pg_hba.conf, max_wal_senders, the replication password, removed WAL."};
        case FindingKind::no_replica_streaming_some_dead:
            return {
                "No replica streams, and not all of them answer.", "As NoReplicaStreaming, with dead ones.", reports,
                "As NoReplicaStreaming; then the dead ones."};
        case FindingKind::no_promotable_replica:
            return {
                "A failover would find nobody to promote.",
                "Every replica has failover_priority 0, is delayed, paused, on another timeline, foreign, an older copy, or too far behind.",
                "Says so while there is time.", "Read the text: it names the reason for each. Make at least one of them a candidate."};
        case FindingKind::sync_set_drift:
            return {
                "synchronous_standby_names does not fit the replicas.",
                "It names somebody whom no configured replica is called, or a name that two bear.",
                "Reports it. With such a set nobody can count who confirmed a commit, so a failover may be refused.",
                "Give every replica an application_name of its own in primary_conninfo, and name exactly those."};
        case FindingKind::sync_shortfall:
            return {
                "Fewer synchronous standbys are attached than a commit needs; nobody waits yet.",
                "pg_stat_replication against synchronous_standby_names, with no backend in SyncRep.", "Looks every second.",
                "Bring the missing standby back before the next commit hangs."};
        case FindingKind::wal_sink_detached:
            return {
                "The archive or a WAL receiver for backups does not get WAL any more.",
                "The last archive_command failed, or pg_receivewal/Barman is gone from pg_stat_replication.", reports,
                "Repair it: a restore would end where it stopped, and a failing archive_command fills pg_wal."};
        case FindingKind::collation_skew:
            return {
                "Servers sort text differently.",
                "The collation version of a server's library differs from the primary's, or from the one its database was built with (15+).",
                reports,
                "Bring operating systems to one version, then REINDEX and ALTER DATABASE … REFRESH COLLATION VERSION. Before that, a promotion can break indexes."};
        case FindingKind::minor_skew:
            return {"Servers run different minor versions.", "server_version_num.", reports, "Upgrade replicas first, then the primary."};
        case FindingKind::failover_degraded:
            return {
                "A failover would work, but something that follows it would not.",
                "No data checksums and no wal_log_hints (no pg_rewind); no slot, wal_keep_size or archive (a replica that was away cannot catch up); smaller settings on a standby than on the primary.",
                "Reports it as a note; 'handyrep verify' lists it.",
                "Read the text. wal_log_hints = on needs a restart; pg_checksums --enable needs a stopped server."};
    }
    return {};
}

}  // namespace handyrep::decide
