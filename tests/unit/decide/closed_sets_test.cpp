// Every situation and every reason is reached by evidence, each once, named; and each situation by evidence in any order.
#include "scene.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

namespace handyrep::decide::testing {

using model::DialOutcome;
using model::LastWords;

namespace {

void primary_says(Scene& it, const std::function<void(model::PrimaryAnswer&)>& change) {
    model::Answered answer = it.as_primary(Lsn{0x3000000});
    change(std::get<model::PrimaryAnswer>(answer.as));
    it.see("db1", model::HeldSight{answer});
}
void sync_shortfall(Scene& it) {
    it.healthy();
    primary_says(it, [](model::PrimaryAnswer& answer) { answer.synchronous_standby_names = "ANY 1 (db2)"; });
}
void sync_wait(Scene& it, model::SyncWait wait) {
    sync_shortfall(it);
    absorb(it.evidence, {server("db1"), it.now, model::Details{.sync_wait = wait}});
}
void returned(Scene& it) {
    it.healthy();
    it.see("db2", model::HeldSight{it.as_primary(Lsn{0x3000200}, Timeline{2})});
    it.saved.primary = server("db2");
    it.define("db1").role = model::Role::replica;
    it.define("db2").role = model::Role::primary;
    it.saved.must_be_down.push_back(
        {.server = server("db1"),
         .system_id = our_system,
         .hostname = "host-of-db1",
         .pgdata = "/data",
         .fork = {Timeline{1}, Lsn{0x3000000}},
         .successor = server("db2"),
         .successor_history = model::TimelineHistory{Timeline{2}, {{Timeline{1}, Lsn{0x3000000}}}},
         .epoch = 1});
}
void stalled_storage(Scene& it) {
    it.healthy();
    for (int look = 0; look < 12; ++look) {
        it.pass(500ms);
        primary_says(it, [](model::PrimaryAnswer& answer) { answer.inserted = Lsn{0x3000100}; });
        it.see("db1", DialOutcome::accepted);
    }
    it.attached("db2");
    it.attached("db3");
}
void recovering(Scene& it, Duration length) {
    it.healthy();
    it.lost("db1", LastWords::backend_crash);
    it.see("db1", DialOutcome::in_recovery);
    it.pass(length);
    it.see("db1", DialOutcome::in_recovery);
    it.detached("db2");
    it.detached("db3");
    it.host_answers("db1");
}
void stopped(Scene& it, Duration length) {
    it.healthy();
    it.lost("db1", LastWords::administrator);
    it.pass(length);
    it.refused_twice();
    it.detached("db2");
    it.detached("db3");
    it.host_answers("db1", model::ControlState::shut_down, 0);
}
void stalled(Scene& it, Duration length) {
    it.primary_vanished(length);
    it.see("db1", DialOutcome::startup_timeout);
    it.detached("db2");
    it.detached("db3");
}
void some_lost(Scene& it) {
    it.primary_killed();
    it.lost("db3", LastWords::none);
}

struct SituationRow {
    Situation situation;
    void (*make)(Scene&);
};
const std::vector<SituationRow>& situation_rows() {
    static const std::vector<SituationRow> out{
        {Situation::unknown, [](Scene& it) { it.primary_answers(); }},
        {Situation::healthy, [](Scene& it) { it.healthy(); }},
        {Situation::manager_isolated,
         [](Scene& it) {
             it.healthy();
             const Instant since = it.now;
             it.pass(4s);
             for (const auto* const name : {"db1", "db2", "db3"}) {
                 it.silent(name, since);
                 it.see(name, DialOutcome::connect_timeout);
             }
             it.pass(3s);
         }},
        {Situation::two_primaries,
         [](Scene& it) {
             it.healthy();
             it.see("db2", model::HeldSight{it.as_primary(Lsn{0x3000200}, Timeline{2})});
         }},
        {Situation::old_primary_returned, [](Scene& it) { returned(it); }},
        {Situation::no_writable_primary,
         [](Scene& it) {
             it.healthy();
             it.see("db1", model::HeldSight{it.as_standby(Lsn{0x3000000}, std::nullopt)});
         }},
        {Situation::primary_read_only,
         [](Scene& it) {
             it.healthy();
             primary_says(it, [](model::PrimaryAnswer& answer) { answer.read_only = true; });
         }},
        {Situation::storage_stalled, stalled_storage},
        {Situation::sync_commit_blocked, [](Scene& it) { sync_wait(it, {.backends = 3, .oldest = 10s}); }},
        {Situation::sync_commit_blocked_suspect, [](Scene& it) { sync_wait(it, {.backends = 3, .oldest = 9s}); }},
        {Situation::connections_exhausted,
         [](Scene& it) {
             it.healthy();
             it.see("db1", DialOutcome::too_many_connections);
         }},
        {Situation::auth_broken,
         [](Scene& it) {
             it.healthy();
             it.see("db1", DialOutcome::authentication_failed);
         }},
        {Situation::postmaster_hung,
         [](Scene& it) {
             it.healthy();
             it.new_sessions_are_mute(4s);
         }},
        {Situation::listener_or_firewall,
         [](Scene& it) {
             it.healthy();
             it.see("db1", DialOutcome::refused);
         }},
        {Situation::primary_shut_down_cleanly, [](Scene& it) { stopped(it, 1s); }},
        {Situation::primary_crash_recovery, [](Scene& it) { recovering(it, 1s); }},
        {Situation::primary_unreachable_from_here,
         [](Scene& it) {
             it.primary_killed();
             it.attached("db2");
         }},
        {Situation::all_dark,
         [](Scene& it) {
             it.primary_killed();
             for (const auto* const name : {"db2", "db3"}) {
                 it.lost(name, LastWords::none);
                 it.see(name, DialOutcome::refused);
             }
         }},
        {Situation::primary_stalled, [](Scene& it) { stalled(it, 4s); }},
        {Situation::primary_dead_no_replicas,
         [](Scene& it) {
             it.primary_killed();
             it.define("db2").enabled = false;
             it.define("db3").enabled = false;
         }},
        {Situation::primary_dead_some_replicas_lost, some_lost},
        {Situation::primary_dead, [](Scene& it) { it.primary_killed(); }},
    };
    return out;
}

struct ReasonRow {
    Reason reason;
    void (*make)(Scene&);
};
const std::vector<ReasonRow>& reason_rows() {
    static const std::vector<ReasonRow> out{
        {Reason::primary_answers, [](Scene& it) { it.healthy(); }},
        {Reason::first_look_incomplete, [](Scene& it) { it.primary_answers(); }},
        {Reason::suspicion_too_young,
         [](Scene& it) {
             it.healthy();
             it.lost("db1", LastWords::none);
         }},
        {Reason::situation_holds, [](Scene& it) { sync_shortfall(it); }},
        {Reason::waiting_for_grace, some_lost},
        {Reason::needs_real_fence, [](Scene& it) { stalled(it, 6s); }},
        {Reason::writable_sighting,
         [](Scene& it) {
             it.settings.silence_timeout = 1s;
             it.primary_vanished(1500ms);
             it.detached("db2");
             it.detached("db3");
         }},
        {Reason::auto_failover_off,
         [](Scene& it) {
             it.primary_killed();
             it.settings.auto_failover = false;
         }},
        {Reason::maintenance,
         [](Scene& it) {
             it.primary_killed();
             it.guards.maintenance = true;
         }},
        {Reason::cooldown,
         [](Scene& it) {
             it.primary_killed();
             it.guards.cooldown_left = 1min;
         }},
        {Reason::provisional_start,
         [](Scene& it) {
             it.primary_killed();
             it.guards.provisional = true;
         }},
        {Reason::possible_primary_unresolved,
         [](Scene& it) {
             it.primary_killed();
             it.saved.possible_primary = model::PossiblePrimary{server("db3"), {}};
         }},
        {Reason::operation_running,
         [](Scene& it) {
             it.primary_killed();
             it.guards.operation_running = true;
         }},
        {Reason::journal_unavailable,
         [](Scene& it) {
             it.primary_killed();
             it.guards.journal_available = false;
         }},
        {Reason::recently_refused,
         [](Scene& it) {
             it.primary_killed();
             it.guards.refused = model::Refusal{.until = it.now + 1s};
         }},
        {Reason::no_eligible_replica,
         [](Scene& it) {
             it.primary_killed();
             it.define("db2").failover_priority = 0;
             it.define("db3").failover_priority = 0;
         }},
        {Reason::fence_gate_closed,
         [](Scene& it) {
             it.settings.fencing = model::Fencing::strict;
             it.primary_vanished(5s);
         }},
        {Reason::durability_gate_closed,
         [](Scene& it) {
             it.settings.max_lag_on_failover = model::Bytes{1};
             it.primary_killed();
             for (const auto* const name : {"db2", "db3"}) it.detached(name, Lsn{0x2000000});
         }},
        {Reason::primary_is_dead, [](Scene& it) { it.primary_killed(); }},
        {Reason::crash_recovery_overran, [](Scene& it) { recovering(it, 16s); }},
        {Reason::planned_stop_overran, [](Scene& it) { stopped(it, 61s); }},
        {Reason::stall_overran,
         [](Scene& it) {
             stalled(it, 6s);
             it.host_answers("db1");
             it.pass(it.settings.connect_timeout);
             it.see("db1", DialOutcome::startup_timeout);
         }},
        {Reason::returned_primary_must_stop, [](Scene& it) { returned(it); }},
    };
    return out;
}

}  // namespace

class SituationTable : public ::testing::TestWithParam<SituationRow> {};
TEST_P(SituationTable, IsReachedByItsEvidence) {
    Scene scene;
    GetParam().make(scene);
    EXPECT_EQ(scene.analysis().situation, GetParam().situation) << scene.analysis().detail;
}
INSTANTIATE_TEST_SUITE_P(Situations, SituationTable, ::testing::ValuesIn(situation_rows()), [](const auto& row) {
    return std::string(word_for(row.param.situation));
});

class ReasonTable : public ::testing::TestWithParam<ReasonRow> {};
TEST_P(ReasonTable, IsReachedByItsEvidence) {
    Scene scene;
    GetParam().make(scene);
    EXPECT_EQ(scene.reason(), GetParam().reason) << scene.text();
}
INSTANTIATE_TEST_SUITE_P(Reasons, ReasonTable, ::testing::ValuesIn(reason_rows()), [](const auto& row) {
    return std::string(word_for(row.param.reason));
});

TEST(ClosedSets, AreReachedWhole) {
    for (const Situation it : all_situations)
        EXPECT_TRUE(std::ranges::find(situation_rows(), it, &SituationRow::situation) != situation_rows().end()) << word_for(it);
    for (const Reason it : all_reasons) {
        if (it == Reason::ordered_by_person) continue;  // by decide_order, never by decide
        EXPECT_TRUE(std::ranges::find(reason_rows(), it, &ReasonRow::reason) != reason_rows().end()) << word_for(it);
    }
}

/// What the sensors of different servers saw at one time may arrive in any order.
TEST(Situation, DoesNotDependOnTheOrderInWhichOneMomentsSightsArrive) {
    Scene before;
    before.healthy();
    before.pass(200ms);
    before.lost("db1", LastWords::postmaster_died);
    before.pass(10ms);
    before.see("db1", DialOutcome::refused);
    before.pass(10ms);
    const std::vector<std::function<void(Scene&)>> sights{
        [](Scene& it) { it.see("db1", DialOutcome::refused); },
        [](Scene& it) { it.see("db1", model::HeldSight{model::NotOpen{DialOutcome::refused, ""}}); }, [](Scene& it) { it.detached("db2"); },
        [](Scene& it) { it.detached("db3"); }, [](Scene& it) { it.host_answers("db1", model::ControlState::in_production, 0); }};
    std::vector<std::size_t> order{0, 1, 2, 3, 4};
    do {
        Scene scene;
        scene.evidence = before.evidence;
        scene.now = before.now;
        for (const std::size_t at : order) sights[at](scene);
        EXPECT_EQ(scene.analysis().situation, Situation::primary_dead);
        EXPECT_EQ(scene.reason(), Reason::primary_is_dead);
    } while (std::ranges::next_permutation(order).found);
}

TEST(Situation, IsNeverActedOnWhileAnySightOfADeathIsMissing) {
    for (std::size_t missing = 0; missing < 4; ++missing) {
        Scene scene;
        scene.healthy();
        scene.pass(200ms);
        if (missing != 0) scene.lost("db1", LastWords::postmaster_died);
        if (missing != 1) scene.refused_twice();
        if (missing != 2) scene.detached("db2");
        if (missing != 3) scene.detached("db3");
        scene.see("db1", DialOutcome::refused);
        if (missing == 0) scene.primary_answers();
        EXPECT_FALSE(std::holds_alternative<FailOver>(scene.decision())) << missing;
    }
}

TEST(Situation, IsNoWritablePrimaryWhenThePrimarysAddressLeadsToAnotherSystem) {
    Scene scene;
    scene.healthy();
    auto stranger = scene.as_primary(Lsn{0x9000000});
    stranger.system_id = model::SystemId{42};
    scene.see("db1", model::HeldSight{stranger});
    EXPECT_EQ(scene.analysis().situation, Situation::no_writable_primary);
    EXPECT_TRUE(scene.finds(FindingKind::foreign_system));
    EXPECT_EQ(scene.reason(), Reason::situation_holds);
}

TEST(Situation, IsNoWritablePrimaryWhenNobodyHoldsTheRole) {
    Scene scene;
    scene.healthy();
    scene.saved.primary.reset();
    EXPECT_EQ(scene.analysis().situation, Situation::no_writable_primary);
}

TEST(Situation, IsHealthyWithAFindingWhenNobodyWaitsForAMissingSynchronousStandby) {
    Scene scene;
    sync_wait(scene, {});
    EXPECT_EQ(scene.analysis().situation, Situation::healthy);
    EXPECT_TRUE(scene.finds(FindingKind::sync_shortfall));
}

TEST(Situation, PutsReadOnlyBeforeAStalledStorage) {
    Scene scene;
    stalled_storage(scene);
    primary_says(scene, [](model::PrimaryAnswer& answer) {
        answer.inserted = Lsn{0x3000100};
        answer.read_only = true;
    });
    EXPECT_EQ(scene.analysis().situation, Situation::primary_read_only);
}

TEST(Doubt, KeepsTheVetoOfAWritableSighting) {
    Scene scene;
    scene.healthy();
    scene.pass(200ms);
    scene.see("db1", model::HeldSight{scene.as_primary(Lsn{0x3000100})});
    ASSERT_TRUE(scene.analysis().writable_sighting);
    scene.pass(500ms);
    discard(scene.evidence, scene.now);
    EXPECT_TRUE(scene.analysis().writable_sighting);
    scene.pass(scene.settings.witness_freshness);
    EXPECT_FALSE(scene.analysis().writable_sighting);
}

TEST(Doubt, CountsSilenceAnewAfterTheEvidenceWasDiscarded) {
    Scene scene;
    scene.primary_vanished(5s);
    ASSERT_EQ(scene.analysis().situation, Situation::primary_dead);
    const Instant long_ago = scene.now - 5s;
    discard(scene.evidence, scene.now);
    EXPECT_EQ(scene.analysis().situation, Situation::unknown);
    for (int look = 0; look < 3; ++look) {
        scene.pass(900ms);
        scene.silent("db1", long_ago);
        scene.see("db1", DialOutcome::connect_timeout);
        scene.detached("db2");
        scene.detached("db3");
    }
    EXPECT_EQ(scene.analysis().situation, Situation::healthy) << "2.7 s of silence since, and 3 s are asked for";
    EXPECT_EQ(scene.reason(), Reason::suspicion_too_young);
}

}  // namespace handyrep::decide::testing
