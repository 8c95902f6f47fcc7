// WAL that a dead primary flushed and never sent: brought to the candidate before its promotion, or not, and then that is said. And the same
// cut at every step: its manager killed, a server, a host or the network lost in that moment.
#include "tests/simulation/scenario.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace handyrep::sim {
namespace {

using namespace std::chrono_literals;

/// Three servers whose replicas have received nothing for two seconds of a client's writes, and then the primary dies.
Draw held_behind(std::uint64_t seed) {
    Draw draw = plain(seed);
    for (ServerDraw& it : draw.servers) it.restore_command = "restore from the archive";
    return draw;
}

struct HeldBehind : Scenario {
    explicit HeldBehind(const Draw& draw) : Scenario{draw} {
        for (const ServerIndex it : {db2, db3}) {
            run.world().at(it).disk.follows.reset();
            run.world().end_receiver(it, false);
        }
        run.run_for(2s);
    }
    void kill_primary(Duration lasts = 60s) { strike(FaultKind::kill_primary, lasts); }
    [[nodiscard]] std::size_t lost() {
        const ServerIndex promoted = run.world().at(db2).is_primary() ? db2 : db3;
        const Disk& disk = run.world().at(promoted).disk;
        return static_cast<std::size_t>(std::ranges::count_if(run.world().acknowledged, [&](const Acknowledged& it) {
            return it.flushed && !run.world().branches.holds(disk.branch, disk.end, it.branch, it.end);
        }));
    }
    [[nodiscard]] bool told(std::string_view name) {
        return std::ranges::any_of(run.disk().events, [&](const saved::Event& event) { return event.name == name; });
    }
    [[nodiscard]] bool restores_as_before() {
        return std::ranges::all_of(
            run.world().servers, [](const Server& it) { return !it.disk.offer && it.disk.restore_command == "restore from the archive"; });
    }
};

TEST(Salvage, BringsTheCandidateWhatWasFlushedAndNeverSent) {
    HeldBehind it{held_behind(1)};
    it.kill_primary();
    ASSERT_TRUE(it.somebody_was_promoted_within(3s)) << story(it.run);
    it.run.run_for(20s);
    EXPECT_TRUE(it.told("salvaged")) << story(it.run);
    EXPECT_EQ(it.lost(), 0U);
    EXPECT_TRUE(it.restores_as_before());
    EXPECT_EQ(it.broken(), "") << story(it.run);
}

TEST(Salvage, IsNotTriedWhereThePolicySaysNo) {
    Draw draw = held_behind(1);
    draw.settings.salvage = false;
    HeldBehind it{draw};
    it.kill_primary();
    ASSERT_TRUE(it.somebody_was_promoted_within(3s)) << story(it.run);
    it.run.run_for(20s);
    EXPECT_GT(it.lost(), 0U) << "or there was nothing to salvage above";
    EXPECT_EQ(it.broken(), "") << story(it.run);
}

TEST(Salvage, SaysThatNothingWasMissing) {
    Scenario it{held_behind(2)};
    it.run.world().quiet = true;
    it.run.run_for(2s);
    it.strike(FaultKind::kill_primary, 60s);
    ASSERT_TRUE(it.somebody_was_promoted_within(3s)) << story(it.run);
    EXPECT_TRUE(std::ranges::any_of(it.run.disk().events, [](const saved::Event& event) { return event.name == "nothing_to_salvage"; }))
        << story(it.run);
}

TEST(Salvage, ThatDoesNotComeToItsEndIsToldWithTheLossThatWasRead) {
    Draw draw = held_behind(3);
    draw.settings.salvage_limit = 300ms;
    draw.settings.end_blocking_queries = false;
    HeldBehind it{draw};
    it.run.disk().after_append = [&] {
        if (it.run.disk().records.back().step != "salvage") return;
        for (const ServerIndex replica : {db2, db3}) it.run.world().block_replay(replica, 2s);
    };
    it.kill_primary();
    ASSERT_TRUE(it.somebody_was_promoted_within(10s)) << story(it.run);
    it.run.run_for(20s);
    EXPECT_TRUE(it.told("salvage_failed")) << story(it.run);
    EXPECT_TRUE(it.restores_as_before());
    EXPECT_EQ(it.broken(), "") << story(it.run);
}

TEST(Salvage, IsNotPossibleOnAVersionThatNeedsARestartForIt) {
    HeldBehind it{held_behind(4)};
    for (Server& server : it.run.world().servers) server.setup.version = 130012;
    it.run.run_for(5s);
    it.kill_primary();
    ASSERT_TRUE(it.somebody_was_promoted_within(5s)) << story(it.run);
    EXPECT_FALSE(it.told("salvaged"));
    EXPECT_FALSE(it.told("salvage_failed"));
}

struct Cut {
    FaultKind kind;
    Duration lasts;
    /// A new primary that dies for good before anybody followed it leaves nobody who has what it may have acknowledged.
    bool may_stand_still = false;
};

class CutSalvage : public testing::TestWithParam<Cut> {};

/// The journal's records of a failover of three servers up to its promotion: begun, and two for each of seven steps.
constexpr std::size_t records = 15;

TEST_P(CutSalvage, LeavesRestoreCommandAsItWasAndLosesNothingItSaidItBrought) {
    for (std::size_t record = 0; record < records; ++record) {
        // Between two records as well: a salvage is several journeys.
        for (const Duration later : {Duration{0}, Duration{25ms}, Duration{80ms}}) {
            HeldBehind it{held_behind(record + 1)};
            it.run.disk().after_append = [&it, record, later, seen = std::size_t{0}]() mutable {
                if (seen++ != record) return;
                it.run.world().agenda.after(later, [&it] { it.strike(GetParam().kind, GetParam().lasts); });
            };
            it.kill_primary(100s);
            it.run.run_for(GetParam().lasts + 200s);
            const std::string where = fmt::format("record {} + {}\n", record, handyrep::text(later));
            EXPECT_LE(it.writers(), 1U) << where << story(it.run);
            EXPECT_TRUE(it.writers() == 1 || (GetParam().may_stand_still && it.run.verdict().ending == Ending::parked))
                << where << story(it.run);
            EXPECT_TRUE(it.run.settled()) << where << story(it.run);
            EXPECT_TRUE(it.restores_as_before()) << where << story(it.run);
            EXPECT_EQ(it.broken(), "") << where << story(it.run);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(
    Cuts, CutSalvage,
    testing::Values(
        Cut{FaultKind::manager_killed, 2s}, Cut{FaultKind::manager_killed, 60s}, Cut{FaultKind::manager_stopped, 20s},
        Cut{FaultKind::power_loss, 20s}, Cut{FaultKind::replica_power_loss, 20s, true}, Cut{FaultKind::freeze_replica, 20s},
        Cut{FaultKind::replica_dies, 20s, true}, Cut{FaultKind::sshd_stopped, 20s}, Cut{FaultKind::isolate_primary, 20s},
        Cut{FaultKind::manager_cut_off, 20s}, Cut{FaultKind::promotion_hangs, 30s}, Cut{FaultKind::promotion_refused, 30s},
        Cut{FaultKind::store_fails, 20s}, Cut{FaultKind::store_hangs, 20s}),
    [](const auto& cut) {
        return fmt::format("{}_{}s", word_for(cut.param.kind), std::chrono::duration_cast<std::chrono::seconds>(cut.param.lasts).count());
    });

}  // namespace
}  // namespace handyrep::sim
