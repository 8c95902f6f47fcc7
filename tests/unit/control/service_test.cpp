#include "control/service.hpp"
#include "tests/unit/control/recorded_source.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <optional>

namespace handyrep::control {
namespace {

/// Stands still: nothing here waits.
class StillClock final : public ports::Clock {
public:
    [[nodiscard]] Instant now() const override { return Instant{}; }
    [[nodiscard]] Instant boot_now() const override { return Instant{}; }
    [[nodiscard]] WallTime wall() const override { return WallTime{}; }
    using Clock::wait;
    asio::awaitable<void> sleep_until(Instant /*when*/) override { co_return; }
    asio::awaitable<bool> wait(ports::Bell& /*bell*/, std::uint64_t /*heard*/, Instant /*until*/) override { co_return false; }
};

template <class T>
asio::awaitable<void> keep(Async<T> question, std::optional<Result<T>>& answer) {
    answer = co_await std::move(question);
}

template <class T>
Result<T> answer_of(Async<T> question) {
    asio::io_context loop;
    std::optional<Result<T>> answer;
    asio::co_spawn(loop, keep(std::move(question), answer), [](const std::exception_ptr& thrown) { EXPECT_FALSE(thrown); });
    loop.run();
    return answer ? *answer : Result<T>(Error{ErrorKind::failed, "it did not end"});
}

class ServiceTest : public testing::Test {
public:
    ServiceTest() { service.add(cluster_name("pay"), source); }

    StillClock clock;
    RecordedSource source;
    Service service{clock, Versions{"0.1.0", "15.20"}};
    Caller ann{"ann", Access::admin, "10.0.0.7"};
    Caller bob{"bob", Access::read, ""};
};

TEST_F(ServiceTest, LetsAReaderAskEverything) {
    EXPECT_TRUE(service.status(bob, {}));
    EXPECT_TRUE(service.check(bob, {}));
    EXPECT_TRUE(service.version(bob));
    const auto recording = service.recording(bob, {});
    ASSERT_TRUE(recording);
    EXPECT_EQ(recording->handyrep, "0.1.0");
    EXPECT_EQ(recording->moments.size(), 2U);
    EXPECT_FALSE(service.recording(bob, "other"));
    EXPECT_TRUE(answer_of(service.events(bob, {}, 3)));
}

TEST_F(ServiceTest, LetsAReaderOrderNothing) {
    const auto failover = answer_of(service.order(bob, {}, engine::FailoverWanted{}, true));
    ASSERT_FALSE(failover);
    EXPECT_EQ(failover.error().kind, ErrorKind::denied);
    const auto switchover = answer_of(service.order(bob, {}, decide::SwitchoverWanted{}, true));
    ASSERT_FALSE(switchover);
    EXPECT_EQ(switchover.error().kind, ErrorKind::denied);
    const auto follow = answer_of(service.order(bob, {}, decide::FollowWanted{}, true));
    ASSERT_FALSE(follow);
    EXPECT_EQ(follow.error().kind, ErrorKind::denied);
    const auto called_off = service.cancel(bob, {}, 7);
    ASSERT_FALSE(called_off);
    EXPECT_EQ(called_off.error().kind, ErrorKind::denied);
    const auto acknowledged = answer_of(service.acknowledge(bob, {}));
    ASSERT_FALSE(acknowledged);
    EXPECT_EQ(acknowledged.error().kind, ErrorKind::denied);
    for (const StandingRequest& request : std::vector<StandingRequest>{
             model::BeginMaintenance{}, model::EndMaintenance{}, model::PauseAutomation{}, model::ResumeAutomation{}})
        EXPECT_EQ(answer_of(service.obey(bob, {}, request)).error().kind, ErrorKind::denied);
    EXPECT_TRUE(source.orders.empty());
    EXPECT_TRUE(source.called_off.empty());
    EXPECT_TRUE(source.acknowledged_by.empty());
    EXPECT_TRUE(source.standing.empty());
}

TEST_F(ServiceTest, HandsAnAdminsMaintenanceOnWithHisName) {
    const auto begun = answer_of(service.obey(ann, "pay", model::BeginMaintenance{.lasts = std::chrono::minutes{5}}));
    ASSERT_TRUE(begun) << begun.error().text();
    EXPECT_EQ(begun->event, "maintenance_begun");
    ASSERT_EQ(source.standing.size(), 1U);
    EXPECT_EQ(source.standing[0].by, "ann from 10.0.0.7");
    EXPECT_EQ(source.saved.maintenance->until - source.saved.maintenance->since, std::chrono::minutes{5});
    EXPECT_EQ(answer_of(service.obey(ann, "other", model::PauseAutomation{})).error().kind, ErrorKind::invalid);
}

TEST_F(ServiceTest, TellsTheClusterWhoOrderedAndFromWhere) {
    ASSERT_TRUE(answer_of(service.order(ann, {}, engine::FailoverWanted{.to = server_name("db2")}, false)));
    ASSERT_EQ(source.orders.size(), 1U);
    EXPECT_EQ(source.orders[0].by, "ann from 10.0.0.7");
    EXPECT_EQ(std::get<engine::FailoverWanted>(source.orders[0].what).to, server_name("db2"));
    EXPECT_FALSE(source.orders[0].dry_run);
}

TEST_F(ServiceTest, HandsASwitchoverOn) {
    const decide::SwitchoverWanted given{.to = server_name("db2"), .drop_logical = true};
    ASSERT_TRUE(answer_of(service.order(ann, {}, given, true)));
    ASSERT_EQ(source.orders.size(), 1U);
    const auto& wanted = std::get<decide::SwitchoverWanted>(source.orders[0].what);
    EXPECT_EQ(wanted.to, server_name("db2"));
    EXPECT_TRUE(wanted.drop_logical && source.orders[0].dry_run);
}

TEST_F(ServiceTest, CallsAnOperationOffInTheNameOfWhoAsks) {
    ASSERT_TRUE(service.cancel(ann, "pay", 7));
    ASSERT_EQ(source.called_off.size(), 1U);
    EXPECT_EQ(source.called_off[0].first, 7U);
    EXPECT_EQ(source.called_off[0].second, "ann from 10.0.0.7");
    EXPECT_EQ(service.cancel(ann, "other", 7).error().kind, ErrorKind::invalid);
}

TEST_F(ServiceTest, AsksWhichClusterIsMeantWhereThereAreTwo) {
    RecordedSource other;
    service.add(cluster_name("web"), other);
    EXPECT_FALSE(service.status(bob, {}));
    EXPECT_TRUE(service.status(bob, "web"));
    const auto unknown = service.status(bob, "wbe");
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().text(), "there is no cluster 'wbe' here, only: pay, web");
}

TEST_F(ServiceTest, NeverAsksForMoreEventsThanItsLimit) {
    const auto events = answer_of(service.events(bob, {}, 2));
    ASSERT_TRUE(events);
    EXPECT_EQ(events->size(), 2U);
}

TEST_F(ServiceTest, VerifiesForAnAdminAndShowsTheLastRoundToEverybody) {
    EXPECT_EQ(service.readiness(bob, {}, {}).error().kind, ErrorKind::refused) << "nothing was verified yet";
    EXPECT_EQ(answer_of(service.verify(bob, {}, {})).error().kind, ErrorKind::denied);
    EXPECT_EQ(source.verified, 0);
    const auto found = answer_of(service.verify(ann, {}, {}));
    ASSERT_TRUE(found) << found.error().text();
    EXPECT_EQ(found->checks.size(), 2U);
    EXPECT_TRUE(service.readiness(bob, {}, {}));
}

TEST_F(ServiceTest, AnswersTheChecksOfOneServer) {
    const auto found = answer_of(service.verify(ann, {}, "db2"));
    ASSERT_TRUE(found) << found.error().text();
    ASSERT_EQ(found->checks.size(), 1U);
    EXPECT_EQ(found->checks.front().server.text(), "db2");
    const auto wrong = answer_of(service.verify(ann, {}, "db9"));
    EXPECT_EQ(wrong.error().kind, ErrorKind::invalid);
    EXPECT_EQ(source.verified, 1) << "nothing is looked at for a server that nobody knows";
}

}  // namespace
}  // namespace handyrep::control
