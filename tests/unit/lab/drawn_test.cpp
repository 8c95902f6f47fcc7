// What seeds draw can be played, and played again.
#include "lab/drawn.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace handyrep::lab {
namespace {

using scenarios::Deed;
using scenarios::DeedKind;

TEST(DrawnStories, AreReadAgainAsTheyWereWritten) {
    for (std::uint64_t seed = 1; seed <= 500; ++seed) {
        const auto story = draw_story(seed);
        const auto read = scenarios::read(scenarios::yaml(story), story.file);
        ASSERT_TRUE(read) << read.error().text();
        EXPECT_EQ(scenarios::yaml(*read), scenarios::yaml(story)) << seed;
        EXPECT_EQ(read->seed, seed);
    }
}

TEST(DrawnStories, ReplicateAsIsWished) {
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        EXPECT_FALSE(draw_story(seed, Replication::synchronous).cluster.synchronous_standby_names.empty());
        EXPECT_TRUE(draw_story(seed, Replication::asynchronous).cluster.synchronous_standby_names.empty());
    }
}

TEST(DrawnStories, ComeToNobodyWhoIsGoneForGood) {
    std::size_t staying = 0;
    for (std::uint64_t seed = 1; seed <= 500; ++seed) {
        const auto story = draw_story(seed);
        const bool restarted = story.cluster.restarted_after.has_value();
        std::set<std::string> gone;
        for (const auto& step : story.steps) {
            const auto* const deed = std::get_if<Deed>(&step.what);
            if (deed == nullptr || deed->on.size() != 1 || !deed->other.empty()) continue;
            EXPECT_FALSE(gone.contains(deed->on.front())) << seed << ": " << text(step);
            const bool kills = deed->kind == DeedKind::kill_all || deed->kind == DeedKind::kill_postmaster ||
                               deed->kind == DeedKind::fast_stop || deed->kind == DeedKind::immediate_stop;
            const bool stays =
                !deed->lasts && (deed->kind == DeedKind::freeze || deed->kind == DeedKind::power_off || deed->kind == DeedKind::silence);
            if (stays) ++staying;
            if (stays || (kills && !restarted)) gone.insert(deed->on.front());
        }
    }
    EXPECT_GT(staying, 0U);
}

TEST(DrawnStories, TakeThePrimaryAwayMoreOftenThanNot) {
    const std::set<DeedKind> takes_away{DeedKind::kill_all, DeedKind::kill_postmaster, DeedKind::power_off, DeedKind::silence,
                                        DeedKind::freeze,   DeedKind::immediate_stop,  DeedKind::fast_stop, DeedKind::link_down};
    std::size_t taken = 0;
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        const auto story = draw_story(seed);
        taken += std::ranges::any_of(story.steps, [&](const scenarios::Step& step) {
            const auto* const deed = std::get_if<Deed>(&step.what);
            return deed != nullptr && !deed->lasts && takes_away.contains(deed->kind) && deed->on == std::vector<std::string>{"db1"};
        });
    }
    EXPECT_GE(taken, 50U);
}

}  // namespace
}  // namespace handyrep::lab
