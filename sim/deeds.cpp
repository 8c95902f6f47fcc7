#include "sim/deeds.hpp"

#include "base/ensure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace handyrep::sim {

using namespace std::chrono_literals;
using scenarios::DeedKind;

namespace {

/// How long orphan backends write, and a query blocks replay, when the story does not say.
constexpr Duration usual_length = 5s;
constexpr std::uint64_t bulk = 50ULL << 20U;
constexpr Duration much_redo = 30s;
constexpr unsigned loss_percent = 30;
constexpr Duration long_way = 400ms;

void cut(Network& network, Node from, Node to, bool cutting) {
    if (cutting) {
        network.drop(from, to);
    } else {
        network.heal(from, to);
    }
}

void cut_groups(Network& network, const std::vector<Node>& left, const std::vector<Node>& right, bool cutting) {
    for (const Node one : left) {
        for (const Node other : right) {
            cut(network, one, other, cutting);
            cut(network, other, one, cutting);
        }
    }
}

}  // namespace

ServerIndex Deeds::server_of(const scenarios::NodeName& name) const {
    const auto& servers = run_.world().servers;
    const auto found = std::ranges::find_if(servers, [&](const Server& it) { return it.name.text() == name; });
    ensure(found != servers.end(), "a story names servers of its cluster");
    return static_cast<ServerIndex>(found - servers.begin());
}

std::vector<Node> Deeds::nodes_of(const std::vector<scenarios::NodeName>& names) const {
    const std::size_t servers = run_.world().servers.size();
    std::vector<Node> out;
    for (const scenarios::NodeName& name : names) {
        if (name == "manager") {
            out.push_back(0);
        } else if (name == "apps") {
            for (Node it = servers + 1; it < run_.world().network.nodes(); ++it) out.push_back(it);
        } else {
            out.push_back(run_.world().at(server_of(name)).node);
        }
    }
    return out;
}

void Deeds::keep(DeedKind kind, const std::optional<Duration>& lasts, std::function<void()> end) {
    if (!end) return;
    const auto open = std::make_shared<Open>(Open{kind, std::move(end)});
    open_.push_back(open);
    if (!lasts) return;
    run_.world().agenda.after(*lasts, [&world = run_.world(), open] {
        const auto over = std::exchange(open->end, nullptr);
        if (!over) return;
        world.note("story", fmt::format("{} is over", word_for(open->kind)));
        over();
    });
}

Result<void> Deeds::begin(const scenarios::Deed& fault) {
    switch (fault.kind) {
        case DeedKind::one_way:
        case DeedKind::partition:
        case DeedKind::reset:
        case DeedKind::loss:
        case DeedKind::delay:
        case DeedKind::link_down:
        case DeedKind::silence: keep(fault.kind, fault.lasts, to_network(fault)); return {};
        case DeedKind::quiet:
            run_.world().quiet = true;
            keep(fault.kind, fault.lasts, [this] { run_.world().quiet = false; });
            return {};
        case DeedKind::dns_hangs:
        case DeedKind::login_expired:
        case DeedKind::kill_manager:
        case DeedKind::reboot_manager:
        case DeedKind::stop_manager:
        case DeedKind::start_manager:
        case DeedKind::store_fails:
        case DeedKind::store_hangs:
        case DeedKind::lose_journal: keep(fault.kind, fault.lasts, to_manager(fault.kind)); return {};
        case DeedKind::maintenance: keep(fault.kind, std::nullopt, begin_maintenance(fault.lasts)); return {};
        case DeedKind::pause: keep(fault.kind, fault.lasts, pause()); return {};
        case DeedKind::disable:
            for (const scenarios::NodeName& name : fault.on) keep(fault.kind, fault.lasts, disable(run_.world().at(server_of(name)).name));
            return {};
        case DeedKind::set: return begin_set(fault);
        case DeedKind::manager_clock: return set_clock(fault);
        case DeedKind::address_changed:
        case DeedKind::configure: return Error{ErrorKind::unsupported, fmt::format("the simulator has no {}", word_for(fault.kind))};
        default: break;
    }
    for (const scenarios::NodeName& name : fault.on)
        keep(fault.kind, fault.lasts, to_server(fault.kind, server_of(name), fault.lasts.value_or(usual_length)));
    return {};
}

/// Only the wall clock: no wait is longer or shorter for it.
Result<void> Deeds::set_clock(const scenarios::Deed& fault) {
    const auto by = scenarios::seconds_of_jump(fault);
    if (!by) return by.error();
    MachineClock& clock = run_.world().manager_clock;
    clock.wall_jumped += *by;
    keep(fault.kind, fault.lasts, [&clock, by = *by] { clock.wall_jumped -= by; });
    return {};
}

Result<void> Deeds::begin_set(const scenarios::Deed& fault) {
    const ServerIndex server = server_of(fault.on.front());
    const Setup before = run_.world().at(server).setup;
    auto done = set(server, fault.settings);
    if (!done) return done;
    keep(fault.kind, fault.lasts, [this, server, before] {
        run_.world().at(server).setup = before;
        take_effect(server);
    });
    return {};
}

Result<void> Deeds::set(ServerIndex server, const scenarios::Settings& settings) {
    Setup setup = run_.world().at(server).setup;
    for (const auto& [name, value] : settings) {
        if (auto taken = sim::set(setup, name, value); !taken) return taken;
    }
    run_.world().at(server).setup = setup;
    take_effect(server);
    return {};
}

void Deeds::take_effect(ServerIndex server) {
    World& world = run_.world();
    if (world.at(server).runs() && world.at(server).in_recovery) world.settle_replay(server);
    world.changed();
}

Result<void> Deeds::set_up(const scenarios::ClusterWanted& wanted) {
    for (const auto& [replica, upstream] : wanted.follows) run_.world().at(server_of(replica)).disk.follows = server_of(upstream);
    for (const auto& [name, settings] : wanted.settings) {
        if (auto done = set(server_of(name), settings); !done) return done.error().during(fmt::format("set up {}", name));
    }
    return {};
}

bool Deeds::end(DeedKind kind) {
    bool any = false;
    for (const auto& it : open_) {
        if (it->kind != kind) continue;
        if (const auto over = std::exchange(it->end, nullptr)) {
            any = true;
            over();
        }
    }
    return any;
}

void Deeds::promote_by_hand(ServerIndex server) {
    run_.invariants().started_by_hand(server);
    if (run_.world().at(server).in_recovery && run_.world().at(server).runs()) run_.world().begin_promotion(server);
}

void Deeds::start_as_primary(ServerIndex server) {
    run_.invariants().started_by_hand(server);
    if (!run_.world().at(server).has_processes()) run_.world().start_by_hand(server);
}

/// Its processes end, its data directory becomes another, and it starts again.
void Deeds::replace_data(ServerIndex server, std::function<void(Server&)> change) {
    World& world = run_.world();
    const auto start = [&world, server, change = std::move(change)] {
        change(world.at(server));
        world.start(server, false);
    };
    if (world.at(server).has_processes()) return world.fast_stop(server, start);
    start();
}

std::function<void()> Deeds::detach(ServerIndex server) {
    World& world = run_.world();
    const auto upstream = world.at(server).disk.follows;
    world.at(server).disk.follows.reset();
    world.end_receiver(server, false);
    return [&world, server, upstream] {
        if (world.at(server).disk.follows) return;
        world.at(server).disk.follows = upstream;
        world.reload_receiver(server);
    };
}

std::function<void()> Deeds::raise(ServerIndex server, bool Server::* flag) {
    World& world = run_.world();
    world.at(server).*flag = true;
    return [&world, server, flag] { world.at(server).*flag = false; };
}

std::function<void()> Deeds::to_server(DeedKind kind, ServerIndex server, Duration lasts) {
    World& world = run_.world();
    switch (kind) {
        case DeedKind::kill_all: world.kill_all(server); return {};
        case DeedKind::kill_postmaster: world.kill_postmaster(server, 1, lasts); return {};
        case DeedKind::kill_backend: world.crash_backend(server); return {};
        case DeedKind::fast_stop: world.fast_stop(server, {}); return {};
        case DeedKind::immediate_stop: world.immediate_stop(server); return {};
        case DeedKind::fast_restart: world.fast_stop(server, [&world, server] { world.start(server, false); }); return {};
        case DeedKind::start:
            if (!world.at(server).has_processes()) world.start(server, world.at(server).disk.control == model::ControlState::in_production);
            return {};
        case DeedKind::start_as_primary: start_as_primary(server); return {};
        case DeedKind::promote: promote_by_hand(server); return {};
        case DeedKind::demote:
            replace_data(server, [](Server& it) {
                it.disk.standby_mark = true;
                it.disk.follows.reset();
            });
            return {};
        case DeedKind::freeze: world.freeze(server); return [&world, server] { world.thaw(server); };
        case DeedKind::stop_postmaster: return raise(server, &Server::postmaster_stopped);
        case DeedKind::end_sessions: world.end_sessions(server, model::LastWords::administrator); return {};
        case DeedKind::kill_receiver: world.end_receiver(server, true); return {};
        case DeedKind::steady_load:
        case DeedKind::bulk_load:
            if (world.at(server).runs() && world.at(server).is_primary()) world.write_wal(server, bulk);
            return {};
        case DeedKind::long_redo: world.at(server).redo = much_redo; return [&world, server] { world.at(server).redo = {}; };
        case DeedKind::query: world.block_replay(server, lasts); return {};
        case DeedKind::refuse_promotion: return raise(server, &Server::refuses_promotion);
        case DeedKind::late_promotion:
            world.at(server).holds_promotions = true;
            return [&world, server] {
                world.at(server).holds_promotions = false;
                for (const auto& arrive : std::exchange(world.at(server).held_promotions, {})) world.when_running(server, arrive);
            };
        case DeedKind::hang_promotion: world.at(server).hangs_at_promotion = true; return [&world, server] { world.end_hang(server); };
        default: return to_machine(kind, server);
    }
}

std::function<void()> Deeds::to_machine(DeedKind kind, ServerIndex server) {
    World& world = run_.world();
    switch (kind) {
        case DeedKind::power_off: world.power_off(server); return [&world, server] { world.power_on(server); };
        case DeedKind::power_on: world.power_on(server); return {};
        case DeedKind::reboot:
            if (!world.at(server).has_processes()) {
                world.power_off(server);
            } else {
                world.fast_stop(server, [&world, server] { world.power_off(server); });
            }
            return [&world, server] { world.power_on(server); };
        case DeedKind::autostart_off:
            world.at(server).disk.autostart = false;
            return [&world, server] { world.at(server).disk.autostart = !world.at(server).disk.fenced; };
        case DeedKind::sshd_down: world.at(server).ssh_answers = false; return [&world, server] { world.at(server).ssh_answers = true; };
        case DeedKind::slow_logins: return raise(server, &Server::slow_logins);
        case DeedKind::sudo_denied: return raise(server, &Server::sudo_denied);
        case DeedKind::sudo_denied_halfway:
            world.at(server).sudo_denied_halfway = true;
            return [&world, server] { world.at(server).sudo_denied = world.at(server).sudo_denied_halfway = false; };
        case DeedKind::mark_denied: return raise(server, &Server::mark_denied);
        case DeedKind::name_lost: return raise(server, &Server::name_unknown);
        case DeedKind::storage_stalled: world.stall_storage(server, true); return [&world, server] { world.stall_storage(server, false); };
        case DeedKind::wal_full: world.fill_disk(server); return [&world, server] { world.free_disk(server); };
        case DeedKind::data_full: return raise(server, &Server::data_full);
        case DeedKind::read_only_disk: return raise(server, &Server::disk_read_only);
        case DeedKind::disk_nearly_full: return raise(server, &Server::disk_nearly_full);
        case DeedKind::foreign:
            replace_data(server, [other = model::SystemId{world.system_id.value + 1}](Server& it) {
                it.foreign = other;
                it.disk.standby_mark = true;
                it.disk.follows.reset();
            });
            return {};
        case DeedKind::back_up: backups_.insert_or_assign(server, world.at(server).disk); return {};
        case DeedKind::restore_backup: {
            const auto backup = backups_.find(server);
            ensure(backup != backups_.end(), "a story restores what it backed up");
            replace_data(server, [disk = backup->second](Server& it) { it.disk = disk; });
            return {};
        }
        default: return to_settings(kind, server);
    }
}

std::function<void()> Deeds::to_settings(DeedKind kind, ServerIndex server) {
    World& world = run_.world();
    switch (kind) {
        case DeedKind::connections_full: return raise(server, &Server::connections_full);
        case DeedKind::password_broken: return raise(server, &Server::password_broken);
        case DeedKind::hba_broken: return raise(server, &Server::hba_broken);
        case DeedKind::walsenders_full: return raise(server, &Server::walsenders_full);
        case DeedKind::certificate_expired: return raise(server, &Server::certificate_expired);
        case DeedKind::port_closed: return raise(server, &Server::port_closed);
        case DeedKind::refuses_look: return raise(server, &Server::look_refused);
        case DeedKind::detach: return detach(server);
        case DeedKind::slot:
            world.at(server).slots.push_back({"left_behind", world.at(server).disk.end});
            return [&world, server] { world.at(server).slots.clear(); };
        case DeedKind::wal_sink:
            world.at(server).wal_sinks.emplace_back("pg_receivewal");
            return [&world, server] { world.at(server).wal_sinks.clear(); };
        default: break;
    }
    ensure(false, "a fault of a server is done to a server");
    return {};
}

std::function<void()> Deeds::to_network(const scenarios::Deed& fault) {
    Network& network = run_.world().network;
    const std::vector<Node> first = nodes_of(fault.on);
    if (fault.kind == DeedKind::reset) {
        network.refuse(first[0], first[1]);
        return [&network, first] { network.heal(first[0], first[1]); };
    }
    if (fault.kind == DeedKind::loss) {
        network.set_loss(first[0], first[1], loss_percent);
        return [&network, first] { network.set_loss(first[0], first[1], 0); };
    }
    if (fault.kind == DeedKind::delay) {
        network.set_delay(first[0], first[1], long_way);
        return [&network, first] { network.set_delay(first[0], first[1], Network::usual_delay); };
    }
    if (fault.kind == DeedKind::one_way) {
        network.drop(first[0], first[1]);
        return [&network, first] { network.heal(first[0], first[1]); };
    }
    std::vector<Node> second = nodes_of(fault.other);
    if (fault.kind == DeedKind::silence || fault.kind == DeedKind::link_down) {
        for (Node it = 0; it < network.nodes(); ++it) {
            if (std::ranges::count(first, it) == 0) second.push_back(it);
        }
    }
    cut_groups(network, first, second, true);
    return [&network, first, second] { cut_groups(network, first, second, false); };
}

/// With a length it ends by itself, which is the manager's own doing.
std::function<void()> Deeds::begin_maintenance(const std::optional<Duration>& lasts) {
    run_.order({.what = model::BeginMaintenance{.lasts = lasts, .until = {}, .reason = "a story"}, .by = "person"});
    return [this] { run_.order({.what = model::EndMaintenance{}, .by = "person"}); };
}

std::function<void()> Deeds::pause() {
    run_.order({.what = model::PauseAutomation{.reason = "a story"}, .by = "person"});
    return [this] { run_.order({.what = model::ResumeAutomation{}, .by = "person"}); };
}

std::function<void()> Deeds::disable(const model::ServerName& server) {
    run_.order({.what = model::DisableServer{.server = server, .reason = "a story"}, .by = "person"});
    return [this, server] { run_.order({.what = model::EnableServer{server}, .by = "person"}); };
}

std::function<void()> Deeds::to_manager(DeedKind kind) {
    switch (kind) {
        case DeedKind::dns_hangs: run_.world().names_hang = true; return [this] { run_.world().names_hang = false; };
        case DeedKind::login_expired: run_.world().login_expired = true; return [this] { run_.world().login_expired = false; };
        case DeedKind::reboot_manager:
        case DeedKind::kill_manager: run_.kill_manager(); return [this] { run_.start_manager(); };
        case DeedKind::stop_manager: run_.set_manager_stopped(true); return [this] { run_.set_manager_stopped(false); };
        case DeedKind::start_manager: run_.start_manager(); return {};
        case DeedKind::store_fails: run_.disk().fails = true; return [this] { run_.disk().fails = false; };
        case DeedKind::store_hangs: run_.disk().hangs = true; return [this] { run_.disk().hangs = false; };
        case DeedKind::lose_journal:
            run_.disk().records.clear();
            run_.disk().journal_lost = true;
            return [this] { run_.disk().journal_lost = false; };
        default: break;
    }
    ensure(false, "a fault of the manager is done to the manager");
    return {};
}

}  // namespace handyrep::sim
