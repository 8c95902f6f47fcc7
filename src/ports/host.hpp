// ports/host.hpp — the machine of one server, over SSH or locally; only what this program does there, not a shell.
//
// Every changing call carries its own expiry, checked where it runs (S8). Error kinds as in ports/postgres.hpp.
#pragma once

#include "base/secret.hpp"
#include "base/time.hpp"
#include "model/rewind.hpp"
#include "model/sighting.hpp"
#include "model/wal_end.hpp"
#include "model/wal_stretch.hpp"
#include "ports/async.hpp"

#include <cstdint>
#include <string>

namespace handyrep::ports {

/// What the fence did, in the order of S7, and what it saw afterwards.
struct FenceReport {
    std::string autostart;            // what was disabled, for the event and the undo: "none found", "start.conf of 15/main: manual"
    std::uint32_t killed = 0;         // processes
    std::uint32_t left = 0;           // processes that still hold the data directory; 0 together with `marked` is the proof
    bool marked = false;              // standby.signal (before 12: recovery.conf) is there and synced
    bool autostart_disabled = false;  // nothing would start it, or what would was disabled
    [[nodiscard]] bool processes_gone() const { return left == 0 && marked && autostart_disabled; }
};

/// What a clean stop did, in the order of S7, and what the control file said once no process was left.
struct StopReport {
    std::string autostart;            // as in FenceReport
    std::uint32_t left = 0;           // processes that still hold the data directory
    bool marked = false;              // standby.signal (before 12: recovery.conf) is there and synced
    bool autostart_disabled = false;  // nothing would start it, or what would was disabled
    model::ControlState state = model::ControlState::in_production;
    model::Lsn checkpoint{0};  // "Latest checkpoint location": where its record begins (S22)
    [[nodiscard]] bool processes_gone() const { return left == 0 && marked && autostart_disabled; }
};

enum class StartAs { standby, primary };

/// A rewind (S7, S24) of a server that is down.
struct RewindWanted {
    std::string ticket;                    // of the order: an earlier one that was given up is not taken for this one
    std::string label;                     // of the folder where the diverged WAL is saved; a server's name
    model::DivergenceQuestion divergence;  // `refused` when the directory belongs to another system
    std::string source;                    // how a program on this host logs in at the server that it shall follow, without a password
    Secret password_line{};                // of a passfile for that; empty: what is on the host already says it
};

class Host {
public:
    Host() = default;
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;
    virtual ~Host() = default;

    /// Control file, processes, mark of the server's data directory. Changes nothing.
    virtual Async<model::HostLook> look(Instant deadline) = 0;

    /// The fence of S7; what marks a standby follows from the directory's own version. `refused` when the directory is not one of
    /// `expected`, with nothing touched.
    virtual Async<FenceReport> fence(model::SystemId expected, Instant deadline) = 0;

    /// Autostart off, marked standby, then a fast stop (manual, pg_ctl), and waits until no process is left or the time is over; it goes on
    /// stopping then. Where autostart or mark cannot be done nothing is stopped. `refused` as for `fence`. Down already: says so.
    virtual Async<StopReport> stop(model::SystemId expected, Instant deadline) = 0;

    /// Gives autostart back as `stop` or `fence` found it and starts the server, with the options that it had: as a standby it must be
    /// marked (`refused` otherwise), as a primary the mark is taken away, and one that runs as a standby is stopped first. A stop that is
    /// under way is waited for, in the end cut short. Runs already, and as wanted: succeeds. Success means that it was started, not that it answers.
    virtual Async<void> start(model::SystemId expected, StartAs as, Instant deadline) = 0;

    /// Where the WAL of the directory ends (S3, S10), once nothing writes it. Changes nothing. `refused` when the directory is of
    /// another system, `conflict` while a process holds it, `failed` when what is there does not reach that far.
    virtual Async<model::WalEnd> read_wal_end(const model::WalEndQuestion& question, Instant deadline) = 0;

    /// What a rewind needs to know beforehand. Changes nothing but an earlier rewind that was interrupted: it is settled, and its word told.
    virtual Async<model::RewindLook> look_for_rewind(Instant deadline) = 0;
    virtual Async<model::Divergence> measure_divergence(const model::DivergenceQuestion& question, Instant deadline) = 0;

    /// Begins a rewind where none is under way, and says how far it is: ask again until it ended. It goes on by itself on the host. Autostart
    /// off, marked standby and held against every start first; the diverged WAL is saved before anything is written, also by a crash recovery.
    /// `refused` when it was not begun, with nothing touched.
    virtual Async<model::RewindProgress> rewind(const RewindWanted& wanted, Instant deadline) = 0;
    /// Checks that a rewind is done and the server marked, told whom to follow, and with its own settings (S7), and gives the directory free for
    /// `start`, which refuses it until then. There was none: succeeds.
    virtual Async<void> end_rewind(model::SystemId expected, Instant deadline) = 0;

    /// Of the WAL there, within one file, when no process holds it any more (S10): for `put_wal` of another machine. Changes nothing. Errors
    /// as of `read_wal_end`.
    virtual Async<model::PackedWal> read_wal(const model::WalStretch& stretch, Instant deadline) = 0;

    /// Makes an empty folder for WAL that is brought to the server of this machine, in the place of an older one, with what the server itself
    /// has of the file that `stretch` begins in. `refused`, with nothing touched, for another system's directory and where there is no room.
    virtual Async<model::WalPlace> make_wal_place(const model::WalStretch& stretch, Instant deadline) = 0;
    /// Within one file. Stretches come in their order, the first from where the place begins; can be repeated.
    virtual Async<void> put_wal(const model::WalStretch& stretch, const model::PackedWal& wal, Instant deadline) = 0;
    /// There is none: succeeds.
    virtual Async<void> remove_wal_place(Instant deadline) = 0;

    /// pg_ctl promote, for versions without pg_promote; dropped there when that machine's clock has passed `expires`. `refused`:
    /// dropped, another system's, not marked standby, or not running. Success means the request was taken.
    virtual Async<void> promote(model::SystemId expected, WallTime expires, Instant deadline) = 0;

    /// Stops and starts a standby, so that it reads its settings anew (S21). `refused`, with nothing touched, for another system's
    /// directory, one that is not marked standby, and one that does not run. Once stopped it is started, also after the deadline.
    virtual Async<void> restart_standby(model::SystemId expected, Instant deadline) = 0;

    /// Whether this machine gets any byte of a PostgreSQL server at `hostname`:`port`, or sees it close the connection. `silent`: it waited
    /// `patience` there for that. Never an error: what cannot be found out is `unknown`, also what is not heard before `deadline`, which
    /// leaves time to reach this machine at all.
    virtual asio::awaitable<model::Reach> reach(const std::string& hostname, std::uint16_t port, Duration patience, Instant deadline) = 0;
};

/// Files of a node that no SQL reaches.
class NodeFiles {
public:
    NodeFiles() = default;
    NodeFiles(const NodeFiles&) = delete;
    NodeFiles& operator=(const NodeFiles&) = delete;
    virtual ~NodeFiles() = default;

    /// Puts one line of a passfile (in the place of an older one for the same user) into a file that only the server's owner
    /// can read, and returns its path. So it need not stand in primary_conninfo (S18).
    virtual Async<std::string> keep_password(const Secret& line, Instant deadline) = 0;

    /// primary_conninfo as it counts from the next start on: of recovery.conf before 12, else of the configuration; empty where there is none.
    virtual Async<std::string> read_upstream(Instant deadline) = 0;
    /// Writes it; before 12 also recovery_target_timeline = 'latest', since 12 only on a server that is down. Counts from the next
    /// start. `refused` as in `Host::restart_standby`, and while processes hold what must be down.
    virtual Async<void> write_upstream(model::SystemId expected, const std::string& conninfo, Instant deadline) = 0;
};

}  // namespace handyrep::ports
