// A person holds the daemon back: nothing is done by itself, not after a restart either, until the person lets it go on.
#include "tests/integration/daemon/stage.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <csignal>
#include <string>

namespace handyrep::integration {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr Duration generous = seconds{120};
/// Some times what a failover of a killed primary takes; that nothing happens within it is looked at all the while.
constexpr Duration a_while = seconds{6};

class Maintenance : public testing::Test {
protected:
    std::string told(const std::vector<std::string>& words) {
        const auto said = must(stage.daemon().cli(words));
        EXPECT_EQ(said.exit_code, 0) << said.errors;
        return said.output;
    }
    void wait_for_reason(const std::string& word) {
        must(harness::wait_until(
            [&] {
                const auto status = stage.status();
                return status.at("situation") == "PrimaryDead" && status.at("reason") == word;
            },
            generous, "the primary is dead, and the reason is " + word, milliseconds{50}));
    }
    void expect_that_nobody_is_promoted() {
        const auto promoted =
            harness::wait_until([&] { return !stage.cluster().writable_servers().empty(); }, a_while, "", milliseconds{50});
        EXPECT_FALSE(promoted) << "somebody was promoted";
    }
    [[nodiscard]] bool was_told(const std::string& event) const { return std::ranges::count(stage.events(), event) > 0; }

    Stage stage{Over::local};
};

TEST_F(Maintenance, HoldsAFailoverBackUntilItEndsAlsoAfterARestart) {
    EXPECT_THAT(told({"maintenance", "off"}), HasSubstr("not in maintenance"));
    EXPECT_EQ(must(stage.daemon().cli({"maintenance", "on", "--until", "2020-01-01T00:00:00Z"})).exit_code, 4);
    EXPECT_EQ(must(stage.daemon().cli({"maintenance", "on", "--for", "8d"})).exit_code, 4);
    EXPECT_THAT(told({"maintenance", "on", "--for", "20min", "--reason", "new kernel"}), HasSubstr("new kernel"));
    EXPECT_EQ(must(stage.daemon().cli({"check"})).exit_code, 1) << "a cluster that nobody would fail over is a warning";

    stage.daemon().kill();
    must(stage.daemon().start());
    must(stage.daemon().wait_for_status(1));
    stage.server("db1").kill_all();
    wait_for_reason("Maintenance");
    expect_that_nobody_is_promoted();
    const auto status = stage.status();
    EXPECT_EQ(status.at("reason"), "Maintenance");
    EXPECT_EQ(status.at("maintenance").at("reason"), "new kernel");
    EXPECT_THAT(status.at("next").get<std::string>(), HasSubstr("in maintenance until"));
    EXPECT_THAT(must(stage.daemon().cli({"explain"})).output, HasSubstr("new kernel"));
    EXPECT_THAT(must(stage.daemon().cli({"check"})).output, HasSubstr("in maintenance until"));

    EXPECT_THAT(told({"maintenance", "off"}), HasSubstr("ended the maintenance"));
    must(stage.daemon().wait_for_operation(generous));
    EXPECT_NE(stage.the_one_writable_server(), "db1");
    EXPECT_TRUE(was_told("maintenance_begun"));
    EXPECT_TRUE(was_told("maintenance_ended"));
}

TEST_F(Maintenance, EndsByItself) {
    EXPECT_THAT(told({"maintenance", "on", "--for", "8s"}), HasSubstr("in maintenance until"));
    must(harness::wait_until([&] { return was_told("maintenance_ended"); }, generous, "the maintenance has ended", milliseconds{100}));
    EXPECT_TRUE(stage.status().at("maintenance").is_null());
    stage.wait_until_healthy();
}

TEST_F(Maintenance, LetsAPersonFailOverWhilePaused) {
    EXPECT_THAT(told({"pause", "--reason", "looking around"}), HasSubstr("looking around"));
    stage.server("db1").kill_all();
    wait_for_reason("AutoFailoverOff");
    expect_that_nobody_is_promoted();
    std::ignore = told({"failover", "--yes"});
    EXPECT_NE(stage.the_one_writable_server(), "db1");
    EXPECT_FALSE(stage.status().at("paused").is_null()) << "an order does not end the pause";
    EXPECT_THAT(told({"resume"}), HasSubstr("resumed automation"));
    EXPECT_THAT(told({"resume"}), HasSubstr("not paused"));
    EXPECT_TRUE(stage.status().at("paused").is_null());
}

}  // namespace
}  // namespace handyrep::integration
