// What a person's maintenance and pause hold back in the engine, and what they do not. The stories tell the rest.
#include "sim/clock.hpp"
#include "sim/run.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace handyrep::sim {
namespace {

using namespace std::chrono_literals;

struct HeldBack : testing::Test {
    HeldBack() { run.run_for(8s); }

    void strike(FaultKind kind, Duration lasts) { put_on_agenda(run.stage(), Fault{kind, 0s, lasts, 0}); }
    void begin_maintenance(Duration lasts) { run.order({.what = model::BeginMaintenance{.lasts = lasts, .until = {}}, .by = "ann"}); }
    [[nodiscard]] std::ptrdiff_t told(std::string_view event) { return std::ranges::count(run.disk().events, event, &saved::Event::name); }
    [[nodiscard]] engine::ClusterReport report() const { return run.manager()->report(); }

    sim::Run run{plain(1)};
};

TEST_F(HeldBack, ClusterThatIsWellIsAWarningAndSaysWhy) {
    ASSERT_EQ(report().status, model::ClusterStatus::healthy);
    begin_maintenance(10min);
    run.run_for(1s);
    EXPECT_EQ(report().status, model::ClusterStatus::warning);
    EXPECT_EQ(report().automation.find("in maintenance until "), 0U) << report().automation;
    run.order({.what = model::PauseAutomation{"looking"}, .by = "bob"});
    run.run_for(1s);
    EXPECT_NE(report().automation.find("; paused since "), std::string::npos) << report().automation;
    run.order({.what = model::EndMaintenance{}, .by = "ann"});
    run.order({.what = model::ResumeAutomation{}, .by = "ann"});
    run.run_for(1s);
    EXPECT_EQ(report().status, model::ClusterStatus::healthy);
    EXPECT_EQ(report().automation, "on");
}

TEST_F(HeldBack, ReceiverIsNotToldToConnectAnew) {
    begin_maintenance(10min);
    run.run_for(1s);
    strike(FaultKind::isolate_primary, 30s);
    run.run_for(28s);
    EXPECT_EQ(told("redialled"), 0);
    EXPECT_EQ(run.invariants().failovers_begun(), 0U);

    sim::Run free{plain(1)};
    free.run_for(9s);
    put_on_agenda(free.stage(), Fault{FaultKind::isolate_primary, 0s, 30s, 0});
    free.run_for(28s);
    EXPECT_GT(std::ranges::count(free.disk().events, "redialled", &saved::Event::name), 0) << "the same without maintenance";
}

TEST_F(HeldBack, FailoverThatRunsIsCarriedToItsEnd) {
    run.disk().after_append = [this] {
        const saved::JournalRecord& record = run.disk().records.back();
        if (record.step == "read final positions" && record.entry == saved::JournalEntry::starting && told("automation_paused") == 0)
            run.order({.what = model::PauseAutomation{}, .by = "ann"});
    };
    strike(FaultKind::kill_primary, 60s);
    EXPECT_TRUE(run.run_until([this] { return run.invariants().promotions() > 0; }, 10s)) << "half a failover helps nobody";
    run.run_for(10s);
    EXPECT_TRUE(run.settled());
    EXPECT_EQ(told("automation_paused"), 1);
    EXPECT_TRUE(report().paused) << "and from then on it holds";
}

TEST_F(HeldBack, MaintenanceThatEndedWhileTheManagerWasDeadIsEndedByTheNext) {
    begin_maintenance(20s);
    run.run_for(1s);
    run.kill_manager();
    run.run_for(60s);
    EXPECT_EQ(told("maintenance_ended"), 0);
    run.start_manager();
    run.run_for(5s);
    EXPECT_EQ(told("maintenance_ended"), 1);
    EXPECT_FALSE(report().maintenance);
    strike(FaultKind::kill_primary, 60s);
    EXPECT_TRUE(run.run_until([this] { return run.invariants().promotions() > 0; }, 10s));
}

/// The wall clock of a run is the manager's machine's.
struct Scheduled : HeldBack {
    void schedule(Duration ahead) {
        const WallTime at = SimClock::wall_of(run.world().agenda.now()) + std::chrono::duration_cast<std::chrono::microseconds>(ahead);
        run.order({.what = model::ScheduleSwitchover{.at = at}, .by = "ann"});
        run.run_for(1s);
    }
};

TEST_F(Scheduled, SwitchoverTakesPlaceAtItsTimeAndOnce) {
    schedule(20s);
    EXPECT_EQ(told("switchover_scheduled"), 1);
    EXPECT_TRUE(report().scheduled);
    run.run_for(15s);
    EXPECT_EQ(told("promoted"), 0);
    run.run_for(60s);
    EXPECT_EQ(told("promoted"), 1);
    EXPECT_FALSE(report().scheduled);
    run.run_for(120s);
    EXPECT_EQ(told("promoted"), 1);
    EXPECT_EQ(told("switchover_missed"), 0);
}

TEST_F(Scheduled, SwitchoverIsMissedByAManagerThatWasDownForLonger) {
    schedule(20s);
    run.kill_manager();
    run.run_for(120s);
    run.start_manager();
    run.run_for(30s);
    EXPECT_EQ(told("promoted"), 0);
    EXPECT_EQ(told("switchover_missed"), 1);
    EXPECT_FALSE(report().scheduled);
}

TEST_F(Scheduled, SwitchoverIsHeldByALaterLifeThatIsThereInTime) {
    schedule(40s);
    run.kill_manager();
    run.run_for(10s);
    run.start_manager();
    run.run_for(90s);
    EXPECT_EQ(told("promoted"), 1);
}

}  // namespace
}  // namespace handyrep::sim
