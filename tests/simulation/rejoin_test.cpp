// An old primary that comes back as a replica: followed or rewound, cut at every step, and gone on with by the same order.
#include "tests/simulation/scenario.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>

namespace handyrep::sim {
namespace {

using namespace std::chrono_literals;

/// db1 is killed for good, another takes over; what db1 wrote last nobody has.
struct Return : Scenario {
    explicit Return(std::uint64_t seed, std::uint64_t more = 300) : Scenario{plain(seed)} {
        run.world().kill_all(db1);
        EXPECT_TRUE(run.run_until([&] { return run.invariants().promotions() > 0 && run.settled(); }, 60s)) << story(run);
        run.run_for(15s);
        Disk& disk = run.world().at(db1).disk;
        disk.end = disk.end + model::Bytes{more};
    }

    void begin() {
        answer.reset();
        run.order({.verb = scenarios::Verb::rejoin, .to = "db1"}, [this](const std::string& refusal) { answer = refusal; });
    }
    [[nodiscard]] bool follows() {
        const Server& it = run.world().at(db1);
        return it.runs() && it.in_recovery && it.receiver && it.receiver->state == Receiver::State::streaming;
    }
    [[nodiscard]] bool told(const std::string& name) {
        return std::ranges::any_of(run.disk().events, [&](const saved::Event& it) { return it.name == name; });
    }

    std::optional<std::string> answer;
};

/// Begun, two for each of checkpoint, rewind, prepare, check and start, ended.
constexpr std::size_t records = 12;

TEST(Return, OfAnOldPrimaryThatWroteMoreIsByARewind) {
    Return it{1};
    std::size_t seen = 0;
    it.run.disk().after_append = [&seen] { ++seen; };
    it.begin();
    it.run.run_for(60s);
    ASSERT_EQ(it.answer, "") << story(it.run);
    EXPECT_EQ(seen, records);
    EXPECT_TRUE(it.follows()) << story(it.run);
    EXPECT_TRUE(it.told("diverged_wal_saved"));
    EXPECT_TRUE(it.run.world().at(db1).disk.autostart);
    EXPECT_EQ(it.run.world().at(db1).disk.rewound.phase, model::RewindPhase::none);
    EXPECT_EQ(it.broken(), "");
}

TEST(Return, OfAnOldPrimaryThatEndsAtTheForkIsAsItIs) {
    Return it{1, 0};
    Server& old = it.run.world().at(db1);
    const auto fork = it.run.world().branches.left(
        it.run.world().at(db2).is_primary() ? it.run.world().at(db2).disk.branch : it.run.world().at(db3).disk.branch, old.disk.branch);
    ASSERT_TRUE(fork);
    old.disk.end = *fork;
    it.begin();
    it.run.run_for(60s);
    ASSERT_EQ(it.answer, "") << story(it.run);
    EXPECT_TRUE(it.follows()) << story(it.run);
    EXPECT_FALSE(it.told("diverged_wal_saved"));
    EXPECT_EQ(it.broken(), "");
}

TEST(Return, IsRefusedByNameAndTouchesNothing) {
    Return it{1};
    it.run.world().at(db1).setup.wal_log_hints = false;
    it.begin();
    it.run.run_for(10s);
    ASSERT_TRUE(it.answer);
    EXPECT_NE(it.answer->find("PagesUnprotected"), std::string::npos) << *it.answer;
    EXPECT_EQ(it.run.world().at(db1).disk.rewound.phase, model::RewindPhase::none);
}

/// A lost machine in the middle of the rewriting leaves what can only be cloned, which is said, and is never started.
TEST(Return, OfAHalfRewoundServerIsRefused) {
    Return it{1};
    it.begin();
    ASSERT_TRUE(it.run.run_until([&] { return it.run.world().at(db1).disk.rewound.phase == model::RewindPhase::rewinding; }, 30s))
        << story(it.run);
    it.run.world().power_off(db1);
    it.run.run_for(90s);
    it.run.world().power_on(db1);
    it.run.world().start(db1, false);
    it.run.run_for(10s);
    EXPECT_FALSE(it.run.world().at(db1).has_processes()) << "whoever starts it";
    it.begin();
    it.run.run_for(30s);
    ASSERT_TRUE(it.answer);
    EXPECT_NE(it.answer->find("HalfRewound"), std::string::npos) << *it.answer;
    EXPECT_EQ(it.writers(), 1U);
    EXPECT_EQ(it.broken(), "");
}

class CutReturn : public testing::TestWithParam<Cut> {};

TEST_P(CutReturn, IsGoneOnWithByTheSameOrderOrRefusedAsHalfRewound) {
    for (std::size_t record = 0; record < records; ++record) {
        Return it{record + 1};
        it.strike_at(record, GetParam());
        it.begin();
        it.run.run_for(GetParam().lasts + 120s);
        EXPECT_LE(it.writers(), 1U) << "record " << record << "\n" << story(it.run);
        EXPECT_TRUE(it.run.settled()) << "record " << record << "\n" << story(it.run);
        if (!it.follows() && it.writers() == 1) {
            it.run.disk().after_append = {};
            it.begin();
            it.run.run_for(120s);
            const bool half = it.answer && it.answer->find("HalfRewound") != std::string::npos;
            EXPECT_TRUE(it.follows() || half) << "record " << record << ": " << it.answer.value_or("no answer") << "\n" << story(it.run);
        }
        EXPECT_EQ(it.broken(), "") << "record " << record;
    }
}

INSTANTIATE_TEST_SUITE_P(
    Cuts, CutReturn,
    testing::Values(
        Cut{FaultKind::manager_killed, 2s}, Cut{FaultKind::manager_stopped, 20s}, Cut{FaultKind::manager_cut_off, 20s},
        Cut{FaultKind::replica_power_loss, 20s}, Cut{FaultKind::replica_dies, 20s}, Cut{FaultKind::sshd_stopped, 20s},
        Cut{FaultKind::store_fails, 20s}, Cut{FaultKind::store_hangs, 20s}),
    [](const auto& cut) { return text(cut.param); });

Draw by_policy() {
    Draw it = plain(1);
    it.settings.auto_rejoin = true;
    return it;
}

TEST(Return, IsDoneByPolicyWithoutAnOrder) {
    Scenario it{by_policy()};
    it.run.world().kill_all(db1);
    ASSERT_TRUE(it.somebody_was_promoted_within(30s));
    const auto follows = [&] {
        const Server& old = it.run.world().at(db1);
        return old.runs() && old.receiver && old.receiver->state == Receiver::State::streaming;
    };
    EXPECT_TRUE(it.run.run_until(follows, 120s)) << story(it.run);
    it.run.run_for(10s);
    EXPECT_TRUE(it.run.settled());
    EXPECT_EQ(it.broken(), "");
}

TEST(Return, IsNotDoneByPolicyWhilePausedNorOverAndOverWhereItIsRefused) {
    Scenario it{by_policy()};
    it.run.world().at(db1).setup.wal_log_hints = false;
    it.run.world().kill_all(db1);
    ASSERT_TRUE(it.somebody_was_promoted_within(30s));
    it.run.order(model::StandingOrder{model::PauseAutomation{}, "ann"});
    const auto told = [&] {
        return std::ranges::count_if(it.run.disk().events, [](const saved::Event& event) { return event.name == "not_brought_back"; });
    };
    Disk& disk = it.run.world().at(db1).disk;
    disk.end = disk.end + model::Bytes{300};
    it.run.run_for(60s);
    EXPECT_FALSE(it.run.world().at(db1).has_processes());
    EXPECT_EQ(told(), 0);
    it.run.order(model::StandingOrder{model::ResumeAutomation{}, "ann"});
    it.run.run_for(900s);
    EXPECT_EQ(told(), 1) << "the same refusal is told once";
    EXPECT_FALSE(it.run.world().at(db1).has_processes());
}

/// The new primary dies while the old one is rewound: a failover does not wait for that.
TEST(Return, MakesWayForAFailover) {
    Return it{1};
    it.begin();
    ASSERT_TRUE(it.run.run_until([&] { return it.run.world().at(db1).rewind_runs; }, 30s)) << story(it.run);
    const auto promotions = it.run.invariants().promotions();
    it.run.world().kill_all(it.run.world().at(db2).is_primary() ? db2 : db3);
    EXPECT_TRUE(it.run.run_until([&] { return it.run.invariants().promotions() > promotions; }, 700s)) << story(it.run);
    it.run.run_for(60s);
    EXPECT_EQ(it.writers(), 1U) << story(it.run);
    EXPECT_TRUE(it.run.settled());
    EXPECT_EQ(it.broken(), "");
}

}  // namespace
}  // namespace handyrep::sim
