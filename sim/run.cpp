#include "sim/run.hpp"

#include "base/ensure.hpp"

#include <fmt/format.h>

namespace handyrep::sim {

using namespace std::chrono_literals;

namespace {

model::ClusterDefinition define(const Draw& draw, const World& world) {
    auto name = model::ClusterName::parse("sim");
    ensure(name.has_value(), "the simulated cluster's name is a name");
    model::ClusterDefinition definition{.name = *name, .failover = draw.settings, .servers = {}};
    for (ServerIndex it = 0; it < world.servers.size(); ++it) {
        model::ServerDefinition server{
            .name = world.at(it).name,
            .hostname = world.at(it).name.text() + ".example",
            .ssh_key = {},
            .ssh_config = {},
            .pgdata = "/var/lib/postgresql/15/main"};
        server.role = it == 0 ? model::Role::primary : model::Role::replica;
        server.failover_priority = draw.servers[it].priority;
        server.transport = draw.local ? model::Transport::local : model::Transport::ssh;
        definition.servers.push_back(std::move(server));
    }
    return definition;
}

}  // namespace

Run::Run(Draw draw)
    : draw_{std::move(draw)},
      world_{draw_.world, draw_.seed},
      invariants_{world_, disk_, draw_.settings},
      definition_{define(draw_, world_)} {
    for (const std::string& line : draw_.text()) world_.note("drawn", line);
    for (ServerIndex it = 0; it < world_.servers.size(); ++it) {
        Server& server = world_.at(it);
        server.clock_ahead = draw_.servers[it].clock_ahead;
        server.restarted_after = draw_.servers[it].restarted_after;
        server.disk.autostart = draw_.servers[it].autostart;
        server.disk.restore_command = draw_.servers[it].restore_command;
        invariants_.restores_by(it, server.disk.restore_command);
        if (it == 0 || draw_.replicas_have_the_rule) server.disk.synchronous_standby_names = draw_.rule_of(it);
        server.disk.control = it == 0 ? model::ControlState::shut_down : model::ControlState::shut_down_in_recovery;
        world_.start(it, false);
    }
    for (const Client& client : draw_.clients) world_.add_client(client);
    start_manager();
}

Run::~Run() { manager_.reset(); }

void Run::run_for(Duration length) {
    static_cast<void>(run_until([] { return false; }, length));
}

bool Run::run_until(const std::function<bool()>& reached, Duration limit) {
    const Instant end = world_.agenda.now() + limit;
    const auto timely = std::make_shared<bool>(true);
    world_.agenda.at(end, [timely] { *timely = false; });
    if (manager_) manager_->poll();
    while (*timely) {
        if (reached()) return true;
        world_.agenda.run_next();
        if (manager_) manager_->poll();
    }
    return reached();
}

void Run::kill_manager() { manager_.reset(); }

void Run::start_manager() {
    if (manager_) return;
    invariants_.manager_began();
    manager_ = std::make_unique<Manager>(world_, disk_, definition_);
    manager_->set_stopped(manager_stopped_);
}

void Run::set_manager_stopped(bool stopped) {
    manager_stopped_ = stopped;
    if (manager_) manager_->set_stopped(stopped);
}

namespace {

model::ServerName server_named(const std::string& text) {
    auto name = model::ServerName::parse(text);
    ensure(name.has_value(), "an order names a server");
    return *std::move(name);
}

decide::ServiceWanted of_service(decide::ServiceDeed deed, const scenarios::Order& order) {
    ensure(order.to.has_value(), "an order about a service names its server");
    return {.deed = deed, .server = server_named(order.to.value_or(""))};
}

engine::Wanted wanted_by(const scenarios::Order& order) {
    const auto to = order.to ? std::optional{server_named(*order.to)} : std::nullopt;
    switch (order.verb) {
        case scenarios::Verb::failover:
        case scenarios::Verb::promote: {
            const auto overrides = decide::parse_overrides(order.overrides);
            ensure(overrides.has_value(), "an order overrides gates by their names");
            return engine::FailoverWanted{.to = to, .overrides = *overrides, .alone = order.verb == scenarios::Verb::promote};
        }
        case scenarios::Verb::switchover: return decide::SwitchoverWanted{.to = to, .restart_all = order.restart_all};
        case scenarios::Verb::shutdown: return of_service(decide::ServiceDeed::stop, order);
        case scenarios::Verb::startup: return of_service(decide::ServiceDeed::start, order);
        case scenarios::Verb::restart: return of_service(decide::ServiceDeed::restart, order);
        case scenarios::Verb::fence: return of_service(decide::ServiceDeed::fence, order);
        case scenarios::Verb::rejoin: return decide::RejoinWanted{.server = server_named(order.to.value_or(""))};
        case scenarios::Verb::clone:
        case scenarios::Verb::reclone: {
            ensure(to.has_value(), "a copy names a server");
            return decide::CopyWanted{
                .server = *to,
                .replaces = order.verb == scenarios::Verb::reclone,
                .from = order.from ? std::optional{server_named(*order.from)} : std::nullopt};
        }
        case scenarios::Verb::follow: break;
    }
    decide::FollowWanted out{.replicas = {}, .upstream = to};
    for (const std::string& it : order.replicas) out.replicas.push_back(server_named(it));
    return out;
}

}  // namespace

void Run::order(const scenarios::Order& order, std::function<void(std::string)> told) {
    ensure(manager_ != nullptr, "an order needs a manager");
    manager_->order({.what = wanted_by(order), .dry_run = false, .by = "person"}, std::move(told));
}

void Run::order(model::StandingOrder order) {
    ensure(manager_ != nullptr, "an order needs a manager");
    manager_->order(std::move(order));
}

Result<void> Run::cancel(std::uint64_t operation) {
    ensure(manager_ != nullptr, "an order needs a manager");
    return manager_->cancel(operation);
}

Stage Run::stage() {
    return {
        world_,
        disk_,
        invariants_,
        [this](bool stopped) { set_manager_stopped(stopped); },
        [this] { kill_manager(); },
        [this] { start_manager(); },
        [this] {
            if (manager_ && !manager_stopped_) order({.verb = scenarios::Verb::switchover}, [](const std::string& /*refusal*/) {});
        }};
}

bool Run::settled() const { return disk_.open().empty(); }

Verdict Run::verdict() const {
    if (!manager_) return {Ending::unsettled, "there is no manager"};
    return judge_recovery(world_, disk_, manager_->report());
}

namespace {

/// Until the cluster is well, or parked, for a while. What passes at once would not be an end.
Verdict settle(Run& run) {
    constexpr Duration longest = 200s;
    constexpr Duration interval = 500ms;
    constexpr int looks_well = 2;
    constexpr int looks_parked = 14;
    int well = 0;
    int parked = 0;
    Verdict verdict = run.verdict();
    for (Duration passed{}; passed < longest; passed += interval) {
        run.run_for(interval);
        verdict = run.verdict();
        well = verdict.ending == Ending::well ? well + 1 : 0;
        parked = verdict.ending == Ending::parked ? parked + 1 : 0;
        if (well == looks_well || parked == looks_parked) break;
    }
    return verdict;
}

}  // namespace

Played play(const Draw& draw) {
    Run run{draw};
    for (const Fault& fault : draw.faults) put_on_agenda(run.stage(), fault);
    run.run_for(draw.faults_end);
    end_all_faults(run.stage());
    run.run_for(5s);  // persons begin to start what is down
    const Verdict verdict = settle(run);
    run.world().note("end", fmt::format("{}{}{}", word_for(verdict.ending), verdict.text.empty() ? "" : ": ", verdict.text));
    run.invariants().judge_end();
    Played played{
        .seed = draw.seed,
        .options = draw.options,
        .ending = verdict.ending,
        .hash = 0,
        .violations = run.invariants().violations(),
        .lines = {},
        .drawn = draw.text(),
        .promotions = run.invariants().promotions(),
        .failovers_begun = run.invariants().failovers_begun(),
        .acknowledged = run.world().acknowledged.size()};
    if (verdict.ending == Ending::unsettled)
        played.violations.push_back(
            {run.world().agenda.now(), "once all is repaired, the cluster comes back or says why not", verdict.text});
    const std::optional<std::string> ended = run.manager() == nullptr ? "there is none" : run.manager()->ended();
    if (ended) played.violations.push_back({run.world().agenda.now(), "the daemon runs", *ended});
    run.kill_manager();
    played.hash = run.world().trace.hash();
    played.lines = run.world().trace.lines();
    return played;
}

}  // namespace handyrep::sim
