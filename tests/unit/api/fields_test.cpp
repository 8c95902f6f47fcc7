#include "api/fields.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace handyrep::api {
namespace {

using testing::HasSubstr;

std::string refusal(std::string_view body) {
    const auto parsed = parse_failover_body(body);
    return parsed ? "(accepted)" : parsed.error().text();
}

TEST(FailoverBody, ReadsWhatIsThereAndDefaultsTheRest) {
    const auto whole = parse_failover_body(R"({"to": "db2", "dry_run": true})");
    ASSERT_TRUE(whole);
    EXPECT_EQ(whole->to, "db2");
    EXPECT_TRUE(whole->dry_run);
    for (const char* const text : {"", "  \n", "{}", R"({"to": null})"}) {
        const auto empty = parse_failover_body(text);
        ASSERT_TRUE(empty) << text;
        EXPECT_FALSE(empty->to);
        EXPECT_FALSE(empty->dry_run);
    }
}

TEST(FailoverBody, ReadsTheGatesThatAreOverridden) {
    const auto body = parse_failover_body(R"({"override": ["fence", "durability"]})");
    ASSERT_TRUE(body);
    EXPECT_EQ(body->overrides, (std::vector<std::string>{"fence", "durability"}));
    EXPECT_THAT(refusal(R"({"override": "fence"})"), HasSubstr("override: expected a list of gates"));
    EXPECT_THAT(refusal(R"({"override": [1]})"), HasSubstr("override: expected a list of gates"));
}

TEST(SwitchoverBody, ReadsWhatIsThereAndNamesWhatIsWrong) {
    const auto whole = parse_switchover_body(R"({"to": "db2", "dry_run": true, "drop_logical": true})");
    ASSERT_TRUE(whole);
    EXPECT_EQ(whole->to, "db2");
    EXPECT_TRUE(whole->dry_run && whole->drop_logical);
    const auto empty = parse_switchover_body("");
    ASSERT_TRUE(empty);
    EXPECT_FALSE(empty->to || empty->dry_run || empty->drop_logical);
    EXPECT_THAT(parse_switchover_body(R"({"drop_logical": "yes"})").error().text(), HasSubstr("drop_logical: expected true or false"));
    EXPECT_THAT(parse_switchover_body(R"({"override": ["fence"]})").error().text(), HasSubstr("unknown field 'override'"));
}

TEST(FailoverBody, NamesAnUnknownFieldAndTheNearest) {
    EXPECT_EQ(refusal(R"({"dryrun": true})"), "unknown field 'dryrun'; did you mean 'dry_run'?");
}

TEST(FailoverBody, NamesTheFieldOfAWrongType) {
    EXPECT_EQ(refusal(R"({"dry_run": "true"})"), "dry_run: expected true or false, not a value of type string");
    EXPECT_EQ(refusal(R"({"dry_run": 1})"), "dry_run: expected true or false, not a value of type number");
    EXPECT_EQ(refusal(R"({"to": 2})"), "to: expected the name of a server, not a value of type number");
}

TEST(FailoverBody, RefusesAFieldThatComesTwice) {
    EXPECT_THAT(refusal(R"({"dry_run": true, "dry_run": false})"), HasSubstr("'dry_run' comes twice"));
}

TEST(FailoverBody, RefusesWhatIsNotAJsonObject) {
    for (const char* const text : {"[]", "1", "\"db2\"", "null", "{", "{} {}", "to=db2", "{\"to\": \"\xff\"}"})
        EXPECT_THAT(refusal(text), HasSubstr("the body is not")) << text;
}

TEST(FailoverBody, RefusesDeepNestingInsteadOfFollowingIt) {
    const std::string deep = R"({"to": )" + std::string(20000, '[') + std::string(20000, ']') + "}";
    EXPECT_NE(refusal(deep), "(accepted)");
}

std::string maintenance_refusal(std::string_view body) {
    const auto read = parse_maintenance_body(body);
    return read ? "(accepted)" : read.error().text();
}
std::string automation_refusal(std::string_view body) {
    const auto read = parse_automation_body(body);
    return read ? "(accepted)" : read.error().text();
}

TEST(MaintenanceBody, BeginsWithALengthOrAnEndAndAReason) {
    const auto plain = parse_maintenance_body(R"({"on": true})");
    ASSERT_TRUE(plain) << plain.error().text();
    const auto& begin = std::get<model::BeginMaintenance>(plain->what);
    EXPECT_FALSE(begin.lasts || begin.until);
    EXPECT_EQ(begin.reason, "");
    const auto lasts = parse_maintenance_body(R"({"on": true, "for_seconds": 1.5, "reason": "kernel"})");
    ASSERT_TRUE(lasts) << lasts.error().text();
    EXPECT_EQ(std::get<model::BeginMaintenance>(lasts->what).lasts, std::chrono::milliseconds{1500});
    EXPECT_EQ(std::get<model::BeginMaintenance>(lasts->what).reason, "kernel");
    const auto until = parse_maintenance_body(R"({"on": true, "until": "2026-11-22T05:00:00Z"})");
    ASSERT_TRUE(until) << until.error().text();
    EXPECT_EQ(std::get<model::BeginMaintenance>(until->what).until, *parse_wall_time("2026-11-22T05:00:00Z"));
    const auto end = parse_maintenance_body(R"({"on": false})");
    ASSERT_TRUE(end) << end.error().text();
    EXPECT_TRUE(std::holds_alternative<model::EndMaintenance>(end->what));
}

TEST(MaintenanceBody, RefusesWhatItDoesNotUnderstandAndNamesTheField) {
    EXPECT_EQ(maintenance_refusal("{}"), "on: say true or false");
    EXPECT_THAT(maintenance_refusal(R"({"on": "yes"})"), HasSubstr("on: expected true or false"));
    EXPECT_THAT(maintenance_refusal(R"({"on": true, "for_seconds": "1h"})"), HasSubstr("for_seconds: expected a number"));
    EXPECT_THAT(maintenance_refusal(R"({"on": true, "for_seconds": -1})"), HasSubstr("for_seconds: -1"));
    EXPECT_THAT(maintenance_refusal(R"({"on": true, "for_seconds": 1e300})"), HasSubstr("for_seconds: 1e+300"));
    EXPECT_THAT(maintenance_refusal(R"({"on": true, "until": "tomorrow"})"), HasSubstr("until: 'tomorrow' is not a time such as"));
    EXPECT_THAT(maintenance_refusal(R"({"on": true, "reason": 7})"), HasSubstr("reason: expected a text"));
    EXPECT_THAT(maintenance_refusal(R"({"on": true, "untill": "x"})"), HasSubstr("did you mean 'until'"));
    EXPECT_THAT(maintenance_refusal(R"({"on": false, "reason": "done"})"), HasSubstr("reason: this means nothing here"));
}

TEST(AutomationBody, PausesWithAReasonAndResumesWithout) {
    const auto pause = parse_automation_body(R"({"on": false, "reason": "looking"})");
    ASSERT_TRUE(pause) << pause.error().text();
    EXPECT_EQ(std::get<model::PauseAutomation>(pause->what).reason, "looking");
    const auto resume = parse_automation_body(R"({"on": true})");
    ASSERT_TRUE(resume) << resume.error().text();
    EXPECT_TRUE(std::holds_alternative<model::ResumeAutomation>(resume->what));
    EXPECT_THAT(automation_refusal(R"({"on": true, "reason": "x"})"), HasSubstr("reason: this means nothing here"));
    EXPECT_THAT(automation_refusal(R"({"on": false, "for_seconds": 5})"), HasSubstr("unknown field"));
    EXPECT_EQ(automation_refusal(""), "on: say true or false");
}

TEST(EmptyBody, RefusesAnyField) {
    EXPECT_TRUE(parse_empty_body("{}"));
    EXPECT_FALSE(parse_empty_body(R"({"to": "db2"})"));
}

TEST(Query, DecodesAndRefusesWhatItDoesNotKnow) {
    const auto query = Query::parse("cluster=p%61y&count=3", {"cluster", "count"});
    ASSERT_TRUE(query);
    EXPECT_EQ(query->text("cluster"), "pay");
    EXPECT_EQ(*query->count("count", 20, 1000), 3U);
    for (const char* const bad : {"clutser=pay", "cluster=a&cluster=b", "cluster=%6", "cluster=%zz", "&"})
        EXPECT_FALSE(Query::parse(bad, {"cluster"})) << bad;
}

TEST(Query, TakesACountFromOneToTheMost) {
    for (const char* const bad : {"count=0", "count=1001", "count=-1", "count=3x", "count=", "count=99999999999999999999"}) {
        const auto query = Query::parse(bad, {"count"});
        ASSERT_TRUE(query);
        EXPECT_FALSE(query->count("count", 20, 1000)) << bad;
    }
    EXPECT_EQ(*Query{}.count("count", 20, 1000), 20U);
}

}  // namespace
}  // namespace handyrep::api
