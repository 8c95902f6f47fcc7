// handyrep_sim — plays seeds: the real engine over a simulated world.
#include "sim/run.hpp"

#include <fmt/format.h>

#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using handyrep::sim::Played;

struct Order {
    std::uint64_t from = 1;
    std::uint64_t count = 1;
    unsigned jobs = 2;
    bool log = false;
    bool quiet = false;
};

constexpr std::string_view usage =
    "handyrep_sim --seed N [--log]                        one history; --log prints every line of it\n"
    "handyrep_sim --seeds N [--from M] [--jobs J] [--quiet]   N histories from seed M (1) in J threads (2)\n";

std::optional<Order> read_order(std::span<char* const> words) {
    Order order;
    bool chosen = false;
    for (std::size_t i = 1; i < words.size(); ++i) {
        const std::string_view word = words[i];
        if (word == "--log") {
            order.log = true;
            continue;
        }
        if (word == "--quiet") {
            order.quiet = true;
            continue;
        }
        if (i + 1 == words.size()) return std::nullopt;
        const std::string_view value = words[++i];
        std::uint64_t number = 0;
        const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
        if (error != std::errc{} || end != value.data() + value.size()) return std::nullopt;
        if (word == "--seed") {
            order.from = number;
            chosen = true;
        } else if (word == "--seeds") {
            order.count = number;
            chosen = true;
        } else if (word == "--from") {
            order.from = number;
        } else if (word == "--jobs") {
            order.jobs = static_cast<unsigned>(std::min<std::uint64_t>(std::max<std::uint64_t>(number, 1), 256));
        } else {
            return std::nullopt;
        }
    }
    if (!chosen) return std::nullopt;
    return order;
}

/// The last lines before the first violation are what a person needs first; the rest is a --log away.
void print_violations(const Played& played) {
    constexpr std::size_t shown = 60;
    fmt::print("\nseed {} breaks {} claim(s):\n", played.seed, played.violations.size());
    for (const auto& it : played.violations) fmt::print("  {}: {}\n", it.claim, it.text);
    for (const std::string& line : played.drawn) fmt::print("  {}\n", line);
    const std::size_t skipped = played.lines.size() - std::min(shown, played.lines.size());
    if (skipped > 0) fmt::print("  … {} earlier lines\n", skipped);
    for (std::size_t i = skipped; i < played.lines.size(); ++i) fmt::print("{}\n", played.lines[i].text());
    fmt::print("repeat: handyrep_sim --seed {} --log\n\n", played.seed);
}

struct Totals {
    std::uint64_t hash = 0;
    std::size_t broken = 0;
    std::size_t failovers = 0;
    std::size_t promotions = 0;
    std::size_t acknowledged = 0;
};

void account(const Order& order, const Played& played, Totals& totals) {
    if (order.log) {
        for (const auto& line : played.lines) fmt::print("{}\n", line.text());
    }
    if (!order.quiet) {
        fmt::print(
            "seed {:>8}  {:016x}  {} failover(s) begun, {} promotion(s), {} commits acknowledged\n", played.seed, played.hash,
            played.failovers_begun, played.promotions, played.acknowledged);
    }
    if (!played.violations.empty()) {
        ++totals.broken;
        print_violations(played);
    }
    // Order-independent, because threads finish in any order.
    totals.hash += played.hash * (2 * played.seed + 1);
    totals.failovers += played.failovers_begun;
    totals.promotions += played.promotions;
    totals.acknowledged += played.acknowledged;
}

Totals play_all(const Order& order) {
    Totals totals;
    std::mutex mutex;
    std::atomic<std::uint64_t> next{0};
    const auto work = [&] {
        for (std::uint64_t i = next++; i < order.count; i = next++) {
            const Played played = handyrep::sim::play(handyrep::sim::draw(order.from + i));
            const std::lock_guard lock{mutex};
            account(order, played, totals);
        }
    };
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < std::min<std::uint64_t>(order.jobs, order.count); ++i) threads.emplace_back(work);
    threads.clear();
    return totals;
}

}  // namespace

int main(int argc, char** argv) {
    const auto order = read_order({argv, static_cast<std::size_t>(argc)});
    if (!order) {
        fmt::print(stderr, "{}", usage);
        return 4;
    }
    const auto began = std::chrono::steady_clock::now();
    const Totals totals = play_all(*order);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    fmt::print(
        "{} seed(s), {} broken; {} failover(s) begun, {} promotion(s), {} commits acknowledged; hash of all {:016x}; {:.0f} seeds a minute\n",
        order->count, totals.broken, totals.failovers, totals.promotions, totals.acknowledged, totals.hash,
        60.0 * static_cast<double>(order->count) / std::max(seconds, 1e-9));
    return totals.broken == 0 ? 0 : 1;
}
