// handyrep_sim — plays seeds: the real engine over a simulated world.
#include "sim/fleet.hpp"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace {

using handyrep::sim::Ending;
using handyrep::sim::Played;
using handyrep::sim::Seed;
using handyrep::sim::Telling;

struct Order {
    std::uint64_t from = 1;
    std::uint64_t count = 0;
    std::size_t servers = 0;  // as the seed says
    unsigned jobs = handyrep::sim::processors();
    std::string file{};
    bool benign = false;
    bool log = false;
    bool quiet = false;
};

constexpr std::string_view usage =
    "handyrep_sim --seed N [--log]              one history; --log prints every line of it\n"
    "handyrep_sim --seeds N [--from M]          N histories from seed M (1)\n"
    "handyrep_sim --file PATH                   the seeds that PATH names, one per line (N, or N/K for K servers), anything behind it\n"
    "\n"
    "  --benign      faults that no failover may answer, instead of the swarm\n"
    "  --servers K   so many servers in every history (default: as the seed says, 1 to 7)\n"
    "  --jobs J      in so many processes (default: one per processor)\n"
    "  --quiet       tell only of histories that break a claim\n";

template <class T>
bool read_number(std::string_view text, T& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc{} && end == text.data() + text.size();
}

/// An option with a value. False when it is none, or the value is not what it takes.
bool read_option(std::string_view word, std::string_view value, Order& order) {
    if (word == "--file") {
        order.file = value;
        return true;
    }
    if (word == "--seed") {
        order.count = 1;
        return read_number(value, order.from);
    }
    if (word == "--seeds") return read_number(value, order.count);
    if (word == "--from") return read_number(value, order.from);
    if (word == "--servers") return read_number(value, order.servers) && order.servers >= 1 && order.servers <= 7;
    return word == "--jobs" && read_number(value, order.jobs) && order.jobs >= 1 && order.jobs <= 256;
}

std::optional<Order> read_order(std::span<char* const> words) {
    Order order;
    for (std::size_t i = 1; i < words.size(); ++i) {
        const std::string_view word = words[i];
        if (word == "--log") {
            order.log = true;
        } else if (word == "--quiet") {
            order.quiet = true;
        } else if (word == "--benign") {
            order.benign = true;
        } else if (i + 1 == words.size() || !read_option(word, words[i + 1], order)) {
            return std::nullopt;
        } else {
            ++i;
        }
    }
    if (order.count == 0 && order.file.empty()) return std::nullopt;
    return order;
}

/// Those of the order and those of its file. Nothing when the file cannot be read or names no seed.
std::vector<Seed> seeds_of(const Order& order) {
    std::vector<Seed> out;
    for (std::uint64_t i = 0; i < order.count; ++i) out.push_back({order.from + i, order.servers});
    std::ifstream file{order.file};
    for (std::string line; std::getline(file, line);) {
        if (const auto seed = handyrep::sim::read_seed(line)) out.push_back(*seed);
    }
    return out;
}

std::string text_of(const Order& order, const Played& played) {
    std::string out;
    if (order.log) {
        for (const auto& line : played.lines) out += line.text() + "\n";
    }
    if (!order.quiet)
        out += fmt::format(
            "seed {:>8}  {:016x}  {} failover(s) begun, {} promotion(s), {} commits acknowledged\n", played.seed, played.hash,
            played.failovers_begun, played.promotions, played.acknowledged);
    if (!played.violations.empty()) out += handyrep::sim::violations_text(played);
    return out;
}

struct Totals {
    std::uint64_t hash = 0;
    std::size_t seeds = 0;
    std::size_t broken = 0;
    std::size_t failovers = 0;
    std::size_t promotions = 0;
    std::size_t acknowledged = 0;
    std::size_t parked = 0;

    void add(const Telling& it) {
        ++seeds;
        broken += it.violations == 0 ? 0 : 1;
        hash += it.hash * (2 * it.seed + 1);
        failovers += it.failovers;
        promotions += it.promotions;
        acknowledged += it.acknowledged;
        parked += it.ending == Ending::parked ? 1 : 0;
    }
};

}  // namespace

int main(int argc, char** argv) {
    const auto order = read_order({argv, static_cast<std::size_t>(argc)});
    if (!order) {
        fmt::print(stderr, "{}", usage);
        return 4;
    }
    const std::vector<Seed> seeds = seeds_of(*order);
    if (seeds.empty()) {
        fmt::print(stderr, "handyrep_sim: {} names no seed: a line begins with a seed's number\n", order->file);
        return 4;
    }
    const auto began = std::chrono::steady_clock::now();
    Totals totals;
    const handyrep::sim::Fleet fleet{
        .seeds = seeds,
        .processes = order->jobs,
        .drawn = [&](Seed seed) { return order->benign ? handyrep::sim::benign(seed.number) : handyrep::sim::draw(seed); },
        .text = [&](const Played& played) { return text_of(*order, played); }};
    handyrep::sim::play_all(fleet, [&](const Telling& it) {
        totals.add(it);
        fmt::print("{}", it.text);
        if (!it.text.empty()) std::fflush(stdout);
    });
    fmt::print(
        "{} seed(s), {} broken; {} failover(s) begun, {} promotion(s), {} commits acknowledged, {} ended parked; hash of all {:016x}\n",
        totals.seeds, totals.broken, totals.failovers, totals.promotions, totals.acknowledged, totals.parked, totals.hash);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    fmt::print(
        stderr, "{:.0f} seeds a minute in {} process(es)\n", 60.0 * static_cast<double>(totals.seeds) / std::max(seconds, 1e-9),
        order->jobs);
    return totals.broken == 0 ? 0 : 1;
}
