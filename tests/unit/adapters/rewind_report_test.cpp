#include "adapters/ssh/report.hpp"

#include <gtest/gtest.h>

#include <string>

namespace handyrep::adapters::ssh {
namespace {

using model::RewindPhase;

const std::string good_look =
    "system_id 7\nversion 15\nprocesses 0\nstate 6\ntimeline 3\nswitches 2\nswitch 1 0/3000000\nswitch 2 0/4000000\nprograms 1\nprotects 0\n"
    "configured 1\nrestores 1\nphase none\nwhy -\nend\n";

TEST(RewindLookReport, IsReadWhenItIsWhole) {
    const auto look = read_rewind_look(good_look);
    ASSERT_TRUE(look) << look.error().text();
    EXPECT_EQ(look->system_id, model::SystemId{7});
    EXPECT_EQ(look->version, 15U);
    EXPECT_EQ(look->state, model::ControlState::in_production);
    EXPECT_EQ(look->history.current(), model::Timeline{3});
    EXPECT_EQ(look->history.left(model::Timeline{2}), model::Lsn{0x4000000});
    EXPECT_TRUE(look->programs && look->configured && look->restores);
    EXPECT_FALSE(look->protects_pages);
    EXPECT_EQ(look->phase, RewindPhase::none);
    EXPECT_EQ(look->why, "");
    for (std::size_t length = 0; length + 1 < good_look.size(); ++length)
        EXPECT_FALSE(read_rewind_look(good_look.substr(0, length))) << length;
    EXPECT_FALSE(read_rewind_look(good_look + "more\n"));
}

TEST(DivergenceReport, IsReadOrRefused) {
    const auto seen = read_divergence("to_save 16777216\nroom 100 90\ncheckpoint 0/02000060\nend\n");
    ASSERT_TRUE(seen) << seen.error().text();
    EXPECT_EQ(*seen, (model::Divergence{model::Bytes{16ULL << 20U}, model::Bytes{90ULL << 10U}, model::Lsn{0x2000060}}));
    const auto missing = read_divergence("to_save 0\nroom 0 0\ncheckpoint -\nend\n");
    ASSERT_TRUE(missing);
    EXPECT_EQ(*missing, model::Divergence{});
    EXPECT_EQ(read_divergence("foreign 8\nend\n").error().kind, ErrorKind::refused);
    EXPECT_EQ(read_divergence("to_save 0\nroom 0 0\ncheckpoint 0\nend\n").error().kind, ErrorKind::failed);
}

TEST(RewindReport, TellsHowFarItIsAndWhatWasSaved) {
    const auto early = read_rewind("phase saving\ncopied 0\nto_copy 0\nwhy -\nsaved 0\nend\n");
    ASSERT_TRUE(early) << early.error().text();
    EXPECT_EQ(*early, model::RewindProgress{.phase = RewindPhase::saving});
    const auto later = read_rewind(
        "phase half\ncopied 5\nto_copy 10\nwhy pg_rewind failed half-way: x\nsaved 1\nfolder /saved\nwhole 1\nrecords 9\ncommits 2\nfirst 10:00 UTC\n"
        "last 10:01 UTC\ntables 2\ntable 3 0 1 shop: public.orders\ntable 0 4 0 1663/5/16390\nmore 1\nend\n");
    ASSERT_TRUE(later) << later.error().text();
    EXPECT_EQ(later->phase, RewindPhase::half);
    EXPECT_EQ(later->copied, model::Bytes{5U << 10U});
    ASSERT_TRUE(later->saved);
    EXPECT_EQ(later->saved->tables, (std::vector<model::TouchedTable>{{"shop: public.orders", 3, 0, 1}, {"1663/5/16390", 0, 4, 0}}));
    EXPECT_EQ(later->saved->more_tables, 1U);
    EXPECT_EQ(later->saved->last_commit, "10:01 UTC");
    EXPECT_EQ(read_rewind("refused it is cold\nend\n").error().kind, ErrorKind::refused);
    EXPECT_EQ(read_rewind("phase gone\ncopied 0\nto_copy 0\nwhy -\nsaved 0\nend\n").error().kind, ErrorKind::failed);
}

}  // namespace
}  // namespace handyrep::adapters::ssh
