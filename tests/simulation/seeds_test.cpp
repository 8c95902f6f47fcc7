// The swarm: every seed is a history of its own; none may break a claim.
#include "sim/run.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <charconv>
#include <cstdlib>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace handyrep::sim {
namespace {

/// As many as pass in about a minute on two cores.
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
    std::uint64_t count = sanitized ? 600 : 3000;
#else
    std::uint64_t count = sanitized ? 60 : 300;
#endif
    if (const char* const text = std::getenv("HANDYREP_SEEDS"); text != nullptr) {
        const std::string_view view{text};
        std::from_chars(view.data(), view.data() + view.size(), count);
    }
    return count;
}

TEST(Seeds, BreakNoClaim) {
    const std::uint64_t count = seeds_wanted();
    std::atomic<std::uint64_t> next{1};
    std::atomic<std::size_t> promotions{0};
    std::mutex mutex;
    std::string broken;
    {
        std::vector<std::jthread> threads;
        for (unsigned job = 0; job < 2; ++job) {
            threads.emplace_back([&] {
                for (std::uint64_t seed = next++; seed <= count; seed = next++) {
                    const Played played = play(draw(seed));
                    promotions += played.promotions;
                    const std::lock_guard lock{mutex};
                    for (const Violation& it : played.violations)
                        broken += "handyrep_sim --seed " + std::to_string(seed) + " --log: " + it.claim + ": " + it.text + "\n";
                }
            });
        }
    }
    EXPECT_EQ(broken, "");
    // A swarm in which hardly anything is ever promoted would prove nothing.
    EXPECT_GT(promotions, count / 10);
}

TEST(Seeds, GiveTheSameHistoryTwice) {
    for (const std::uint64_t seed : {1ULL, 7ULL, 42ULL, 1059ULL, 123456789ULL}) {
        const Played first = play(draw(seed));
        const Played second = play(draw(seed));
        EXPECT_EQ(first.hash, second.hash) << "seed " << seed;
        EXPECT_EQ(first.lines.size(), second.lines.size()) << "seed " << seed;
    }
}

TEST(Seeds, GiveDifferentHistoriesForDifferentSeeds) { EXPECT_NE(play(draw(1)).hash, play(draw(2)).hash); }

}  // namespace
}  // namespace handyrep::sim
