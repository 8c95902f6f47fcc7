#include "control/json.hpp"
#include "tests/unit/control/recorded_source.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace handyrep::control {
namespace {

TEST(StatusJson, HasEveryDocumentedMemberOfTheCluster) {
    const Json json = to_json(recorded_report());
    EXPECT_EQ(json["cluster"], "pay");
    EXPECT_EQ(json["status"], "warning");
    EXPECT_EQ(json["status_no"], 3);
    EXPECT_EQ(json["situation"], "Healthy");
    EXPECT_EQ(json["situation_text"], "the primary takes writes");
    EXPECT_EQ(json["since"], "2026-11-22T03:04:05.000000Z");
    EXPECT_EQ(json["next"], "nothing to do");
    EXPECT_EQ(json["reason"], word_for(decide::Reason::primary_answers));
    EXPECT_EQ(json["automation"], "on");
    EXPECT_EQ(json["provisional"], false);
    EXPECT_EQ(json["fence_outlook"], "processes_gone over ssh");
    EXPECT_EQ(json["epoch"], 3);
    EXPECT_TRUE(json["operation"].is_null());
}

TEST(StatusJson, GivesLagInBytesAndSecondsAndNullWhereItIsNotKnown) {
    const Json json = to_json(recorded_report());
    EXPECT_TRUE(json["servers"][0]["lag_bytes"].is_null());
    EXPECT_TRUE(json["servers"][0]["lag_seconds"].is_null());
    EXPECT_EQ(json["servers"][2]["lag_bytes"], 20971520);
    EXPECT_EQ(json["servers"][2]["lag_seconds"], 42.0);
    EXPECT_EQ(json["servers"][2]["seen_seconds_ago"], 12.0);
    EXPECT_EQ(json["servers"][2]["lsn"], "16/B234D848");
    EXPECT_EQ(json["servers"][2]["timeline"], 4);
    EXPECT_EQ(json["servers"][2]["status_no"], 2);
}

TEST(StatusJson, NamesTheServerOfAFindingOrNull) {
    engine::ClusterReport report = recorded_report();
    report.findings.push_back({decide::FindingKind::no_promotable_replica, {}, "nobody could be promoted"});
    const Json json = to_json(report);
    EXPECT_EQ(json["findings"][0]["kind"], "ReplicaLagged");
    EXPECT_EQ(json["findings"][0]["server"], "db3");
    EXPECT_TRUE(json["findings"][1]["server"].is_null());
}

TEST(StatusJson, TellsMaintenanceAndPauseWithWhoWhenWhyAndUntil) {
    engine::ClusterReport report = recorded_report();
    EXPECT_TRUE(to_json(report)["maintenance"].is_null());
    EXPECT_TRUE(to_json(report)["paused"].is_null());
    report.maintenance = model::Maintenance{
        .since = wall("2026-11-22T04:00:00Z"), .until = wall("2026-11-22T05:00:00Z"), .by = "ann", .reason = "new kernel"};
    report.paused = model::Pause{.since = wall("2026-11-22T04:00:00Z"), .by = "bob", .reason = "looking"};
    const Json json = to_json(report);
    EXPECT_EQ(json["maintenance"]["since"], "2026-11-22T04:00:00.000000Z");
    EXPECT_EQ(json["maintenance"]["until"], "2026-11-22T05:00:00.000000Z");
    EXPECT_EQ(json["maintenance"]["by"], "ann");
    EXPECT_EQ(json["maintenance"]["reason"], "new kernel");
    EXPECT_EQ(json["paused"]["since"], "2026-11-22T04:00:00.000000Z");
    EXPECT_EQ(json["paused"]["by"], "bob");
    EXPECT_EQ(json["paused"]["reason"], "looking");
}

TEST(StatusJson, ShowsARunningOperationWithoutAnEnd) {
    engine::ClusterReport report = recorded_report();
    report.operation = engine::OperationReport{
        .id = 7,
        .by = "ann",
        .reason = "ordered",
        .began = wall("2026-11-22T03:04:06Z"),
        .steps = {{.name = "promote db2", .began = wall("2026-11-22T03:04:45Z")}}};
    const Json json = to_json(report)["operation"];
    EXPECT_EQ(json["id"], 7);
    EXPECT_EQ(json["by"], "ann");
    EXPECT_TRUE(json["ended"].is_null());
}

TEST(StatusJson, IsWrittenAlsoWhenAServerSaysSomethingThatIsNotUtf8) {
    engine::ClusterReport report = recorded_report();
    report.servers[0].message = "caf\xE9";
    EXPECT_NE(document(to_json(report)).find("caf\xEF\xBF\xBD"), std::string::npos);
}

TEST(FailoverJson, ShowsThePlanAndItsPointOfNoReturn) {
    const Json json = to_json(engine::OrderAnswer{.operation = {}, .plan = recorded_plan(), .text = "db2 would be promoted"});
    EXPECT_TRUE(json["operation"].is_null());
    EXPECT_EQ(json["dry_run"], true);
    EXPECT_EQ(json["plan"]["commit"], "promote db2");
    EXPECT_FALSE(json["plan"]["steps"].empty());
}

TEST(Json, TellsEveryCheckWithItsRemedyAndTheExitCode) {
    const Json json = to_json(recorded_readiness());
    EXPECT_EQ(json.at("exit_code"), 1);
    EXPECT_EQ(json.at("counts").at("debts"), 1);
    EXPECT_EQ(json.at("checks").at(1).at("name"), "replication_timeouts");
    EXPECT_EQ(json.at("checks").at(1).at("outcome"), "debt");
    EXPECT_EQ(json.at("checks").at(1).at("remedy"), "set it to 5s");
    EXPECT_EQ(json.at("took_seconds"), 1.5);
}

TEST(Verify, EndsWithTheWorstOfItsChecks) {
    EXPECT_EQ(exit_code_for(decide::CheckCounts{.ok = 9}), 0);
    EXPECT_EQ(exit_code_for(decide::CheckCounts{.unknown = 1}), 3);
    EXPECT_EQ(exit_code_for(decide::CheckCounts{.debts = 1, .unknown = 1}), 1);
    EXPECT_EQ(exit_code_for(decide::CheckCounts{.debts = 1, .broken = 1}), 2);
}

}  // namespace
}  // namespace handyrep::control
