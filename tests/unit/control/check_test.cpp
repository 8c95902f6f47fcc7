#include "control/check.hpp"
#include "tests/unit/control/recorded_source.hpp"

#include <gtest/gtest.h>

namespace handyrep::control {
namespace {

TEST(Check, SaysStatusSituationPrimaryReplicasAndFindingsInOneLine) {
    const Check checked = check(recorded_report());
    EXPECT_EQ(
        checked.text,
        "HANDYREP WARNING - pay Healthy: the primary takes writes; primary db1 is healthy, 1 of 2 replicas healthy; ReplicaLagged db3"
        " | replicas=2 healthy=1 lag=20971520B");
    EXPECT_EQ(checked.exit_code, 1);
}

TEST(Check, KeepsALineBreakAndABarOfAServerOutOfTheLine) {
    engine::ClusterReport report = recorded_report();
    report.situation_text = "one\ntwo | three";
    EXPECT_EQ(check(report).text.find('\n'), std::string::npos);
    EXPECT_EQ(check(report).text.find('|'), check(report).text.rfind('|'));
}

TEST(Check, DoesNotCountAServerThatMustBeDownAsAReplica) {
    engine::ClusterReport report = recorded_report();
    report.servers[2].must_be_down = true;
    EXPECT_NE(check(report).text.find("1 of 1 replicas healthy"), std::string::npos);
}

TEST(Check, SaysWhoHoldsAutomationBack) {
    engine::ClusterReport report = recorded_report();
    EXPECT_EQ(check(report).text.find("maintenance"), std::string::npos);
    report.maintenance =
        model::Maintenance{.since = wall("2026-11-22T04:00:00Z"), .until = wall("2026-11-22T05:00:00Z"), .by = "ann", .reason = "a|b"};
    report.paused = model::Pause{.since = wall("2026-11-22T04:00:00Z"), .by = "bob", .reason = ""};
    const std::string line = check(report).text;
    EXPECT_NE(
        line.find("; in maintenance until 2026-11-22T05:00:00Z, since 2026-11-22T04:00:00Z by ann: a b; automation is paused since"),
        std::string::npos)
        << line;
}

TEST(Check, HasTheExitCodesOfAMonitoringPlugIn) {
    EXPECT_EQ(exit_code_for(model::ClusterStatus::healthy), 0);
    EXPECT_EQ(exit_code_for(model::ClusterStatus::warning), 1);
    EXPECT_EQ(exit_code_for(model::ClusterStatus::down), 2);
    EXPECT_EQ(exit_code_for(model::ClusterStatus::unknown), 3);
}

}  // namespace
}  // namespace handyrep::control
