// Servers that are stopped, started, restarted and fenced by order, and what becomes of it when it is cut at a step.
#include "tests/simulation/scenario.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace handyrep::sim {
namespace {

using namespace std::chrono_literals;
using scenarios::Verb;

struct Service : Scenario {
    explicit Service(std::uint64_t seed) : Scenario{plain(seed)} {}

    /// What the order was answered with within the time; "no answer" when it was not.
    std::string ask(const scenarios::Order& order, Duration within = 150s) {
        answer.reset();
        begin(order);
        run.run_until([this] { return answer.has_value(); }, within);
        return answer.value_or("no answer");
    }
    void begin(const scenarios::Order& order) {
        run.order(order, [this](const std::string& refusal) { answer = refusal; });
    }

    std::optional<std::string> answer;
};

TEST(ServiceByOrder, StopsAReplicaUntilItIsStartedAgain) {
    Service it{1};
    ASSERT_EQ(it.ask({.verb = Verb::shutdown, .to = "db2"}), "") << story(it.run);
    EXPECT_FALSE(it.run.world().at(db2).runs());
    it.run.run_for(30s);
    EXPECT_FALSE(it.run.world().at(db2).runs()) << "its autostart is off";
    EXPECT_NE(it.ask({.verb = Verb::startup, .to = "db1"}).find("RunsAlready"), std::string::npos);
    ASSERT_EQ(it.ask({.verb = Verb::startup, .to = "db2"}), "") << story(it.run);
    it.run.run_for(20s);
    EXPECT_EQ(it.situation(), "Healthy");
    EXPECT_TRUE(it.run.world().at(db2).runs() && !it.run.world().at(db2).is_primary());
    EXPECT_EQ(it.run.invariants().promotions(), 0U);
    EXPECT_EQ(it.broken(), "");
}

TEST(ServiceByOrder, FencesAReplicaAndGivesItBack) {
    Service it{1};
    ASSERT_EQ(it.ask({.verb = Verb::fence, .to = "db3"}), "") << story(it.run);
    EXPECT_FALSE(it.run.world().at(db3).runs());
    ASSERT_EQ(it.ask({.verb = Verb::startup, .to = "db3"}), "") << story(it.run);
    it.run.run_for(20s);
    EXPECT_EQ(it.situation(), "Healthy");
    EXPECT_EQ(it.broken(), "");
}

TEST(ServiceByOrder, RestartsThePrimaryInPlaceWithoutAFailover) {
    Service it{1};
    const Instant before = it.run.world().at(db1).started;
    ASSERT_EQ(it.ask({.verb = Verb::restart, .to = "db1"}), "") << story(it.run);
    it.run.run_for(30s);
    EXPECT_TRUE(it.run.world().at(db1).is_primary());
    EXPECT_GT(it.run.world().at(db1).started, before);
    EXPECT_EQ(it.run.invariants().promotions(), 0U) << story(it.run);
    EXPECT_EQ(it.situation(), "Healthy");
    EXPECT_EQ(it.broken(), "");
}

TEST(ServiceByOrder, RestartsEverybodyOneAfterTheOther) {
    Service it{1};
    const Instant began = it.run.world().agenda.now();
    ASSERT_EQ(it.ask({.verb = Verb::switchover, .to = "db2", .restart_all = true}), "") << story(it.run);
    it.run.run_for(30s);
    EXPECT_TRUE(it.run.world().at(db2).is_primary());
    for (const ServerIndex server : {db1, db2, db3}) EXPECT_GT(it.run.world().at(server).started, began);
    EXPECT_EQ(it.situation(), "Healthy");
    EXPECT_EQ(it.broken(), "");
}

/// Begun, two for each of checkpoint, stop and start, ended.
constexpr std::size_t records_of_restart = 8;

class CutRestart : public testing::TestWithParam<Cut> {};

TEST_P(CutRestart, OfThePrimaryEndsInOnePrimaryAtWhicheverStepItIsCut) {
    for (std::size_t record = 0; record < records_of_restart; ++record) {
        Service it{record + 1};
        it.strike_at(record, GetParam());
        it.begin({.verb = Verb::restart, .to = "db1"});
        it.run.run_for(GetParam().lasts + 300s);
        EXPECT_EQ(it.writers(), 1U) << "record " << record << "\n" << story(it.run);
        EXPECT_TRUE(it.run.settled()) << "record " << record << "\n" << story(it.run);
        EXPECT_EQ(it.broken(), "") << "record " << record;
    }
}

INSTANTIATE_TEST_SUITE_P(
    Cuts, CutRestart,
    testing::Values(
        Cut{FaultKind::manager_killed, 2s}, Cut{FaultKind::manager_stopped, 20s}, Cut{FaultKind::kill_primary, 10s},
        Cut{FaultKind::freeze_primary, 20s}, Cut{FaultKind::power_loss, 20s}, Cut{FaultKind::freeze_replica, 20s},
        Cut{FaultKind::sshd_stopped, 20s}, Cut{FaultKind::isolate_primary, 20s}, Cut{FaultKind::manager_cut_off, 20s},
        Cut{FaultKind::store_fails, 20s}, Cut{FaultKind::store_hangs, 20s}),
    [](const auto& cut) { return text(cut.param); });

TEST(ServiceByOrder, IsDoneInTheStepsThatAreCut) {
    Service it{1};
    std::size_t seen = 0;
    it.run.disk().after_append = [&seen] { ++seen; };
    ASSERT_EQ(it.ask({.verb = Verb::restart, .to = "db1"}), "") << story(it.run);
    EXPECT_EQ(seen, records_of_restart);
}

}  // namespace
}  // namespace handyrep::sim
