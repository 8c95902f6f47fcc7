#include "lab/drawn.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <string>
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

/// What can come, and for how long at most; zero: it has no end of its own.
struct Kind {
    DeedKind kind;
    Duration longest;
};
constexpr std::array kinds{
    Kind{DeedKind::kill_all, 0s},      Kind{DeedKind::kill_postmaster, 0s},  Kind{DeedKind::kill_backend, 0s},
    Kind{DeedKind::fast_restart, 0s},  Kind{DeedKind::freeze, 15s},          Kind{DeedKind::power_off, 20s},
    Kind{DeedKind::sshd_down, 15s},    Kind{DeedKind::storage_stalled, 12s}, Kind{DeedKind::sudo_denied, 15s},
    Kind{DeedKind::silence, 15s},      Kind{DeedKind::one_way, 15s},         Kind{DeedKind::partition, 15s},
    Kind{DeedKind::loss, 15s},         Kind{DeedKind::port_closed, 10s},     Kind{DeedKind::kill_manager, 5s},
    Kind{DeedKind::stop_manager, 10s}, Kind{DeedKind::kill_receiver, 0s},    Kind{DeedKind::connections_full, 8s},
    Kind{DeedKind::bulk_load, 0s},     Kind{DeedKind::query, 10s},
};

NodeName any_server(Dice& dice, std::size_t servers) { return fmt::format("db{}", dice.below(servers) + 1); }

/// The primary of the beginning more often than the others: it is whom most of this is about.
NodeName victim(Dice& dice, std::size_t servers) { return dice.chance(60) ? "db1" : any_server(dice, servers); }

NodeName another(Dice& dice, std::size_t servers, const NodeName& than) {
    const std::array<NodeName, 3> wanted{"manager", "apps", any_server(dice, servers)};
    const NodeName& out = wanted.at(dice.below(wanted.size()));
    return out == than ? "manager" : out;
}

Deed draw_deed(Dice& dice, std::size_t servers) {
    const Kind& kind = kinds.at(dice.below(kinds.size()));
    Deed out{.kind = kind.kind};
    if (kind.longest > Duration::zero()) out.lasts = dice.between(500ms, kind.longest);
    switch (kind.kind) {
        case DeedKind::kill_manager:
        case DeedKind::stop_manager: return out;
        case DeedKind::one_way:
        case DeedKind::loss: {
            const NodeName from = victim(dice, servers);
            out.on = {from, another(dice, servers, from)};
            if (dice.chance(50)) std::swap(out.on[0], out.on[1]);
            return out;
        }
        case DeedKind::partition:
            for (std::size_t it = 1; it <= servers; ++it) (dice.chance(50) ? out.on : out.other).push_back(fmt::format("db{}", it));
            (dice.chance(50) ? out.on : out.other).emplace_back("manager");
            (dice.chance(50) ? out.on : out.other).emplace_back("apps");
            if (out.on.empty()) std::swap(out.on, out.other);
            if (out.other.empty()) {
                out.other.push_back(out.on.back());
                out.on.pop_back();
            }
            return out;
        default: out.on = {victim(dice, servers)}; return out;
    }
}

}  // namespace

scenarios::Scenario draw_story(std::uint64_t seed) {
    Dice dice{seed * 2 + 1};
    scenarios::Scenario out{.file = fmt::format("seed {}", seed), .title = fmt::format("drawn by seed {}", seed), .covers = {}};
    out.cluster.servers = 3;
    const bool synchronous = dice.chance(60);
    if (synchronous) out.cluster.synchronous_standby_names = dice.chance(50) ? "ANY 1 (db2, db3)" : "FIRST 1 (db2, db3)";
    out.cluster.failover = {{"silence_timeout", "2s"}, {"cooldown", "0s"}};
    if (dice.chance(40)) out.cluster.restarted_after = dice.between(500ms, 4s);

    int line = 0;
    const auto add = [&](scenarios::StepKind step) { out.steps.push_back({.line = ++line, .what = std::move(step)}); };
    add(scenarios::Until{{.situation = "Healthy", .takes_writes = "db1", .replicas_of_it = {"db2", "db3"}}, 30s});
    add(scenarios::Run{dice.between(1s, 4s)});
    const std::size_t faults = 1 + dice.below(4);
    for (std::size_t it = 0; it < faults; ++it) {
        add(draw_deed(dice, out.cluster.servers));
        add(scenarios::Run{dice.between(0s, 8s)});
    }
    add(scenarios::Run{35s});
    return out;
}

}  // namespace handyrep::lab
