#include "base/text.hpp"
#include "cli/rendering.hpp"
#include "tests/unit/control/recorded_source.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace handyrep::cli {
namespace {

using control::recorded_report;
using control::wall;
using testing::HasSubstr;
using testing::Not;

const WallTime now = wall("2026-11-22T03:04:46Z");

std::string status_text(const engine::ClusterReport& report, const Layout& layout) {
    const auto text = render_status(control::to_json(report), now, layout);
    return text ? *text : text.error().text();
}

std::size_t widest_line(const std::string& text) {
    std::size_t widest = 0;
    for (const std::string_view line : split(text, '\n')) widest = std::max(widest, width_of(line));
    return widest;
}

TEST(StatusTable, ShowsClusterServersAndFindingsAtAGlance) {
    EXPECT_EQ(
        status_text(recorded_report(), {.columns = 120}),
        "pay  warning  Healthy\n"
        "              the primary takes writes\n"
        "  since       2026-11-22 03:04:05 UTC (41s ago)\n"
        "  next        nothing to do\n"
        "  automation  on\n"
        "  fence       processes_gone over ssh\n"
        "\n"
        "NAME  ROLE     STATUS   HOST           TL  LSN                  LAG  MESSAGE\n"
        "db1   primary  healthy  10.0.0.1:5432   4  16/B374D848            -\n"
        "db2   replica  healthy  10.0.0.2:5432   4  16/B374D848   0 B / 0.1s\n"
        "db3   replica  lagged   10.0.0.3:5432   4  16/B234D848  20 MB / 42s  replay waits for a query; seen 12s ago\n"
        "\n"
        "FINDING        SERVER  WHAT\n"
        "ReplicaLagged  db3     20 MB behind, more than its lag_limit of 16 MB\n");
}

TEST(OperationText, ShowsEachStepWithItsTimeAndWhatFailed) {
    const auto text = render_operation(control::to_json(control::recorded_operation()), false, {.columns = 100});
    ASSERT_TRUE(text) << text.error().what;
    EXPECT_EQ(
        *text,
        "#7 failover\n"
        "  by          automation\n"
        "  why         PrimaryIsDead\n"
        "  began       2026-11-22 03:04:05.000 UTC\n"
        "  ended       2026-11-22 03:04:06.000 UTC\n"
        "  outcome     done, but: re-point db3: db3 does not answer\n"
        "\n"
        "BEGAN         STEP          OUTCOME     TOOK  WHAT\n"
        "03:04:05.000  secure        done     0.002 s\n"
        "03:04:05.500  re-point db3  failed   0.040 s  db3 does not answer\n");
}

TEST(OperationText, FollowsFromTheStepThatWasShownLast) {
    const auto steps = render_steps(control::to_json(control::recorded_operation()), 1);
    ASSERT_TRUE(steps) << steps.error().what;
    EXPECT_EQ(*steps, std::vector<std::string>{"03:04:05.500  re-point db3: failed (0.040 s) — db3 does not answer"});
}

TEST(StatusTable, FitsEightyColumnsAlsoWithLongMessages) {
    engine::ClusterReport report = recorded_report();
    report.servers[2].message = "the replica answers, but its WAL receiver is gone since 03:04:01 and the upstream refuses its login";
    report.next = "automatic failover to db2 in 0.9 s if nothing changes, unless the primary answers again before that moment has come";
    const std::string text = status_text(report, {.columns = 80});
    EXPECT_LE(widest_line(text), 80U);
    EXPECT_THAT(text, HasSubstr("login"));
    EXPECT_THAT(text, HasSubstr("has come"));
}

TEST(StatusTable, SaysThatAServerMustBeDownAndWhatItRunsAs) {
    engine::ClusterReport report = recorded_report();
    report.servers[2].must_be_down = true;
    report.servers[2].seen_as = "primary";
    EXPECT_THAT(status_text(report, {.columns = 160}), HasSubstr("must be down; runs as primary; replay waits"));
}

TEST(StatusTable, SaysNeverSeenInsteadOfAZero) {
    engine::ClusterReport report = recorded_report();
    report.servers[1] = engine::ServerReport{
        .name = control::server_name("db2"),
        .role = model::Role::replica,
        .seen_as = "",
        .host = "10.0.0.2:5432",
        .timeline = {},
        .lsn = {},
        .lag = {},
        .lag_time = {},
        .seen_ago = {},
        .message = ""};
    EXPECT_THAT(
        status_text(report, {.columns = 120}),
        HasSubstr("db2   replica  unknown  10.0.0.2:5432   -  -                      -  never seen"));
}

TEST(StatusTable, NamesTheRunningOperationAndItsStep) {
    engine::ClusterReport report = recorded_report();
    report.operation = engine::OperationReport{
        .id = 7,
        .kind = "failover",
        .by = "admin from 127.0.0.1",
        .reason = "",
        .began = wall("2026-11-22T03:04:45Z"),
        .steps = {{.name = "promote db2", .began = wall("2026-11-22T03:04:45Z")}}};
    EXPECT_THAT(
        status_text(report, {.columns = 200}),
        HasSubstr("#7 failover by admin from 127.0.0.1, since 2026-11-22 03:04:45 UTC (1.0s ago): running, step: promote db2"));
}

TEST(StatusTable, UsesColoursOnlyWhenToldAndAlwaysTheWord) {
    EXPECT_THAT(status_text(recorded_report(), {.columns = 120}), Not(HasSubstr("\033")));
    EXPECT_THAT(status_text(recorded_report(), {.columns = 120, .colors = true}), HasSubstr("\033[33mwarning\033[0m"));
}

TEST(StatusTable, LetsNoServerMoveTheCursor) {
    engine::ClusterReport report = recorded_report();
    report.servers[2].message =
        "\033[2Jgone\r\n\xC2\x9B"
        "31m";
    const std::string text = status_text(report, {.columns = 120});
    EXPECT_THAT(text, Not(HasSubstr("\033")));
    EXPECT_THAT(text, Not(HasSubstr("\xC2\x9B")));
}

TEST(StatusTable, FailsInWordsOnADocumentOfAnotherVersion) {
    const auto text = render_status(control::Json{{"cluster", "pay"}}, now, {});
    ASSERT_FALSE(text);
    EXPECT_THAT(text.error().text(), HasSubstr("handyrep version"));
}

TEST(EventTable, ShowsTimeLevelNameAndText) {
    const control::Json events{
        {"events",
         control::Json::array({control::to_json(saved::Event{
             .at = wall("2026-11-22T03:04:05.678Z"), .level = Level::warning, .name = "promoted", .text = "db2 is the primary"})})}};
    const auto text = render_events(events, {.columns = 100});
    ASSERT_TRUE(text);
    EXPECT_EQ(
        *text,
        "TIME (UTC)               LEVEL    EVENT     WHAT\n"
        "2026-11-22 03:04:05.678  warning  promoted  db2 is the primary\n");
}

TEST(FailoverText, NamesOperationAndCommitStepAndShowsTheStepsOfADryRunOnly) {
    engine::OrderAnswer answer{.operation = 7, .plan = control::recorded_plan(), .text = "done"};
    const auto done = render_order(control::to_json(answer), {.columns = 100});
    ASSERT_TRUE(done);
    EXPECT_EQ(*done, "operation #7, promote db2: done\n");
    answer.operation.reset();
    const auto planned = render_order(control::to_json(answer), {.columns = 100});
    ASSERT_TRUE(planned);
    EXPECT_THAT(*planned, testing::StartsWith("done\n\n 1. promote db2"));
}

TEST(ReadinessTable, ShowsWhatIsNotOkWithItsRemedy) {
    const auto text = render_readiness(control::to_json(control::recorded_readiness()), false, now, {.columns = 120});
    ASSERT_TRUE(text) << text.error().text();
    EXPECT_EQ(
        *text,
        "pay  0 broken, 1 debt, 0 unknown, 1 ok\n"
        "  looked      2026-11-22 03:04:05 UTC (41s ago)\n"
        "\n"
        "SERVER  OUTCOME  CHECK                 WHAT\n"
        "db2     debt     replication_timeouts  wal_receiver_timeout is 1min. Remedy: set it to 5s\n");
    const auto all = render_readiness(control::to_json(control::recorded_readiness()), true, now, {.columns = 120});
    ASSERT_TRUE(all);
    EXPECT_THAT(*all, HasSubstr("its clock is right"));
}

TEST(ReadinessTable, SaysWhenTheHostsWereLookedIntoEarlier) {
    engine::Readiness brief = control::recorded_readiness();
    brief.hosts_at = wall("2026-11-22T02:34:46Z");
    EXPECT_THAT(*render_readiness(control::to_json(brief), false, now, {.columns = 120}), HasSubstr("hosts       2026-11-22 02:34:46 UTC"));
    brief.hosts_at.reset();
    brief.checks.resize(1, brief.checks.front());
    const auto text = render_readiness(control::to_json(brief), false, now, {.columns = 120});
    EXPECT_THAT(*text, HasSubstr("not looked into yet"));
    EXPECT_THAT(*text, HasSubstr("everything is as it should be"));
}

TEST(StatusTable, CountsWhatVerifyFound) {
    engine::ClusterReport report = recorded_report();
    report.readiness = engine::ReadinessSummary{wall("2026-11-22T03:04:05Z"), {.ok = 90, .debts = 3, .broken = 1, .unknown = 0}};
    EXPECT_THAT(status_text(report, {.columns = 120}), HasSubstr("readiness   1 broken, 3 debts, 0 unknown, 90 ok, 2026-11-22 03:04:05"));
}

TEST(Yaml, QuotesWhatWouldReadBackAsSomethingElse) {
    const control::Json json{{"a", "on"},    {"b", "123"}, {"c", "plain words"},          {"d", "x: y"},
                             {"e", nullptr}, {"f", 1.5},   {"g", control::Json::array()}, {"h", "-"},
                             {"i", ""}};
    EXPECT_EQ(to_yaml(json), "a: \"on\"\nb: \"123\"\nc: plain words\nd: \"x: y\"\ne: null\nf: 1.5\ng: []\nh: \"-\"\ni: \"\"\n");
}

TEST(Yaml, NestsObjectsInLists) {
    const control::Json json{
        {"servers", control::Json::array(
                        {control::Json{{"name", "db1"}, {"tags", control::Json::array({"x", "z"})}}, control::Json{{"name", "db2"}}})}};
    EXPECT_EQ(to_yaml(json), "servers:\n  - name: db1\n    tags:\n      - x\n      - z\n  - name: db2\n");
}

TEST(Wrapping, BreaksAtSpacesAndCutsWhatHasNone) {
    EXPECT_EQ(wrapped("one two three", 8), (std::vector<std::string>{"one two", "three"}));
    EXPECT_EQ(wrapped("abcdefgh", 3), (std::vector<std::string>{"abc", "def", "gh"}));
    EXPECT_EQ(wrapped("", 8), (std::vector<std::string>{""}));
}

}  // namespace
}  // namespace handyrep::cli
