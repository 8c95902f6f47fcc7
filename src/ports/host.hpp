// ports/host.hpp — the machine of one server, over SSH or locally; only what this program does there, not a shell.
//
// Every changing call carries its own expiry, checked where it runs (S8). Error kinds as in ports/postgres.hpp.
#pragma once

#include "base/secret.hpp"
#include "base/time.hpp"
#include "model/lease.hpp"
#include "model/sighting.hpp"
#include "model/wal_end.hpp"
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

    /// Ends a lease that is armed there, autostart off, marked standby, then a fast stop (manual, pg_ctl), and waits until no process is left or the time is over; it goes on
    /// stopping then. Where autostart or mark cannot be done nothing is stopped. `refused` as for `fence`. Down already: says so.
    virtual Async<StopReport> stop(model::SystemId expected, Instant deadline) = 0;

    /// Gives autostart back as `stop` or `fence` found it and starts the server, with the options that it had: as a standby it must be
    /// marked (`refused` otherwise), as a primary the mark is taken away, and one that runs as a standby is stopped first. A stop that is
    /// under way is waited for, in the end cut short. Runs already, and as wanted: succeeds. Success means that it was started, not that it answers.
    virtual Async<void> start(model::SystemId expected, StartAs as, Instant deadline) = 0;

    /// Where the WAL of the directory ends (S3, S10), once nothing writes it. Changes nothing. `refused` when the directory is of
    /// another system, `conflict` while a process holds it, `failed` when what is there does not reach that far.
    virtual Async<model::WalEnd> read_wal_end(const model::WalEndQuestion& question, Instant deadline) = 0;

    /// pg_ctl promote, for versions without pg_promote; dropped there when that machine's clock has passed `expires`. `refused`:
    /// dropped, another system's, not marked standby, or not running. Success means the request was taken.
    virtual Async<void> promote(model::SystemId expected, WallTime expires, Instant deadline) = 0;

    /// Stops and starts a standby, so that it reads its settings anew (S21). `refused`, with nothing touched, for another system's
    /// directory, one that is not marked standby, and one that does not run. Once stopped it is started, also after the deadline.
    virtual Async<void> restart_standby(model::SystemId expected, Instant deadline) = 0;

    /// Arms the lease of S6 on a node where PostgreSQL runs as primary, or takes over one that is armed there with the same TTL; `sent`
    /// is this call's own time, from which the TTL counts. What answers is the script, and it outlives the session that it was
    /// armed in only if a `renew_lease`, which comes in another, is answered with the same process. `refused`, with nothing armed:
    /// another system's directory, no primary, or what the script needs is missing there.
    virtual Async<model::LeaseAnswer> arm_lease(
        model::SystemId expected, const model::LeaseTerms& terms, Instant sent, Instant deadline) = 0;

    /// Gives its TTL from `sent` on. Dropped there when `sequence` is not higher than the last that was taken, or when it comes after
    /// the deadline by that node's own clock. `conflict`: none is armed there, and what became of it.
    virtual Async<model::LeaseAnswer> renew_lease(
        const model::LeaseTerms& terms, std::uint64_t sequence, Instant sent, Instant deadline) = 0;

    /// Ends the script; the last word of what was armed. Succeeds where none is, then with process 0.
    virtual Async<model::LeaseAnswer> disarm_lease(Instant deadline) = 0;

    /// Whether this machine gets any byte of a PostgreSQL server at `hostname`:`port`, or sees it close the connection. Never an error: what cannot be found out is `unknown`.
    virtual asio::awaitable<model::Reach> reach(const std::string& hostname, std::uint16_t port, Instant deadline) = 0;
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

    /// primary_conninfo of recovery.conf (before 12); empty where there is none.
    virtual Async<std::string> read_upstream(Instant deadline) = 0;
    /// Writes it, and recovery_target_timeline = 'latest'; counts from the next start. `refused` as in `Host::restart_standby`.
    virtual Async<void> write_upstream(model::SystemId expected, const std::string& conninfo, Instant deadline) = 0;
};

}  // namespace handyrep::ports
