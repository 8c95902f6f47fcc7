#include "sim/swarm.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace handyrep::sim {

using namespace std::chrono_literals;

namespace {

template <class T, std::size_t count>
T one_of(Random& random, const std::array<T, count>& choices) {
    return choices.at(random.below(count));
}

template <class T>
bool read_number(std::string_view text, T& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc{} && end == text.data() + text.size();
}

void draw_settings(Random& random, model::FailoverSettings& settings) {
    settings.fencing = one_of(
        random,
        std::array{
            model::Fencing::witnessed, model::Fencing::witnessed, model::Fencing::witnessed, model::Fencing::strict, model::Fencing::none});
    settings.poll_interval = one_of(random, std::array<Duration, 4>{500ms, 500ms, 200ms, 1s});
    settings.witness_freshness = std::max<Duration>(2s, 3 * settings.poll_interval);
    settings.silence_timeout = one_of(random, std::array<Duration, 2>{3s, 1500ms});
    settings.planned_grace = one_of(random, std::array<Duration, 3>{60s, 8s, 0s});
    settings.crash_grace = one_of(random, std::array<Duration, 2>{15s, 3s});
    settings.cooldown = one_of(random, std::array<Duration, 3>{10min, 5s, 0s});
    settings.max_lag_on_failover = model::Bytes{one_of(random, std::array<std::uint64_t, 3>{16ULL << 20, 1ULL << 30, 64ULL << 10})};
    settings.selection_method = random.chance(70) ? model::SelectionMethod::priority_then_furthest : model::SelectionMethod::furthest_ahead;
    settings.remaster = random.chance(90);
}

std::string draw_sync(Random& random, std::size_t servers) {
    if (servers < 2 || !random.chance(40)) return {};
    std::vector<std::string> names;
    for (std::size_t it = 1; it < servers; ++it) names.push_back(fmt::format("db{}", it + 1));
    const std::size_t required = servers > 2 && random.chance(30) ? 2 : 1;
    return fmt::format("{} {} ({})", random.chance(70) ? "ANY" : "FIRST", required, join(names, ", "));
}

void draw_clients(Random& random, Draw& it) {
    const std::size_t servers = it.servers.size();
    const std::size_t count = random.between(1, 3);
    for (std::size_t number = 0; number < count; ++number) {
        const Node elsewhere = 1 + servers + random.below(it.world.application_nodes);
        const Node node = random.chance(25) ? 1 + random.below(servers) : elsewhere;
        Client client{.node = node, .period = random.between(Duration{20ms}, 300ms)};
        if (random.chance(30)) client.commit = random.chance(50) ? CommitMode::local : CommitMode::off;
        if (random.chance(20)) client.cancels_after = random.between(Duration{50ms}, 2s);
        it.clients.push_back(client);
    }
}

/// After everything else, so that whoever has none keeps his history.
void draw_routers(Random& random, Draw& it) {
    if (!random.chance(25)) return;
    const Node router = 1 + it.servers.size() + random.below(it.world.application_nodes);
    for (Client& client : it.clients) client.router = router;
}

/// Likewise. Before the faults, so that all is well and it begins, or among them, so that it is refused or meets one on its way.
void draw_switchover(Random& random, Draw& it) {
    if (!random.chance(30)) return;
    const Duration first = it.faults.front().begins;
    const Duration begins =
        random.chance(70) ? std::max<Duration>(2s, first - random.between(Duration{}, 1500ms)) : random.between(Duration{2s}, 18s);
    it.faults.push_back({FaultKind::switchover, begins, 1ms, random.below(1000)});
    std::ranges::sort(it.faults, {}, [](const Fault& fault) { return std::pair{fault.begins, fault.choice}; });
    it.faults_end = std::max(it.faults_end, begins + 5s);
}

/// Likewise.
void draw_salvage(Random& random, Draw& it) {
    it.settings.salvage = random.chance(85);
    it.settings.salvage_limit = one_of(random, std::array<Duration, 4>{10s, 10s, 2s, 150ms});
    for (ServerDraw& server : it.servers) {
        if (random.chance(30)) server.restore_command = "restore from the archive";
    }
}

void draw_faults(Random& random, Draw& it) {
    std::vector<FaultKind> kinds;
    for (const FaultKind kind : all_faults) {
        if (!it.local || !needs_machines(kind)) kinds.push_back(kind);
    }
    // A swarm: each seed uses a few kinds only, so that rare ones are not drowned by those that end everything. Most take the primary away.
    constexpr std::array deadly{FaultKind::kill_primary,    FaultKind::kill_primary,   FaultKind::kill_postmaster, FaultKind::power_loss,
                                FaultKind::isolate_primary, FaultKind::freeze_primary, FaultKind::clean_stop,      FaultKind::backend_crash,
                                FaultKind::isolate_primary, FaultKind::kill_primary,   FaultKind::disk_full};
    std::vector<FaultKind> chosen;
    const FaultKind death = one_of(random, deadly);
    if (random.chance(75) && !(it.local && needs_machines(death))) chosen.push_back(death);
    const std::size_t variety = random.between(1, 4);
    while (chosen.size() < variety) chosen.push_back(kinds[random.below(kinds.size())]);
    const std::size_t count = random.between(1, 6);
    for (std::size_t number = 0; number < count; ++number) {
        const Duration begins = random.between(Duration{2s}, 18s);
        const Duration lasts = random.chance(30) ? random.between(Duration{5ms}, 1500ms) : random.between(Duration{1s}, 12s);
        const FaultKind kind = number == 0 ? chosen.front() : chosen[random.below(chosen.size())];
        it.faults.push_back({kind, begins, lasts, random.below(1000)});
    }
    // Now and then one strikes in the middle of what another sets off.
    if (random.chance(50)) {
        Fault second = it.faults.front();
        second.kind = chosen.back();
        second.begins += random.between(Duration{}, 400ms);
        if (random.chance(60)) second.kind = random.chance(50) ? FaultKind::manager_killed : FaultKind::manager_killed_at_step;
        second.lasts = random.between(Duration{1ms}, 3s);
        it.faults.push_back(second);
    }
    std::ranges::sort(it.faults, {}, [](const Fault& fault) { return std::pair{fault.begins, fault.choice}; });
    it.faults_end = {};
    for (const Fault& fault : it.faults) it.faults_end = std::max(it.faults_end, fault.begins + fault.lasts);
    it.faults_end += random.between(Duration{100ms}, 4s);
}

}  // namespace

std::optional<Seed> read_seed(std::string_view line) {
    Seed out;
    const std::string_view word = line.substr(0, line.find(' '));
    const std::string_view number = word.substr(0, word.find('/'));
    const bool read = read_number(number, out.number);
    const bool with_servers = number.size() < word.size();
    if (!read || (with_servers && !read_number(word.substr(number.size() + 1), out.servers))) return std::nullopt;
    return out;
}

Draw draw(Seed seed) {
    Random random{seed.number ^ 0x5EED5EED5EED5EEDULL};
    Draw it{.seed = seed.number};
    if (seed.servers != 0) it.options = fmt::format(" --servers {}", seed.servers);
    const std::size_t drawn = one_of(random, std::array<std::size_t, 12>{1, 2, 2, 2, 3, 3, 3, 3, 4, 5, 6, 7});
    it.world.servers = seed.servers == 0 ? drawn : seed.servers;
    it.world.application_nodes = random.between(1, 2);
    it.world.stall_percent = random.chance(50) ? 6 : 60;
    it.world.half_record_percent = static_cast<unsigned>(random.below(80));
    it.world.longest_crash_recovery = one_of(random, std::array<Duration, 3>{500ms, 4s, 20s});
    it.world.tcp_user_timeout = one_of(random, std::array<Duration, 2>{10s, 2min});
    if (random.chance(30)) it.world.wal_keep_bytes = one_of(random, std::array<std::uint64_t, 3>{16ULL << 10, 128ULL << 10, 16ULL << 20});
    it.local = random.chance(20);
    draw_settings(random, it.settings);
    for (std::size_t number = 0; number < it.world.servers; ++number) {
        it.servers.push_back(
            {.priority = one_of(random, std::array{100, 100, 100, 50, 0}),
             .clock_ahead = random.chance(30) ? random.between(Duration{}, 20min) - 10min : Duration{},
             .restarted_after = random.chance(25) ? random.between(Duration{20ms}, 4s) : Duration{},
             .autostart = random.chance(80)});
    }
    it.synchronous_standby_names = draw_sync(random, it.world.servers);
    it.replicas_have_the_rule = random.chance(60);
    draw_clients(random, it);
    draw_faults(random, it);
    draw_routers(random, it);
    draw_switchover(random, it);
    draw_salvage(random, it);
    return it;
}

Draw plain(std::uint64_t seed) {
    Draw it{.seed = seed};
    it.world.half_record_percent = 0;
    it.world.longest_crash_recovery = 1s;
    it.servers.resize(it.world.servers);
    it.clients = {{.node = 4, .period = 20ms}};
    return it;
}

Draw benign(std::uint64_t seed) {
    struct Kind {
        FaultKind kind;
        Duration longest;
    };
    constexpr std::array kinds{
        Kind{FaultKind::backend_crash, 1s},
        Kind{FaultKind::connections_full, 20s},
        Kind{FaultKind::password_broken, 20s},
        Kind{FaultKind::freeze_primary, 900ms},
        Kind{FaultKind::freeze_replica, 10s},
        Kind{FaultKind::loss, 20s},
        Kind{FaultKind::manager_cut_off, 30s},
        Kind{FaultKind::fast_restart, 1s},
        Kind{FaultKind::clean_stop, 50s},
        Kind{FaultKind::manager_stopped, 15s},
        Kind{FaultKind::manager_suspended, 60s},
        Kind{FaultKind::manager_clock_set, 1s},
        Kind{FaultKind::resets, 1s},
        Kind{FaultKind::storage_slow, 10s},
        Kind{FaultKind::replica_dies, 10s},
        Kind{FaultKind::cut_manager_primary, 20s}};
    Random random{seed ^ 0xBE419BE419BE419BULL};
    Draw it = plain(seed);
    it.options = " --benign";
    it.world.longest_crash_recovery = 12s;
    const Kind& kind = kinds.at(random.below(kinds.size()));
    // The choice is even: of the losses the smaller one, 5 %.
    it.faults = {{kind.kind, random.between(Duration{7s}, 9s), random.between(Duration{1ms}, kind.longest), 2 * random.below(500)}};
    it.faults_end = it.faults.front().begins + it.faults.front().lasts + 1s;
    if (random.chance(40)) it.synchronous_standby_names = "ANY 1 (db2, db3)";
    return it;
}

std::string Draw::rule_of(ServerIndex server) const {
    std::string rule = synchronous_standby_names;
    const std::string own = fmt::format("db{}", server + 1);
    if (const std::size_t at = rule.find(own); at != std::string::npos) rule.replace(at, own.size(), "db1");
    return rule;
}

std::vector<std::string> Draw::text() const {
    std::vector<std::string> lines;
    lines.push_back(fmt::format(
        "seed {}: {} server(s){}, {} application machine(s)", seed, servers.size(), local ? " on the manager's machine" : "",
        world.application_nodes));
    lines.push_back(fmt::format(
        "fencing {}, poll {}, silence {}, planned grace {}, crash grace {}, cooldown {}, most loss {}, choice {}, re-point {}, salvage {}",
        word_for(settings.fencing), handyrep::text(settings.poll_interval), handyrep::text(settings.silence_timeout),
        handyrep::text(settings.planned_grace), handyrep::text(settings.crash_grace), handyrep::text(settings.cooldown),
        model::text(settings.max_lag_on_failover), word_for(settings.selection_method), settings.remaster,
        settings.salvage ? fmt::format("within {}", handyrep::text(settings.salvage_limit)) : "no"));
    lines.push_back(fmt::format(
        "synchronous_standby_names '{}'{}, {}", synchronous_standby_names,
        replicas_have_the_rule ? ", also on replicas" : ", on the primary only",
        world.wal_keep_bytes ? fmt::format("{} of WAL kept", model::text(model::Bytes{*world.wal_keep_bytes})) : "slots"));
    lines.push_back(fmt::format(
        "stall {} %, half record {} %, longest crash recovery {}, tcp_user_timeout {}", world.stall_percent, world.half_record_percent,
        handyrep::text(world.longest_crash_recovery), handyrep::text(world.tcp_user_timeout)));
    for (std::size_t number = 0; number < servers.size(); ++number) {
        const ServerDraw& it = servers[number];
        lines.push_back(fmt::format(
            "db{}: priority {}, clock {:+} ms, restarted after {}, autostart {}", number + 1, it.priority,
            std::chrono::duration_cast<std::chrono::milliseconds>(it.clock_ahead).count(), handyrep::text(it.restarted_after),
            it.autostart ? "on" : "off"));
    }
    for (const Client& client : clients)
        lines.push_back(fmt::format(
            "client on machine {}{}, every {}, synchronous_commit {}{}", client.node,
            client.router ? fmt::format(" through the router on machine {}", *client.router) : "", handyrep::text(client.period),
            word_for(client.commit), client.cancels_after ? fmt::format(", cancels after {}", handyrep::text(*client.cancels_after)) : ""));
    for (const Fault& fault : faults) lines.push_back(fault.text());
    return lines;
}

}  // namespace handyrep::sim
