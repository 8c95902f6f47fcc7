// ports/postgres.hpp — one server, over SQL.
//
// One held session serves the polls and the changes, in turn; `dial` opens and closes a session of its own. Every call
// returns by its deadline. An error of kind timed_out, unreachable or failed means "may have happened", any other kind
// "certainly did not and will not" (base/error.hpp: surely_not_done).
#pragma once

#include "base/secret.hpp"
#include "base/time.hpp"
#include "model/sighting.hpp"
#include "model/timeline.hpp"
#include "ports/async.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace handyrep::ports {

/// Where a replica shall stream from. User, TLS and passfile stay as the replica has them.
struct Upstream {
    std::string hostname;
    std::uint16_t port;
};

/// How a program on a server's host logs in somewhere as this program itself does; the password apart, for a passfile (S18).
struct Login {
    std::string conninfo;    // without a password
    Secret passfile_line{};  // empty: libpq's own passfile of whoever runs it
};

class Postgres {
public:
    Postgres() = default;
    Postgres(const Postgres&) = delete;
    Postgres& operator=(const Postgres&) = delete;
    virtual ~Postgres() = default;

    /// One look through the held session, which is opened first where there is none. `beat`: also write a WAL heartbeat
    /// when the server is not in recovery (S16). An unanswered question stays with the session: the next poll waits for
    /// that answer (`Silent.since` keeps its time), until the server answers or the session ends.
    virtual asio::awaitable<model::HeldSight> poll(bool beat, Instant deadline) = 0;

    /// Returns when a held session ends by itself, also one that is opened while this waits (its socket is watched between
    /// polls): once per end, and not for an end that a poll has reported. The next `poll` reports it as `Lost`. Endless
    /// otherwise: for one watcher that asks again and again.
    virtual asio::awaitable<void> session_ended() = 0;

    /// A fresh session, opened and closed.
    virtual asio::awaitable<model::DialSight> dial(Instant deadline) = 0;

    /// The slower questions, in a fresh session of their own, so that the held one is never kept waiting by them.
    virtual Async<model::Details> details(Instant deadline) = 0;

    /// primary_conninfo = '' and reload, then waits until there is no WAL receiver (PostgreSQL 13+; `unsupported` before).
    /// Already detached: succeeds.
    virtual Async<void> detach(Instant deadline) = 0;

    /// Makes a standby follow `upstream` and reloads; before 13 it does so from its next start on (Host::restart_standby). The rest
    /// of primary_conninfo is kept; a password in it is moved to a passfile on the node first (S18). Succeeds once the setting is
    /// read back; whether WAL flows is for the polls.
    virtual Async<void> follow(const Upstream& upstream, Instant deadline) = 0;

    /// Makes a standby drop its WAL receiver and connect anew to the same upstream (13+), by toggling a keyword of
    /// primary_conninfo that changes nothing. The setting keeps its target all the time, so nothing is left to repair when
    /// anybody dies in between. `refused` when there is no upstream, or a password in the setting.
    virtual Async<void> redial(Instant deadline) = 0;

    /// CHECKPOINT; returns when it is done.
    virtual Async<void> checkpoint(Instant deadline) = 0;

    /// Writes for the next start, on a server that is no standby now, that it follows `upstream` as a standby (12+; `unsupported` before).
    /// The rest of primary_conninfo is what it has, had when it was a standby, or what this program would write for it.
    virtual Async<void> prepare_to_follow(const Upstream& upstream, Instant deadline) = 0;

    /// The same for a server that is down, in its files: it must be marked standby (13+; `refused` as in `NodeFiles::write_upstream`).
    virtual Async<void> prepare_while_down(const Upstream& upstream, model::SystemId expected, Instant deadline) = 0;
    /// At `upstream`, for a program on this server's host.
    [[nodiscard]] virtual Login login_at(const Upstream& upstream) const = 0;
    /// The connection string by which this server would follow `upstream`, while it does not run: `own`, what its directory says (perhaps with
    /// a password, which goes to its passfile), else what it had when it was last seen, else what this program would write for it.
    virtual Async<std::string> conninfo_to(const Upstream& upstream, Secret own, Instant deadline) = 0;

    /// Writes synchronous_standby_names, reloads, reads it back (S9).
    virtual Async<void> set_synchronous_standby_names(const std::string& names, Instant deadline) = 0;

    /// Lets a standby restore WAL from `folder` on its own machine and from nowhere else (14+; `unsupported` before), and notes within the
    /// setting which operation did that and what it replaced, value and source (S10, S14). Read back.
    virtual Async<void> offer_wal(const std::string& folder, std::uint64_t operation, Instant deadline) = 0;
    /// Puts back what `offer_wal` replaced, and reads it back. Nothing of it is there: succeeds, and changes nothing.
    virtual Async<void> end_offer(Instant deadline) = 0;

    /// pg_promote(false), which the server itself drops when its clock has passed `expires` or it is not in recovery (12+).
    /// `refused`: it was dropped, or the server said no. Success means the request was taken, not that the server is promoted.
    virtual Async<void> promote(WallTime expires, Instant deadline) = 0;

    /// pg_reload_conf(): wakes a promotion that sleeps in wal_retrieve_retry_interval (T10).
    virtual Async<void> nudge(Instant deadline) = 0;

    /// Ends the sessions of clients that run a query or hold a transaction, which is what can hold up replay on a standby (S19), and says how
    /// many. Neither those of this program, nor idle ones, nor those of superusers where the role is none. `refused` out of recovery.
    virtual Async<std::size_t> end_queries(Instant deadline) = 0;

    /// The history of its present timeline, over a replication connection (manual, "Streaming Replication Protocol").
    virtual Async<model::TimelineHistory> timeline_history(Instant deadline) = 0;

    /// primary_conninfo without password, as last read while it was not empty; nothing when it never was.
    [[nodiscard]] virtual std::optional<std::string> upstream_settings() const = 0;
    /// What an earlier life of the manager remembered of it; counts until a newer one is read.
    virtual void remember_upstream_settings(std::string conninfo) = 0;

    /// Ends the held session at once, without waiting for the server.
    virtual void drop_session() = 0;
};

}  // namespace handyrep::ports
