#include "plans/describe.hpp"

#include "base/overloaded.hpp"

#include <fmt/format.h>

namespace handyrep::plans {

std::string describe(const Command& command) {
    return std::visit(
        Overloaded{
            [](const Fence& it) {
                return fmt::format(
                    "fence {}: autostart off, mark its data directory standby, kill every process of it, look again", it.server.text());
            },
            [](const Detach& it) {
                return fmt::format(
                    "detach {}: ALTER SYSTEM SET primary_conninfo = '', reload, wait until its WAL receiver is gone", it.replica.text());
            },
            [](const Reattach& it) { return fmt::format("let {} follow {} again", it.replica.text(), it.upstream.text()); },
            [](const ReadFinalPosition& it) {
                return fmt::format(
                    "read the final WAL position of {}{}", it.replica.text(),
                    it.end_queries ? "; queries of clients that hold up its replay are ended" : "");
            },
            [](const Salvage& it) {
                return fmt::format(
                    "on the host of {0}: pg_waldump from where {1} has replayed to the first record that is not whole; what lies between is copied "
                    "over SSH to a folder of its own on the host of {1} and offered by ALTER SYSTEM SET restore_command, reload, until {1} has "
                    "replayed it{2}",
                    it.old_primary.text(), it.candidate.text(),
                    it.end_queries ? "; queries of clients that hold up its replay are ended" : "");
            },
            [](const EndSalvage& it) {
                return fmt::format(
                    "on {}: restore_command as it was before (ALTER SYSTEM SET or RESET, reload, read back), the folder removed",
                    it.candidate.text());
            },
            [](const CheckGates& it) {
                return fmt::format(
                    "both gates: {} is fenced, and {} holds everything that may not be lost{}{}", it.old_primary.text(),
                    it.candidate.text(), it.overrides.fence ? "; the fence gate is overridden" : "",
                    it.overrides.durability ? "; the durability gate is overridden" : "");
            },
            [](const PrepareCandidate& it) {
                return fmt::format("on {}: synchronous_standby_names = '{}', read back", it.candidate.text(), it.synchronous_standby_names);
            },
            [](const Promote& it) {
                if (it.how == model::Promoting::by_host)
                    return fmt::format(
                        "promote {}: pg_ctl promote over its host, valid until that host's clock says otherwise, nudged until it is done",
                        it.candidate.text());
                return fmt::format(
                    "promote {}: SELECT pg_promote(false), valid until its own clock says otherwise, nudged until it is done",
                    it.candidate.text());
            },
            [](const RecordPromotion& it) {
                return fmt::format(
                    "write down: {} is primary, {} must not run as one, epoch + 1", it.promoted.text(), it.old_primary.text());
            },
            [](const Repoint& it) {
                return fmt::format(
                    "let {} follow {} (before PostgreSQL 13 by a restart of it) and see that it receives", it.replica.text(),
                    it.upstream.text());
            },
            [](const ReadLoss& it) {
                return fmt::format(
                    "on the host of {}: pg_waldump from the fork to the first record that is not whole; bytes and commits that are lost",
                    it.old_primary.text());
            },
            [](const Checkpoint& it) { return fmt::format("on {}: CHECKPOINT", it.server.text()); },
            [](const CatchUp& it) {
                return fmt::format("wait until {} has replayed what {} has written by now", it.replica.text(), it.upstream.text());
            },
            [](const PrepareToFollow& it) {
                return fmt::format(
                    "on {}: ALTER SYSTEM SET primary_conninfo to {}, which counts from its next start on", it.server.text(),
                    it.upstream.text());
            },
            [](const StopCleanly& it) {
                return fmt::format(
                    "stop {}: autostart off, mark its data directory standby, a fast stop (SIGINT to its postmaster), wait until no process of "
                    "it is left",
                    it.server.text());
            },
            [](const StartAgain& it) {
                return fmt::format("on {}: take the mark away, give autostart back, start it as primary again", it.server.text());
            },
            [](const CheckHandover& it) {
                return fmt::format(
                    "both gates: {0} is shut down cleanly and no process of it is left, and {1} has replayed past the shutdown checkpoint of "
                    "{0}{2}",
                    it.old_primary.text(), it.candidate.text(),
                    it.end_queries ? "; queries of clients that hold up its replay are ended" : "");
            },
            [](const StartReplica& it) {
                return fmt::format(
                    "on {}: give autostart back, start it as it is marked, and see that it answers{}", it.replica.text(),
                    it.upstream ? fmt::format(" and receives from {}", it.upstream->text()) : "");
            },
            [](const RestartReplica& it) {
                return fmt::format(
                    "restart {} and see that it answers{}", it.replica.text(),
                    it.upstream ? fmt::format(" and receives from {}", it.upstream->text()) : "");
            },
            [](const StartAsReplica& it) {
                return fmt::format(
                    "on {}: give autostart back, start it as it is marked, and see that it receives from {}", it.server.text(),
                    it.upstream.text());
            },
            [](const Rewind& it) {
                return fmt::format(
                    "on the host of {}, as a job of its own: autostart off, marked standby, held against every start; its WAL from {} on is copied "
                    "aside and summed up; crash recovery in single-user mode where it was not shut down; pg_rewind -R to {}, tried with --dry-run "
                    "first; its own configuration and slots put back",
                    it.server.text(), text(it.behind.fork), it.upstream.text());
            },
            [](const PrepareDown& it) {
                return fmt::format(
                    "in the files of {}: primary_conninfo to {}, with a passfile and without a password, read back", it.server.text(),
                    it.upstream.text());
            },
            [](const EndRewind& it) {
                return fmt::format(
                    "check that {} is marked standby, knows whom to follow and has its own settings; give it free", it.server.text());
            },
            [](const StartRejoined& it) {
                return fmt::format(
                    "on {}: {}give autostart back, start it as a replica, and see that it receives from {}", it.server.text(),
                    it.fork ? fmt::format("read again that its WAL does not go past {}, ", text(*it.fork)) : "", it.upstream.text());
            },
            [](const HoldDown& it) {
                return fmt::format(
                    "stop {} where it runs: autostart off, mark its data directory standby, a fast stop, wait until no process of it is left",
                    it.server.text());
            },
            [](const MakePlace& it) { return fmt::format("on {}: mkdir of its data directory, where it is absent", it.server.text()); },
            [](const CopyData& it) {
                return fmt::format("on {}, in a session of its own, and wait until it has ended well: {}", it.server.text(), it.program);
            },
            [](const AbandonCopy& it) { return fmt::format("on {}: end the copy and delete what it made", it.server.text()); },
            [](const CheckPlace& it) {
                return fmt::format(
                    "see that {0} is not the primary, that no process holds its data directory, and that {1} is a primary to follow",
                    it.server.text(), it.upstream.text());
            },
            [](const PutInPlace& it) {
                return fmt::format(
                    "on {0}: keep the node's own settings, write standby.signal and primary_conninfo to {1}{2}; if {3} is empty or of system {4} "
                    "and no process holds it: mv {3} {3}.handyrep-old, mv {3}.handyrep-new {3}",
                    it.server.text(), it.upstream.text(), it.slot.empty() ? "" : fmt::format(" and primary_slot_name {}", it.slot),
                    it.pgdata, it.system_id.value);
            },
            [](const StartCopy& it) {
                return fmt::format(
                    "on {}: give autostart back, start it, and see that it receives from {}", it.server.text(), it.upstream.text());
            },
            [](const DiscardOld& it) {
                return fmt::format(
                    "on {0}: if it streams from {1}, rm -rf {2}.handyrep-old", it.server.text(), it.upstream.text(), it.pgdata);
            },
        },
        command);
}

namespace {

void add(std::vector<std::string>& out, int& number, const Step& step, std::string_view mark) {
    out.push_back(fmt::format("{:2}. {}{} (at most {}) — {}", ++number, step.name, mark, text(step.limit), step.why));
    for (const Command& command : step.apply) out.push_back("      " + describe(command));
    for (const Command& command : step.undo) out.push_back("      undo: " + describe(command));
}

}  // namespace

std::vector<std::string> describe(const Plan& plan) {
    std::vector<std::string> out;
    int number = 0;
    for (const Step& step : plan.reversible) add(out, number, step, "");
    if (plan.commit) add(out, number, *plan.commit, "  << point of no return");
    for (const Group& group : plan.finish) {
        for (const Step& step : group.steps) add(out, number, step, "");
    }
    return out;
}

}  // namespace handyrep::plans
