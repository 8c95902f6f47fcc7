#include "decide/reasons.hpp"

namespace handyrep::decide {

Page page_of(Situation situation) {
    switch (situation) {
        case Situation::unknown:
            return {
                "Not every configured server has been looked at since this daemon started.",
                "A server has neither a held session nor a dial that ended, one way or the other.",
                "Looks. Nothing is done before the first look at everybody is complete.",
                "Wait a second. If it lasts, look at the network of the manager's machine."};
        case Situation::healthy:
            return {
                "The primary answers and takes writes.", "The held session answers, or a fresh one is accepted.",
                "Goes on looking. Findings, if any, say what else is wrong.", "Nothing, or what the findings say."};
        case Situation::manager_isolated:
            return {
                "It is the manager that is cut off, not the cluster that is down.",
                "The primary is suspected, and no server on any other host answers anything: no session, no dial (a refused connection would be an answer), no shell. Counted by host, the primary's own left out.",
                "Freezes all automation. When somebody answers again, everything seen before is thrown away and the count of silence starts again.",
                "Look at the network of the manager's machine. From another machine, see whether the primary takes writes."};
        case Situation::two_primaries:
            return {
                "Two servers of one cluster are out of recovery: both may take writes.",
                "Two held sessions answer as primaries with the same system identifier, and none of the two is known to have been failed over from.",
                "Nothing by itself. The events show position and timeline of both.",
                "Find out where clients write. Stop the other one at once, keep its data directory, and compare both before anything is rewound."};
        case Situation::old_primary_returned:
            return {
                "A server that was failed over from runs as primary again.",
                "It answers out of recovery, carries the system identifier of its must-be-down entry, and its timeline history does not contain the switch to its successor.",
                "Stops it (processes, autostart, mark) if its successor is seen writable at that moment; otherwise leaves it to a person.",
                "If it was not stopped: make sure that only one of the two gets clients. Bring the old one back with handyrep rejoin, or a new copy."};
        case Situation::no_writable_primary:
            return {
                "No server of this cluster is out of recovery.",
                "The server that holds the role of primary answers as a standby, or as another system; or nobody holds the role.",
                "Nothing by itself: somebody did this on purpose, or it must not be guessed.",
                "Decide who is to be the primary, and promote it with 'handyrep failover --to NAME'. A foreign system identifier means that the address leads to another cluster: correct the configuration."};
        case Situation::primary_read_only:
            return {
                "The primary refuses writes by a setting.", "default_transaction_read_only is on.",
                "Nothing: somebody may have fenced it softly.",
                "Ask who set it. Take it back with ALTER SYSTEM RESET default_transaction_read_only and a reload."};
        case Situation::storage_stalled:
            return {
                "The primary answers questions but cannot write its WAL down.",
                "WAL that was inserted failover.stall_timeout ago is still not flushed, while session and dials are fine.",
                "Alerts. It may wake up at any moment and write, and a kill over SSH does not end processes that wait for a disk; so it needs a fence by power.",
                "Look at the storage. If it does not come back, cut the machine's power, then 'handyrep failover'. Attached replicas hold everything that was acknowledged."};
        case Situation::sync_commit_blocked:
            return {
                "Commits hang: synchronous standbys do not confirm them.",
                "Backends have waited in SyncRep for longer than failover.sync_wait_limit.",
                "Nothing: a promotion would not help, and going on without the standbys would be a decision about durability.",
                "Bring a synchronous standby back. If that takes long and you accept the risk, take the missing one out of synchronous_standby_names."};
        case Situation::sync_commit_blocked_suspect:
            return {
                "Fewer synchronous standbys are attached than a commit needs; commits may be waiting.",
                "pg_stat_replication shows fewer rows with sync_state sync or quorum than synchronous_standby_names asks for, and it is not known that nobody waits.",
                "Asks the primary every second how many commits wait.", "Bring the missing synchronous standby back."};
        case Situation::connections_exhausted:
            return {
                "The primary is alive and out of connections.", "A fresh connection ends with SQLSTATE 53300.", "Never fails over for it.",
                "Free connections (idle sessions, a pool that is too large) or raise max_connections; keep superuser_reserved_connections."};
        case Situation::auth_broken:
            return {
                "The primary answers and does not let HandyRep in: it refuses the login, or one of the two does not accept the other's certificate.",
                "A fresh connection ends with a SQLSTATE of class 28, or TLS fails: a certificate that expired, is of another name or signed by nobody we know; a server without TLS; a key that cannot be used.",
                "Never fails over for it: who answers is not dead, and who cannot be verified is unknown.",
                "Check the password and pg_hba.conf; for TLS the text says whose certificate it is and what to do. Replicas that lose their connection may not get in again either."};
        case Situation::postmaster_hung:
            return {
                "Open sessions of the primary work, new ones get no answer.",
                "The held session answers, while for silence_timeout fresh connections were accepted by the machine and none by PostgreSQL.",
                "Alerts; clients in pools still work.",
                "Look at the postmaster process on the host (its state, its stack). A restart is an outage; plan it."};
        case Situation::listener_or_firewall:
            return {
                "The primary is alive, but new connections do not get through.",
                "The held session answers while a fresh connection is refused or not answered; or a fresh one fails by name resolution or another refusal.",
                "Never fails over for it.", "Check listen_addresses, the port, the firewall and name resolution."};
        case Situation::primary_shut_down_cleanly:
            return {
                "Somebody shut the primary down.",
                "Its last words were an administrator's, or it said that it is shutting down, or its control file says 'shut down' and no process is left.",
                "Waits failover.planned_grace for it to come back; then fails over.",
                "Start it again, or order 'handyrep failover' if it is to stay down. Before planned work, switch automation off for that time."};
        case Situation::primary_crash_recovery:
            return {
                "The primary crashed and is recovering by itself.",
                "Fresh connections are told that the server is starting up, in recovery, or not yet accepting connections.",
                "Waits failover.crash_grace; then fails over, and only with a real fence, because this primary is alive. If recovery ends in a refused port it counts as dead at once.",
                "Wait. If it overran, read its log."};
        case Situation::primary_unreachable_from_here:
            return {
                "The primary lives; only the manager cannot reach it.",
                "It looks dead from here, but a replica still hears from it, or a replica's host reaches its port.",
                "Vetoes every failover.", "Check the network between manager and primary."};
        case Situation::all_dark:
            return {
                "Neither the primary nor any replica answers.", "The primary is dead by both sensors and no replica has answered since.",
                "Nothing: nobody could take over, and it is probably the network.", "Look from another machine which of them live."};
        case Situation::primary_stalled:
            return {
                "The primary's machine takes connections and PostgreSQL says nothing: stopped processes, a stuck hypervisor.",
                "The held session is silent, and a fresh connection is accepted by the machine and never answered.",
                "Waits failover.stall_timeout. Then fails over if its host can be fenced (its shell answers); else holds, because it may wake up and write.",
                "Look at the machine. If it cannot be fenced over SSH, cut its power, then 'handyrep failover'."};
        case Situation::primary_dead_no_replicas:
            return {
                "The primary is dead and there is no replica.", "Dead by both sensors, and no other enabled server.", "Nothing.",
                "Start the primary again, or restore a backup."};
        case Situation::primary_dead_some_replicas_lost:
            return {
                "The primary is dead for everybody who can be seen, but not every replica can be seen.",
                "Dead by both sensors; at least one replica answers and none of those hears from it; at least one does not answer.",
                "Waits failover.silence_timeout for the others. Then fails over if the primary's host can be fenced; else holds: the lost replica and clients may live beside a living primary.",
                "See what became of the missing replica. With the primary surely down, order 'handyrep failover'."};
        case Situation::primary_dead:
            return {
                "The primary is dead: no sensor reaches it and no replica hears from it.",
                "The held session ended or is silent for failover.silence_timeout; at least failover.poll_tries dials since then ended dead; every replica answers and none is attached to it.",
                "Fails over when every guard and both gates allow it.",
                "Read 'next' in the status: it says what happens, or what is in the way."};
    }
    return {};
}

}  // namespace handyrep::decide
