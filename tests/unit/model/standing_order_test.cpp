#include "model/standing_order.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace handyrep::model {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

const WallTime now = *parse_wall_time("2026-11-22T04:00:00Z");

struct StandingOrders : testing::Test {
    SavedState saved{.cluster = *ClusterName::parse("pay")};

    Result<StandingAnswer> order(decltype(StandingOrder::what) what, WallTime at = now) {
        return obey(saved, {std::move(what), "ann"}, at);
    }
    std::string refusal(decltype(StandingOrder::what) what) {
        const SavedState before = saved;
        const auto answer = order(std::move(what));
        EXPECT_EQ(saved, before) << "what is refused changes nothing";
        if (answer) return "it was done: " + answer->text;
        EXPECT_EQ(answer.error().kind, ErrorKind::invalid);
        return answer.error().what;
    }
};

TEST_F(StandingOrders, BeginAMaintenanceOfAnHourWhenNothingElseIsSaid) {
    const auto begun = order(BeginMaintenance{.reason = "new kernel"});
    ASSERT_TRUE(begun) << begun.error().text();
    EXPECT_EQ(begun->event, "maintenance_begun");
    EXPECT_EQ(
        begun->text,
        "pay is in maintenance until 2026-11-22T05:00:00Z, since 2026-11-22T04:00:00Z by ann: new kernel; nothing is done by itself until then");
    EXPECT_EQ(saved.maintenance, (Maintenance{.since = now, .until = now + 1h, .by = "ann", .reason = "new kernel"}));
    EXPECT_TRUE(saved.hands_off());
}

TEST_F(StandingOrders, GiveAMaintenanceTheEndThatIsWanted) {
    ASSERT_TRUE(order(BeginMaintenance{.lasts = 30s}));
    EXPECT_EQ(saved.maintenance->until, now + 30s);
    ASSERT_TRUE(order(BeginMaintenance{.until = now + 24h * 7})) << "the longest one";
    EXPECT_EQ(saved.maintenance->until, now + 24h * 7) << "the later order is in place of the former";
}

TEST_F(StandingOrders, RefuseAMaintenanceWithoutASensibleEnd) {
    EXPECT_THAT(refusal(BeginMaintenance{.lasts = 24h * 7 + 1s}), HasSubstr("is longer than 7 days; a pause lasts until it is resumed"));
    EXPECT_THAT(refusal(BeginMaintenance{.until = now + 24h * 7 + 1s}), HasSubstr("is more than 7 days away"));
    EXPECT_EQ(refusal(BeginMaintenance{.until = now - 1s}), "2026-11-22T03:59:59.000000Z is past: it is 2026-11-22T04:00:00.000000Z now");
    EXPECT_THAT(refusal(BeginMaintenance{.until = now}), HasSubstr("is past"));
    EXPECT_THAT(refusal(BeginMaintenance{.lasts = 0s}), HasSubstr("longer than nothing"));
    EXPECT_THAT(refusal(BeginMaintenance{.lasts = 1h, .until = now + 1h}), HasSubstr("not both"));
}

TEST_F(StandingOrders, KeepReasonsThatAreALineOfText) {
    EXPECT_THAT(refusal(BeginMaintenance{.reason = "a\nb"}), HasSubstr("one line of text"));
    EXPECT_THAT(refusal(PauseAutomation{"\x1b[2J"}), HasSubstr("one line of text"));
    EXPECT_THAT(refusal(PauseAutomation{std::string(longest_reason + 1, 'x')}), HasSubstr("at most 500"));
    EXPECT_TRUE(order(PauseAutomation{std::string(longest_reason, 'x')}));
}

TEST_F(StandingOrders, EndAMaintenanceByOrder) {
    ASSERT_TRUE(order(BeginMaintenance{}));
    const auto ended = order(EndMaintenance{});
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->event, "maintenance_ended");
    EXPECT_THAT(ended->text, HasSubstr("ann ended the maintenance; the cluster was in maintenance until 2026-11-22T05:00:00Z"));
    EXPECT_FALSE(saved.hands_off());
}

TEST_F(StandingOrders, PauseUntilResumed) {
    const auto paused = order(PauseAutomation{"looking around"});
    ASSERT_TRUE(paused);
    EXPECT_EQ(paused->event, "automation_paused");
    EXPECT_EQ(saved.paused, (Pause{.since = now, .by = "ann", .reason = "looking around"}));
    EXPECT_FALSE(expire(saved, now + 24h * 365)) << "a pause has no end of its own";
    EXPECT_TRUE(saved.hands_off());
    const auto resumed = order(ResumeAutomation{});
    ASSERT_TRUE(resumed);
    EXPECT_EQ(resumed->event, "automation_resumed");
    EXPECT_EQ(resumed->text, "ann resumed automation, which was paused since 2026-11-22T04:00:00Z by ann: looking around");
    EXPECT_FALSE(saved.hands_off());
}

TEST_F(StandingOrders, ThatChangeNothingSaySoAndAreNoMistake) {
    const auto none = order(EndMaintenance{});
    ASSERT_TRUE(none);
    EXPECT_EQ(none->event, "");
    EXPECT_EQ(none->text, "the cluster is not in maintenance: nothing to end");
    EXPECT_EQ(order(ResumeAutomation{})->text, "automation is not paused: nothing to resume");
    ASSERT_TRUE(order(PauseAutomation{"first"}));
    const auto again = order(PauseAutomation{"second"}, now + 1h);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->event, "");
    EXPECT_EQ(saved.paused->reason, "first") << "who paused it, and what for, stays";
}

TEST_F(StandingOrders, SayWhatStillHoldsWhenOneOfTwoHasEnded) {
    ASSERT_TRUE(order(BeginMaintenance{}));
    ASSERT_TRUE(order(PauseAutomation{}));
    EXPECT_THAT(order(ResumeAutomation{})->text, HasSubstr("; the cluster is still in maintenance until"));
    ASSERT_TRUE(order(PauseAutomation{}));
    EXPECT_THAT(order(EndMaintenance{})->text, HasSubstr("; automation is still paused since"));
    EXPECT_TRUE(saved.hands_off());
}

TEST_F(StandingOrders, LetAMaintenanceEndByItselfAtItsTimeAndOnce) {
    ASSERT_TRUE(order(BeginMaintenance{.lasts = 10min}));
    EXPECT_FALSE(expire(saved, now + 10min - 1us));
    EXPECT_TRUE(saved.hands_off());
    const auto ended = expire(saved, now + 10min);
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->event, "maintenance_ended");
    EXPECT_THAT(ended->text, HasSubstr("the maintenance ended by itself"));
    EXPECT_FALSE(saved.hands_off());
    EXPECT_FALSE(expire(saved, now + 11min));
}

struct DisabledServers : StandingOrders {
    DisabledServers() {
        for (const char* const name : {"db1", "db2", "db3"}) {
            ServerDefinition it{.name = *ServerName::parse(name)};
            it.enabled = true;
            it.failover_priority = 100;
            saved.servers.push_back(it);
        }
        saved.primary = *ServerName::parse("db1");
    }
    static ServerName named(const char* name) { return *ServerName::parse(name); }
};

TEST_F(DisabledServers, AreOutUntilTheyAreEnabled) {
    const auto out = order(DisableServer{.server = named("db3"), .reason = "new disks"});
    ASSERT_TRUE(out) << out.error().text();
    EXPECT_EQ(out->event, "server_disabled");
    EXPECT_EQ(out->text, "db3 is disabled since 2026-11-22T04:00:00Z by ann: new disks; it is watched and takes no part in any decision");
    ASSERT_NE(saved.disabled_by_person(named("db3")), nullptr);
    EXPECT_FALSE(saved.hands_off()) << "the rest goes on";
    EXPECT_FALSE(expire(saved, now + 24h * 365));
    const auto in = order(EnableServer{named("db3")});
    ASSERT_TRUE(in);
    EXPECT_EQ(in->event, "server_enabled");
    EXPECT_TRUE(saved.disabled.empty());
    EXPECT_EQ(order(EnableServer{named("db3")})->event, "") << "nobody disabled it";
}

TEST_F(DisabledServers, ComeBackByThemselvesAtTheirTime) {
    ASSERT_TRUE(order(DisableServer{.server = named("db2"), .lasts = 1h}));
    ASSERT_TRUE(order(DisableServer{.server = named("db3"), .lasts = 2h})) << "of several each has its own end";
    ASSERT_TRUE(order(DisableServer{.server = named("db3"), .until = now + 1h})) << "the later order is in place of the former";
    EXPECT_FALSE(expire(saved, now + 1h - 1us));
    EXPECT_TRUE(expire(saved, now + 1h));
    const auto second = expire(saved, now + 1h);
    ASSERT_TRUE(second);
    EXPECT_EQ(second->event, "server_enabled");
    EXPECT_FALSE(expire(saved, now + 1h));
}

TEST_F(DisabledServers, AreNeverThePrimaryNorOneThatMayBe) {
    const auto refused = [this](const char* name) {
        const SavedState before = saved;
        const auto answer = order(DisableServer{.server = named(name)});
        EXPECT_EQ(saved, before);
        return answer ? Error{ErrorKind::failed, answer->text} : answer.error();
    };
    EXPECT_EQ(refused("db1").kind, ErrorKind::refused);
    EXPECT_THAT(refused("db1").what, HasSubstr("holds the role of primary"));
    EXPECT_EQ(refused("db9").kind, ErrorKind::invalid);
    saved.possible_primary = PossiblePrimary{named("db2"), now};
    EXPECT_THAT(refused("db2").what, HasSubstr("was told to promote"));
    EXPECT_THAT(refusal(DisableServer{.server = named("db3"), .reason = "a\nb"}), HasSubstr("one line of text"));
    EXPECT_THAT(refusal(DisableServer{.server = named("db3"), .lasts = 24h * 8}), HasSubstr("until it is enabled"));
}

TEST_F(DisabledServers, SayWhenNobodyIsLeftToTakeOver) {
    EXPECT_THAT(order(DisableServer{.server = named("db2")})->text, Not(HasSubstr("no server is left")));
    saved.servers[1].enabled = false;  // as whoever gave the order says anew afterwards
    EXPECT_THAT(order(DisableServer{.server = named("db3")})->text, HasSubstr("no server is left that could take over"));
}

using ScheduledSwitchovers = DisabledServers;
TEST_F(ScheduledSwitchovers, HoldUntilTheirTimeOrUntilTheyAreTakenBack) {
    const auto scheduled = order(ScheduleSwitchover{.at = now + 1h, .to = named("db2")});
    ASSERT_TRUE(scheduled) << scheduled.error().text();
    EXPECT_EQ(scheduled->event, "switchover_scheduled");
    EXPECT_THAT(scheduled->text, HasSubstr("a switchover to db2 at 2026-11-22T05:00:00Z, since 2026-11-22T04:00:00Z by ann is scheduled"));
    EXPECT_THAT(order(ScheduleSwitchover{.at = now + 2h})->text, HasSubstr("in place of a switchover to db2"));
    EXPECT_FALSE(saved.scheduled->to);
    EXPECT_FALSE(saved.hands_off());
    EXPECT_EQ(order(Unschedule{})->event, "switchover_unscheduled");
    EXPECT_FALSE(saved.scheduled);
    EXPECT_EQ(order(Unschedule{})->event, "");
    EXPECT_THAT(refusal(ScheduleSwitchover{.at = now}), HasSubstr("is past"));
    EXPECT_THAT(refusal(ScheduleSwitchover{.at = now + 24h * 31}), HasSubstr("more than 30 days away"));
    EXPECT_THAT(refusal(ScheduleSwitchover{.at = now + 1h, .to = named("db9")}), HasSubstr("no server called db9"));
    EXPECT_EQ(order(ScheduleSwitchover{.at = now + 1h, .to = named("db1")}).error().kind, ErrorKind::refused);
}

}  // namespace
}  // namespace handyrep::model
