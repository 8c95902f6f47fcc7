// What the adapters see of one version's servers: every column parses, and means what it should.
#include "adapters/postgres/postgres_inspector.hpp"
#include "adapters/ssh/shell_host.hpp"
#include "model/version_facts.hpp"
#include "tests/integration/adapters/postgres_fixture.hpp"

#include <fmt/format.h>

#include <chrono>

namespace handyrep {
namespace {

using model::LastWords;
using std::chrono::milliseconds;
using std::chrono::seconds;

class Version : public RealPostgres {
protected:
    [[nodiscard]] int major() const { return primary().major(); }
    [[nodiscard]] const model::VersionFacts& facts() const { return model::facts_of(model::ServerVersion{major() * 10000}); }
    static bool streams(const model::Answered& it) {
        return it.standby() != nullptr && it.standby()->receiver && it.standby()->receiver->status == "streaming";
    }
    [[nodiscard]] std::string system_id() const { return *primary().ask("SELECT system_identifier FROM pg_control_system()"); }
    void set_on(const harness::RealServer& server, const std::string& name, const std::string& value) {
        ASSERT_TRUE(did(server, fmt::format("ALTER SYSTEM SET {} = '{}'", name, value)));
        ASSERT_TRUE(did(server, "SELECT pg_reload_conf()"));
        ASSERT_TRUE(harness::wait_until(
            [&] { return server.ask("SHOW " + name) == Result<std::string>{value}; }, seconds{20}, name + " is read back"));
    }
    Result<model::DatabaseInspection> inspect(const harness::RealServer& of) {
        adapters::postgres::PostgresInspector inspector{settings(of), loop.executor(), loop.clock};
        return loop.run(inspector.inspect(ports::Depth::full, loop.in(seconds{20})));
    }
    /// Opens the session, does `harm`, and says what the next poll reports.
    template <class Harm>
    LastWords last_words_after(Harm harm) {
        const auto server = connect(primary());
        const auto first = poll(*server);
        EXPECT_TRUE(std::holds_alternative<model::Answered>(first)) << describe(first);
        bool ended = false;
        asio::co_spawn(loop.context, server->session_ended(), [&](std::exception_ptr) { ended = true; });
        loop.turn_for(milliseconds{20});
        harm();
        loop.turn_until([&] { return ended; });
        const auto sight = poll(*server);
        const auto* const lost = std::get_if<model::Lost>(&sight);
        EXPECT_NE(lost, nullptr) << describe(sight);
        return lost == nullptr ? LastWords::other : lost->words;
    }
};

TEST_F(Version, IsTheOneThatWasAskedFor) {
    const char* const wanted = std::getenv("HANDYREP_POSTGRESQL");
    if (wanted != nullptr) EXPECT_EQ(std::to_string(major()), wanted);
}

TEST_F(Version, APollOfAPrimaryTellsWhoItIsAndWhoReceivesFromIt) {
    set_on(primary(), "synchronous_standby_names", "FIRST 1 (db2)");
    const auto server = connect(primary());
    const auto seen = poll_until(*server, [](const model::Answered& it) {
        return it.primary() != nullptr && it.primary()->senders.size() == 1 && it.primary()->senders[0].sync_state == "sync" &&
               it.primary()->senders[0].flushed;
    });
    ASSERT_TRUE(did(primary(), "ALTER SYSTEM RESET synchronous_standby_names"));
    ASSERT_TRUE(did(primary(), "SELECT pg_reload_conf()"));
    ASSERT_TRUE(seen);
    EXPECT_EQ(std::to_string(seen->system_id.value), system_id());
    EXPECT_EQ(std::to_string(seen->version.number), *primary().ask("SHOW server_version_num"));
    const model::PrimaryAnswer& it = *seen->primary();
    EXPECT_EQ(it.timeline, model::Timeline{1});
    EXPECT_GE(it.inserted, it.flushed);
    EXPECT_GE(it.flushed, *it.senders[0].flushed);
    EXPECT_GT(it.flushed, model::Lsn{0x1000000});
    EXPECT_EQ(it.senders[0].application_name, "db2");
    EXPECT_EQ(it.senders[0].state, "streaming");
    EXPECT_EQ(it.senders[0].address, "127.0.0.1");
    EXPECT_EQ(it.synchronous_standby_names, "FIRST 1 (db2)");
    EXPECT_EQ(it.synchronous_commit, "on");
    EXPECT_FALSE(it.read_only);
    EXPECT_LT(seen->started, seen->server_time);
    EXPECT_LT(std::chrono::abs(seen->server_time - loop.clock.wall()), seconds{30});
}

TEST_F(Version, APollThatBeatsWritesWalAndAnotherDoesNot) {
    const auto server = connect(primary());
    const auto inserted = [&](bool beat) { return std::get<model::Answered>(poll(*server, seconds{10}, beat)).primary()->inserted; };
    const model::Lsn before = inserted(false);
    EXPECT_GT(inserted(true), before);
}

TEST_F(Version, APollOfAReplicaTellsWhereItStreamsFromAndHowFarItIs) {
    const auto server = connect(replica());
    ASSERT_TRUE(did(primary(), "CREATE TABLE IF NOT EXISTS some_rows (id int)"));
    const auto seen = poll_until(*server, [](const model::Answered& it) { return streams(it) && it.standby()->timeline; });
    ASSERT_TRUE(seen);
    const model::StandbyAnswer& it = *seen->standby();
    EXPECT_EQ(std::to_string(seen->system_id.value), system_id());
    EXPECT_EQ(it.receiver->sender_host, "127.0.0.1");
    EXPECT_EQ(it.receiver->sender_port, primary().port);
    EXPECT_LT(it.receiver->message_age, seconds{60});
    EXPECT_EQ(it.timeline, model::Timeline{1});
    EXPECT_GE(it.received, it.replayed);
    EXPECT_GT(it.replayed, model::Lsn{0x1000000});
    EXPECT_FALSE(it.replay_paused);
    ASSERT_TRUE(did(replica(), "SELECT pg_wal_replay_pause()"));
    EXPECT_TRUE(
        poll_until(*server, [](const model::Answered& paused) { return paused.standby() != nullptr && paused.standby()->replay_paused; }));
    ASSERT_TRUE(did(replica(), "SELECT pg_wal_replay_resume()"));
}

TEST_F(Version, APollOfAReplicaTellsItsDelayWhereASettingHoldsIt) {
    const auto server = connect(replica());
    ASSERT_TRUE(poll_until(*server, streams));
    if (!facts().shows_delay) return;  // it stands in recovery.conf, where no query sees it
    set_on(replica(), "recovery_min_apply_delay", "90s");
    EXPECT_TRUE(poll_until(*server, [](const model::Answered& it) { return it.standby()->apply_delay == seconds{90}; }));
    ASSERT_TRUE(did(replica(), "ALTER SYSTEM RESET recovery_min_apply_delay"));
    ASSERT_TRUE(did(replica(), "SELECT pg_reload_conf()"));
}

/// The startup process names what it waits for by other words in every few versions.
TEST_F(Version, APollTellsAReplayThatIsHeldUpFromOneThatWaitsForTheRestOfARecord) {
    const auto server = connect(replica());
    const auto behind = [](const model::Answered& it) {
        return it.standby() != nullptr && it.standby()->received > it.standby()->replayed + model::Bytes{1U << 20U};
    };
    ASSERT_TRUE(did(replica(), "SELECT pg_wal_replay_pause()"));
    ASSERT_TRUE(did(primary(), "SELECT pg_logical_emit_message(true, 'bulk', repeat('x', 4000000))"));
    const auto paused = poll_until(*server, behind);
    ASSERT_TRUE(did(replica(), "SELECT pg_wal_replay_resume()"));
    ASSERT_TRUE(paused);
    EXPECT_FALSE(paused->standby()->replayed_all());

    auto writer = primary().session();
    ASSERT_TRUE(writer) << writer.error().text();
    ASSERT_TRUE(poll_until(*server, [](const model::Answered& it) { return it.standby()->replayed_all(); }));
    ASSERT_TRUE(writer->send("SELECT pg_logical_emit_message(true, 'bulk', repeat('x', 400000000))"));
    ASSERT_TRUE(poll_until(*server, behind));
    primary().kill_all();
    const auto left =
        poll_until(*server, [&](const model::Answered& it) { return behind(it) && !it.standby()->receiver && it.standby()->replay_waits; });
    ASSERT_TRUE(left);
    EXPECT_TRUE(left->standby()->replayed_all());
}

TEST_F(Version, TheDetailsTellSlotsWaitersAndSettings) {
    ASSERT_TRUE(primary().ask("SELECT pg_create_physical_replication_slot('unused', true)"));
    set_on(primary(), "synchronous_standby_names", "nobody");
    auto waiter = primary().session();
    ASSERT_TRUE(waiter) << waiter.error().text();
    const auto server = connect(primary());
    std::optional<model::Details> seen;
    ASSERT_TRUE(waiter->send("CREATE TABLE IF NOT EXISTS waited_for (id int)"));
    loop.turn_until([&] {
        const auto details = loop.run(server->details(loop.in(seconds{20})));
        if (details) seen = *details;
        return details && details->sync_wait && details->sync_wait->backends > 0;
    });
    ASSERT_TRUE(did(primary(), "ALTER SYSTEM RESET synchronous_standby_names"));
    ASSERT_TRUE(did(primary(), "SELECT pg_reload_conf()"));
    ASSERT_TRUE(primary().ask("SELECT pg_drop_replication_slot('unused')"));
    EXPECT_EQ(seen->sync_wait->backends, 1U);
    ASSERT_EQ(seen->slots.size(), 1U);
    EXPECT_EQ(seen->slots[0].name, "unused");
    EXPECT_FALSE(seen->slots[0].active);
    EXPECT_TRUE(seen->slots[0].restart);
    EXPECT_EQ(seen->slots[0].wal_status, major() < 13 ? "" : "reserved");
    EXPECT_EQ(seen->archive_failing, std::nullopt) << "there is no archive";
    EXPECT_EQ(seen->can_rewind, true);
    EXPECT_EQ(seen->keeps_wal, true);
    EXPECT_EQ(seen->recovery_target_timeline, major() < 12 ? "" : "latest");
    ASSERT_TRUE(seen->capacity);
    EXPECT_EQ(std::to_string(seen->capacity->connections), *primary().ask("SHOW max_connections"));
    EXPECT_TRUE(loop.run(connect(replica())->details(loop.in(seconds{20}))));
}

TEST_F(Version, AnInspectionReadsWhatVerifyJudgesBy) {
    using model::Right;
    const auto seen = inspect(primary());
    ASSERT_TRUE(seen) << seen.error().text();
    EXPECT_FALSE(seen->in_recovery);
    EXPECT_EQ(std::to_string(seen->system_id->value), system_id());
    EXPECT_TRUE(seen->position);
    EXPECT_EQ(seen->settings.at("max_connections").value, "40");
    EXPECT_EQ(seen->settings.at("max_connections").in_file, "40");
    EXPECT_EQ(seen->settings.at("wal_receiver_timeout").value, "60000");
    EXPECT_EQ(seen->settings.contains("wal_keep_size"), major() >= 13);
    EXPECT_EQ(seen->settings.contains("wal_keep_segments"), major() < 13);
    EXPECT_EQ(seen->settings.contains("recovery_target_timeline"), major() >= 12);
    EXPECT_EQ(seen->settings.contains("allow_alter_system"), major() >= 17);
    for (const Right right :
         {Right::superuser, Right::pg_monitor, Right::reload, Right::heartbeat, Right::checkpoint, Right::alter_sync_names})
        EXPECT_TRUE(seen->rights.at(right)) << static_cast<int>(right);
    EXPECT_EQ(seen->rights.contains(Right::promote), major() >= 12);
    EXPECT_EQ(seen->rights.contains(Right::alter_conninfo), major() >= 12);
    EXPECT_EQ(seen->senders->size(), 1U);
    EXPECT_TRUE(seen->slots);
    EXPECT_EQ(seen->prepared_transactions, 0U);
    EXPECT_TRUE(seen->synchronous_commit_settings);
    EXPECT_EQ(seen->collations.has_value(), major() >= 15);
    EXPECT_GT(seen->size->count, 1U << 20U);
    const auto standby = inspect(replica());
    ASSERT_TRUE(standby) << standby.error().text();
    EXPECT_TRUE(standby->in_recovery);
    EXPECT_EQ(standby->receiver_status, "streaming");
    EXPECT_TRUE(standby->position);
    EXPECT_EQ(standby->upstream.has_value(), major() >= 12);
    if (standby->upstream) EXPECT_EQ(standby->upstream->application_name, "db2");
}

TEST_F(Version, ADialIsAcceptedAndRefusedWhereNobodyListens) {
    EXPECT_EQ(loop.run(connect(primary())->dial(loop.in(seconds{10}))).outcome, model::DialOutcome::accepted);
    EXPECT_EQ(loop.run(connect(replica())->dial(loop.in(seconds{10}))).outcome, model::DialOutcome::accepted);
    primary().kill_all();
    // A connection that the kernel took a moment before is reset with its socket.
    model::DialSight sight{};
    const Instant limit = loop.in(seconds{20});
    do sight = loop.run(connect(primary())->dial(limit));
    while (sight.outcome == model::DialOutcome::reset && loop.clock.now() < limit);
    EXPECT_EQ(sight.outcome, model::DialOutcome::refused);
}

TEST_F(Version, ADialTellsThatTheServerIsShuttingDown) {
    const auto session = primary().session();
    ASSERT_TRUE(session);
    kill(*primary().postmaster(), SIGTERM);  // smart: it waits for the session
    const auto server = connect(primary());
    model::DialSight sight{};
    const Instant limit = loop.in(seconds{20});
    while (sight.outcome != model::DialOutcome::shutting_down && loop.clock.now() < limit) sight = loop.run(server->dial(limit));
    EXPECT_EQ(sight.outcome, model::DialOutcome::shutting_down) << sight.message;
    ASSERT_TRUE(primary().stop(harness::StopMode::immediate));
}

TEST_F(Version, TheHostsLookTellsAPrimaryFromAStandby) {
    const auto look = [this](const harness::RealServer& of) {
        adapters::ssh::ShellHost host{{.server = definition(of)}, loop.executor(), loop.clock, loop.log};
        return loop.run(host.look(loop.in(seconds{20})));
    };
    const auto first = look(primary());
    ASSERT_TRUE(first) << first.error().text();
    EXPECT_EQ(std::to_string(first->system_id.value), system_id());
    EXPECT_EQ(first->state, model::ControlState::in_production);
    EXPECT_GE(first->processes, 5U);
    EXPECT_FALSE(first->marked_standby);
    const auto standby = look(replica());
    ASSERT_TRUE(standby) << standby.error().text();
    EXPECT_EQ(standby->state, model::ControlState::in_archive_recovery);
    EXPECT_TRUE(standby->marked_standby);
}

// The last words of a dying server (failure analysis, T9).

TEST_F(Version, AFastStopIsHeardAsAnAdministrators) {
    EXPECT_EQ(last_words_after([&] { kill(*primary().postmaster(), SIGINT); }), LastWords::administrator);
    ASSERT_TRUE(harness::wait_until([&] { return primary().processes().empty(); }, seconds{30}, "it is down"));
}

/// Before 14 in the very words of a crash, so that only the dials tell what it was.
TEST_F(Version, AnImmediateStopIsHeard) {
    EXPECT_EQ(
        last_words_after([&] { kill(*primary().postmaster(), SIGQUIT); }),
        facts().tells_immediate_stop ? LastWords::immediate_stop : LastWords::backend_crash);
    ASSERT_TRUE(harness::wait_until([&] { return primary().processes().empty(); }, seconds{30}, "it is down"));
}

TEST_F(Version, TheCrashOfAnotherBackendIsHeard) {
    auto other = primary().session();
    ASSERT_TRUE(other);
    EXPECT_EQ(last_words_after([&] { kill(other->backend(), SIGKILL); }), LastWords::backend_crash);
    ASSERT_TRUE(primary().wait_for_sessions(seconds{30}));
}

TEST_F(Version, ADeadPostmasterIsHeard) {
    EXPECT_EQ(last_words_after([&] { primary().kill_postmaster(); }), LastWords::postmaster_died);
}

}  // namespace
}  // namespace handyrep
