// The lease of S6: whom it lists, each condition under which its end proves nothing, and the moment from which it does.
#include "decide/lease.hpp"
#include "scene.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace handyrep::decide::testing {

using ::testing::HasSubstr;

namespace {

constexpr Duration ttl = 30s;

/// A healthy cluster whose replicas stream under their names, and whose primary's node answered a renewal a moment ago.
class Leased : public Scene {
public:
    Leased() {
        settings.fencing = model::Fencing::strict;
        settings.lease_ttl = ttl;
        for (const char* name : {"db2", "db3"}) {
            saved.upstream_settings.push_back({server(name), std::string("application_name=") + name});
            replies_every(name, 10s);
        }
    }

    void replies_every(std::string_view name, Duration interval) {
        absorb(evidence, {server(name), now, model::Details{.reply_interval = interval}});
    }
    void streams(std::vector<model::WalSender> senders) {
        model::Answered answer = as_primary(Lsn{0x3000000});
        std::get<model::PrimaryAnswer>(answer.as).senders = std::move(senders);
        see("db1", model::HeldSight{answer});
    }
    void both_stream() { streams({{"db2", "streaming", "async", "10.0.0.2"}, {"db3", "streaming", "async", "10.0.0.3"}}); }
    void arm() {
        evidence.lease = model::Lease{
            .server = server("db1"),
            .answer = {.pid = 4711, .ttl = ttl, .sequence = 7, .stop_time = 4s, .asks = true, .autostart_off = true, .autostart = "manual"},
            .answered = now,
            .sent = now,
            .listed = {server("db2"), server("db3")}};
    }
    /// Its host vanished five seconds ago.
    void vanish() {
        arm();
        primary_vanished(5s);
    }
    [[nodiscard]] std::vector<FinalPosition> detached() const {
        std::vector<FinalPosition> out;
        for (const char* name : {"db2", "db3"})
            out.push_back({server(name), "", true, {Timeline{1}, Lsn{0x3000000}}, true, Lsn{0x3000000}, now});
        return out;
    }
    [[nodiscard]] std::string objection() const { return lease_objects(input(), analysis()).value_or(""); }
};

}  // namespace

TEST(LeaseTerms, ListEveryReplicaByTheNameAndAddressThatThePrimaryShows) {
    Leased it;
    it.both_stream();
    const auto terms = lease_terms(it.input());
    ASSERT_TRUE(terms) << terms.error().what;
    EXPECT_EQ(terms->ttl, ttl);
    ASSERT_EQ(terms->listed.size(), 2U);
    EXPECT_EQ(terms->listed[0], (model::ListedReplica{server("db2"), "db2", "10.0.0.2"}));
}

TEST(LeaseTerms, KeepAReplicaListedThatIsAwayForAWhile) {
    Leased it;
    it.both_stream();
    const auto before = lease_terms(it.input());
    ASSERT_TRUE(before);
    it.streams({{"db2", "streaming", "async", "10.0.0.2"}});
    const auto after = lease_terms(it.input(), before->listed);
    ASSERT_TRUE(after);
    EXPECT_EQ(after->listed, before->listed);
}

TEST(LeaseTerms, ListNobodyWhoseNameTwoBear) {
    Leased it;
    it.streams(
        {{"db2", "streaming", "async", "10.0.0.2"}, {"db2", "streaming", "async", "10.0.0.9"}, {"db3", "streaming", "async", "10.0.0.3"}});
    const auto terms = lease_terms(it.input());
    ASSERT_TRUE(terms);
    ASSERT_EQ(terms->listed.size(), 1U);
    EXPECT_EQ(terms->listed[0].server, server("db3"));
}

TEST(LeaseTerms, AreRefusedWhereTheLossOfTheManagerAloneWouldStopThePrimary) {
    const auto refused = [](Leased& it) {
        const auto terms = lease_terms(it.input());
        return terms ? std::string("not refused") : terms.error().what;
    };
    Leased nobody_streams;
    nobody_streams.streams({{"pg_receivewal", "streaming", "async", "10.0.0.2"}});
    EXPECT_THAT(refused(nobody_streams), HasSubstr("does not stream"));
    Leased too_quiet;
    too_quiet.both_stream();
    too_quiet.replies_every("db2", 20s);
    too_quiet.replies_every("db3", 0s);
    EXPECT_THAT(refused(too_quiet), HasSubstr("wal_receiver_status_interval (20s)"));
    EXPECT_THAT(refused(too_quiet), HasSubstr("wal_receiver_status_interval is 0"));
    Leased nameless;
    nameless.saved.upstream_settings.clear();
    nameless.saved.upstream_settings.push_back({server("db2"), "host=x"});
    nameless.saved.upstream_settings.push_back({server("db3"), "host=x"});
    nameless.streams({{"walreceiver", "streaming", "async", "10.0.0.2"}});
    EXPECT_THAT(refused(nameless), HasSubstr("application_name 'walreceiver' too"));
    Leased quoted;
    quoted.saved.upstream_settings[0].conninfo = "application_name=a;b";
    quoted.saved.upstream_settings[1].conninfo = "application_name=c;d";
    quoted.streams({{"a;b", "streaming", "async", "10.0.0.2"}});
    EXPECT_THAT(refused(quoted), HasSubstr("letters, digits"));
    Leased old;
    model::Answered answer = old.as_primary(Lsn{0x3000000});
    answer.version = model::ServerVersion{120020};
    old.see("db1", model::HeldSight{answer});
    EXPECT_THAT(refused(old), HasSubstr("PostgreSQL 13"));
}

TEST(Lease, OpensTheOutlookUnderStrictForAHostThatVanished) {
    Leased it;
    it.vanish();
    const Gate gate = fence_outlook(it.input(), it.analysis());
    ASSERT_TRUE(is_open(gate)) << text_of(gate);
    EXPECT_EQ(std::get<GateOpen>(gate).proof, Proof::lease_expired);
    EXPECT_TRUE(std::holds_alternative<FailOver>(it.decision())) << it.text();
    EXPECT_EQ(awaited_lease(it.input(), it.analysis()), std::optional<Duration>{ttl + 4s + 2s});
}

TEST(Lease, IsNotWaitedForWhereThePolicyAcceptsWitnesses) {
    Leased it;
    it.settings.fencing = model::Fencing::witnessed;
    it.vanish();
    EXPECT_EQ(std::get<GateOpen>(fence_outlook(it.input(), it.analysis())).proof, Proof::witnessed);
    EXPECT_EQ(awaited_lease(it.input(), it.analysis()), std::nullopt);
    it.witness("db3", model::Reach::unknown);
    EXPECT_EQ(std::get<GateOpen>(fence_outlook(it.input(), it.analysis())).proof, Proof::lease_expired) << "the last resort";
}

TEST(Lease, ProvesNothingUnlessEveryConditionHolds) {
    Leased none;
    none.primary_vanished(5s);
    EXPECT_THAT(none.objection(), HasSubstr("no lease is known"));
    EXPECT_EQ(none.reason(), Reason::fence_gate_closed);

    Leased of_another;
    of_another.vanish();
    of_another.evidence.lease->server = server("db2");
    EXPECT_THAT(of_another.objection(), HasSubstr("no lease is known"));

    Leased starts_itself;
    starts_itself.vanish();
    starts_itself.evidence.lease->answer.autostart_off = false;
    EXPECT_THAT(starts_itself.objection(), HasSubstr("may start PostgreSQL there by itself"));

    Leased long_unheard;
    long_unheard.vanish();
    long_unheard.evidence.lease->answered -= ttl + 10s;
    EXPECT_THAT(long_unheard.objection(), HasSubstr("not heard of for longer than its TTL"));

    Leased unlisted_server;
    unlisted_server.vanish();
    unlisted_server.evidence.lease->listed.push_back(server("db4"));
    EXPECT_THAT(unlisted_server.objection(), HasSubstr("db4 is not seen"));

    Leased old_replica;
    old_replica.vanish();
    auto old = old_replica.as_standby(Lsn{0x3000000}, std::nullopt);
    old.version = model::ServerVersion{120020};
    old_replica.see("db3", model::HeldSight{old});
    EXPECT_THAT(old_replica.objection(), HasSubstr("older than PostgreSQL 13"));
    EXPECT_EQ(old_replica.reason(), Reason::fence_gate_closed);
}

TEST(Lease, ProvesNothingOfAPrimaryThatStandsStill) {
    Leased it;
    it.vanish();
    it.see("db1", model::DialOutcome::startup_timeout);
    it.pass(10s);
    it.see("db1", model::DialOutcome::startup_timeout);
    it.detached("db2");
    it.detached("db3");
    ASSERT_EQ(it.analysis().situation, Situation::primary_stalled);
    EXPECT_THAT(it.objection(), HasSubstr("may wake up and write"));
    EXPECT_FALSE(std::holds_alternative<FailOver>(it.decision())) << it.text();
}

TEST(Lease, ProvesNothingBesideAReplicaThatIsLost) {
    Leased it;
    it.vanish();
    it.see("db3", model::HeldSight{model::Silent{it.now}});
    it.pass(10s);
    it.see("db1", model::DialOutcome::connect_timeout);
    it.detached("db2");
    ASSERT_EQ(it.analysis().situation, Situation::primary_dead_some_replicas_lost);
    EXPECT_THAT(it.objection(), HasSubstr("may keep the primary alive"));
    EXPECT_FALSE(std::holds_alternative<FailOver>(it.decision())) << it.text();
}

TEST(FenceGate, IsOpenByALeaseOnlyOnceItHasSurelyRunOut) {
    Leased it;
    it.vanish();
    it.detached("db2");
    it.detached("db3");
    const std::vector<FinalPosition> finals = it.detached();
    const auto gate = [&] { return fence_gate(it.input(), it.analysis(), {}, finals); };
    const auto pass = [&](Duration time) {
        it.pass(time);
        it.see("db1", model::DialOutcome::connect_timeout);
        it.detached("db2");
        it.detached("db3");
    };
    EXPECT_EQ(std::get<GateClosed>(gate()).why, Closed::lease_not_run_out);
    pass(ttl + 4s + 2s - 1ms);
    EXPECT_EQ(std::get<GateClosed>(gate()).why, Closed::lease_not_run_out);
    pass(1ms);
    ASSERT_TRUE(is_open(gate())) << text_of(gate());
    EXPECT_EQ(std::get<GateOpen>(gate()).proof, Proof::lease_expired);
    it.evidence.lease->sent = it.now;
    EXPECT_EQ(std::get<GateClosed>(gate()).why, Closed::lease_not_run_out) << "a renewal was sent since";
}

TEST(FenceGate, IsNotOpenByALeaseWhileAReplicaMayKeepThePrimaryAlive) {
    Leased it;
    it.vanish();
    it.detached("db2");
    it.detached("db3");
    std::vector<FinalPosition> finals = it.detached();
    it.now += ttl + 10s;
    it.see("db1", model::DialOutcome::connect_timeout);
    it.detached("db2");
    it.detached("db3");
    finals[1].detached = false;
    EXPECT_EQ(std::get<GateClosed>(fence_gate(it.input(), it.analysis(), {}, finals)).why, Closed::replica_not_detached);
    finals.pop_back();
    EXPECT_EQ(std::get<GateClosed>(fence_gate(it.input(), it.analysis(), {}, finals)).why, Closed::replica_not_detached);
    finals = it.detached();
    for (FinalPosition& final_position : finals) final_position.read_at -= ttl + 10s;
    ASSERT_TRUE(is_open(fence_gate(it.input(), it.analysis(), {}, finals)));
    it.see("db3", model::HeldSight{it.as_standby(Lsn{0x3000000}, Scene::streaming(10s))});
    EXPECT_FALSE(is_open(fence_gate(it.input(), it.analysis(), {}, finals))) << "somebody let it follow again";
}

TEST(FenceGate, TakesNoLeaseWhereTheHostAnswers) {
    Leased it;
    it.vanish();
    it.detached("db2");
    it.detached("db3");
    std::vector<FinalPosition> finals = it.detached();
    it.now += ttl + 10s;
    it.see("db1", model::DialOutcome::connect_timeout);
    it.detached("db2");
    it.detached("db3");
    const Gate gate = fence_gate(it.input(), it.analysis(), {.host_answered = true, .processes_gone = false, .text = "2 left"}, finals);
    EXPECT_EQ(std::get<GateClosed>(gate).why, Closed::fence_failed);
}

TEST(LeaseText, SaysWhetherOneIsArmedAndWhyNot) {
    Leased it;
    it.settings.lease_ttl = 0s;
    EXPECT_EQ(lease_text(it.input()), "off");
    it.settings.lease_ttl = ttl;
    EXPECT_THAT(lease_text(it.input()), HasSubstr("not armed: the primary does not answer"));
    it.arm();
    it.pass(2s);
    EXPECT_EQ(lease_text(it.input()), "armed on db1 (process 4711, 30s), renewed 2s ago; the replies of db2, db3 keep it alive too");
    it.evidence.lease->answer.autostart_off = false;
    EXPECT_THAT(lease_text(it.input()), HasSubstr("no proof, because PostgreSQL may be started there by itself: manual"));
}

}  // namespace handyrep::decide::testing
