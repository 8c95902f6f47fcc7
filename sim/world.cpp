#include "sim/world.hpp"

#include "base/ensure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace handyrep::sim {

using namespace std::chrono_literals;

namespace {
constexpr std::uint64_t checkpoint_bytes = 114;

model::ServerName name_of(std::size_t number) {
    auto name = model::ServerName::parse(fmt::format("db{}", number + 1));
    ensure(name.has_value(), "the simulator's server names are names");
    return *name;
}
}  // namespace

std::uint32_t Server::processes() const {
    if (!powered) return 0;
    std::uint32_t count = orphans;
    if (postmaster != Postmaster::none) count += 6 + static_cast<std::uint32_t>(senders.size());
    if (receiver) ++count;
    return count;
}

World::World(WorldOptions with, std::uint64_t seed)
    : options{with},
      random{seed},
      network{agenda, random, 1 + with.servers + with.application_nodes},
      system_id{7000000000000000000ULL + seed % 1000000} {
    for (ServerIndex it = 0; it < with.servers; ++it) {
        Server server{.name = name_of(it), .node = it + 1};
        server.disk.end = model::Lsn{0x3000000};
        server.disk.replayed = server.disk.end;
        server.disk.standby_mark = it != 0;
        if (it != 0) server.disk.follows = 0;
        servers.push_back(std::move(server));
    }
    network.on_change([this] { changed(); });
    network.on_heal([this](Node from, Node to) {
        for (ServerIndex it = 0; it < servers.size(); ++it) {
            if (servers[it].node != from && servers[it].node != to) continue;
            if (servers[it].runs()) push(it);
        }
    });
}

void World::start(ServerIndex server, bool after_crash) {
    Server& it = at(server);
    if (!it.powered || it.postmaster != Server::Postmaster::none || it.orphans > 0 || it.place != Place::database) return;
    if (it.disk.rewound.held || it.rewind_runs) return note(it.name.text(), "does not start: it is being rewound");
    const std::uint64_t life = ++it.life;
    const bool clean = it.disk.control == model::ControlState::shut_down || it.disk.control == model::ControlState::shut_down_in_recovery;
    it.postmaster = Server::Postmaster::starting;
    it.in_recovery = it.disk.standby_mark;
    if (it.disk.follows_from_start) it.disk.follows = std::exchange(it.disk.follows_from_start, std::nullopt);
    it.after_crash = after_crash;
    it.disk.control = it.in_recovery ? model::ControlState::in_archive_recovery
                                     : (clean ? model::ControlState::starting_up : model::ControlState::in_crash_recovery);
    const Duration takes =
        clean || it.in_recovery ? random.between(Duration{60ms}, 500ms) : random.between(Duration{120ms}, options.longest_crash_recovery);
    note(
        it.name.text(), fmt::format(
                            "starts as {} ({})", it.in_recovery ? "standby" : "primary",
                            clean ? "it was shut down cleanly" : "it was not shut down cleanly"));
    agenda.after(takes + (after_crash ? it.redo : Duration{}), [this, server, life] {
        when_running(server, [this, server, life] { came_up(server, life); });
    });
    changed();
}

void World::came_up(ServerIndex server, std::uint64_t life) {
    Server& it = at(server);
    if (it.life != life || it.postmaster != Server::Postmaster::starting) return;
    if (!it.can_write_wal()) {
        die(server);
        note(it.name.text(), "its recovery fails: it cannot write");
        supervise(server);
        return changed();
    }
    it.postmaster = Server::Postmaster::running;
    it.after_crash = false;
    it.started = agenda.now();
    apply_settings(server);
    if (it.in_recovery) {
        settle_replay(server);
        reload_receiver(server);
    } else {
        // The record that ends recovery: a returned primary is past the fork even when no client wrote.
        it.disk.control = model::ControlState::in_production;
        it.disk.partial = 0;
        it.disk.end = it.disk.end + model::Bytes{checkpoint_bytes};
        it.disk.replayed = it.disk.end;
    }
    note(
        it.name.text(), fmt::format(
                            "accepts connections as {} at {}", it.in_recovery ? "standby" : "primary",
                            text(model::WalPosition{branches.timeline(it.disk.branch), it.disk.end})));
    tick_replication(server);
    changed();
}

void World::die(ServerIndex server) {
    Server& it = at(server);
    ++it.life;
    it.postmaster = Server::Postmaster::none;
    it.frozen = false;
    it.postmaster_stopped = false;
    it.orphans = 0;
    it.promoting = false;
    it.promotion_asleep.reset();
    it.receiver.reset();
    it.waiting.clear();
    it.when_thawed.clear();
    if (std::exchange(it.unflushed, 0) > 0)
        std::erase_if(commits, [&](const CommitRecord& commit) { return commit.branch == it.disk.branch && commit.end > it.disk.end; });
    it.flush_due.reset();
    it.checkpointer_busy_until.reset();
    it.senders.clear();
    it.sessions.clear();
}

void World::end_session(ServerIndex server, const std::shared_ptr<Session>& session, model::LastWords words) {
    session->backend = false;
    network.send(at(server).node, 0, [session, words] { session->hear_of_end(words); });
}

void World::end_sessions(ServerIndex server, model::LastWords words) {
    for (const auto& session : std::exchange(at(server).sessions, {})) end_session(server, session, words);
}

void World::fast_stop(ServerIndex server, std::function<void()> then) {
    when_running(server, [this, server, then = std::move(then)] {
        Server& it = at(server);
        if (it.postmaster != Server::Postmaster::running) return;
        it.postmaster = Server::Postmaster::stopping;
        it.waiting.clear();
        note(it.name.text(), "is being stopped (fast)");
        end_sessions(server, model::LastWords::administrator);
        end_receiver(server, false);
        changed();
        agenda.after(random.between(Duration{30ms}, 700ms), [this, server, life = it.life, then] {
            when_running(server, [this, server, life, then] { finish_stop(server, life, then); });
        });
    });
}

void World::finish_stop(ServerIndex server, std::uint64_t life, const std::function<void()>& then) {
    Server& it = at(server);
    if (it.life != life) return;
    if (it.storage_stalled) {  // its last checkpoint waits for the storage as long as that takes
        agenda.after(
            200ms, [this, server, life, then] { when_running(server, [this, server, life, then] { finish_stop(server, life, then); }); });
        return;
    }
    if (!it.in_recovery) {
        it.disk.checkpoint = it.disk.end + model::Bytes{it.unflushed};
        it.unflushed += checkpoint_bytes;
        flush(server);
    }
    end_senders(server);
    it.disk.control = it.in_recovery ? model::ControlState::shut_down_in_recovery : model::ControlState::shut_down;
    die(server);
    note(it.name.text(), "is down, shut down cleanly");
    changed();
    if (then) then();
}

void World::leave_half_record(ServerIndex server) {
    Server& it = at(server);
    if (it.senders.empty() || !random.chance(options.half_record_percent)) return;
    Server& replica = at(it.senders[random.below(it.senders.size())].replica);
    if (!replica.runs() || !replica.in_recovery || replica.disk.branch != it.disk.branch) return;
    if (!replica.receiver || replica.receiver->state != Receiver::State::streaming || replica.receiver->upstream != server) return;
    if (replica.disk.end == it.disk.end) replica.disk.partial = random.between(1, longest_half_record);
}

void World::kill_all(ServerIndex server) {
    Server& it = at(server);
    if (!it.has_processes()) return;
    if (!it.in_recovery && !it.frozen) leave_half_record(server);
    end_sessions(server, model::LastWords::none);
    end_senders(server);
    die(server);
    note(it.name.text(), "all processes killed");
    supervise(server);
    changed();
}

void World::kill_postmaster(ServerIndex server, std::uint32_t orphans, Duration length) {
    Server& it = at(server);
    if (it.postmaster != Server::Postmaster::running) return;
    const bool primary = it.is_primary();
    leave_half_record(server);
    end_sessions(server, model::LastWords::postmaster_died);
    end_senders(server);
    die(server);
    it.orphans = primary ? orphans : 0;
    note(it.name.text(), fmt::format("postmaster killed, {} backend(s) go on writing", it.orphans));
    if (it.orphans > 0) write_as_orphan(server, it.life, agenda.now() + length);
    supervise(server);
    changed();
}

void World::write_as_orphan(ServerIndex server, std::uint64_t life, Instant until) {
    when_running(server, [this, server, life, until] {
        Server& it = at(server);
        if (it.life != life || it.orphans == 0) return;
        if (agenda.now() >= until) {
            it.orphans = 0;
            note(it.name.text(), "its last orphan backend ended");
            changed();
            return;
        }
        if (can_confirm(server) && !it.storage_stalled) {
            it.disk.end = it.disk.end + model::Bytes{200};
            acknowledged.push_back({server, it.disk.branch, it.disk.end, agenda.now(), false});
        }
        agenda.after(20ms, [this, server, life, until] { write_as_orphan(server, life, until); });
    });
}

void World::supervise(ServerIndex server) {
    Server& it = at(server);
    if (it.restarted_after == Duration{}) return;
    agenda.after(it.restarted_after, [this, server] {
        Server& dead = at(server);
        if (!dead.powered || dead.postmaster != Server::Postmaster::none || !dead.disk.autostart) return;
        if (dead.orphans > 0) return supervise(server);  // their shared memory is still in use
        note(dead.name.text(), "is started again by what supervises it");
        start(server, false);
    });
}

void World::crash_backend(ServerIndex server) {
    when_running(server, [this, server] {
        Server& it = at(server);
        if (it.postmaster != Server::Postmaster::running) return;
        note(it.name.text(), "a backend crashed");
        leave_half_record(server);
        end_sessions(server, model::LastWords::backend_crash);
        end_senders(server);
        die(server);
        start(server, true);
    });
}

/// By a person: as a crash, of which every session is told.
void World::immediate_stop(ServerIndex server) {
    when_running(server, [this, server] {
        if (at(server).postmaster == Server::Postmaster::none) return;
        leave_half_record(server);
        end_sessions(server, model::LastWords::immediate_stop);
        end_senders(server);
        die(server);
        note(at(server).name.text(), "is stopped (immediate)");
        changed();
    });
}

void World::reset_connections(ServerIndex server) {
    Server& it = at(server);
    if (!it.runs()) return;
    note(it.name.text(), "every connection of it is reset");
    end_sessions(server, model::LastWords::none);
    end_senders(server);
    if (it.receiver) end_receiver(server, true);
    for (Client& client : clients) {
        if (client.server == server) client.server.reset();
    }
    changed();
}

void World::freeze(ServerIndex server) {
    Server& it = at(server);
    if (!it.has_processes() || it.frozen) return;
    it.frozen = true;
    note(it.name.text(), "every process stopped (SIGSTOP)");
    changed();
}

void World::thaw(ServerIndex server) {
    Server& it = at(server);
    if (!it.frozen) return;
    it.frozen = false;
    note(it.name.text(), "goes on (SIGCONT)");
    for (auto& what : std::exchange(it.when_thawed, {})) {
        agenda.after(1ms, [this, server, what = std::move(what)]() mutable { when_running(server, std::move(what)); });
    }
    changed();
}

void World::power_off(ServerIndex server) {
    Server& it = at(server);
    if (!it.powered) return;
    for (const auto& session : it.sessions) {
        session->backend = false;  // and nobody says so
        agenda.after(5s, [this, server, session] { keep_alive(server, session, 1); });
    }
    die(server);
    it.powered = false;
    it.rewind_runs = false;
    note(it.name.text(), "its machine lost power");
    changed();
}

/// The manager's kernel asks whether the other end is still there: a machine that started anew does not know the connection.
void World::keep_alive(ServerIndex server, const std::shared_ptr<Session>& session, int probes) {
    constexpr int all_probes = 3;
    if (session->ended || session->closed) return;
    const Server& it = at(server);
    const bool knows_better = it.powered && network.up_both(0, it.node);
    if (knows_better || probes > all_probes) return session->hear_of_end(model::LastWords::none);
    agenda.after(2s, [this, server, session, probes] { keep_alive(server, session, probes + 1); });
}

void World::power_on(ServerIndex server) {
    Server& it = at(server);
    if (it.powered) return;
    it.powered = true;
    note(it.name.text(), fmt::format("its machine is up again, autostart {}", it.disk.autostart ? "on" : "off"));
    if (it.disk.autostart) {
        agenda.after(random.between(Duration{300ms}, 3s), [this, server] {
            if (at(server).disk.autostart) start(server, false);
        });
    }
    changed();
}

void World::start_by_hand(ServerIndex server) {
    Server& it = at(server);
    if (!it.powered || it.has_processes()) return;
    it.disk.standby_mark = false;
    note(it.name.text(), "started by hand, the mark removed");
    start(server, false);
}

std::optional<ServerIndex> World::named(std::string_view hostname) const {
    for (ServerIndex it = 0; it < servers.size(); ++it) {
        if (servers[it].name.text() + ".example" == hostname) return it;
    }
    return std::nullopt;
}

bool World::accepts_writes(ServerIndex server) const {
    const Server& it = at(server);
    if (!it.powered || it.frozen || it.storage_stalled || !it.can_write_wal() || it.setup.read_only) return false;
    if (!it.is_primary() && it.orphans == 0) return false;
    return can_confirm(server);
}

bool World::clients_reach(ServerIndex server) const {
    const Server& it = at(server);
    if (it.orphans > 0) return true;
    return std::ranges::any_of(clients, [&](const Client& client) {
        if (!client.router) return network.up_both(client.node, it.node);
        return network.up_both(client.node, *client.router) && network.up_both(*client.router, it.node);
    });
}

bool World::is_sync_member(ServerIndex primary, ServerIndex replica) const {
    const model::SyncStandbys* const rule = sync_rule(primary);
    return rule != nullptr && (rule->open() || std::ranges::find(rule->names, at(replica).name.text()) != rule->names.end());
}

}  // namespace handyrep::sim
