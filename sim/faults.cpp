#include "sim/faults.hpp"

#include "base/ensure.hpp"

#include <fmt/format.h>

#include <memory>
#include <optional>

namespace handyrep::sim {

using namespace std::chrono_literals;

namespace {

/// The `choice`-th server that is not the primary.
std::optional<ServerIndex> replica(const World& world, std::uint64_t choice) {
    const std::size_t others = world.servers.size() - 1;
    if (others == 0) return std::nullopt;
    const ServerIndex primary = true_primary(world);
    const ServerIndex chosen = choice % others;
    return chosen >= primary ? chosen + 1 : chosen;
}

using Side = std::function<bool(Node)>;

void cut_sides(World& world, const Side& left, bool cutting) {
    for (Node one = 0; one < world.network.nodes(); ++one) {
        for (Node other = 0; other < world.network.nodes(); ++other) {
            if (left(one) == left(other)) continue;
            if (cutting) {
                world.network.drop(one, other);
            } else {
                world.network.heal(one, other);
            }
        }
    }
}

/// One fault from its beginning to its end. What it acts on is chosen when it begins.
struct Actor {
    Stage stage;
    Fault fault;
    ServerIndex primary = 0;
    std::optional<ServerIndex> other{};
    ServerIndex shut_down = 0;

    void begin();
    void end();

private:
    void partition(bool cutting) const;
    void start_old_primary() const;
    [[nodiscard]] World& world() const { return stage.world; }
    [[nodiscard]] Server& target() const { return stage.world.at(primary); }
};

void Actor::partition(bool cutting) const {
    const Node node = target().node;
    const Node friendly = other ? world().at(*other).node : 0;
    if (fault.kind == FaultKind::manager_cut_off) cut_sides(world(), [](Node it) { return it == 0; }, cutting);
    if (fault.kind == FaultKind::isolate_primary) cut_sides(world(), [node](Node it) { return it == node; }, cutting);
    if (fault.kind == FaultKind::split) cut_sides(world(), [friendly](Node it) { return it == 0 || it == friendly; }, cutting);
    if (fault.kind == FaultKind::cut_manager_primary) {
        if (cutting) {
            world().network.drop(0, node);
            world().network.drop(node, 0);
        } else {
            world().network.heal(0, node);
            world().network.heal(node, 0);
        }
    }
}

void Actor::start_old_primary() const {
    for (ServerIndex it = 0; it < world().servers.size(); ++it) {
        if (it == true_primary(world()) || !world().at(it).powered || world().at(it).has_processes()) continue;
        stage.invariants.started_by_hand(it);
        return world().start_by_hand(it);
    }
}

void Actor::begin() {
    primary = true_primary(world());
    other = replica(world(), fault.choice);
    world().note("fault", fault.text());
    switch (fault.kind) {
        case FaultKind::kill_primary: return world().kill_all(primary);
        case FaultKind::kill_postmaster:
            return world().kill_postmaster(primary, 1 + static_cast<std::uint32_t>(fault.choice % 3), fault.lasts);
        case FaultKind::fast_restart: return world().fast_stop(primary, [&on = world(), server = primary] { on.start(server, false); });
        case FaultKind::clean_stop: return world().fast_stop(primary, {});
        case FaultKind::backend_crash: return world().crash_backend(primary);
        case FaultKind::freeze_primary: return world().freeze(primary);
        case FaultKind::freeze_replica: return other ? world().freeze(*other) : void();
        case FaultKind::power_loss: return world().power_off(primary);
        case FaultKind::manager_cut_off:
        case FaultKind::cut_manager_primary:
        case FaultKind::split:
        case FaultKind::isolate_primary: return partition(true);
        case FaultKind::cut_one_way: return world().network.drop(target().node, 0);
        case FaultKind::firewall: return world().network.refuse(0, target().node);
        case FaultKind::sshd_stopped: target().ssh_answers = false; return;
        case FaultKind::connections_full: target().connections_full = true; return;
        case FaultKind::password_broken: target().password_broken = true; return;
        case FaultKind::replica_dies: return other ? world().kill_all(*other) : void();
        case FaultKind::replica_detached:
            if (!other || !world().at(*other).runs()) return;
            world().at(*other).disk.follows.reset();
            return world().end_receiver(*other, false);
        case FaultKind::long_query: return other ? world().block_replay(*other, fault.lasts) : void();
        case FaultKind::storage_stalled: target().storage_stalled = true; return world().changed();
        case FaultKind::old_primary_by_hand: return start_old_primary();
        case FaultKind::manager_killed: return stage.kill_manager();
        case FaultKind::manager_stopped: return stage.set_manager_stopped(true);
        case FaultKind::promotion_refused:
            for (Server& it : world().servers) it.refuses_promotion = true;
            return;
        case FaultKind::promotion_hangs:
            for (Server& it : world().servers) it.hangs_at_promotion = true;
            return;
        case FaultKind::store_fails: stage.disk.fails = true; return;
        case FaultKind::store_hangs: stage.disk.hangs = true; return;
    }
}

void Actor::end() {
    world().note("fault over", word_for(fault.kind));
    switch (fault.kind) {
        case FaultKind::kill_primary:
        case FaultKind::kill_postmaster:
        case FaultKind::fast_restart:
        case FaultKind::backend_crash:
        case FaultKind::long_query:
        case FaultKind::old_primary_by_hand: return;
        case FaultKind::clean_stop:
            // The person looks first: a server that was fenced meanwhile is not started against the mark.
            if (!target().has_processes() && target().disk.autostart) world().start(primary, false);
            return;
        case FaultKind::freeze_primary: return world().thaw(primary);
        case FaultKind::freeze_replica: return other ? world().thaw(*other) : void();
        case FaultKind::power_loss: return world().power_on(primary);
        case FaultKind::manager_cut_off:
        case FaultKind::cut_manager_primary:
        case FaultKind::split:
        case FaultKind::isolate_primary: return partition(false);
        case FaultKind::cut_one_way: return world().network.heal(target().node, 0);
        case FaultKind::firewall: return world().network.heal(0, target().node);
        case FaultKind::sshd_stopped: target().ssh_answers = true; return;
        case FaultKind::connections_full: target().connections_full = false; return;
        case FaultKind::password_broken: target().password_broken = false; return;
        case FaultKind::replica_dies:
            if (other && world().at(*other).disk.standby_mark) world().start(*other, false);
            return;
        case FaultKind::replica_detached:
            if (!other || !world().at(*other).in_recovery || world().at(*other).disk.follows) return;
            world().at(*other).disk.follows = true_primary(world());
            return world().reload_receiver(*other);
        case FaultKind::storage_stalled:
            target().storage_stalled = false;
            if (target().is_primary()) world().write_wal(primary, 0);
            return world().changed();
        case FaultKind::manager_killed: return stage.start_manager();
        case FaultKind::manager_stopped: return stage.set_manager_stopped(false);
        case FaultKind::promotion_refused:
            for (Server& it : world().servers) it.refuses_promotion = false;
            return;
        case FaultKind::promotion_hangs:
            for (ServerIndex it = 0; it < world().servers.size(); ++it) world().end_hang(it);
            return;
        case FaultKind::store_fails: stage.disk.fails = false; return;
        case FaultKind::store_hangs: stage.disk.hangs = false; return;
    }
}

}  // namespace

std::string_view word_for(FaultKind kind) {
    switch (kind) {
        case FaultKind::kill_primary: return "kill_primary";
        case FaultKind::kill_postmaster: return "kill_postmaster";
        case FaultKind::fast_restart: return "fast_restart";
        case FaultKind::clean_stop: return "clean_stop";
        case FaultKind::backend_crash: return "backend_crash";
        case FaultKind::freeze_primary: return "freeze_primary";
        case FaultKind::freeze_replica: return "freeze_replica";
        case FaultKind::power_loss: return "power_loss";
        case FaultKind::manager_cut_off: return "manager_cut_off";
        case FaultKind::cut_manager_primary: return "cut_manager_primary";
        case FaultKind::cut_one_way: return "cut_one_way";
        case FaultKind::split: return "split";
        case FaultKind::isolate_primary: return "isolate_primary";
        case FaultKind::firewall: return "firewall";
        case FaultKind::sshd_stopped: return "sshd_stopped";
        case FaultKind::connections_full: return "connections_full";
        case FaultKind::password_broken: return "password_broken";
        case FaultKind::replica_dies: return "replica_dies";
        case FaultKind::replica_detached: return "replica_detached";
        case FaultKind::long_query: return "long_query";
        case FaultKind::storage_stalled: return "storage_stalled";
        case FaultKind::old_primary_by_hand: return "old_primary_by_hand";
        case FaultKind::manager_killed: return "manager_killed";
        case FaultKind::manager_stopped: return "manager_stopped";
        case FaultKind::promotion_refused: return "promotion_refused";
        case FaultKind::promotion_hangs: return "promotion_hangs";
        case FaultKind::store_fails: return "store_fails";
        case FaultKind::store_hangs: return "store_hangs";
    }
    return "";
}

bool needs_machines(FaultKind kind) {
    return kind == FaultKind::power_loss || kind == FaultKind::manager_cut_off || kind == FaultKind::cut_manager_primary ||
           kind == FaultKind::cut_one_way || kind == FaultKind::split || kind == FaultKind::isolate_primary ||
           kind == FaultKind::firewall || kind == FaultKind::sshd_stopped;
}

std::string Fault::text() const {
    return fmt::format("{} at {} for {} (choice {})", word_for(kind), handyrep::text(begins), handyrep::text(lasts), choice);
}

void put_on_agenda(const Stage& stage, const Fault& fault) {
    const auto actor = std::make_shared<Actor>(Actor{stage, fault});
    const Instant begin = stage.world.agenda.now() + fault.begins;
    stage.world.agenda.at(begin, [actor] { actor->begin(); });
    stage.world.agenda.at(begin + fault.lasts, [actor] { actor->end(); });
}

void end_all_faults(const Stage& stage) {
    World& world = stage.world;
    world.note("fault over", "all of them");
    world.network.heal_all();
    stage.disk.fails = false;
    stage.disk.hangs = false;
    stage.set_manager_stopped(false);
    stage.start_manager();
    for (ServerIndex it = 0; it < world.servers.size(); ++it) {
        Server& server = world.at(it);
        server.ssh_answers = true;
        server.connections_full = false;
        server.password_broken = false;
        server.refuses_promotion = false;
        server.storage_stalled = false;
        world.end_hang(it);
        world.thaw(it);
        world.power_on(it);
        // A person starts what is down and was not fenced, as the service would; what was fenced stays as the manager left it.
        world.agenda.after(world.random.between(Duration{1s}, 5s), [&world, it] {
            if (world.at(it).disk.autostart) world.start(it, false);
        });
    }
}

ServerIndex true_primary(const World& world) {
    std::optional<ServerIndex> found;
    const auto newer = [&](ServerIndex it) { return !found || world.at(it).disk.branch > world.at(*found).disk.branch; };
    for (ServerIndex it = 0; it < world.servers.size(); ++it) {
        if ((world.at(it).is_primary() || world.at(it).orphans > 0) && newer(it)) found = it;
    }
    if (found) return *found;
    for (ServerIndex it = 0; it < world.servers.size(); ++it) {
        if (!world.at(it).disk.standby_mark && newer(it)) found = it;
    }
    return found.value_or(0);
}

}  // namespace handyrep::sim
