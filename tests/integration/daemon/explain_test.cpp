// Asking why, on a real cluster: while all is well, when the primary is dead and nothing is done, and afterwards from a recording.
#include "tests/integration/daemon/stage.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>

namespace handyrep::integration {
namespace {

using testing::HasSubstr;
using testing::Not;

harness::Outcome cli(Stage& stage, const std::vector<std::string>& arguments) {
    auto ended = must(stage.daemon().cli(arguments));
    EXPECT_EQ(ended.exit_code, 0) << ended.errors;
    return ended;
}

TEST(Explain, SaysOfAHealthyClusterWhoWouldTakeOverAndHow) {
    Stage stage{Over::local};
    const std::string now = cli(stage, {"explain"}).output;
    EXPECT_THAT(now, HasSubstr("  Healthy  at "));
    EXPECT_THAT(now, HasSubstr("  writes      go to db1 at 1:"));
    EXPECT_THAT(now, HasSubstr("PrimaryDead"));
    EXPECT_THAT(now, HasSubstr("would take over: it is at 1:"));

    const auto host_was_looked_into = [](const nlohmann::json& it) {
        return it.at("fence_outlook").get<std::string>().starts_with("processes_gone");
    };
    must(stage.daemon().wait_for(host_was_looked_into, std::chrono::minutes{1}, "the primary's host was looked into"));
    const std::string ahead = cli(stage, {"explain", "--if-primary-died"}).output;
    EXPECT_THAT(ahead, HasSubstr("IF db1 DIED: its processes end, its host goes on"));
    EXPECT_THAT(ahead, HasSubstr("processes_gone"));
    EXPECT_THAT(ahead, HasSubstr("<< point of no return"));
    EXPECT_THAT(ahead, HasSubstr("with everything on it: also db2, db3\n"))
        << "the whole cluster has one address: its host takes all with it";
    EXPECT_EQ(stage.cluster().writable_servers(), std::vector<std::string>{"db1"});
}

TEST(Explain, SaysWhyADeadPrimaryIsNotFailedOverFromAndTheRecordingSaysTheSame) {
    harness::DaemonOptions options;
    options.failover.emplace_back("auto_failover", "false");
    Stage stage{Over::local, options};
    stage.server("db1").kill_all();
    stage.wait_for_situation("PrimaryDead");
    // The word about the silence on each host arrives a moment after the situation; what is recorded and what is asked then is to be one.
    must(harness::wait_until(
        [&] {
            return std::ranges::all_of(must(stage.daemon().cli_json({"explain"})).at("gates"), [](const auto& gate) {
                return gate.at("open").template get<bool>();
            });
        },
        std::chrono::minutes{1}, "both gates are open", std::chrono::milliseconds{50}));

    const auto file = stage.cluster().folder() / "recording.json";
    EXPECT_THAT(cli(stage, {"record", "--out", file.string()}).output, HasSubstr("explain --replay"));
    const auto live = must(stage.daemon().cli_json({"explain"}));
    EXPECT_EQ(live.at("situation"), "PrimaryDead");
    EXPECT_EQ(live.at("decision"), "hold");
    EXPECT_EQ(live.at("reason"), "AutoFailoverOff");
    const auto& gates = live.at("gates");
    ASSERT_EQ(gates.size(), 2U);
    for (const auto& gate : gates) EXPECT_TRUE(gate.at("open").get<bool>()) << gate.dump();

    stage.daemon().kill();
    const auto replayed = must(stage.daemon().cli_json({"explain", "--replay", file.string()}));
    for (const char* const member : {"cluster", "since", "situation", "situation_text", "decision", "reason", "next", "gates", "guards"})
        EXPECT_EQ(replayed.at(member), live.at(member)) << member;
    EXPECT_EQ(replayed.at("earlier"), live.at("earlier"));
    ASSERT_FALSE(replayed.at("earlier").empty());
    EXPECT_EQ(replayed.at("earlier").front().at("situation"), "PrimaryDead");
    EXPECT_THAT(cli(stage, {"explain", "--replay", file.string(), "--back", "1"}).output, HasSubstr("  PrimaryDead  at "));
    EXPECT_THAT(cli(stage, {"explain", "--replay", file.string(), "--if-primary-died"}).output, HasSubstr("IF db1 DIED"));

    const std::string text = must(harness::read_file(file));
    for (const auto& secret : {stage.cluster().superuser_password().reveal(), stage.cluster().replication_password().reveal()})
        EXPECT_THAT(text, Not(HasSubstr(secret)));
    EXPECT_THAT(text, Not(HasSubstr("passfile")));
}

}  // namespace
}  // namespace handyrep::integration
