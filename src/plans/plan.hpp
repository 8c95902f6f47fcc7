// plans/plan.hpp — an operation as a value: printed by --dry-run, journalled, carried out, simulated.
//
// Straight-line: reversible steps, one commit step (the point of no return), finishing groups. When the world changes
// under it the plan stops, undoes what certainly must be undone, and a new plan is made from what is seen then.
// A command says everything that is needed to carry it out; who carries it out (engine/hands) decides nothing.
#pragma once

#include "base/time.hpp"
#include "decide/decision.hpp"
#include "model/copy.hpp"
#include "model/names.hpp"
#include "model/rewind.hpp"
#include "model/server.hpp"
#include "model/timeline.hpp"
#include "model/version_facts.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace handyrep::plans {

/// Autostart off, marked standby on disk, every process of the data directory killed, looked again (S7). Yields a proof.
struct Fence {
    model::ServerName server;
    model::SystemId system_id;  // refused when the directory belongs to another system
};
/// Stops a replica's WAL receiver by an empty primary_conninfo and waits until it is gone (13+).
struct Detach {
    model::ServerName replica;
};
/// The undo of Detach: lets it follow `upstream` again.
struct Reattach {
    model::ServerName replica;
    model::ServerName upstream;
};
/// Waits until what was received is replayed (or stands still) and notes the position.
struct ReadFinalPosition {
    model::ServerName replica;
    bool end_queries = false;  // of clients, when they hold up its replay (S19)
};
/// Brings what the fenced old primary flushed and the candidate lacks to the candidate, which replays it: read on the old primary's disk,
/// copied to a folder of ours on the candidate's host, offered by its restore_command (S10).
struct Salvage {
    model::ServerName old_primary;
    model::ServerName candidate;
    model::SystemId system_id;
    bool end_queries = false;  // of clients on the candidate, when they hold up its replay (S19)
};
/// What Salvage changed on the candidate is as it was: restore_command, by value and source, and no folder. Its undo as well.
struct EndSalvage {
    model::ServerName candidate;
};
/// Judges proof, durability and candidate by what the steps before found; nothing is touched (S2).
struct CheckGates {
    model::ServerName old_primary;
    model::ServerName candidate;
    decide::Overrides overrides{};  // gates that a person ordered to be passed although shut
};
/// Writes synchronous_standby_names for the world after the promotion and reads it back (S9).
struct PrepareCandidate {
    model::ServerName candidate;
    std::string synchronous_standby_names;
};
/// Promotes by SQL, or before 12 over the host, with its own expiry, nudges until promoted, verifies by sight (S8, T10).
struct Promote {
    model::ServerName candidate;
    bool end_queries = false;  // of clients, when they hold up its replay, for which the promotion waits (S19)
    model::Promoting how = model::Promoting::by_sql;
};
/// Raises the epoch, gives the role, bars the old primary; durable before clients are led to the new one.
struct RecordPromotion {
    model::ServerName promoted;
    model::ServerName old_primary;
};
/// Makes a replica follow another upstream, before 13 by a restart of it, and waits until it replays from there (S11).
struct Repoint {
    model::ServerName replica;
    model::ServerName upstream;
};

/// Reads on the fenced old primary's disk where its WAL ends: what was lost, exactly. Changes nothing.
struct ReadLoss {
    model::ServerName old_primary;
    model::SystemId system_id;
};

// --- of a switchover

struct Checkpoint {
    model::ServerName server;
};
/// Waits until a replica has replayed what its upstream had written when this began.
struct CatchUp {
    model::ServerName replica;
    model::ServerName upstream;
};
/// Writes on a primary whom it follows once it is started as a standby (12+); it takes no notice of that before.
struct PrepareToFollow {
    model::ServerName server;
    model::ServerName upstream;
};
/// Autostart off, marked standby on disk, then a fast stop, and waits until no process is left (S7, S22). Yields a proof.
struct StopCleanly {
    model::ServerName server;
    model::SystemId system_id;
};
/// The undo of StopCleanly: mark and autostart as they were, and started again as primary. Refused once anybody else may be one.
struct StartAgain {
    model::ServerName server;
    model::SystemId system_id;
};
/// Both gates of a handover: the old primary is down, cleanly, and the candidate has replayed past its shutdown checkpoint (S22).
struct CheckHandover {
    model::ServerName old_primary;
    model::ServerName candidate;
    bool end_queries = false;  // of clients on the candidate, when they hold up its replay (S19)
};
/// Gives autostart back and starts a server that was stopped cleanly as a replica; its WAL must end before the fork (S3).
struct StartAsReplica {
    model::ServerName server;
    model::ServerName upstream;
    model::SystemId system_id;
};

// --- of a server that comes back as a replica

/// Saves what only it has, recovers it where it crashed, and rewinds it to `upstream`; a job of its host's, which goes on by itself (S7, S24).
struct Rewind {
    model::ServerName server;
    model::ServerName upstream;
    model::DivergenceQuestion behind;
};
/// Writes into the files of a server that is down whom it follows from its next start on.
struct PrepareDown {
    model::ServerName server;
    model::ServerName upstream;
    model::SystemId system_id;
};
/// Checks mark, upstream and settings of a rewound server, and gives it free to be started.
struct EndRewind {
    model::ServerName server;
    model::SystemId system_id;
};
/// Gives autostart back and starts it as a replica; its WAL must not go past `fork`, where there is one (S3).
struct StartRejoined {
    model::ServerName server;
    model::ServerName upstream;
    model::SystemId system_id;
    std::optional<model::WalPosition> fork{};
};
/// Marked standby, and nothing starts it by itself; nothing of it runs, or it is stopped.
struct HoldDown {
    model::ServerName server;
    model::SystemId system_id;
};

// --- of a copy (clone, reclone)

/// Makes an absent data directory, empty.
struct MakePlace {
    model::ServerName server;
};
/// Begins a copy beside the data directory, or finds the one that this operation began, and waits until it is whole.
struct CopyData {
    model::ServerName server;
    model::ServerName source;
    model::ServerName upstream;  // whom it will follow
    model::SystemId system_id;
    model::ServerVersion version;
    model::CopyWishes wishes{};
    std::string program{};  // as it is run there, for whoever reads the plan
};
/// The undo of CopyData: ends what runs and takes away what was copied.
struct AbandonCopy {
    model::ServerName server;
};
/// By what is seen now: the server still is not the primary and does not run, and there is one that it can follow.
struct CheckPlace {
    model::ServerName server;
    model::ServerName upstream;
    model::ServerVersion version;
};
/// Makes the whole copy a standby, sets the old directory aside and puts the copy there; refused by the node itself for a directory of
/// another system, and for one that a process holds.
struct PutInPlace {
    model::ServerName server;
    model::ServerName upstream;
    model::SystemId system_id;
    model::ServerVersion version;
    std::string slot{};
    std::string pgdata{};  // for whoever reads the plan
};
/// Starts it and sees that it receives; it takes part again.
struct StartCopy {
    model::ServerName server;
    model::ServerName upstream;
    model::SystemId system_id;
};
/// Begins to delete what was set aside, once the new one streams.
struct DiscardOld {
    model::ServerName server;
    model::ServerName upstream;
    std::string pgdata{};
};

// --- of a replica's service

/// Gives autostart back, starts it as it is marked, and waits until it answers and, where there is an upstream, streams from it.
struct StartReplica {
    model::ServerName replica;
    std::optional<model::ServerName> upstream;
    model::SystemId system_id;
};
/// Stops and starts it, and waits as above.
struct RestartReplica {
    model::ServerName replica;
    std::optional<model::ServerName> upstream;
    model::SystemId system_id;
};

using Command = std::variant<
    Fence, Detach, Reattach, ReadFinalPosition, Salvage, EndSalvage, CheckGates, PrepareCandidate, Promote, RecordPromotion, Repoint,
    ReadLoss, Checkpoint, CatchUp, PrepareToFollow, StopCleanly, StartAgain, CheckHandover, StartAsReplica, Rewind, PrepareDown, EndRewind,
    StartRejoined, HoldDown, StartReplica, RestartReplica, MakePlace, CopyData, AbandonCopy, CheckPlace, PutInPlace, StartCopy, DiscardOld>;

struct Step {
    std::string name;             // shown to the operator word for word; unique within the plan
    std::string why;              // the reason, one sentence
    std::vector<Command> apply;   // done in parallel; the step ends when all ended or its limit passed
    std::vector<Command> undo{};  // empty: leaving it done is harmless, or cannot be taken back
    Duration limit;               // for one attempt
    bool may_fail = false;        // the gates judge the outcome; a failure alone does not stop the plan
};

struct Group {
    std::vector<Step> steps;
};

enum class OperationKind { failover, stop_returned_primary, switchover, follow, stop, start, restart, fence, rejoin, clone, reclone };
[[nodiscard]] std::string_view word_for(OperationKind kind);
/// Whether it moves the role of primary: then its commit step is the promotion.
[[nodiscard]] bool moves_role(OperationKind kind);

struct Plan {
    OperationKind kind;
    model::ClusterName cluster;
    std::vector<Step> reversible;  // undone last-to-first if one fails or the plan is stopped before `commit`
    std::optional<Step> commit{};  // the point of no return; an operation without one can be taken back until it has ended
    std::vector<Group> finish{};   // never undone; steps of a group run in parallel, every group runs, failures are collected (S17)
};

}  // namespace handyrep::plans
