// The swarm: every seed is a history of its own; none may break a claim.
#include "sim/fleet.hpp"

#include <gtest/gtest.h>

#include <charconv>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace handyrep::sim {
namespace {

/// As many as pass in less than a minute on two cores.
std::uint64_t seeds_wanted() {
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
    constexpr bool sanitized = true;
#else
    constexpr bool sanitized = false;
#endif
#else
    constexpr bool sanitized = false;
#endif
#if defined(__OPTIMIZE__)
    std::uint64_t count = sanitized ? 600 : 4000;
#else
    std::uint64_t count = sanitized ? 60 : 300;
#endif
    if (const char* const text = std::getenv("HANDYREP_SEEDS"); text != nullptr) {
        const std::string_view view{text};
        std::from_chars(view.data(), view.data() + view.size(), count);
    }
    return count;
}

struct Outcome {
    std::string broken{};
    std::size_t promotions = 0;
    std::size_t failovers = 0;
    std::size_t played = 0;
};

Outcome play_them(std::vector<Seed> seeds, Draw (*drawn)(Seed)) {
    Outcome out;
    const Fleet fleet{.seeds = std::move(seeds), .processes = processors(), .drawn = drawn, .text = [](const Played& played) {
                          return played.violations.empty() ? std::string{} : violations_text(played);
                      }};
    play_all(fleet, [&](const Telling& it) {
        out.broken += it.text;
        out.promotions += it.promotions;
        out.failovers += it.failovers;
        ++out.played;
    });
    return out;
}

std::vector<Seed> first_seeds(std::uint64_t count) {
    std::vector<Seed> out;
    for (std::uint64_t number = 1; number <= count; ++number) out.push_back({.number = number});
    return out;
}

TEST(Seeds, BreakNoClaim) {
    const std::uint64_t count = seeds_wanted();
    const Outcome outcome = play_them(first_seeds(count), draw);
    EXPECT_EQ(outcome.broken, "");
    EXPECT_EQ(outcome.played, count);
    // A swarm in which hardly anything is ever promoted would prove nothing.
    EXPECT_GT(outcome.promotions, count / 10);
}

TEST(Seeds, OnceBrokenStayWhole) {
    std::ifstream file{"tests/seeds"};
    ASSERT_TRUE(file) << "run from the top folder";
    std::vector<Seed> seeds;
    for (std::string line; std::getline(file, line);) {
        if (const auto seed = read_seed(line)) seeds.push_back(*seed);
    }
    ASSERT_FALSE(seeds.empty());
    EXPECT_EQ(play_them(seeds, draw).broken, "");
}

TEST(BenignFaults, BeginNoFailover) {
    const std::uint64_t count = seeds_wanted() / 4;
    const Outcome outcome = play_them(first_seeds(count), [](Seed seed) { return benign(seed.number); });
    EXPECT_EQ(outcome.broken, "");
    EXPECT_EQ(outcome.played, count);
    EXPECT_EQ(outcome.failovers, 0U);
}

TEST(Seeds, GiveTheSameHistoryTwice) {
    for (const std::uint64_t seed : {1ULL, 7ULL, 42ULL, 1059ULL, 123456789ULL}) {
        const Played first = play(draw({.number = seed}));
        const Played second = play(draw({.number = seed}));
        EXPECT_EQ(first.hash, second.hash) << "seed " << seed;
        EXPECT_EQ(first.lines.size(), second.lines.size()) << "seed " << seed;
    }
}

TEST(Seeds, GiveDifferentHistoriesForDifferentSeeds) { EXPECT_NE(play(draw({.number = 1})).hash, play(draw({.number = 2})).hash); }

}  // namespace
}  // namespace handyrep::sim
