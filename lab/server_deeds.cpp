// lab/server_deeds.cpp — what is done to one server: its processes, its sessions, its machine, its disk.
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
constexpr Duration dying = seconds{10};

Result<void> nothing() { return {}; }

Error cannot(DeedKind kind, std::string_view why) {
    return Error{ErrorKind::unsupported, fmt::format("{} cannot be played on real servers: {}", word_for(kind), why)};
}

bool is_standby(harness::Session& session) {
    const auto answer = session.value("SELECT pg_is_in_recovery()::text");
    return !answer || *answer == "true";
}

void wait_until_gone(const Server& server) {
    static_cast<void>(
        harness::wait_until([&] { return !server.has_processes(); }, dying, server.name() + " has no processes", milliseconds{10}));
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
        case DeedKind::connections_full: return fill_connections(server);
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

Deeds::Outcome Deeds::fill_connections(Server& server) {
    auto& kept = sessions_[server.name()];
    constexpr std::size_t most = 200;
    while (kept.size() < most) {
        auto session = server.session(seconds{1}, "crowd");
        if (!session) break;
        kept.push_back(std::move(*session));
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

Deeds::Outcome Deeds::to_machine(DeedKind kind, Server& server) {
    Machine& machine = server.machine();
    switch (kind) {
        case DeedKind::power_off: return power_off(server);
        case DeedKind::power_on: {
            if (auto booted = site_.boot(machine); !booted) return booted.error();
            return Undo{};
        }
        case DeedKind::sshd_down:
            for (const pid_t process : machine.processes("sshd")) ::kill(process, SIGKILL);
            return Undo{[&machine] { return start_sshd(machine); }};
        case DeedKind::sudo_denied: {
            if (auto denied = write_sudoers(machine, false); !denied) return denied.error();
            // What was begun by that right ends too; else an open shell would go on using it.
            for (const pid_t process : machine.processes("sudo")) ::kill(process, SIGKILL);
            return Undo{[&machine] { return write_sudoers(machine, true); }};
        }
        case DeedKind::name_lost: {
            const auto write = [this]() -> Result<void> {
                std::vector<const Machine*> all;
                for (const Machine* it : site_.machines()) all.push_back(it);
                return write_names(site_.manager().machine(), all, {forgotten_.begin(), forgotten_.end()});
            };
            forgotten_.insert(server.name());
            if (auto written = write(); !written) return written.error();
            return Undo{[this, write, name = server.name()] {
                forgotten_.erase(name);
                return write();
            }};
        }
        case DeedKind::port_closed: {
            if (auto closed = site_.fabric().close_port(machine, postgres_port, true); !closed) return closed.error();
            return Undo{[this, &machine] { return site_.fabric().close_port(machine, postgres_port, false); }};
        }
        default: return to_disk(kind, server);
    }
}

Deeds::Outcome Deeds::power_off(Server& server) {
    site_.cut_power(server.machine());
    return Undo{[this, &server] { return site_.boot(server.machine()); }};
}

/// A file that leaves so much of the disk free.
Deeds::Outcome Deeds::fill(Server& server, unsigned percent_left) {
    const std::string disk = server.disk();
    auto filled = server.machine().shell(
        percent_left == 0
            ? fmt::format("fallocate -l 4G '{0}/filler' 2>/dev/null || dd if=/dev/zero of='{0}/filler' bs=1M 2>/dev/null; :", disk)
            : fmt::format(
                  "set -- $(df -Pk '{0}' | tail -n 1); fallocate -l $(( ($4 - $2 * {1} / 100) * 1024 )) '{0}/filler'", disk, percent_left));
    if (!filled) return filled.error();
    return Undo{[&server, disk]() -> Result<void> {
        auto freed = server.machine().shell(fmt::format("rm -f '{}/filler'", disk));
        if (!freed) return freed.error();
        return {};
    }};
}

Deeds::Outcome Deeds::to_disk(DeedKind kind, Server& server) {
    const std::string disk = server.disk();
    const std::string data = server.data();
    switch (kind) {
        case DeedKind::storage_stalled: {
            if (auto frozen = server.machine().shell(fmt::format("fsfreeze --freeze '{}'", disk)); !frozen) return frozen.error();
            return Undo{[&server, disk]() -> Result<void> {
                auto thawed = server.machine().shell(fmt::format("fsfreeze --unfreeze '{}'", disk));
                if (!thawed) return thawed.error();
                return {};
            }};
        }
        case DeedKind::wal_full: {
            auto undo = fill(server, 0);
            // What is reserved already would last for a while.
            if (const auto filled = server.ask("SELECT pg_switch_wal()::text"); !filled) told_("wal_full: " + filled.error().text());
            return undo;
        }
        case DeedKind::disk_nearly_full: return fill(server, 3);
        case DeedKind::foreign: return replace_with_another_system(server);
        case DeedKind::back_up: {
            auto made = server.program(
                {"pg_basebackup", "-D", disk + "/backup", "-X", "stream", "-c", "fast", "--no-sync", "--no-manifest", "-d",
                 fmt::format("host=127.0.0.1 user={} passfile={}/replication.pgpass", replication_user, disk)});
            if (!made) return made.error();
            return Undo{};
        }
        case DeedKind::restore_backup: {
            by_hand_.insert(server.name());
            if (server.has_processes()) {
                if (auto stopped = server.stop("immediate"); !stopped) return stopped.error();
            }
            wait_until_gone(server);
            auto restored = server.as_owner(fmt::format("rm -rf '{0}' && cp -a '{1}/backup' '{0}'", data, disk), seconds{60});
            if (!restored) return restored.error();
            if (auto started = server.begin_start(); !started) return started.error();
            return Undo{};
        }
        default: return to_settings(kind, server);
    }
}

/// A standby of nobody, of a cluster that was initialised anew.
Deeds::Outcome Deeds::replace_with_another_system(Server& server) {
    const std::string data = server.data();
    if (server.has_processes()) {
        if (auto stopped = server.stop("immediate"); !stopped) return stopped.error();
    }
    wait_until_gone(server);
    auto replaced = server.as_owner(
        fmt::format(
            "set -e; cp '{0}/lab.conf' '{0}/pg_hba.conf' '{1}'; rm -rf '{0}'; cat >'{1}/first'; chmod 600 '{1}/first'; "
            "'{2}/initdb' -D '{0}' -U postgres --auth=scram-sha-256 --pwfile='{1}/first' --no-sync --locale=C >/dev/null; "
            "rm '{1}/first'; mv '{1}/lab.conf' '{1}/pg_hba.conf' '{0}'; echo \"include 'lab.conf'\" >>'{0}/postgresql.conf'; '{2}/pg_ctl' -D '{0}' -s -l /dev/null -w start; '{2}/pg_ctl' -D '{0}' -s -w stop; "
            "touch '{0}/standby.signal'",
            data, server.disk().string(), server.programs().string()),
        seconds{60}, site_.passwords().superuser.reveal() + "\n");
    if (!replaced) return replaced.error();
    if (auto started = server.begin_start(); !started) return started.error();
    return Undo{};
}

Deeds::Outcome Deeds::to_settings(DeedKind kind, Server& server) {
    switch (kind) {
        case DeedKind::password_broken: {
            const std::string rules = server.data() / "pg_hba.conf";
            // The manager's login is refused by its address: what replicas and clients do goes on.
            auto broken = server.as_owner(fmt::format(
                "cp '{0}' '{0}.whole'; {{ echo 'host all all {1}/32 reject'; cat '{0}.whole'; }} >'{0}'", rules,
                site_.manager().machine().address()));
            if (!broken) return broken.error();
            if (auto read = server.ask("SELECT pg_reload_conf()::text"); !read) return read.error();
            return Undo{[&server, rules]() -> Result<void> {
                if (auto mended = server.as_owner(fmt::format("mv '{0}.whole' '{0}'", rules)); !mended) return mended.error();
                if (auto read = server.ask("SELECT pg_reload_conf()::text"); !read) return read.error();
                return {};
            }};
        }
        case DeedKind::detach: return detach(server);
        case DeedKind::slot: {
            if (auto made = server.ask("SELECT pg_create_physical_replication_slot('left_behind', true)::text"); !made) return made.error();
            return Undo{[&server]() -> Result<void> {
                if (auto dropped = server.ask("SELECT pg_drop_replication_slot('left_behind')::text"); !dropped) return dropped.error();
                return {};
            }};
        }
        case DeedKind::refuse_promotion: return cannot(kind, "pg_promote() refuses nobody who may call it");
        case DeedKind::refuses_look: return cannot(kind, "the manager's role is a superuser here, which nothing can be revoked from");
        default: break;
    }
    return cannot(kind, "nobody has built it");
}

Deeds::Outcome Deeds::detach(Server& server) {
    const auto before = server.ask("SELECT current_setting('primary_conninfo')");
    if (!before) return before.error();
    if (auto emptied = server.set("primary_conninfo", ""); !emptied) return emptied.error();
    return Undo{[&server, conninfo = *before]() -> Result<void> {
        const auto now = server.ask("SELECT current_setting('primary_conninfo')");
        if (!now || !now->empty()) return nothing();  // somebody made it follow again
        return server.set("primary_conninfo", conninfo);
    }};
}

}  // namespace handyrep::lab
