#include "decide/reasons.hpp"

namespace handyrep::decide {

Page page_of(Reason reason) {
    constexpr std::string_view holds = "Holds.";
    constexpr std::string_view acts = "Fails over, if both gates are still open when everything is detached and read.";
    switch (reason) {
        case Reason::primary_answers: return {"Nothing is wrong with the primary.", "Situation Healthy.", "Goes on looking.", "Nothing."};
        case Reason::first_look_incomplete: return {"Not every server was looked at yet.", "Situation Unknown.", holds, "Wait a second."};
        case Reason::suspicion_too_young:
            return {
                "The primary does not answer, but not for long enough to count.", "No situation has ripened; 'until' says when it would.",
                "Looks every 50 ms.", "Wait."};
        case Reason::situation_holds:
            return {
                "The situation forbids a failover, or does not call for one.", "The situation itself; see its page.", holds,
                "What the page of the situation says."};
        case Reason::waiting_for_grace:
            return {
                "The primary, or a replica that is missing, is given time to come back.",
                "planned_grace, crash_grace, stall_timeout or silence_timeout has not passed.", holds,
                "Wait; or order 'handyrep failover' if you know better."};
        case Reason::needs_real_fence:
            return {
                "The old primary may live, and only a real fence makes a promotion safe.",
                "Its host does not answer, so its processes cannot be ended over SSH.", holds,
                "Make sure it is down (power), then 'handyrep failover --override fence'."};
        case Reason::writable_sighting:
            return {
                "A server was seen taking writes a moment ago.", "Its flush position moved within failover.witness_freshness.", holds,
                "Wait two seconds. If it lasts, the primary lives."};
        case Reason::auto_failover_off:
            return {
                "Automation is off.", "failover.auto_failover is false, or a person paused automation.",
                "Holds, and goes on saying what it would do. While a person paused it, a returned primary is not stopped either.",
                "'handyrep failover' does it by order; 'handyrep resume' ends a pause."};
        case Reason::maintenance:
            return {
                "The cluster is in maintenance.", "A person said so, until a time; status says who, why and until when.",
                "Holds, and does not stop a returned primary either, until the end that was given; then it goes on by itself.",
                "'handyrep maintenance off' ends it, 'handyrep failover' works in it."};
        case Reason::cooldown:
            return {
                "There was an automatic failover a moment ago.", "failover.cooldown has not passed since, and nobody acknowledged it.",
                "Holds: two in a row mean that something else is wrong.", "Look what happened, then 'handyrep acknowledge'."};
        case Reason::provisional_start:
            return {
                "This daemon started without intact saved state.",
                "servers.save or the journal was missing or damaged, and not every server was read since.", holds,
                "Bring every server into sight once; or restore servers.save."};
        case Reason::possible_primary_unresolved:
            return {"A server was told to promote and may have.", "possible_primary in servers.save.", holds, "See PossiblePrimary."};
        case Reason::operation_running:
            return {"An operation is running.", "Its steps are in the events.", holds, "Wait until it has ended."};
        case Reason::journal_unavailable:
            return {
                "Nothing can be written down.", "The last write to the state directory failed.",
                "Holds: without its journal it does nothing.", "Make room on the manager's disk; check its rights."};
        case Reason::recently_refused:
            return {
                "The last attempt was refused a moment ago; the text says why.",
                "The pause after it has not passed: two seconds, twice as long each time the same attempt is refused again, 15 seconds at most.",
                "Tries again then, or as soon as the situation, the candidates or the answer of the primary's host have changed.",
                "Remove what the text names."};
        case Reason::no_eligible_replica:
            return {
                "There is nobody to promote.", "The text says for each replica why not.", holds,
                "Make one of them a candidate; order it by name if needed."};
        case Reason::fence_gate_closed:
            return {
                "It cannot be shown that the old primary acknowledges nothing more.",
                "The policy failover.fencing, and what is within reach; the text says what is missing.", holds,
                "See the closed gate's word. With the old primary surely down: 'handyrep failover --override fence'."};
        case Reason::durability_gate_closed:
            return {
                "It cannot be shown that nothing that may not be lost would be lost.",
                "The synchronous set and who of it is seen; or the estimated loss against max_lag_on_failover.", holds,
                "Bring the missing servers into sight. To take the loss: 'handyrep failover --override durability'."};
        case Reason::primary_is_dead:
            return {
                "The primary is dead.", "Situation PrimaryDead, or PrimaryDeadSomeReplicasLost with a fence within reach.", acts,
                "Nothing. Afterwards: rejoin the old primary, and acknowledge."};
        case Reason::crash_recovery_overran:
            return {
                "Crash recovery took longer than failover.crash_grace.", "Situation PrimaryCrashRecovery.", acts,
                "As after PrimaryIsDead."};
        case Reason::planned_stop_overran:
            return {
                "A stopped primary did not come back within failover.planned_grace.", "Situation PrimaryShutDownCleanly.", acts,
                "As after PrimaryIsDead."};
        case Reason::stall_overran:
            return {
                "The primary's processes were mute for longer than failover.stall_timeout, and its host can be fenced.",
                "Situation PrimaryStalled.", acts, "As after PrimaryIsDead; find out what stopped them."};
        case Reason::returned_primary_must_stop:
            return {
                "A server that was failed over from runs as primary again, beside its successor.", "Situation OldPrimaryReturned.",
                "Stops it.", "Rejoin it with pg_rewind or a new copy."};
        case Reason::ordered_by_person:
            return {
                "A person ordered it.", "'handyrep failover', or the HTTP side.",
                "Fails over; gates hold unless they are overridden by name.", "Nothing."};
    }
    return {};
}

Page page_of(Closed closed) {
    constexpr std::string_view refuses = "Refuses, and undoes what was begun.";
    switch (closed) {
        case Closed::fence_unreachable:
            return {
                "No proof that the policy accepts is within reach.", "failover.fencing; whether the primary's host answers.", refuses,
                "Bring the host's shell back, or fence the machine by hand."};
        case Closed::fence_failed:
            return {
                "The fence was tried and is not proved.", "Processes are left, the mark is missing, or autostart could not be disabled.",
                refuses, "Read the event 'fenced'; finish it by hand on that host."};
        case Closed::witness_missing:
            return {
                "A replica's host cannot say whether it reaches the primary.", "Its shell, or bash and timeout there.", refuses,
                "Repair the shell of that host."};
        case Closed::witness_reaches_primary:
            return {
                "A replica's host reaches the primary's port.", "A TCP connection from there was accepted.", refuses,
                "The primary's machine lives: look there."};
        case Closed::replica_not_detached:
            return {
                "A replica still has a WAL receiver, or could not be asked.", "Its pg_stat_wal_receiver after the detach.", refuses,
                "See why that replica does not take the change (before 13 it cannot)."};
        case Closed::silence_too_short:
            return {"The primary's port has not been silent for long enough.", "failover.silence_timeout.", "Tries again.", "Wait."};
        case Closed::loss_too_large:
            return {
                "More would be lost than is allowed.",
                "The candidate's position against the primary's last known one, or against another member's.", refuses,
                "Wait for a replica that holds more, or take the loss by --override durability."};
        case Closed::loss_unknown:
            return {
                "Nothing says how far the primary or the candidate was.",
                "Neither was read by this life of the manager, nor is it in servers.save.", refuses,
                "Order it with --override durability, knowing that the loss is unknown."};
        case Closed::sync_set_open:
            return {
                "Nobody can count who may have confirmed a commit.", "synchronous_standby_names contains '*', or cannot be read.", refuses,
                "Name the standbys one by one."};
        case Closed::sync_name_shared:
            return {
                "Two servers use one name of the synchronous set.",
                "Two walsenders of that name, at once or from two addresses within a day.", refuses,
                "Give each replica an application_name of its own."};
        case Closed::sync_member_unmanaged:
            return {
                "A synchronous member belongs to no configured server, and without it too few are detached.",
                "Its name in synchronous_standby_names.", refuses, "Configure it, or take it out of the set."};
        case Closed::sync_member_too_old:
            return {
                "A synchronous member is older than PostgreSQL 13, and without it too few are detached.",
                "Its version: its receiver cannot be stopped by a reload.", refuses, "Stop that replica by hand, or upgrade."};
        case Closed::sync_members_missing:
            return {
                "Too few synchronous members are detached and read.", "N - k + 1 are needed; the text names the missing ones.", refuses,
                "Bring them into sight."};
        case Closed::sync_unknown:
            return {
                "The primary's synchronous_standby_names was never read.", "Neither by this life of the manager nor in servers.save.",
                refuses, "Order it with --override durability, knowing that acknowledged commits may be lost."};
        case Closed::not_replayed:
            return {
                "A synchronous candidate has not replayed yet what it received.",
                "Its replay position is behind its receive position, and it does not say that it waits for WAL.", refuses,
                "Wait: it is tried again. Where its replay is held up by a query or paused, end that."};
        case Closed::below_acknowledged:
            return {
                "The candidate is behind what synchronous standbys were seen to confirm.", "The recorded position in servers.save.",
                refuses, "Find the standby that holds it, and promote that one."};
        case Closed::lease_not_proved:
            return {
                "A lease is armed on the primary's node, and its end would prove nothing.",
                "A listed replica is not seen, autostart is on there, or its script was not heard of for long before the silence.", refuses,
                "Look at the primary's machine; make sure it is down, then 'handyrep failover --override fence'."};
        case Closed::lease_not_run_out:
            return {
                "The lease on the primary's node has not surely run out yet.",
                "Its TTL, the stop as measured there, and a margin, since the last renewal and the last detach.", refuses,
                "Wait: it is tried again."};
    }
    return {};
}

}  // namespace handyrep::decide
