// model/sighting.hpp — what one sensor saw of one server at one time.
//
// Two sensors look at every server, always: the *held* session and a fresh *dial*. They fail differently, and the
// difference is the diagnosis. Two more look on suspicion: the *host* (over SSH or locally) and the *witness*, a
// replica's host that says whether it can reach the primary. A sighting says what was seen, never what it means.
#pragma once

#include "base/time.hpp"
#include "model/lsn.hpp"
#include "model/names.hpp"
#include "model/server.hpp"
#include "model/timeline.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace handyrep::model {

/// One row of pg_stat_replication on the primary.
struct WalSender {
    std::string application_name;
    std::string state;             // "streaming", "catchup", "startup", "backup", "stopping"
    std::string sync_state;        // "async", "potential", "sync", "quorum"
    std::string address{};         // of the machine at the other end; empty: a local socket, or not told
    std::optional<Lsn> flushed{};  // what it said it has on disk; nothing: not told
    friend bool operator==(const WalSender&, const WalSender&) = default;
};

/// A server that is not in recovery.
struct PrimaryAnswer {
    Timeline timeline;
    Lsn inserted;
    Lsn flushed;
    bool read_only = false;  // default_transaction_read_only
    std::string synchronous_standby_names;
    std::string synchronous_commit;
    std::vector<WalSender> senders;
    /// Nothing when it could not be read (no replication login for the manager); an answer without it proves no identity (S12).
    std::optional<TimelineHistory> history{};
    friend bool operator==(const PrimaryAnswer&, const PrimaryAnswer&) = default;
};

/// The row of pg_stat_wal_receiver on a replica.
struct WalReceiver {
    std::string status;  // "streaming", "waiting", "starting", "stopping", …
    std::string sender_host;
    std::uint16_t sender_port = 0;
    Duration message_age{};  // since its upstream's last message, by the replica's own clock
    friend bool operator==(const WalReceiver&, const WalReceiver&) = default;
};

/// A server in recovery.
struct StandbyAnswer {
    std::optional<Timeline> timeline{};  // of the WAL it receives or, without a receiver, of what it has; nothing: could not be told
    Lsn received;                        // GREATEST(receive, replay): after a reconnect the receive position alone jumps back
    Lsn replayed;
    std::optional<WalReceiver> receiver{};
    bool replay_paused = false;
    bool replay_waits = false;               // it is behind what was received and waits for WAL: the rest is half a record (S11)
    Duration apply_delay{};                  // recovery_min_apply_delay
    std::optional<Duration> replay_delay{};  // clock minus the last replayed commit's time; nothing before the first one
    /// Everything that it holds and can ever replay is replayed.
    [[nodiscard]] bool replayed_all() const { return replay_waits || replayed >= received; }
    friend bool operator==(const StandbyAnswer&, const StandbyAnswer&) = default;
};

struct Answered {
    SystemId system_id;
    ServerVersion version;
    WallTime server_time;  // that server's clock, for expiries that are checked there (S8)
    WallTime started;      // its postmaster's start
    std::variant<PrimaryAnswer, StandbyAnswer> as;

    [[nodiscard]] const PrimaryAnswer* primary() const { return std::get_if<PrimaryAnswer>(&as); }
    [[nodiscard]] const StandbyAnswer* standby() const { return std::get_if<StandbyAnswer>(&as); }
    friend bool operator==(const Answered&, const Answered&) = default;
};

/// The end of a held session, by what the server said last (failure analysis, T9: SQLSTATE and source function, never the text).
enum class LastWords {
    none,             // closed or reset without a word
    postmaster_died,  // 57P01 from secure_read or another wait: "unexpected postmaster exit"
    administrator,    // 57P01 from ProcessInterrupts: a fast stop, or pg_terminate_backend
    immediate_stop,   // 57P01 from quickdie
    backend_crash,    // 57P02 from quickdie: another backend crashed, recovery follows
    other,            // any other FATAL
};
[[nodiscard]] std::string_view word_for(LastWords words);

/// How one attempt to get a fresh session ended.
enum class DialOutcome {
    accepted,
    refused,          // the port answered: nobody listens
    unreachable,      // the network said so
    connect_timeout,  // no answer to the connect
    startup_timeout,  // TCP accepted, the server says nothing
    reset,            // accepted, then cut
    shutting_down,    // 57P03 …
    starting_up,
    in_recovery,
    not_yet_accepting,
    too_many_connections,   // 53300
    authentication_failed,  // 28xxx
    tls_failed,
    name_not_resolved,
    other_refusal,  // answered with another error: alive
};
[[nodiscard]] std::string_view word_for(DialOutcome outcome);
/// Nobody answered as a PostgreSQL server: the outcomes that may confirm a death (all others prove a living postmaster, or our own fault).
[[nodiscard]] bool is_dead(DialOutcome outcome);
/// Of those, the ones that are mere silence, which must last before it counts.
[[nodiscard]] bool is_silence(DialOutcome outcome);
[[nodiscard]] bool is_recovery(DialOutcome outcome);

struct Silent {
    Instant since;  // when the question was sent that has no answer
    friend bool operator==(const Silent&, const Silent&) = default;
};
struct Lost {
    LastWords words;
    friend bool operator==(const Lost&, const Lost&) = default;
};
/// There was no session, and opening one ended so.
struct NotOpen {
    DialOutcome why;
    std::string message;  // the server's or the system's own words, without secrets
    friend bool operator==(const NotOpen&, const NotOpen&) = default;
};
/// The session is up and the question was refused (a missing right, a statement timeout): alive, but nothing was learnt.
struct Complained {
    std::string sqlstate;
    std::string message;
    friend bool operator==(const Complained&, const Complained&) = default;
};
using HeldSight = std::variant<Answered, Silent, Lost, NotOpen, Complained>;

struct DialSight {
    DialOutcome outcome;
    std::string message;
    friend bool operator==(const DialSight&, const DialSight&) = default;
};

/// The database's state in its control file (pg_controldata, "Database cluster state").
enum class ControlState {
    starting_up,
    shut_down,
    shut_down_in_recovery,
    shutting_down,
    in_crash_recovery,
    in_archive_recovery,
    in_production
};
[[nodiscard]] std::string_view word_for(ControlState state);

/// Room on one file system.
struct Room {
    Bytes size{};
    Bytes free{};  // for an ordinary user
    friend bool operator==(const Room&, const Room&) = default;
};

/// What the host itself says of one data directory.
struct HostLook {
    SystemId system_id;
    ControlState state;
    std::uint32_t processes;          // that hold the data directory; zombies do not count
    bool marked_standby;              // standby.signal, or recovery.conf before 12
    std::optional<Room> data_room{};  // of the data directory; nothing: could not be told
    std::optional<Room> wal_room{};   // of its pg_wal, which may lie elsewhere
    std::string service{};            // what the service manager says: "postgresql@15-main.service is failed (failed)"; empty: nothing
    friend bool operator==(const HostLook&, const HostLook&) = default;
};
/// Whether a host that is asked by SSH lives, although nothing came of it: it said no, or what it was told to do failed there.
[[nodiscard]] constexpr bool host_lives(ErrorKind why) { return why == ErrorKind::denied || why == ErrorKind::failed; }
struct HostSight {
    std::variant<HostLook, Error> saw;
    Duration took{};  // from the question to the answer
    [[nodiscard]] const HostLook* look() const { return std::get_if<HostLook>(&saw); }
    /// A shell that says no to the login or to sudo, or that finds no data directory, is one of a host that lives.
    [[nodiscard]] bool answered() const {
        const auto* const error = std::get_if<Error>(&saw);
        return error == nullptr || host_lives(error->kind);
    }
    friend bool operator==(const HostSight&, const HostSight&) = default;
};

/// Whether a replica's host gets any answer of the primary's PostgreSQL. An accepted connection alone is none: the kernel accepts
/// for a stopped process.
enum class Reach { accepted, refused, silent, unknown };
[[nodiscard]] std::string_view word_for(Reach reach);
struct WitnessSight {
    ServerName of;  // the server it was asked about
    Reach reach;
    friend bool operator==(const WitnessSight&, const WitnessSight&) = default;
};

/// One row of pg_replication_slots.
struct Slot {
    std::string name{};
    bool active = false;
    std::optional<Lsn> restart{};      // the oldest WAL it keeps; nothing: it keeps none
    std::string wal_status{};          // "reserved", "extended", "unreserved", "lost"; empty before 13
    std::optional<Bytes> safe_size{};  // WAL that may still be written before it is lost; nothing: no limit, or before 13
    friend bool operator==(const Slot&, const Slot&) = default;
};

/// Commits that wait for synchronous standbys.
struct SyncWait {
    std::uint32_t backends = 0;
    Duration oldest{};
    friend bool operator==(const SyncWait&, const SyncWait&) = default;
};

/// The five settings that a standby must have at least as large as its primary, or it does not start (T8).
struct Capacity {
    int connections = 0;
    int worker_processes = 0;
    int wal_senders = 0;
    int prepared_transactions = 0;
    int locks_per_transaction = 0;
    friend bool operator==(const Capacity&, const Capacity&) = default;
};

/// What is asked every few seconds only, in a session of its own: nothing that the first second of a death needs.
/// A field without value was not told (the version has no such thing, or the role may not see it).
struct Details {
    std::optional<SyncWait> sync_wait{};
    std::vector<Slot> slots{};
    std::optional<bool> archive_failing{};   // the last attempt failed; nothing: archiving is off
    std::optional<bool> can_rewind{};        // data checksums or wal_log_hints
    std::optional<bool> keeps_wal{};         // an archive or wal_keep_size: a replica that was away can catch up without a slot
    std::string collation{};                 // version of the default collation's library, "2.36"; empty before 15
    std::string stale_collation{};           // the version the database was built with, when it is another; else empty
    std::string recovery_target_timeline{};  // empty before 12
    std::optional<Capacity> capacity{};
    std::optional<bool> offers_wal{};  // restore_command still leads to what a salvage brought; nothing before 12
    friend bool operator==(const Details&, const Details&) = default;
};

struct Sighting {
    ServerName server;
    Instant taken_at;
    std::variant<HeldSight, DialSight, HostSight, WitnessSight, Details> saw;
};

}  // namespace handyrep::model
