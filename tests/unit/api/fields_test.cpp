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
