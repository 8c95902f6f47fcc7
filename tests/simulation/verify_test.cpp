// The rounds of `verify` that the engine makes by itself.
#include "sim/run.hpp"

#include <gtest/gtest.h>

#include <string>

namespace handyrep::sim {
namespace {

using namespace std::chrono_literals;

constexpr Duration first_round = 62s;

engine::Readiness last_round(sim::Run& run) {
    auto last = run.manager()->readiness();
    EXPECT_TRUE(last) << "no round was made";
    return last ? *std::move(last) : engine::Readiness{run.manager()->report().cluster, {}, {}, {}, {}};
}

std::string not_ok(const engine::Readiness& found) {
    std::string out;
    for (const decide::Check& it : found.checks) {
        if (it.outcome != decide::CheckOutcome::ok)
            out += it.server.text() + " " + std::string(word_for(it.name)) + " " + std::string(word_for(it.outcome)) + "\n";
    }
    return out;
}

TEST(VerifyRounds, BeginAMinuteAfterTheStartAndFindAWellKeptClusterSo) {
    sim::Run run{plain(1)};
    run.run_for(50s);
    EXPECT_FALSE(run.manager()->readiness());
    run.run_for(first_round - 50s);
    const auto found = last_round(run);
    EXPECT_EQ(not_ok(found), "");
    EXPECT_GT(found.checks.size(), 100U);
    EXPECT_TRUE(found.hosts_at) << "the first round looks everywhere";
    EXPECT_TRUE(run.manager()->report().readiness);
}

TEST(VerifyRounds, LeaveTheHostsAloneForAnHour) {
    sim::Run run{plain(1)};
    run.run_for(first_round);
    const auto first = last_round(run);
    run.run_for(5min);
    const auto later = last_round(run);
    EXPECT_GT(later.at, first.at) << "the servers are asked each minute";
    EXPECT_EQ(later.hosts_at, first.hosts_at);
    EXPECT_EQ(not_ok(later), "") << "what a host said counts until it is asked again";
    run.run_for(1h);
    EXPECT_GT(last_round(run).hosts_at, first.hosts_at);
}

TEST(VerifyRounds, FindAHostThatNoCommandReaches) {
    sim::Run run{plain(1)};
    run.run_for(8s);
    put_on_agenda(run.stage(), Fault{FaultKind::sshd_stopped, 0s, 10min, 0});
    run.run_for(2min);
    EXPECT_EQ(not_ok(last_round(run)), "db1 host_answers broken\ndb2 replication_login unknown\ndb3 replication_login unknown\n");
}

}  // namespace
}  // namespace handyrep::sim
