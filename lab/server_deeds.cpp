// lab/server_deeds.cpp — what is done to the processes and sessions of one server.
#include "base/text.hpp"
#include "lab/deeds.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <chrono>

namespace handyrep::lab {

using scenarios::DeedKind;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr unsigned bulk_messages = 50;  // of a megabyte
constexpr Duration much_redo = seconds{30};

bool is_standby(harness::Session& session) {
    const auto answer = session.value("SELECT pg_is_in_recovery()::text");
    return !answer || *answer == "true";
}

}  // namespace

Deeds::Outcome Deeds::to_processes(DeedKind kind, Server& server) {
    const auto done = [](Result<void> outcome) -> Outcome {
        if (!outcome) return outcome.error();
        return Undo{};
    };
    switch (kind) {
        case DeedKind::kill_all:
            server.signal_all(SIGKILL);
            while (server.has_processes()) server.signal_all(SIGKILL);
            return Undo{};
        case DeedKind::kill_postmaster: return kill_postmaster(server);
        case DeedKind::kill_backend:
            for (const pid_t process : server.processes("walwriter")) ::kill(process, SIGKILL);
            return Undo{};
        case DeedKind::fast_stop: return done(server.stop());
        case DeedKind::immediate_stop: return done(server.stop("immediate"));
        case DeedKind::fast_restart: {
            if (auto stopped = server.stop(); !stopped) return stopped.error();
            return done(server.begin_start());
        }
        case DeedKind::start: return server.has_processes() ? done({}) : done(server.begin_start());
        case DeedKind::start_as_primary: {
            by_hand_.insert(server.name());
            if (server.has_processes()) return Undo{};
            if (auto unmarked = server.mark_standby(false); !unmarked) return unmarked.error();
            return done(server.begin_start());
        }
        case DeedKind::promote: {
            by_hand_.insert(server.name());
            auto asked = server.ask("SELECT pg_promote(false)::text");
            if (!asked) return asked.error();
            return Undo{};
        }
        case DeedKind::demote: return demote(server);
        case DeedKind::freeze: {
            // Again until all stand: one that is forked meanwhile was not told.
            for (int round = 0; round < 20; ++round) server.signal_all(SIGSTOP);
            return Undo{[&server]() -> Result<void> {
                server.signal_all(SIGCONT);
                return {};
            }};
        }
        case DeedKind::stop_postmaster: {
            const auto postmaster = server.postmaster();
            if (!postmaster) return Error{ErrorKind::failed, server.name() + " has no postmaster"};
            ::kill(*postmaster, SIGSTOP);
            return Undo{[process = *postmaster]() -> Result<void> {
                ::kill(process, SIGCONT);
                return {};
            }};
        }
        default: return to_sessions(kind, server);
    }
}

/// One backend goes on committing: its port is refused, and it is no fence.
Deeds::Outcome Deeds::kill_postmaster(Server& server) {
    const auto postmaster = server.postmaster();
    auto session = server.session();
    if (!postmaster || !session) return Error{ErrorKind::failed, server.name() + " does not run"};
    if (is_standby(*session)) {
        ::kill(*postmaster, SIGKILL);
        return Undo{};
    }
    if (auto sent = session->send("CALL lab_write_forever()"); !sent) return sent.error();
    auto writes = harness::wait_until(
        [&] {
            const auto rows = server.ask("SELECT count(*) > 10 FROM lab_orphans");
            return rows && *rows == "t";
        },
        seconds{10}, "a backend writes", milliseconds{10});
    if (!writes) return writes.error();
    sessions_[server.name()].push_back(std::move(*session));
    ::kill(*postmaster, SIGKILL);
    return Undo{};
}

Deeds::Outcome Deeds::demote(Server& server) {
    if (auto set = server.set("primary_conninfo", ""); !set) return set.error();
    if (auto stopped = server.stop(); !stopped) return stopped.error();
    if (auto marked = server.mark_standby(true); !marked) return marked.error();
    if (auto started = server.begin_start(); !started) return started.error();
    return Undo{};
}

Deeds::Outcome Deeds::to_sessions(DeedKind kind, Server& server) {
    switch (kind) {
        case DeedKind::end_sessions: {
            auto session = server.session();
            if (!session) return session.error();
            auto ended = session->query(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'handyrep%' AND pid <> pg_backend_pid()");
            if (!ended) return ended.error();
            return Undo{};
        }
        case DeedKind::kill_receiver:
            for (const pid_t process : server.processes("walreceiver")) ::kill(process, SIGTERM);
            return Undo{};
        case DeedKind::bulk_load: {
            auto session = server.session();
            if (!session) return session.error();
            if (is_standby(*session)) return Undo{};
            auto loaded = session->query(
                fmt::format(
                    "SELECT count(pg_logical_emit_message(true, 'bulk', repeat('x', 1048576))) FROM generate_series(1, {})", bulk_messages),
                seconds{60});
            // Old WAL is removed by checkpoints only.
            if (loaded) loaded = session->query("CHECKPOINT", seconds{60});
            if (!loaded) return loaded.error();
            return Undo{};
        }
        case DeedKind::long_redo: return hold_up_startup(server, much_redo);
        case DeedKind::query: return hold_up_replay(server);
        case DeedKind::hang_promotion: return hold_up_promotion(server);
        case DeedKind::wal_sink: return take_wal_away(server);
        default: return to_machine(kind, server);
    }
}

/// The next startup process is stopped as soon as it is seen, for a while.
Deeds::Outcome Deeds::hold_up_startup(Server& server, Duration length) {
    hold_ups_[server.name()] = std::make_shared<std::jthread>([&server, length](const std::stop_token& stop) {
        const auto before = server.processes("startup");
        while (!stop.stop_requested()) {
            for (const pid_t process : server.processes("startup")) {
                if (std::ranges::count(before, process) != 0) continue;
                ::kill(process, SIGSTOP);
                const harness::Moment until = harness::now() + length;
                while (!stop.stop_requested() && harness::now() < until) std::this_thread::sleep_for(milliseconds{20});
                ::kill(process, SIGCONT);
                return;
            }
            std::this_thread::sleep_for(milliseconds{5});
        }
    });
    return Undo{[this, name = server.name()]() -> Result<void> {
        hold_ups_.erase(name);
        return {};
    }};
}

/// A promotion begins when replay has come to its end, and that waits for a query.
Deeds::Outcome Deeds::hold_up_promotion(Server& server) {
    if (auto set = server.set("max_standby_streaming_delay", "-1"); !set) return set.error();
    auto held = hold_up_replay(server);
    if (!held) return held;
    return Undo{[&server, let_go = *std::move(held)]() -> Result<void> {
        if (auto gone = let_go(); !gone) return gone;
        return server.reset("max_standby_streaming_delay");
    }};
}

/// A snapshot on the standby, and a lock in the WAL that waits for it.
Deeds::Outcome Deeds::hold_up_replay(Server& server) {
    auto session = server.session(seconds{2}, "reporting");
    if (!session) return session.error();
    if (auto begun = session->query("BEGIN ISOLATION LEVEL REPEATABLE READ"); !begun) return begun.error();
    if (auto read = session->query("SELECT count(*) FROM lab_orphans"); !read) return read.error();
    sessions_[server.name()].push_back(std::move(*session));
    for (const auto& it : site_.servers()) {
        const auto recovering = it->ask("SELECT pg_is_in_recovery()::text");
        if (!recovering || *recovering != "false") continue;
        auto upstream = it->session();
        if (!upstream) return upstream.error();
        if (auto changed = upstream->query("ALTER TABLE lab_orphans ADD COLUMN IF NOT EXISTS more int"); !changed) return changed.error();
    }
    return Undo{[this, name = server.name()]() -> Result<void> {
        sessions_.erase(name);
        return {};
    }};
}

Deeds::Outcome Deeds::take_wal_away(Server& server) {
    Machine& apps = site_.apps();
    const auto folder = apps.folder() / "archive";
    auto begun = apps.shell(fmt::format(
        "mkdir -p '{0}'; umask 077; echo '*:*:*:{1}:{2}' >'{0}/pgpass'; PGPASSFILE='{0}/pgpass' setsid pg_receivewal -D '{0}' -h {3} -U {1} "
        ">'{0}/log' 2>&1 </dev/null &",
        folder.string(), replication_user, site_.passwords().replication.reveal(), server.machine().host_name()));
    if (!begun) return begun.error();
    return Undo{[&apps]() -> Result<void> {
        for (const pid_t process : apps.processes("pg_receivewal")) ::kill(process, SIGKILL);
        return {};
    }};
}

}  // namespace handyrep::lab
