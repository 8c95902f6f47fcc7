// sim/server.hpp — one PostgreSQL server and its machine as they truly are; what a sensor sees of it is for the ports.
#pragma once

#include "model/rewind.hpp"
#include "model/copy.hpp"
#include "model/sighting.hpp"
#include "model/sync_standbys.hpp"
#include "sim/network.hpp"
#include "sim/setup.hpp"
#include "sim/task.hpp"
#include "sim/wal.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace handyrep::sim {

using ServerIndex = std::size_t;

/// A session of the manager at a server, as both ends know it.
struct Session {
    bool backend = true;   // the process at the server exists
    bool closed = false;   // by the manager
    bool aborted = false;  // by the manager's kernel: what it had not delivered is thrown away
    bool ended = false;    // the manager's kernel has heard of the end
    model::LastWords words = model::LastWords::none;
    std::function<void()> on_end;    // of the port's question; empty when it waits for none
    std::function<void()> on_watch;  // of the port's session_ended

    void hear_of_end(model::LastWords last) {
        if (ended) return;
        ended = true;
        words = last;
        if (on_end) on_end();
        if (on_watch) on_watch();
    }
};

struct Receiver {
    enum class State { connecting, streaming, waiting };  // waiting: its WAL does not fit, it gets nothing (T4)
    State state = State::connecting;
    ServerIndex upstream;
    Instant last_message;
    std::uint64_t number;  // of this receiver: a message for an earlier one is dropped
};

struct Sender {
    ServerIndex replica;
    std::uint64_t receiver;  // its number
    model::Lsn confirmed;    // flushed there
    Instant last_reply;
};

/// A commit that waits for its server's disk, and perhaps for synchronous standbys.
struct WaitingCommit {
    std::size_t client;
    std::uint64_t request;
    model::Lsn end;
    bool local;  // does not wait for standbys
    Instant since{};
};

/// What a rewind left, or does, in its directory and beside it.
struct Rewound {
    model::RewindPhase phase = model::RewindPhase::none;
    std::string ticket{};
    std::string why{};
    bool held = false;  // by the permission with which PostgreSQL does not start
    std::optional<model::DivergedWal> saved{};
};

/// WAL of another server that was brought to this one's machine.
struct BroughtWal {
    BranchId branch;
    model::Lsn from;
    model::Lsn to;
};

/// restore_command leads to it, and says whose doing that is and what it replaced in postgresql.auto.conf.
struct Offer {
    std::uint64_t operation;
    std::optional<std::string> replaced;
};

struct Disk {
    model::ControlState control = model::ControlState::in_production;
    bool standby_mark = false;
    bool autostart = true;
    bool fenced = false;                              // by the manager: a person who sees the mark asks before starting it
    std::optional<ServerIndex> follows{};             // primary_conninfo
    std::optional<ServerIndex> follows_from_start{};  // what was written where only a start reads it (before 13)
    std::string synchronous_standby_names{};
    BranchId branch = 0;
    model::Lsn end{0};          // flushed (primary) or received (standby), at the end of a record
    std::uint64_t partial = 0;  // bytes after it of a record that never came whole (S11)
    model::Lsn replayed{0};
    Rewound rewound{};
    std::optional<std::string> restore_command{};  // in postgresql.auto.conf
    std::optional<Offer> offer{};                  // in its place
    std::optional<BroughtWal> brought{};
    model::Lsn checkpoint{0};  // where the record of its last shutdown checkpoint begins (S22)
};

/// What stands where a server's data is to be. `disk` means something only where it is a database.
enum class Place { database, absent, unidentified };

/// A copy that is being made beside the data of a server, on its machine and by itself.
struct CopyJob {
    std::uint64_t operation;
    ServerIndex source;
    model::CopyProgress::State state = model::CopyProgress::State::running;
    double part = 0;  // of the whole
    Instant began{};
    Disk made{};
    std::string said{};
};

/// A replication slot. One that its user left behind keeps WAL, or loses it at the limit that is set.
struct KeptSlot {
    std::string name;
    model::Lsn restart;
};

struct Server {
    model::ServerName name;
    Node node;
    Disk disk{};
    Setup setup{};
    Place place = Place::database;
    bool old_aside = false;  // the directory that a copy took the place of
    std::optional<CopyJob> copy{};
    std::optional<model::SystemId> foreign{};  // its data directory is of another system
    std::vector<KeptSlot> slots{};
    std::vector<std::string> wal_sinks{};  // programs that stream its WAL away

    // the machine
    bool powered = true;
    bool ssh_answers = true;
    bool slow_logins = false;    // it takes 1.5 s until a shell is open there
    Duration clock_ahead{};      // of true time
    Duration restarted_after{};  // what supervises it starts it again so long after a death; zero: nothing does

    bool rewind_runs = false;  // its job, which is no process of the server
    std::uint64_t rewinds = 0;

    // the processes
    enum class Postmaster { none, starting, running, stopping };
    Postmaster postmaster = Postmaster::none;
    bool in_recovery = false;  // of a running or starting one: it came up as a standby
    bool after_crash = false;  // of a starting one: in the words of 57P03, "in recovery mode"
    bool frozen = false;       // every process stopped (SIGSTOP)
    bool promoting = false;
    std::uint32_t orphans = 0;  // backends whose postmaster is dead and that go on writing
    std::uint64_t life = 0;     // rises at every start and death; what was planned for an earlier one is void
    Instant started{};
    std::optional<std::uint64_t> promotion_asleep{};  // T10: number of the promotion that waits for the retry interval or a nudge
    std::uint64_t promotions = 0;
    std::optional<Receiver> receiver{};
    std::uint64_t receivers = 0;
    std::optional<Instant> receiver_lost{};
    std::vector<Sender> senders{};
    std::vector<WaitingCommit> waiting{};
    const model::SyncStandbys* rule = nullptr;  // synchronous_standby_names as committers see it, which may be behind the file
    std::vector<std::shared_ptr<Session>> sessions{};
    std::vector<Task> when_thawed{};  // what arrived while it was frozen, in order

    // what is wrong with it
    std::uint64_t unflushed = 0;         // inserted, not flushed
    std::optional<Instant> flush_due{};  // of the walwriter, or of a storage that takes its time
    Duration flush_takes{};              // on this storage
    std::optional<Instant> checkpointer_busy_until{};
    std::uint64_t unread = 0;  // received, whole, and not read yet by a startup process that sleeps in wal_retrieve_retry_interval
    std::optional<Instant> replay_blocked_until{};  // a query on the hot standby
    Duration redo{};                                // what its next crash recovery takes besides
    bool storage_stalled = false;
    bool disk_full = false;
    bool disk_read_only = false;  // remounted so after an error
    bool data_full = false;       // of its data only: WAL is on a disk of its own
    bool disk_nearly_full = false;
    bool name_unknown = false;         // its name cannot be resolved
    bool sudo_denied = false;          // its host lets the manager in, and nothing be done as the owner
    bool sudo_denied_halfway = false;  // the same, once a fence has switched autostart off
    bool mark_denied = false;          // nobody may write in its data directory
    bool postmaster_stopped = false;   // SIGSTOP to it alone: what runs goes on, nothing new begins
    bool port_closed = false;          // for what is new: connections that are there go on
    bool look_refused = false;         // the manager's rights were revoked
    bool connections_full = false;
    bool password_broken = false;
    bool hba_broken = false;           // every login over the network is refused
    bool walsenders_full = false;      // no replica gets in
    bool certificate_expired = false;  // which the manager and replicas verify
    bool refuses_promotion = false;
    bool hangs_at_promotion = false;
    bool holds_promotions = false;  // they are on their way, and arrive when this ends
    std::vector<std::function<void()>> held_promotions{};

    [[nodiscard]] bool runs() const { return postmaster == Postmaster::running && !frozen && powered; }
    [[nodiscard]] bool takes_connections() const { return runs() && !postmaster_stopped && !port_closed; }
    [[nodiscard]] bool can_write_wal() const { return !disk_full && !disk_read_only; }
    [[nodiscard]] bool is_primary() const { return postmaster == Postmaster::running && !in_recovery && powered; }
    [[nodiscard]] bool has_processes() const { return powered && (postmaster != Postmaster::none || orphans > 0); }
    [[nodiscard]] std::uint32_t processes() const;
};

}  // namespace handyrep::sim
