#include "lab/drawn.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace handyrep::lab {

using namespace std::chrono_literals;
using scenarios::Deed;
using scenarios::DeedKind;
using scenarios::NodeName;

namespace {

/// SplitMix64: what a seed draws must not depend on a standard library.
class Dice {
public:
    explicit Dice(std::uint64_t seed) : state_{seed} {}
    std::size_t below(std::size_t count) { return static_cast<std::size_t>(next() % count); }
    bool chance(unsigned percent) { return below(100) < percent; }
    Duration between(Duration least, Duration most) {
        const auto span = std::chrono::duration_cast<std::chrono::milliseconds>(most - least).count();
        return least + std::chrono::milliseconds{static_cast<long>(below(static_cast<std::size_t>(span) + 1))};
    }

private:
    std::uint64_t next() {
        std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
        z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
        z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
        return z ^ (z >> 31U);
    }
    std::uint64_t state_;
};

/// Whom a fault fits. What only a replica has is not asked of the primary of the beginning.
enum class Fits { any_server, replica, two_nodes, groups, manager };
/// How it can end: by itself only, never (it is done and over), or either way, where staying leaves one server out of the game.
enum class Ends { done, by_itself, may_stay };
struct Kind {
    DeedKind kind;
    Fits fits;
    Ends ends;
    Duration longest{};
    bool kills = false;  // the server is down afterwards, unless something starts it
};
constexpr std::array kinds{
    Kind{DeedKind::kill_all, Fits::any_server, Ends::done, 0s, true},
    Kind{DeedKind::kill_postmaster, Fits::any_server, Ends::done, 0s, true},
    Kind{DeedKind::fast_stop, Fits::any_server, Ends::done, 0s, true},
    Kind{DeedKind::immediate_stop, Fits::any_server, Ends::done, 0s, true},
    Kind{DeedKind::kill_backend, Fits::any_server, Ends::done},
    Kind{DeedKind::fast_restart, Fits::any_server, Ends::done},
    Kind{DeedKind::bulk_load, Fits::any_server, Ends::done},
    Kind{DeedKind::freeze, Fits::any_server, Ends::may_stay, 15s},
    Kind{DeedKind::stop_postmaster, Fits::any_server, Ends::may_stay, 15s},
    Kind{DeedKind::power_off, Fits::any_server, Ends::may_stay, 20s},
    Kind{DeedKind::silence, Fits::any_server, Ends::may_stay, 15s},
    Kind{DeedKind::link_down, Fits::any_server, Ends::may_stay, 15s},
    Kind{DeedKind::sshd_down, Fits::any_server, Ends::may_stay, 15s},
    Kind{DeedKind::sudo_denied, Fits::any_server, Ends::may_stay, 15s},
    Kind{DeedKind::storage_stalled, Fits::any_server, Ends::by_itself, 12s},
    Kind{DeedKind::port_closed, Fits::any_server, Ends::by_itself, 10s},
    Kind{DeedKind::connections_full, Fits::any_server, Ends::by_itself, 8s},
    Kind{DeedKind::password_broken, Fits::any_server, Ends::by_itself, 8s},
    Kind{DeedKind::kill_receiver, Fits::replica, Ends::done},
    Kind{DeedKind::query, Fits::replica, Ends::by_itself, 10s},
    Kind{DeedKind::one_way, Fits::two_nodes, Ends::by_itself, 15s},
    Kind{DeedKind::loss, Fits::two_nodes, Ends::by_itself, 15s},
    Kind{DeedKind::reset, Fits::two_nodes, Ends::by_itself, 10s},
    Kind{DeedKind::partition, Fits::groups, Ends::by_itself, 20s},
    Kind{DeedKind::kill_manager, Fits::manager, Ends::by_itself, 5s},
    Kind{DeedKind::stop_manager, Fits::manager, Ends::by_itself, 10s},
};

std::string server_name(std::size_t number) { return fmt::format("db{}", number); }

/// What takes the primary away for good, or for longer than a failover waits.
constexpr std::array fatal{
    DeedKind::kill_all, DeedKind::kill_all,        DeedKind::kill_postmaster, DeedKind::fast_stop, DeedKind::immediate_stop,
    DeedKind::freeze,   DeedKind::stop_postmaster, DeedKind::power_off,       DeedKind::silence,   DeedKind::link_down,
};

/// Draws one fault after the other, and knows which servers an earlier one took out for good.
class Faults {
public:
    Faults(Dice& dice, std::size_t servers, bool restarted) : dice_{dice}, servers_{servers}, restarted_{restarted} {}

    Deed draw() {
        for (;;) {
            const Kind& kind = kinds.at(dice_.below(kinds.size()));
            if (auto deed = of(kind)) return *std::move(deed);
        }
    }

    /// One that the primary of the beginning does not come back from; any other where it is gone already.
    Deed draw_fatal() {
        const NodeName primary = server_name(1);
        const DeedKind kind = fatal.at(dice_.below(fatal.size()));
        if (!gone_.insert(primary).second) return draw();
        return {.kind = kind, .on = {primary}};
    }

private:
    std::optional<Deed> of(const Kind& kind) {
        Deed out{.kind = kind.kind};
        if (kind.ends != Ends::done) out.lasts = dice_.between(500ms, kind.longest);
        switch (kind.fits) {
            case Fits::manager: return out;
            case Fits::two_nodes: return between_two(std::move(out));
            case Fits::groups: return between_groups(std::move(out));
            case Fits::any_server:
            case Fits::replica: break;
        }
        const NodeName on = victim(kind.fits == Fits::replica);
        if (gone_.contains(on)) return std::nullopt;
        out.on = {on};
        const bool stays = kind.ends == Ends::may_stay && gone_.empty() && dice_.chance(25);
        if (stays) out.lasts.reset();
        if (stays || (kind.kills && !restarted_)) gone_.insert(on);
        return out;
    }

    /// The primary of the beginning more often than the others: it is whom most of this is about.
    NodeName victim(bool replica) {
        if (replica) return server_name(2 + dice_.below(servers_ - 1));
        return dice_.chance(60) ? "db1" : server_name(1 + dice_.below(servers_));
    }
    Deed between_two(Deed out) {
        const NodeName from = victim(false);
        const std::array<NodeName, 3> others{"manager", "apps", server_name(1 + dice_.below(servers_))};
        const NodeName& to = others.at(dice_.below(others.size()));
        out.on = {from, to == from ? "manager" : to};
        if (dice_.chance(50)) std::swap(out.on[0], out.on[1]);
        return out;
    }
    Deed between_groups(Deed out) {
        std::vector<NodeName> all{"manager", "apps"};
        for (std::size_t it = 1; it <= servers_; ++it) all.push_back(server_name(it));
        for (const NodeName& it : all) (dice_.chance(50) ? out.on : out.other).push_back(it);
        if (out.on.empty()) std::swap(out.on, out.other);
        if (out.other.empty()) {
            out.other.push_back(out.on.back());
            out.on.pop_back();
        }
        return out;
    }

    Dice& dice_;
    std::size_t servers_;
    bool restarted_;
    std::set<NodeName> gone_;
};

/// "ANY 1 (db2, db3)": every replica is a member.
std::string draw_set(Dice& dice, std::size_t servers) {
    std::vector<std::string> names;
    for (std::size_t it = 2; it <= servers; ++it) names.push_back(server_name(it));
    return fmt::format("{} 1 ({})", dice.chance(50) ? "ANY" : "FIRST", fmt::join(names, ", "));
}

void draw_cluster(Dice& dice, Replication replication, scenarios::ClusterWanted& out) {
    constexpr std::array policies{"strict", "witnessed", "witnessed", "none"};
    out.servers = 2 + dice.below(3);
    const bool drawn = dice.chance(60);
    if (replication == Replication::any ? drawn : replication == Replication::synchronous)
        out.synchronous_standby_names = draw_set(dice, out.servers);
    out.failover = {
        {"silence_timeout", "2s"}, {"cooldown", "0s"}, {"planned_grace", "5s"}, {"fencing", policies.at(dice.below(policies.size()))}};
    if (dice.chance(40)) out.restarted_after = dice.between(500ms, 4s);
}

}  // namespace

scenarios::Scenario draw_story(std::uint64_t seed, Replication replication) {
    Dice dice{seed * 2 + 1};
    scenarios::Scenario out{
        .file = fmt::format("seed {}", seed), .title = fmt::format("drawn by seed {}", seed), .covers = {}, .seed = seed};
    draw_cluster(dice, replication, out.cluster);

    int line = 0;
    const auto add = [&](scenarios::StepKind step) { out.steps.push_back({.line = ++line, .what = std::move(step)}); };
    std::vector<std::string> replicas;
    for (std::size_t it = 2; it <= out.cluster.servers; ++it) replicas.push_back(server_name(it));
    add(scenarios::Until{{.situation = "Healthy", .takes_writes = "db1", .replicas_of_it = replicas}, 2min});
    add(scenarios::Run{dice.between(1s, 4s)});
    Faults faults{dice, out.cluster.servers, out.cluster.restarted_after.has_value()};
    const std::size_t count = 1 + dice.below(4);
    // Most faults are lived through; that a failover is what this is about needs some help.
    const std::size_t fatal_one = dice.chance(60) ? dice.below(count) : count;
    for (std::size_t it = 0; it < count; ++it) {
        add(it == fatal_one ? faults.draw_fatal() : faults.draw());
        // Often the next one comes while this one lasts, sometimes at the same moment.
        if (!dice.chance(25)) add(scenarios::Run{dice.between(0s, 8s)});
    }
    // The longest that ends by itself.
    add(scenarios::Run{20s});
    return out;
}

}  // namespace handyrep::lab
