#include "api/fields.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace handyrep::api {
namespace {

using testing::HasSubstr;

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

TEST(DisableBody, NamesAServerAndMayHaveAnEndAndAReason) {
    const auto plain = parse_disable_body(R"({"server": "db3"})");
    ASSERT_TRUE(plain) << plain.error().text();
    EXPECT_EQ(std::get<model::DisableServer>(plain->what).server.text(), "db3");
    EXPECT_FALSE(std::get<model::DisableServer>(plain->what).lasts || std::get<model::DisableServer>(plain->what).until);
    const auto ends = parse_disable_body(R"({"server": "db3", "for_seconds": 60, "reason": "disks"})");
    ASSERT_TRUE(ends) << ends.error().text();
    EXPECT_EQ(std::get<model::DisableServer>(ends->what).lasts, std::chrono::seconds{60});
    EXPECT_EQ(std::get<model::DisableServer>(ends->what).reason, "disks");
    EXPECT_EQ(parse_disable_body("{}").error().text(), "server: say which");
    EXPECT_THAT(parse_disable_body(R"({"server": "db3", "until": "tomorrow"})").error().text(), HasSubstr("until: 'tomorrow'"));
    const auto enable = parse_enable_body(R"({"server": "db3"})");
    ASSERT_TRUE(enable) << enable.error().text();
    EXPECT_EQ(std::get<model::EnableServer>(enable->what).server.text(), "db3");
    EXPECT_THAT(parse_enable_body(R"({"server": "db3", "reason": "x"})").error().text(), HasSubstr("unknown field"));
}

TEST(ScheduleBody, SaysWhenAndMayNameWhom) {
    const auto body = parse_schedule_body(R"({"at": "2026-11-22T05:00:00Z", "to": "db2", "drop_logical": true})");
    ASSERT_TRUE(body) << body.error().text();
    const auto& order = std::get<model::ScheduleSwitchover>(body->what);
    EXPECT_EQ(order.at, *parse_wall_time("2026-11-22T05:00:00Z"));
    EXPECT_TRUE(order.to && order.drop_logical);
    EXPECT_THAT(parse_schedule_body("{}").error().text(), HasSubstr("at: say when"));
    EXPECT_THAT(parse_schedule_body(R"({"at": "soon"})").error().text(), HasSubstr("at: 'soon' is not a time"));
    EXPECT_TRUE(parse_unschedule_body(""));
    EXPECT_FALSE(parse_unschedule_body(R"({"at": "now"})"));
}

TEST(CancelBody, TakesTheNumberOfAnOperation) {
    EXPECT_EQ(*parse_cancel_body(R"({"operation": 7})"), 7U);
    for (const char* const bad : {"", "{}", R"({"operation": "7"})", R"({"operation": -1})", R"({"operation": 1.5})"})
        EXPECT_FALSE(parse_cancel_body(bad)) << bad;
    EXPECT_EQ(parse_cancel_body("{}").error().text(), "operation: say the number of the operation");
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
