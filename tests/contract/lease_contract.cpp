// What every adapter of the port `host` does about the lease of S6: a script on the primary's node that lives apart from whoever armed
// it, and stops PostgreSQL when neither its renewals nor the replies of a listed replica were heard for the TTL.
#include "tests/contract/stage.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace handyrep::contract {
namespace {

using namespace std::chrono_literals;

constexpr Duration limit = 20s;
/// Longer than any pause of a busy machine.
constexpr Duration never = 10min;
constexpr Duration soon = 3s;

class LeaseContract : public testing::Test {
protected:
    void SetUp() override {
        // As root the servers run as postgres, who is let in by peer; another user has no role of his name.
        if (::geteuid() != 0) GTEST_SKIP() << "the owner of the data has no role of his own there";
    }
    void TearDown() override { static_cast<void>(stage->run(host().disarm_lease(stage->in(limit)))); }

    ports::Host& host() { return stage->host(Which::primary); }
    Result<model::HostLook> look() { return stage->run(host().look(stage->in(limit))); }
    std::optional<model::Answered> poll() {
        const model::HeldSight sight = stage->run(stage->postgres(Which::primary).poll(true, stage->in(limit)));
        const auto* const answer = std::get_if<model::Answered>(&sight);
        return answer != nullptr ? std::optional{*answer} : std::nullopt;
    }
    /// The replica as the primary shows it.
    model::ListedReplica replica() {
        const auto answer = poll();
        if (answer && answer->primary() != nullptr && !answer->primary()->senders.empty()) {
            const model::WalSender& sender = answer->primary()->senders.front();
            return {*model::ServerName::parse("db2"), sender.application_name, sender.address};
        }
        ADD_FAILURE() << "the replica streams from the primary";
        return {*model::ServerName::parse("db2"), "db2", ""};
    }
    Result<model::LeaseAnswer> arm(const model::LeaseTerms& terms) {
        const auto system = look();
        if (!system) return system.error();
        return stage->run(host().arm_lease(system->system_id, terms, stage->clock().now(), stage->in(limit)));
    }
    Result<model::LeaseAnswer> renew(const model::LeaseTerms& terms, std::uint64_t sequence, std::optional<Instant> sent = {}) {
        return stage->run(host().renew_lease(terms, sequence, sent.value_or(stage->clock().now()), stage->in(limit)));
    }
    void wait(Duration length) { stage->run(stage->clock().sleep_until(stage->in(length))); }
    /// How long it took; more than `most`: it runs.
    Duration stopped_after(Duration most) {
        const Instant began = stage->clock().now();
        while (stage->clock().now() - began <= most) {
            const auto seen = look();
            if (seen && seen->processes == 0) break;
            wait(50ms);
        }
        return stage->clock().now() - began;
    }
    bool runs() {
        const auto seen = look();
        return seen && seen->processes > 0;
    }

    std::unique_ptr<Stage> stage = make_stage();
};

TEST_F(LeaseContract, IsArmedAndRenewedByOneProcessThatNamesItsTtlAndWhatItMeasured) {
    const model::LeaseTerms terms{.ttl = never, .listed = {replica()}};
    const auto armed = arm(terms);
    ASSERT_TRUE(armed) << armed.error().text();
    EXPECT_GT(armed->pid, 0U);
    EXPECT_EQ(armed->ttl, never);
    EXPECT_TRUE(armed->asks) << "it sees pg_stat_replication";
    EXPECT_GE(armed->stop_time, 2s) << "an immediate stop is given two seconds before SIGKILL";
    EXPECT_LE(armed->stop_time, 30s);
    const auto renewed = renew(terms, armed->sequence + 1);
    ASSERT_TRUE(renewed) << renewed.error().text();
    EXPECT_EQ(renewed->pid, armed->pid);
    EXPECT_EQ(renewed->ttl, never);
    EXPECT_EQ(renewed->sequence, armed->sequence + 1);
    const auto disarmed = stage->run(host().disarm_lease(stage->in(limit)));
    ASSERT_TRUE(disarmed) << disarmed.error().text();
    EXPECT_EQ(disarmed->pid, armed->pid);
    const auto after = renew(terms, armed->sequence + 2);
    ASSERT_FALSE(after);
    EXPECT_EQ(after.error().kind, ErrorKind::conflict) << after.error().text();
    const auto none = stage->run(host().disarm_lease(stage->in(limit)));
    ASSERT_TRUE(none) << "taking away what is not there succeeds";
    EXPECT_EQ(none->pid, 0U);
    EXPECT_TRUE(runs());
}

TEST_F(LeaseContract, IsTakenOverByTheNextManagerUnlessItsTtlIsAnother) {
    const model::LeaseTerms terms{.ttl = never, .listed = {replica()}};
    const auto first = arm(terms);
    ASSERT_TRUE(first) << first.error().text();
    const auto second = arm(terms);
    ASSERT_TRUE(second) << second.error().text();
    EXPECT_EQ(second->pid, first->pid);
    EXPECT_GT(second->sequence, first->sequence);
    const auto third = arm({.ttl = never + 1min, .listed = terms.listed});
    ASSERT_TRUE(third) << third.error().text();
    EXPECT_NE(third->pid, first->pid);
    EXPECT_EQ(third->ttl, never + 1min);
}

TEST_F(LeaseContract, IsArmedOnlyWhereAPrimaryOfThisSystemRuns) {
    const auto system = look();
    ASSERT_TRUE(system);
    const model::LeaseTerms terms{.ttl = never};
    const auto other =
        stage->run(host().arm_lease(model::SystemId{system->system_id.value + 1}, terms, stage->clock().now(), stage->in(limit)));
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().kind, ErrorKind::refused);
    const auto standby =
        stage->run(stage->host(Which::replica).arm_lease(system->system_id, terms, stage->clock().now(), stage->in(limit)));
    ASSERT_FALSE(standby);
    EXPECT_EQ(standby.error().kind, ErrorKind::refused) << standby.error().text();
    stage->fast_stop(Which::primary);
    const auto down = arm(terms);
    ASSERT_FALSE(down);
    EXPECT_EQ(down.error().kind, ErrorKind::refused) << down.error().text();
}

TEST_F(LeaseContract, StopsAPrimaryThatNobodyListedRepliesTo) {
    model::ListedReplica elsewhere = replica();
    elsewhere.address = "192.0.2.7";  // a walsender of that name at another address keeps nothing alive
    const auto armed = arm({.ttl = soon, .listed = {elsewhere}});
    ASSERT_TRUE(armed) << armed.error().text();
    EXPECT_LT(stopped_after(limit), limit);
    const auto after = renew({.ttl = soon}, armed->sequence + 1);
    ASSERT_FALSE(after);
    EXPECT_EQ(after.error().kind, ErrorKind::conflict) << after.error().text();
}

TEST_F(LeaseContract, StopsAFrozenPrimaryToo) {
    const auto armed = arm({.ttl = soon, .listed = {replica()}});
    ASSERT_TRUE(armed) << armed.error().text();
    stage->freeze(Which::primary);
    EXPECT_LT(stopped_after(limit), limit) << "SIGKILL reaches whoever is stopped";
}

TEST_F(LeaseContract, LetsThePrimaryLiveAsLongAsAListedReplicaReplies) {
    constexpr Duration ttl = 10s;
    const auto armed = arm({.ttl = ttl, .listed = {replica()}});
    ASSERT_TRUE(armed) << armed.error().text();
    // Nobody renews it; the poll's heartbeat is WAL, which the replica confirms.
    for (const Instant until = stage->in(3 * ttl); stage->clock().now() < until; wait(200ms)) ASSERT_TRUE(poll());
    ASSERT_TRUE(runs());
    stage->kill(Which::replica);
    EXPECT_LT(stopped_after(ttl + limit), ttl + limit) << "nobody is left who replies";
}

TEST_F(LeaseContract, CountsFromTheSendingAndTakesNoSequenceTwice) {
    const Instant sent = stage->clock().now();
    const auto armed = arm({.ttl = soon});
    ASSERT_TRUE(armed) << armed.error().text();
    bool ended = false;
    for (std::uint64_t number = 1; !ended && stage->clock().now() < sent + limit; ++number) {
        // One that says when it was sent, long ago, and one that uses a number again: neither lengthens anything.
        static_cast<void>(renew({.ttl = soon}, armed->sequence + number, sent));
        static_cast<void>(renew({.ttl = soon}, armed->sequence));
        ended = !runs();
    }
    EXPECT_TRUE(ended);
}

TEST_F(LeaseContract, EndsWithACleanStopOfOurOwn) {
    const model::LeaseTerms terms{.ttl = never, .listed = {replica()}};
    const auto armed = arm(terms);
    ASSERT_TRUE(armed) << armed.error().text();
    const auto system = look();
    ASSERT_TRUE(system);
    const auto stopped = stage->run(host().stop(system->system_id, stage->in(60s)));
    ASSERT_TRUE(stopped) << stopped.error().text();
    EXPECT_EQ(stopped->left, 0U);
    const auto after = renew(terms, armed->sequence + 1);
    ASSERT_FALSE(after);
    EXPECT_EQ(after.error().kind, ErrorKind::conflict);
    const auto started = stage->run(host().start(system->system_id, ports::StartAs::primary, stage->in(60s)));
    EXPECT_TRUE(started) << started.error().text();
}

}  // namespace
}  // namespace handyrep::contract
