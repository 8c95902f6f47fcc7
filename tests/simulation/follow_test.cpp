// Replicas that are re-pointed by order: cut at every step, called off, and given up where automation has to act.
#include "tests/simulation/scenario.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace handyrep::sim {
namespace {

using namespace std::chrono_literals;

Draw four(std::uint64_t seed) {
    Draw it = plain(seed);
    it.world.servers = 4;
    it.servers.resize(it.world.servers);
    it.clients.front().node = it.world.servers + 1;
    return it;
}

/// Four servers; db3 and db4 are told to follow db2.
struct Repointing : Scenario {
    explicit Repointing(std::uint64_t seed) : Scenario{four(seed)} {}

    void begin() {
        run.order({.verb = scenarios::Verb::follow, .to = "db2", .replicas = {"db3", "db4"}}, [this](const std::string& refusal) {
            answer = refusal;
        });
    }
    [[nodiscard]] bool follows(ServerIndex replica, ServerIndex upstream) {
        const auto& receiver = run.world().at(replica).receiver;
        return receiver && receiver->upstream == upstream;
    }

    std::optional<std::string> answer;
};

/// Begun, two for each replica, ended.
constexpr std::size_t records = 6;

class CutRepointing : public testing::TestWithParam<Cut> {};

TEST_P(CutRepointing, EndsInOnePrimaryAndNothingOpenAtWhicheverStepItIsCut) {
    for (std::size_t record = 0; record < records; ++record) {
        Repointing it{record + 1};
        it.strike_at(record, GetParam());
        it.begin();
        it.run.run_for(GetParam().lasts + 200s);
        EXPECT_EQ(it.writers(), 1U) << "record " << record << "\n" << story(it.run);
        EXPECT_TRUE(it.run.settled()) << "record " << record << "\n" << story(it.run);
        EXPECT_EQ(it.broken(), "") << "record " << record;
    }
}

INSTANTIATE_TEST_SUITE_P(
    Cuts, CutRepointing,
    testing::Values(
        Cut{FaultKind::manager_killed, 2s}, Cut{FaultKind::manager_stopped, 20s}, Cut{FaultKind::kill_primary, 10s},
        Cut{FaultKind::freeze_primary, 20s}, Cut{FaultKind::replica_power_loss, 20s}, Cut{FaultKind::freeze_replica, 20s},
        Cut{FaultKind::manager_cut_off, 20s}, Cut{FaultKind::store_fails, 20s}, Cut{FaultKind::store_hangs, 20s}),
    [](const auto& cut) { return text(cut.param); });

TEST(RepointingByOrder, IsDoneInTheStepsThatAreCut) {
    Repointing it{1};
    std::size_t seen = 0;
    it.run.disk().after_append = [&seen] { ++seen; };
    it.begin();
    it.run.run_for(20s);
    ASSERT_EQ(it.answer, "") << story(it.run);
    EXPECT_EQ(seen, records);
    EXPECT_TRUE(it.follows(2, db2) && it.follows(3, db2));
}

TEST(RepointingByOrder, IsTakenBackByTheNextLifeOfTheManager) {
    Repointing it{1};
    it.strike_at(3, {FaultKind::manager_killed, 2s});
    it.begin();
    it.run.run_for(60s);
    EXPECT_TRUE(it.follows(2, db1) && it.follows(3, db1)) << story(it.run);
    EXPECT_TRUE(it.run.settled());
}

TEST(RepointingByOrder, IsUndoneWhenAPersonCallsItOff) {
    Repointing it{1};
    bool called_off = false;
    it.run.disk().after_append = [&it, &called_off, seen = 0]() mutable {
        if (++seen != 3) return;
        it.run.world().agenda.after(
            0s, [&it, &called_off] { called_off = it.run.cancel(it.run.manager()->report().operation->id).has_value(); });
    };
    it.begin();
    it.run.run_for(60s);
    EXPECT_TRUE(called_off);
    ASSERT_TRUE(it.answer);
    EXPECT_NE(it.answer->find("called off by person"), std::string::npos) << *it.answer;
    EXPECT_TRUE(it.follows(2, db1) && it.follows(3, db1)) << story(it.run);
    EXPECT_TRUE(it.run.settled());
    EXPECT_FALSE(it.run.cancel(it.run.manager()->report().operation->id)) << "it does not run any more";
}

/// The step waits for up to a minute; a failover must not.
TEST(RepointingByOrder, MakesWayForAFailover) {
    Repointing it{1};
    it.run.disk().after_append = [&it, seen = 0]() mutable {
        if (++seen != 2) return;
        it.run.world().agenda.after(0s, [&it] {
            Network& network = it.run.world().network;
            network.drop(it.run.world().at(db2).node, it.run.world().at(db3).node);
        });
        it.run.world().agenda.after(5s, [&it] { it.strike(FaultKind::kill_primary, 300s); });
    };
    it.begin();
    EXPECT_TRUE(it.somebody_was_promoted_within(7s)) << story(it.run);
    ASSERT_TRUE(it.answer) << "what was under way is over, though it could wait for a minute";
    EXPECT_NE(it.answer->find("automation has to act"), std::string::npos) << *it.answer;
    it.run.world().network.heal(it.run.world().at(db2).node, it.run.world().at(db3).node);
    it.run.run_for(200s);
    EXPECT_TRUE(it.run.settled()) << story(it.run);
    EXPECT_EQ(it.broken(), "");
}

}  // namespace
}  // namespace handyrep::sim
