#include "scenarios/scenario.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace handyrep::scenarios {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Scenario, IsReadWithItsClusterStepsAndExpectations) {
    const auto read = scenarios::read(
        R"yaml(
scenario: a story
covers: [F1, F4]
cluster:
  servers: 4
  synchronous_standby_names: "ANY 1 (db2, db3)"
  failover: {fencing: strict}
steps:
  - until: {situation: Healthy, takes_writes: db1, within: 30s}
  - fault: {partition: [[manager, db2], [db1, apps]], for: 2s}
  - end: partition
  - run: 500ms
  - failover: {to: db4, refused: no}
expect:
  promotions: 1
  one_of_takes_writes: [db2, db3]
  must_be_down: db1
)yaml",
        "story.yaml");
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_THAT(read->covers, ElementsAre("F1", "F4"));
    EXPECT_EQ(read->cluster.servers, 4U);
    ASSERT_EQ(read->steps.size(), 5U);
    const auto& deed = std::get<Deed>(read->steps[1].what);
    EXPECT_EQ(deed.kind, DeedKind::partition);
    EXPECT_THAT(deed.on, ElementsAre("manager", "db2"));
    EXPECT_THAT(deed.other, ElementsAre("db1", "apps"));
    EXPECT_EQ(deed.lasts, std::chrono::seconds{2});
    EXPECT_TRUE(std::get<Order>(read->steps[4].what).must_be_refused);
    EXPECT_EQ(read->expect.at_end.must_be_down, "db1");
    EXPECT_EQ(text(read->steps[1]), "line 10: fault partition manager db2 | db1 apps for 2s");
}

TEST(Scenario, SetsServersByNameAndSaysWhomTheyFollow) {
    const auto read = scenarios::read(
        R"yaml(
scenario: a story
cluster:
  follows: {db3: db2}
  set: {db2: {wal_log_hints: off, collation_version: "2.31"}}
steps:
  - fault: {set: {db3: {recovery_min_apply_delay: 1h}}, for: 2s}
expect: {promotions: 0}
)yaml",
        "story.yaml");
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_THAT(read->cluster.follows, ElementsAre(testing::Pair("db3", "db2")));
    EXPECT_THAT(
        read->cluster.settings,
        ElementsAre(testing::Pair("db2", ElementsAre(testing::Pair("wal_log_hints", "off"), testing::Pair("collation_version", "2.31")))));
    const auto& deed = std::get<Deed>(read->steps[0].what);
    EXPECT_EQ(deed.kind, DeedKind::set);
    EXPECT_THAT(deed.on, ElementsAre("db3"));
    EXPECT_THAT(deed.settings, ElementsAre(testing::Pair("recovery_min_apply_delay", "1h")));
    EXPECT_EQ(deed.lasts, std::chrono::seconds{2});
}

TEST(Scenario, ThatOnlyOnePlayerPlaysSaysWhyTheOtherCannot) {
    const auto read = scenarios::read(
        "scenario: s\nonly: {lab: a simulated server has no TLS}\nsteps:\n  - run: 1s\nexpect: {promotions: 0}\n", "s.yaml");
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(read->only, (Only{PlayerKind::lab, "a simulated server has no TLS"}));
    EXPECT_EQ(why_not(*read, PlayerKind::lab), std::nullopt);
    EXPECT_EQ(why_not(*read, PlayerKind::simulator), "a simulated server has no TLS");
}

TEST(Scenario, ThatSaysNothingIsPlayedByBoth) {
    const auto read = scenarios::read("scenario: s\nsteps:\n  - run: 1s\nexpect: {promotions: 0}\n", "s.yaml");
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(why_not(*read, PlayerKind::lab), std::nullopt);
    EXPECT_EQ(why_not(*read, PlayerKind::simulator), std::nullopt);
}

class DamagedOnly : public testing::TestWithParam<const char*> {};
TEST_P(DamagedOnly, IsRefused) {
    const auto read =
        scenarios::read(std::string("scenario: s\nonly: ") + GetParam() + "\nsteps:\n  - run: 1s\nexpect: {promotions: 0}\n", "s.yaml");
    ASSERT_FALSE(read);
    EXPECT_THAT(read.error().text(), HasSubstr("line 2: only"));
}
INSTANTIATE_TEST_SUITE_P(Values, DamagedOnly, testing::Values("lab", "{}", "{moon: far}", "{lab: ''}", "{lab: why, simulator: because}"));

TEST(Routers, AreMachinesThatCanBeBroken) {
    const auto read = scenarios::read(
        "scenario: s\ncluster: {routers: [pgbouncer, haproxy], etcd: true}\nsteps:\n"
        "  - fault: {power_off: [pgbouncer, etcd]}\n  - fault: {one_way: [haproxy, db1]}\n"
        "  - until: {writes_through: [haproxy], within: 1s}\nexpect: {writes_through: haproxy}\n",
        "s.yaml");
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_THAT(read->cluster.routers, ElementsAre("pgbouncer", "haproxy"));
    EXPECT_TRUE(read->cluster.etcd);
    EXPECT_THAT(std::get<Deed>(read->steps[0].what).on, ElementsAre("pgbouncer", "etcd"));
    EXPECT_THAT(std::get<Until>(read->steps[2].what).question.writes_through, ElementsAre("haproxy"));
    EXPECT_THAT(read->expect.at_end.writes_through, ElementsAre("haproxy"));
}
class DamagedRouters : public testing::TestWithParam<const char*> {};
TEST_P(DamagedRouters, AreRefused) {
    const std::string cluster = GetParam();
    EXPECT_FALSE(scenarios::read("scenario: s\ncluster: {routers: " + cluster + "}\nsteps: []\nexpect: {}\n", "s.yaml"));
}
INSTANTIATE_TEST_SUITE_P(Values, DamagedRouters, testing::Values("[etcd]", "[haproxy, haproxy]", "{haproxy: 1}"));

struct Damaged {
    const char* name;
    const char* steps;
    const char* says;
};
class DamagedScenario : public testing::TestWithParam<Damaged> {};
TEST_P(DamagedScenario, IsRefusedWithItsLineAndWhatWasExpected) {
    const auto read = scenarios::read("scenario: s\nsteps:\n" + std::string(GetParam().steps) + "expect: {promotions: 0}\n", "s.yaml");
    ASSERT_FALSE(read);
    EXPECT_THAT(read.error().text(), HasSubstr(GetParam().says));
    EXPECT_THAT(read.error().text(), HasSubstr("s.yaml"));
}
INSTANTIATE_TEST_SUITE_P(
    Steps, DamagedScenario,
    testing::Values(
        Damaged{"UnknownFault", "  - fault: {melt: db1}\n", "line 3: fault: 'melt' is not one of: kill_all"},
        Damaged{"UnknownServer", "  - fault: {kill_all: db9}\n", "line 3: fault.kill_all: 'db9' is not one of: db1, db2, db3"},
        Damaged{"RouterThatIsNotThere", "  - fault: {power_off: haproxy}\n", "'haproxy' is not one of: db1, db2, db3"},
        Damaged{"WritesThroughNoRouter", "  - until: {writes_through: haproxy, within: 1s}\n", "'haproxy' is no router of this cluster"},
        Damaged{"OneGroup", "  - fault: {partition: [[db1]]}\n", "takes two groups"},
        Damaged{"OneNode", "  - fault: {one_way: [db1]}\n", "takes two names"},
        Damaged{"SettingsOfNobody", "  - fault: {set: {db9: {replay: paused}}}\n", "'db9' is not one of: db1, db2, db3"},
        Damaged{"SettingsOfTwo", "  - fault: {set: {db1: {}, db2: {}}}\n", "takes one server and its settings"},
        Damaged{"NoLimit", "  - until: {situation: Healthy}\n", "line 3: until.within: is missing"},
        Damaged{"NotADuration", "  - run: soon\n", "line 3: run"}, Damaged{"UnknownStep", "  - dance:\n", "a step is one of"},
        Damaged{"UnknownQuestion", "  - until: {mood: good, within: 1s}\n", "line 3: until.mood: is not a known key"}),
    [](const auto& it) { return std::string(it.param.name); });

}  // namespace
}  // namespace handyrep::scenarios
