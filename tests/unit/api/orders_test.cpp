// The bodies of orders, read strictly.
#include "api/orders.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <variant>
#include <vector>

namespace handyrep::api {
namespace {

using testing::HasSubstr;

model::ServerName db(const std::string& name) { return *model::ServerName::parse(name); }

std::string refusal(std::string_view body) {
    const auto parsed = parse_failover_body(body);
    return parsed ? "(accepted)" : parsed.error().text();
}

TEST(FailoverBody, ReadsWhatIsThereAndDefaultsTheRest) {
    const auto whole = parse_failover_body(R"({"to": "db2", "dry_run": true})");
    ASSERT_TRUE(whole);
    EXPECT_EQ(std::get<engine::FailoverWanted>(whole->what).to, db("db2"));
    EXPECT_TRUE(whole->dry_run);
    for (const char* const text : {"", "  \n", "{}", R"({"to": null})"}) {
        const auto empty = parse_failover_body(text);
        ASSERT_TRUE(empty) << text;
        EXPECT_FALSE(std::get<engine::FailoverWanted>(empty->what).to);
        EXPECT_FALSE(empty->dry_run);
    }
}

TEST(FailoverBody, ReadsTheGatesThatAreOverridden) {
    const auto body = parse_failover_body(R"({"override": ["fence", "durability"]})");
    ASSERT_TRUE(body);
    const decide::Overrides& overrides = std::get<engine::FailoverWanted>(body->what).overrides;
    EXPECT_TRUE(overrides.fence && overrides.durability);
    EXPECT_THAT(refusal(R"({"override": ["fence", "wal"]})"), HasSubstr("'wal' is no gate"));
    EXPECT_THAT(refusal(R"({"override": "fence"})"), HasSubstr("override: expected a list of gates"));
    EXPECT_THAT(refusal(R"({"override": [1]})"), HasSubstr("override: expected a list of gates"));
}

TEST(PromoteBody, AsksForItsServerAndReadsTheGates) {
    const auto body = parse_promote_body(R"({"server": "db2", "override": ["fence"], "dry_run": true})");
    ASSERT_TRUE(body) << body.error().text();
    const auto& wanted = std::get<engine::FailoverWanted>(body->what);
    EXPECT_EQ(wanted.to, db("db2"));
    EXPECT_TRUE(wanted.alone && wanted.overrides.fence && body->dry_run);
    for (const char* const text : {"", "{}", R"({"server": null})"})
        EXPECT_THAT(parse_promote_body(text).error().text(), HasSubstr("server: say which")) << text;
    EXPECT_THAT(parse_promote_body(R"({"to": "db2"})").error().text(), HasSubstr("unknown field 'to'"));
}

TEST(SwitchoverBody, ReadsWhatIsThereAndNamesWhatIsWrong) {
    const auto whole = parse_switchover_body(R"({"to": "db2", "dry_run": true, "drop_logical": true})");
    ASSERT_TRUE(whole);
    const auto& wanted = std::get<decide::SwitchoverWanted>(whole->what);
    EXPECT_EQ(wanted.to, db("db2"));
    EXPECT_TRUE(whole->dry_run && wanted.drop_logical);
    const auto empty = parse_switchover_body("");
    ASSERT_TRUE(empty);
    const auto& nothing = std::get<decide::SwitchoverWanted>(empty->what);
    EXPECT_FALSE(nothing.to || empty->dry_run || nothing.drop_logical);
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
    EXPECT_THAT(refusal(R"({"to": "db2; drop"})"), HasSubstr("'to'"));
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

TEST(FollowBody, ReadsAListOfReplicasAndTheirUpstream) {
    const auto whole = parse_follow_body(R"({"replicas": ["db2", "db3"], "upstream": "db1", "dry_run": true})");
    ASSERT_TRUE(whole) << whole.error().text();
    const auto& wanted = std::get<decide::FollowWanted>(whole->what);
    EXPECT_EQ(wanted.replicas, (std::vector{db("db2"), db("db3")}));
    EXPECT_EQ(wanted.upstream, db("db1"));
    EXPECT_TRUE(whole->dry_run);
    const auto empty = parse_follow_body("{}");
    ASSERT_TRUE(empty);
    EXPECT_TRUE(std::get<decide::FollowWanted>(empty->what).replicas.empty());
    EXPECT_THAT(parse_follow_body(R"({"replicas": "db2"})").error().text(), HasSubstr("replicas: expected a list of servers"));
    EXPECT_THAT(parse_follow_body(R"({"replicas": [2]})").error().text(), HasSubstr("replicas: expected a list of servers"));
    EXPECT_THAT(parse_follow_body(R"({"replicas": ["db2; drop"]})").error().text(), HasSubstr("'replicas'"));
}

TEST(ServiceBody, NamesOneServer) {
    const auto whole = parse_service_body(R"({"server": "db2", "dry_run": true})", decide::ServiceDeed::restart);
    ASSERT_TRUE(whole) << whole.error().text();
    const auto& wanted = std::get<decide::ServiceWanted>(whole->what);
    EXPECT_EQ(wanted.server, db("db2"));
    EXPECT_EQ(wanted.deed, decide::ServiceDeed::restart);
    EXPECT_TRUE(whole->dry_run);
    EXPECT_EQ(parse_service_body("{}", decide::ServiceDeed::stop).error().text(), "server: say which");
    EXPECT_THAT(parse_service_body(R"({"server": ["db2"]})", decide::ServiceDeed::stop).error().text(), HasSubstr("server: expected"));
}

TEST(RejoinBody, NamesOneServer) {
    const auto whole = parse_rejoin_body(R"({"server": "db1", "only_rewind": true, "dry_run": true})");
    ASSERT_TRUE(whole) << whole.error().text();
    EXPECT_EQ(std::get<decide::RejoinWanted>(whole->what).server, db("db1"));
    EXPECT_TRUE(std::get<decide::RejoinWanted>(whole->what).only_rewind);
    EXPECT_TRUE(whole->dry_run);
    EXPECT_THAT(parse_rejoin_body("{}").error().text(), HasSubstr("server: say which"));
    EXPECT_THAT(parse_rejoin_body(R"({"server": "a b"})").error().text(), HasSubstr("'server'"));
}

TEST(OrderPaths, AreEachOfAnotherOrder) {
    std::set<std::size_t> kinds;
    for (const OrderPath& it : order_paths()) {
        auto body = it.parse("");
        if (!body) body = it.parse(R"({"server": "db2"})");
        ASSERT_TRUE(body) << it.path;
        kinds.insert(body->what.index());
    }
    EXPECT_EQ(kinds.size(), std::variant_size_v<engine::Wanted>);
}

std::string copy_refusal(std::string_view body) {
    const auto parsed = parse_reclone_body(body);
    return parsed ? "(accepted)" : parsed.error().text();
}

TEST(CopyBody, ReadsHowACopyIsWanted) {
    const auto body = parse_reclone_body(
        R"({"server": "db3", "from": "db2", "rate_bytes_per_second": 52428800, "slot": "db3", "wal_directory": "/wal/db3",
            "tablespaces": {"/fast/a": "/fast/b"}, "keep_old": true, "dry_run": true})");
    ASSERT_TRUE(body) << body.error().text();
    EXPECT_TRUE(body->dry_run);
    const auto& wanted = std::get<decide::CopyWanted>(body->what);
    const decide::CopyWanted expected{
        .server = db("db3"),
        .replaces = true,
        .from = db("db2"),
        .keep_old = true,
        .wishes = {
            .rate = model::Bytes{50ULL << 20U}, .slot = "db3", .wal_directory = "/wal/db3", .tablespaces = {{"/fast/a", "/fast/b"}}}};
    EXPECT_EQ(wanted, expected);
    const auto plain = parse_clone_body(R"({"server": "db3"})");
    ASSERT_TRUE(plain);
    EXPECT_EQ(std::get<decide::CopyWanted>(plain->what), decide::CopyWanted{.server = db("db3")});
    EXPECT_FALSE(parse_clone_body(R"({"server": "db3", "keep_old": true})")) << "a clone finds nothing that it could keep";
}

TEST(CopyBody, RefusesWhatItCannotMean) {
    EXPECT_THAT(copy_refusal("{}"), HasSubstr("server"));
    EXPECT_THAT(copy_refusal(R"({"server": "db3", "rate_bytes_per_second": 7})"), HasSubstr("32 kB"));
    EXPECT_THAT(copy_refusal(R"({"server": "db3", "rate_bytes_per_second": "50MB"})"), HasSubstr("rate_bytes_per_second"));
    EXPECT_THAT(copy_refusal(R"({"server": "db3", "slot": "Db-3"})"), HasSubstr("slot"));
    EXPECT_THAT(copy_refusal(R"({"server": "db3", "wal_directory": "wal"})"), HasSubstr("wal_directory"));
    EXPECT_THAT(copy_refusal(R"({"server": "db3", "wal_directory": "/wal\nrm"})"), HasSubstr("wal_directory"));
    EXPECT_THAT(copy_refusal(R"({"server": "db3", "tablespaces": {"a": "/b"}})"), HasSubstr("tablespaces"));
    EXPECT_THAT(copy_refusal(R"({"server": "db3", "tablespaces": {"/a": 7}})"), HasSubstr("absolute path"));
}

}  // namespace
}  // namespace handyrep::api
