// Every finding, by the evidence that makes it; and beside it the evidence that does not.
#include "scene.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace handyrep::decide::testing {

using model::DialOutcome;
using model::LastWords;

namespace {

struct FindingScene : Scene {
    FindingScene() { healthy(); }

    void tell(std::string_view name, model::Details details) { absorb(evidence, {server(name), now, std::move(details)}); }
    /// It follows another server than db1.
    void cascaded(std::string_view name, std::string_view upstream, Duration age = 100ms) {
        see(name,
            model::HeldSight{as_standby(Lsn{0x3000000}, model::WalReceiver{"streaming", "host-of-" + std::string(upstream), 5432, age})});
    }
    void follows(std::string_view name, std::string_view upstream) {
        saved.upstream_settings.push_back(
            {server(name), "user=rep host=host-of-" + std::string(upstream) + " port=5432 application_name=" + std::string(name)});
    }
    void dead(std::string_view name) {
        lost(name, LastWords::none);
        see(name, DialOutcome::connect_timeout);
    }
    void remove(std::string_view name) { define(name).enabled = false; }
    void answer_as_primary(auto change) {
        model::Answered answer = as_primary(Lsn{0x3000000});
        change(std::get<model::PrimaryAnswer>(answer.as));
        see("db1", model::HeldSight{answer});
    }
    void synchronous(std::string_view setting, std::vector<model::WalSender> senders) {
        answer_as_primary([&](model::PrimaryAnswer& it) {
            it.synchronous_standby_names = setting;
            it.senders = std::move(senders);
        });
    }
    /// A third replica, streaming.
    void with_db4() {
        add("db4", "host-of-db4");
        attached("db4");
        see("db4", DialOutcome::accepted);
    }
};

struct Row {
    FindingKind kind;
    void (*make)(FindingScene&);    // the finding is there
    void (*unmake)(FindingScene&);  // and with this instead it is not
};

const std::vector<Row>& rows() {
    static const std::vector<Row> out{
        {FindingKind::replica_detached, [](FindingScene& it) { it.detached("db2"); }, [](FindingScene& it) { it.attached("db2"); }},
        {FindingKind::replica_dead, [](FindingScene& it) { it.dead("db2"); }, [](FindingScene& it) { it.detached("db2"); }},
        {FindingKind::replica_lagged, [](FindingScene& it) { it.primary_answers(Lsn{0x3000000 + (17U << 20U)}); },
         [](FindingScene& it) { it.primary_answers(Lsn{0x3000000 + (15U << 20U)}); }},
        {FindingKind::replica_cannot_reach_primary,
         [](FindingScene& it) {
             it.detached("db2");
             it.pass(11s);
             it.primary_answers();
             it.detached("db2");
         },
         [](FindingScene& it) {
             it.detached("db2");
             it.pass(9s);
             it.primary_answers();
             it.detached("db2");
         }},
        {FindingKind::diverged_replica,
         [](FindingScene& it) {
             it.answer_as_primary([](model::PrimaryAnswer& answer) {
                 answer.timeline = Timeline{2};
                 answer.history = model::TimelineHistory{Timeline{2}, {{Timeline{1}, Lsn{0x2FFFFF0}}}};
             });
         },
         [](FindingScene& it) {  // received past the fork, replayed up to it: half a record is no divergence (S11)
             it.answer_as_primary([](model::PrimaryAnswer& answer) {
                 answer.timeline = Timeline{2};
                 answer.history = model::TimelineHistory{Timeline{2}, {{Timeline{1}, Lsn{0x2FFFFF0}}}};
             });
             for (const auto* const name : {"db2", "db3"}) {
                 model::Answered answer = it.as_standby(Lsn{0x3000000}, std::nullopt);
                 std::get<model::StandbyAnswer>(answer.as).replayed = Lsn{0x2FFFFF0};
                 it.see(name, model::HeldSight{answer});
             }
         }},
        {FindingKind::timeline_drift,
         [](FindingScene& it) {
             it.answer_as_primary([](model::PrimaryAnswer& answer) {
                 answer.timeline = Timeline{2};
                 answer.history = model::TimelineHistory{Timeline{2}, {{Timeline{1}, Lsn{0x3000000}}}};
             });
         },
         [](FindingScene& it) { it.tell("db2", {.recovery_target_timeline = "latest"}); }},
        {FindingKind::foreign_system,
         [](FindingScene& it) {
             model::Answered answer = it.as_standby(Lsn{1}, std::nullopt);
             answer.system_id = model::SystemId{1};
             it.see("db2", model::HeldSight{answer});
         },
         [](FindingScene& it) { it.detached("db2"); }},
        {FindingKind::went_back, [](FindingScene& it) { it.saved.highest = {{server("db1"), {Timeline{1}, Lsn{0x3000001}}}}; },
         [](FindingScene& it) {  // a standby may fall back to the start of a segment (T2)
             it.saved.highest = {
                 {server("db1"), {Timeline{1}, Lsn{0x3000000}}}, {server("db2"), {Timeline{1}, Lsn{0x3000000 + (15U << 20U)}}}};
         }},
        {FindingKind::version_unknown,
         [](FindingScene& it) {
             model::Answered answer = it.as_standby(Lsn{0x3000000}, Scene::streaming());
             answer.version = model::ServerVersion{190001};
             it.see("db2", model::HeldSight{answer});
         },
         [](FindingScene& it) {
             model::Answered answer = it.as_standby(Lsn{0x3000000}, Scene::streaming());
             answer.version = model::ServerVersion{180003};
             it.see("db2", model::HeldSight{answer});
         }},
        {FindingKind::primary_suspected,
         [](FindingScene& it) {
             it.pass(10ms);
             it.lost("db1", LastWords::none);
         },
         [](FindingScene& it) { it.primary_answers(); }},
        {FindingKind::session_lost,
         [](FindingScene& it) {
             it.lost("db1", LastWords::none);
             it.pass(10ms);
             it.see("db1", DialOutcome::accepted);
         },
         [](FindingScene& it) {
             it.pass(10ms);
             it.lost("db1", LastWords::none);
         }},
        {FindingKind::host_unreachable, [](FindingScene& it) { it.host_is_mute("db2"); }, [](FindingScene& it) { it.host_answers("db2"); }},
        {FindingKind::access_refused, [](FindingScene& it) { it.see("db2", DialOutcome::authentication_failed); },
         [](FindingScene& it) { it.see("db2", DialOutcome::refused); }},
        {FindingKind::look_refused, [](FindingScene& it) { it.see("db2", model::HeldSight{model::Complained{"42501", "no"}}); },
         [](FindingScene& it) { it.attached("db2"); }},
        {FindingKind::barred_server_down,
         [](FindingScene& it) {
             it.saved.must_be_down.push_back(
                 {.server = server("db3"),
                  .system_id = our_system,
                  .hostname = {},
                  .pgdata = {},
                  .fork = {Timeline{1}, Lsn{1}},
                  .successor = server("db1"),
                  .successor_history = {Timeline{2}, {{Timeline{1}, Lsn{1}}}},
                  .epoch = 1});
         },
         [](FindingScene& it) { it.dead("db3"); }},
        {FindingKind::possible_primary, [](FindingScene& it) { it.saved.possible_primary = model::PossiblePrimary{server("db3"), {}}; },
         [](FindingScene& it) { it.attached("db3"); }},
        {FindingKind::never_read, [](FindingScene& it) { it.add("db4", "host-of-db4"); }, [](FindingScene& it) { it.with_db4(); }},
        {FindingKind::disk_full,
         [](FindingScene& it) {
             it.see(
                 "db2", model::HostSight{model::HostLook{
                            our_system,
                            model::ControlState::in_production,
                            6,
                            false,
                            {},
                            model::Room{model::Bytes{100ULL << 30U}, model::Bytes{4ULL << 30U}}}});
         },
         [](FindingScene& it) {  // 12 GB of 2 TB is little of much, and plenty
             it.see(
                 "db2", model::HostSight{model::HostLook{
                            our_system,
                            model::ControlState::in_production,
                            6,
                            false,
                            model::Room{model::Bytes{2ULL << 40U}, model::Bytes{12ULL << 30U}},
                            {}}});
         }},
        {FindingKind::slot_inactive,
         [](FindingScene& it) {
             it.tell("db1", {.slots = {{.name = "older", .restart = Lsn{0}}}});
             it.primary_answers(Lsn{80U << 20U});
         },
         [](FindingScene& it) {
             it.tell("db1", {.slots = {{.name = "used", .active = true, .restart = Lsn{0}}}});
             it.primary_answers(Lsn{80U << 20U});
         }},
        {FindingKind::slot_at_risk,
         [](FindingScene& it) {
             it.tell("db1", {.slots = {{.name = "s", .active = true, .restart = Lsn{1}, .safe_size = model::Bytes{1U << 20U}}}});
         },
         [](FindingScene& it) {
             it.tell("db1", {.slots = {{.name = "s", .active = true, .restart = Lsn{1}, .safe_size = model::Bytes{1U << 30U}}}});
         }},
        {FindingKind::slot_lost, [](FindingScene& it) { it.tell("db1", {.slots = {{.name = "s", .wal_status = "lost"}}}); },
         [](FindingScene& it) { it.tell("db1", {.slots = {{.name = "s", .wal_status = "reserved"}}}); }},
        {FindingKind::cascade_node_dead,
         [](FindingScene& it) {
             it.follows("db3", "db2");
             it.detached("db3");
             it.dead("db2");
         },
         [](FindingScene& it) {
             it.follows("db3", "db1");
             it.detached("db3");
             it.dead("db2");
         }},
        {FindingKind::cascade_branch_dark,
         [](FindingScene& it) {
             it.follows("db3", "db2");
             it.dead("db3");
             it.dead("db2");
         },
         [](FindingScene& it) {
             it.dead("db3");
             it.dead("db2");
         }},
        {FindingKind::cascade_node_stalled,
         [](FindingScene& it) {
             it.cascaded("db3", "db2", 5s);
             it.dead("db2");
         },
         [](FindingScene& it) { it.cascaded("db3", "db2", 5s); }},
        {FindingKind::cascade_node_unreachable_from_here,
         [](FindingScene& it) {
             it.cascaded("db3", "db2");
             it.dead("db2");
         },
         [](FindingScene& it) { it.cascaded("db3", "db2"); }},
        {FindingKind::cascade_node_refuses_children,
         [](FindingScene& it) {
             it.with_db4();
             it.follows("db3", "db2");
             it.follows("db4", "db2");
             it.detached("db3");
             it.detached("db4");
         },
         [](FindingScene& it) {
             it.with_db4();
             it.follows("db3", "db2");
             it.detached("db3");
             it.cascaded("db4", "db2");
         }},
        {FindingKind::cascade_children_detached,
         [](FindingScene& it) {
             it.follows("db3", "db2");
             it.detached("db3");
         },
         [](FindingScene& it) { it.cascaded("db3", "db2"); }},
        {FindingKind::primary_without_replicas,
         [](FindingScene& it) {
             it.remove("db2");
             it.remove("db3");
         },
         [](FindingScene& it) { it.remove("db2"); }},
        {FindingKind::sole_replica_detached,
         [](FindingScene& it) {
             it.remove("db3");
             it.detached("db2");
         },
         [](FindingScene& it) { it.detached("db2"); }},
        {FindingKind::sole_replica_dead,
         [](FindingScene& it) {
             it.remove("db3");
             it.dead("db2");
         },
         [](FindingScene& it) {
             it.remove("db3");
             it.detached("db2");
         }},
        {FindingKind::no_replica_streaming,
         [](FindingScene& it) {
             it.detached("db2");
             it.detached("db3");
         },
         [](FindingScene& it) { it.detached("db2"); }},
        {FindingKind::no_replica_streaming_some_dead,
         [](FindingScene& it) {
             it.detached("db2");
             it.dead("db3");
         },
         [](FindingScene& it) {
             it.detached("db2");
             it.detached("db3");
         }},
        {FindingKind::no_promotable_replica,
         [](FindingScene& it) {
             it.define("db2").failover_priority = 0;
             it.define("db3").failover_priority = 0;
         },
         [](FindingScene& it) { it.define("db2").failover_priority = 0; }},
        {FindingKind::sync_set_drift, [](FindingScene& it) { it.synchronous("ANY 1 (db2, stranger)", {{"db2", "streaming", "quorum"}}); },
         [](FindingScene& it) { it.synchronous("ANY 1 (DB2, db3)", {{"db2", "streaming", "quorum"}}); }},
        {FindingKind::sync_shortfall,
         [](FindingScene& it) {
             it.synchronous("ANY 1 (db2)", {{"db2", "catchup", "async"}});
             it.tell("db1", {.sync_wait = model::SyncWait{}});
         },
         [](FindingScene& it) { it.synchronous("ANY 1 (db2)", {{"db2", "streaming", "quorum"}}); }},
        {FindingKind::wal_sink_detached,
         [](FindingScene& it) {
             it.synchronous("", {{"pg_receivewal", "streaming", "async"}});
             it.synchronous("", {});
         },
         [](FindingScene& it) { it.synchronous("", {{"pg_receivewal", "streaming", "async"}}); }},
        {FindingKind::collation_skew,
         [](FindingScene& it) {
             it.tell("db1", {.collation = "2.36"});
             it.tell("db2", {.collation = "2.31"});
         },
         [](FindingScene& it) {
             it.tell("db1", {.collation = "2.36"});
             it.tell("db2", {.collation = ""});
         }},
        {FindingKind::minor_skew,
         [](FindingScene& it) {
             model::Answered answer = it.as_standby(Lsn{0x3000000}, Scene::streaming());
             answer.version = model::ServerVersion{150018};
             it.see("db2", model::HeldSight{answer});
         },
         [](FindingScene& it) { it.attached("db2"); }},
        {FindingKind::failover_degraded, [](FindingScene& it) { it.tell("db1", {.can_rewind = false}); },
         [](FindingScene& it) { it.tell("db1", {.can_rewind = true, .keeps_wal = true}); }},
    };
    return out;
}

}  // namespace

class FindingTable : public ::testing::TestWithParam<Row> {};

TEST_P(FindingTable, IsMadeByItsEvidenceAndNotByItsNeighbours) {
    FindingScene made;
    GetParam().make(made);
    EXPECT_TRUE(made.finds(GetParam().kind));
    FindingScene unmade;
    GetParam().unmake(unmade);
    EXPECT_FALSE(unmade.finds(GetParam().kind));
}
INSTANTIATE_TEST_SUITE_P(Findings, FindingTable, ::testing::ValuesIn(rows()), [](const auto& row) {
    return std::string(word_for(row.param.kind));
});

TEST(Finding, OfEveryKindIsReached) {
    for (const FindingKind kind : all_finding_kinds) {
        EXPECT_TRUE(std::ranges::find(rows(), kind, &Row::kind) != rows().end()) << word_for(kind) << " is reached by no row";
    }
}

TEST(Finding, ThatIsOnlyADebtIsANote) {
    FindingScene scene;
    scene.tell("db1", {.can_rewind = false});
    ASSERT_EQ(scene.findings().size(), 1U);
    EXPECT_EQ(severity_of(scene.findings().front().kind), Severity::note);
}

TEST(Finding, NamesEverySettingThatIsSmallerOnAReplica) {
    FindingScene scene;
    scene.tell("db1", {.capacity = model::Capacity{100, 8, 10, 0, 64}});
    scene.tell("db2", {.capacity = model::Capacity{99, 8, 10, 0, 63}});
    ASSERT_EQ(scene.findings().size(), 1U);
    EXPECT_NE(scene.findings().front().text.find("max_connections, max_locks_per_transaction"), std::string::npos)
        << scene.findings().front().text;
}

TEST(Finding, ForgetsDetailsThatAreOld) {
    FindingScene scene;
    scene.tell("db1", {.can_rewind = false});
    scene.pass(details_freshness + 1ms);
    EXPECT_FALSE(scene.finds(FindingKind::failover_degraded));
}

TEST(Finding, CallsAReplicaDetachedThatSaysStreamingAndDoesNotGetWhatThePrimaryWrites) {
    FindingScene scene;
    scene.primary_answers(Lsn{0x3000100});
    scene.see("db2", model::HeldSight{scene.as_standby(Lsn{0x3000000}, FindingScene::streaming(11s))});
    EXPECT_TRUE(scene.finds(FindingKind::replica_detached));
}

TEST(Finding, LeavesAMuteReceiverAloneWhileThereIsNothingToReceive) {
    FindingScene scene;
    scene.primary_answers(Lsn{0x3000000});
    scene.see("db2", model::HeldSight{scene.as_standby(Lsn{0x3000000}, FindingScene::streaming(11s))});
    EXPECT_FALSE(scene.finds(FindingKind::replica_detached));
}

TEST(Finding, KeepsAReplicaAsAWitnessOfItsOwnUpstreamOnly) {
    FindingScene scene;
    scene.cascaded("db3", "db2");
    const Analysis analysis = scene.analysis();
    ASSERT_EQ(analysis.replicas.size(), 2U);
    EXPECT_EQ(analysis.replicas[1].attachment, Attachment::elsewhere);
    EXPECT_EQ(analysis.replicas[1].link, Attachment::attached);
    EXPECT_EQ(analysis.replicas[1].upstream, server("db2"));
}

}  // namespace handyrep::decide::testing
