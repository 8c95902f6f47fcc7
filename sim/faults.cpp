#include "sim/faults.hpp"

#include "base/ensure.hpp"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <utility>

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
    void cut_pair(Node one, Node another, bool cutting) const;
    [[nodiscard]] std::pair<Node, Node> any_way() const;
    void worsen_links(bool worse) const;
    void kill_at_step() const;
    void start_old_primary() const;
    void start_unless_fenced() const;
    [[nodiscard]] World& world() const { return stage.world; }
    [[nodiscard]] Server& target() const { return stage.world.at(primary); }
};

void Actor::partition(bool cutting) const {
    const Node node = target().node;
    const Node friendly = other ? world().at(*other).node : 0;
    if (fault.kind == FaultKind::manager_cut_off) cut_sides(world(), [](Node it) { return it == 0; }, cutting);
    if (fault.kind == FaultKind::isolate_primary) cut_sides(world(), [node](Node it) { return it == node; }, cutting);
    if (fault.kind == FaultKind::split) cut_sides(world(), [friendly](Node it) { return it == 0 || it == friendly; }, cutting);
    if (fault.kind == FaultKind::cut_manager_primary) cut_pair(0, node, cutting);
    if (fault.kind == FaultKind::cut_replica && other) cut_pair(friendly, node, cutting);
}

void Actor::cut_pair(Node one, Node another, bool cutting) const {
    Network& network = world().network;
    for (const auto& [from, to] : {std::pair{one, another}, std::pair{another, one}}) {
        if (cutting) {
            network.drop(from, to);
        } else {
            network.heal(from, to);
        }
    }
}

/// Any two different machines, in the order of the direction.
std::pair<Node, Node> Actor::any_way() const {
    const Node count = world().network.nodes();
    const Node from = fault.choice % count;
    return {from, (from + 1 + fault.choice / count % (count - 1)) % count};
}

void Actor::worsen_links(bool worse) const {
    Network& network = world().network;
    const Node slow = fault.choice % 2 == 0 ? 0 : target().node;
    for (Node one = 0; one < network.nodes(); ++one) {
        if (fault.kind == FaultKind::slow_link && one != slow)
            network.set_delay(one, slow, worse ? 20ms + fault.choice % 400 * 1ms : Network::usual_delay);
        for (Node another = 0; fault.kind == FaultKind::loss && another < one; ++another)
            network.set_loss(one, another, worse ? (fault.choice % 2 == 0 ? 5 : 30) : 0);
    }
}

/// Between two steps of an operation: the record is in the journal, and whether the manager still hears so is chosen.
void Actor::kill_at_step() const {
    const auto left = std::make_shared<std::uint64_t>(1 + fault.choice % 24);
    stage.disk.after_append = [on = stage, left, hears = fault.choice / 24 % 2 == 1] {
        if (*left == 0 || --*left > 0) return;
        on.world.note("fault", "the manager is killed between two steps");
        if (hears) return on.world.agenda.after(1us, on.kill_manager);
        on.kill_manager();
    };
}

void Actor::start_old_primary() const {
    for (ServerIndex it = 0; it < world().servers.size(); ++it) {
        if (it == true_primary(world()) || !world().at(it).powered || world().at(it).has_processes()) continue;
        stage.invariants.started_by_hand(it);
        return world().start_by_hand(it);
    }
}

/// A person looks first: a server that was fenced meanwhile is not started against the mark.
void Actor::start_unless_fenced() const {
    if (target().has_processes() || target().disk.fenced) return;
    // Where a lease was armed, another may have taken over once it ran out, and a person knows that.
    if (target().had_lease) stage.invariants.started_by_hand(primary);
    world().start(primary, false);
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
        case FaultKind::replica_power_loss: return other ? world().power_off(*other) : void();
        case FaultKind::manager_cut_off:
        case FaultKind::cut_manager_primary:
        case FaultKind::cut_replica:
        case FaultKind::split:
        case FaultKind::isolate_primary: return partition(true);
        case FaultKind::cut_one_way: return world().network.drop(target().node, 0);
        case FaultKind::cut_any_way: return world().network.drop(any_way().first, any_way().second);
        case FaultKind::firewall: return world().network.refuse(0, target().node);
        case FaultKind::resets: return world().reset_connections(primary);
        case FaultKind::loss:
        case FaultKind::slow_link: return worsen_links(true);
        case FaultKind::sshd_stopped: target().ssh_answers = false; return;
        case FaultKind::connections_full: target().connections_full = true; return;
        case FaultKind::password_broken: target().password_broken = true; return;
        case FaultKind::replica_dies: return other ? world().kill_all(*other) : void();
        case FaultKind::replica_detached:
            if (!other || !world().at(*other).runs()) return;
            world().at(*other).disk.follows.reset();
            return world().end_receiver(*other, false);
        case FaultKind::long_query: return other ? world().block_replay(*other, fault.lasts) : void();
        case FaultKind::storage_stalled: return world().stall_storage(primary, true);
        case FaultKind::storage_slow: return world().slow_storage(primary, 20ms + fault.choice % 800 * 1ms);
        case FaultKind::disk_full: return world().fill_disk(primary);
        case FaultKind::checkpointer_busy:
            for (ServerIndex it = 0; it < world().servers.size(); ++it) world().occupy_checkpointer(it, fault.lasts);
            return;
        case FaultKind::old_primary_by_hand: return start_old_primary();
        case FaultKind::manager_killed: return stage.kill_manager();
        case FaultKind::manager_killed_at_step: return kill_at_step();
        case FaultKind::manager_stopped: return stage.set_manager_stopped(true);
        case FaultKind::manager_suspended:
            world().manager_clock.suspended += fault.lasts;  // by the end its monotonic clock is where it was
            return stage.set_manager_stopped(true);
        case FaultKind::manager_clock_set:
            world().manager_clock.wall_jumped += (fault.choice % 2 == 0 ? 1s : -1s) * static_cast<std::int64_t>(fault.choice * 4);
            return;
        case FaultKind::promotion_refused:
            for (Server& it : world().servers) it.refuses_promotion = true;
            return;
        case FaultKind::promotion_hangs:
            for (Server& it : world().servers) it.hangs_at_promotion = true;
            return;
        case FaultKind::store_fails: stage.disk.fails = true; return;
        case FaultKind::store_hangs: stage.disk.hangs = true; return;
        case FaultKind::switchover: return stage.order_switchover();
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
        case FaultKind::resets:
        case FaultKind::checkpointer_busy:
        case FaultKind::manager_clock_set:
        case FaultKind::old_primary_by_hand: return;
        case FaultKind::clean_stop: return start_unless_fenced();
        case FaultKind::freeze_primary: return world().thaw(primary);
        case FaultKind::freeze_replica: return other ? world().thaw(*other) : void();
        case FaultKind::power_loss: return world().power_on(primary);
        case FaultKind::replica_power_loss: return other ? world().power_on(*other) : void();
        case FaultKind::manager_cut_off:
        case FaultKind::cut_manager_primary:
        case FaultKind::cut_replica:
        case FaultKind::split:
        case FaultKind::isolate_primary: return partition(false);
        case FaultKind::cut_any_way: return world().network.heal(any_way().first, any_way().second);
        case FaultKind::loss:
        case FaultKind::slow_link: return worsen_links(false);
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
        case FaultKind::storage_stalled: return world().stall_storage(primary, false);
        case FaultKind::storage_slow: return world().slow_storage(primary, 0s);
        case FaultKind::disk_full: world().free_disk(primary); return start_unless_fenced();
        case FaultKind::manager_killed_at_step: stage.disk.after_append = nullptr; [[fallthrough]];
        case FaultKind::manager_killed: return stage.start_manager();
        case FaultKind::manager_stopped:
        case FaultKind::manager_suspended: return stage.set_manager_stopped(false);
        case FaultKind::promotion_refused:
            for (Server& it : world().servers) it.refuses_promotion = false;
            return;
        case FaultKind::promotion_hangs:
            for (ServerIndex it = 0; it < world().servers.size(); ++it) world().end_hang(it);
            return;
        case FaultKind::store_fails: stage.disk.fails = false; return;
        case FaultKind::store_hangs: stage.disk.hangs = false; return;
        case FaultKind::switchover: return;
    }
}

}  // namespace

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
    stage.disk.after_append = nullptr;
    stage.set_manager_stopped(false);
    stage.start_manager();
    for (ServerIndex it = 0; it < world.servers.size(); ++it) {
        Server& server = world.at(it);
        server.ssh_answers = true;
        server.connections_full = false;
        server.password_broken = false;
        server.refuses_promotion = false;
        world.free_disk(it);
        world.slow_storage(it, 0s);
        world.stall_storage(it, false);
        world.end_hang(it);
        world.thaw(it);
        world.power_on(it);
        // A person starts what is down and was not fenced, as the service would; what was fenced stays as the manager left it.
        world.agenda.after(world.random.between(Duration{1s}, 5s), [&world, it] {
            const bool taken_over = world.at(it).had_lease && !world.at(it).has_processes() && true_primary(world) != it;
            if (!world.at(it).disk.fenced && !taken_over) world.start(it, false);
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
