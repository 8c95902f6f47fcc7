// What the adapter sees of real servers, dead, dying and well.
#include "postgres_fixture.hpp"
#include "tests/harness/orphan.hpp"

#include <fmt/format.h>

#include <fstream>

namespace handyrep {
namespace {

using model::DialOutcome;
using model::LastWords;
using std::chrono::milliseconds;
using std::chrono::seconds;

class Poll : public RealPostgres {};
class Dial : public RealPostgres {
protected:
    model::DialSight dial_port(std::uint16_t port, Duration limit) {
        PostgresSettings to = settings(primary());
        to.server.port = port;
        return loop.run(connect(to)->dial(loop.in(limit)));
    }
};
class HeldSession : public RealPostgres {
protected:
    /// Opens the session, does `harm`, waits until the watch returns, and says what the next poll reports.
    template <class Harm>
    model::HeldSight last_words_after(PostgresServer& server, Harm harm) {
        const auto first = poll(server);
        EXPECT_TRUE(std::holds_alternative<model::Answered>(first)) << describe(first);
        bool ended = false;
        asio::co_spawn(loop.context, server.session_ended(), [&](std::exception_ptr) { ended = true; });
        loop.turn_for(milliseconds{20});
        EXPECT_FALSE(ended);
        harm();
        loop.turn_until([&] { return ended; });
        return poll(server);
    }
};

TEST_F(Poll, TellsThePrimarysIdentityPositionsAndSenders) {
    const auto server = connect(primary());
    const auto sight = poll(*server);
    const auto* answered = std::get_if<model::Answered>(&sight);
    ASSERT_NE(answered, nullptr) << describe(sight);
    ASSERT_NE(answered->primary(), nullptr);
    EXPECT_EQ(std::to_string(answered->system_id.value), *primary().ask("SELECT system_identifier FROM pg_control_system()"));
    EXPECT_EQ(std::to_string(answered->version.number), *primary().ask("SHOW server_version_num"));
    ASSERT_EQ(answered->primary()->senders.size(), 1U);
    EXPECT_EQ(answered->primary()->senders[0].application_name, "db2");
    EXPECT_EQ(answered->primary()->senders[0].state, "streaming");
    EXPECT_FALSE(answered->primary()->read_only);
}

TEST_F(Poll, TellsTheDetailsOfARealServer) {
    const auto server = connect(primary());
    ASSERT_TRUE(primary().ask("SELECT pg_create_physical_replication_slot('unused', true)"));
    const auto details = loop.run(server->details(loop.in(std::chrono::seconds{20})));
    EXPECT_TRUE(primary().ask("SELECT pg_drop_replication_slot('unused')"));
    ASSERT_TRUE(details) << details.error().text();
    ASSERT_TRUE(details->sync_wait);
    EXPECT_EQ(details->sync_wait->backends, 0U);
    ASSERT_FALSE(details->slots.empty());
    EXPECT_EQ(details->slots.back().name, "unused");
    EXPECT_FALSE(details->slots.back().active);
    EXPECT_TRUE(details->slots.back().restart);
    EXPECT_EQ(details->slots.back().wal_status, "reserved");
    EXPECT_TRUE(details->can_rewind);
    EXPECT_EQ(details->recovery_target_timeline, "latest");
    ASSERT_TRUE(details->capacity);
    EXPECT_EQ(std::to_string(details->capacity->connections), *primary().ask("SHOW max_connections"));
    const auto standby = connect(replica());
    EXPECT_TRUE(loop.run(standby->details(loop.in(std::chrono::seconds{20}))));
}

/// A server under load takes its time for every new session; each that was given up would only add to the load.
TEST_F(Poll, GetsASessionThatTakesLongerToOpenThanOnePollWaits) {
    ASSERT_TRUE(did(primary(), "ALTER SYSTEM SET pre_auth_delay = '2s'"));
    ASSERT_TRUE(primary().ask("SELECT pg_reload_conf()"));
    ASSERT_TRUE(harness::wait_until(
        [&] {
            const auto delay = primary().ask("SHOW pre_auth_delay");
            return delay && *delay == "2s";
        },
        seconds{30}, "new sessions are slow"));
    PostgresSettings hasty = settings(primary());
    hasty.connect_timeout = milliseconds{300};
    const auto server = connect(hasty);
    const auto first = poll(*server);
    const auto* const not_open = std::get_if<model::NotOpen>(&first);
    EXPECT_TRUE(not_open != nullptr && not_open->why == DialOutcome::startup_timeout) << describe(first);
    EXPECT_TRUE(poll_until(*server, [](const model::Answered& it) { return it.primary() != nullptr; }));
    ASSERT_TRUE(did(primary(), "ALTER SYSTEM RESET pre_auth_delay"));
    ASSERT_TRUE(primary().ask("SELECT pg_reload_conf()"));
}

TEST_F(Poll, BeatsOnlyWhenToldTo) {
    const auto server = connect(primary());
    const auto position = [](const model::HeldSight& sight) { return std::get<model::Answered>(sight).primary()->inserted; };
    const auto before = position(poll(*server, seconds{10}, false));
    const auto beaten = position(poll(*server, seconds{10}, true));
    EXPECT_GT(beaten, before);
}

TEST_F(Poll, TellsWhereAReplicaStreamsFromAndHowFreshThatIs) {
    const auto server = connect(replica());
    const auto seen = poll_until(*server, [](const model::Answered& it) { return it.standby() != nullptr && it.standby()->receiver; });
    ASSERT_TRUE(seen);
    const auto& standby = *seen->standby();
    EXPECT_EQ(standby.receiver->status, "streaming");
    EXPECT_EQ(standby.receiver->sender_host, "127.0.0.1");
    EXPECT_EQ(standby.receiver->sender_port, primary().port);
    EXPECT_LT(standby.receiver->message_age, seconds{60});
    ASSERT_TRUE(standby.timeline);
    EXPECT_GE(standby.received, standby.replayed);
    EXPECT_FALSE(standby.replay_paused);
}

TEST_F(Poll, TellsAReplayThatIsHeldUpFromOneThatWaitsForTheRestOfARecord) {
    const auto server = connect(replica());
    const auto behind = [](const model::Answered& it) {
        return it.standby() != nullptr && it.standby()->received > it.standby()->replayed + model::Bytes{1U << 20U};
    };
    ASSERT_TRUE(did(replica(), "SELECT pg_wal_replay_pause()"));
    ASSERT_TRUE(did(primary(), "SELECT pg_logical_emit_message(true, 'bulk', repeat('x', 4000000))"));
    const auto paused = poll_until(*server, behind);
    ASSERT_TRUE(did(replica(), "SELECT pg_wal_replay_resume()"));
    ASSERT_TRUE(paused);
    EXPECT_FALSE(paused->standby()->replay_waits);
    EXPECT_FALSE(paused->standby()->replayed_all());

    auto writer = primary().session();
    ASSERT_TRUE(writer) << writer.error().text();
    ASSERT_TRUE(poll_until(*server, [](const model::Answered& it) { return it.standby()->replayed_all(); }));
    ASSERT_TRUE(writer->send("SELECT pg_logical_emit_message(true, 'bulk', repeat('x', 400000000))"));
    ASSERT_TRUE(poll_until(*server, behind));
    primary().kill_all();
    const auto left =
        poll_until(*server, [&](const model::Answered& it) { return behind(it) && !it.standby()->receiver && it.standby()->replay_waits; });
    ASSERT_TRUE(primary().start());
    ASSERT_TRUE(left);
    EXPECT_TRUE(left->standby()->replayed_all());
}

TEST_F(Poll, TellsATimelineThatAReplicaWentToAndLostItsReceiverOnBetweenTwoLooks) {
    const auto server = connect(replica());
    const auto detached_on = [](model::Timeline timeline) {
        return [timeline](const model::Answered& it) {
            return it.standby() != nullptr && !it.standby()->receiver && it.standby()->timeline == timeline;
        };
    };
    const auto first = poll_until(
        *server, [](const model::Answered& it) { return it.standby() != nullptr && it.standby()->receiver && it.standby()->timeline; });
    ASSERT_TRUE(first);
    const model::Timeline before = *first->standby()->timeline;
    ASSERT_TRUE(primary().stop(harness::StopMode::fast));
    ASSERT_TRUE(poll_until(*server, detached_on(before)));
    loop.turn_for(seconds{1});  // asked and answered

    // Nobody looks while the primary comes back on a timeline of its own, is followed, and dies.
    std::ofstream{primary().data / "standby.signal"} << "";
    ASSERT_TRUE(primary().start());
    ASSERT_TRUE(primary().promote());
    ASSERT_TRUE(cluster().wait_until_streaming({"db2"}, "db1", seconds{30}));
    ASSERT_TRUE(did(primary(), "SELECT pg_switch_wal()"));
    ASSERT_TRUE(replica().wait_for_replay(*primary().ask("SELECT pg_current_wal_flush_lsn()"), seconds{30}));
    primary().kill_all();
    EXPECT_TRUE(poll_until(*server, detached_on(model::Timeline{before.id + 1})));
}

TEST_F(Poll, LeavesNoTransactionOpen) {
    const auto server = connect(primary());
    poll(*server);
    EXPECT_EQ(*primary().ask("SELECT state FROM pg_stat_activity WHERE application_name = 'handyrep'"), "idle");
}

TEST_F(Poll, OfARoleWithoutRightsAnswersOnThePrimaryAndComplainsOnAReplica) {
    ASSERT_TRUE(did(primary(), "CREATE ROLE watcher LOGIN PASSWORD 'watching'"));
    ASSERT_TRUE(replica().wait_for_replay(*primary().ask("SELECT pg_current_wal_lsn()"), seconds{20}));
    PostgresSettings plain = settings(primary());
    plain.server.database_user = "watcher";
    plain.password = Secret{"watching"};
    const auto on_primary = poll(*connect(plain));
    EXPECT_TRUE(std::holds_alternative<model::Answered>(on_primary)) << describe(on_primary);
    plain.server.port = replica().port;
    const auto watcher = connect(plain);
    const auto on_replica = poll(*watcher);
    const auto* complained = std::get_if<model::Complained>(&on_replica);
    ASSERT_NE(complained, nullptr) << describe(on_replica);
    EXPECT_EQ(complained->sqlstate, "42501");
    const auto nudged = loop.run(watcher->nudge(loop.in(seconds{10})));
    ASSERT_FALSE(nudged);
    EXPECT_EQ(nudged.error().kind, ErrorKind::denied);
    ASSERT_TRUE(did(primary(), "DROP ROLE watcher"));
}

TEST_F(Poll, OfASilentServerKeepsItsQuestionAndTakesTheAnswerWhenItComes) {
    const auto server = connect(primary());
    poll(*server);
    const pid_t backend = backend_of_ours(primary());
    const std::string question = fmt::format("SELECT query_start FROM pg_stat_activity WHERE pid = {}", backend);
    Frozen frozen{backend};
    const auto first = poll(*server, milliseconds{150});
    ASSERT_TRUE(std::holds_alternative<model::Silent>(first)) << describe(first);
    const auto asked_at = loop.clock.now();
    const auto second = poll(*server, milliseconds{150});
    ASSERT_TRUE(std::holds_alternative<model::Silent>(second)) << describe(second);
    EXPECT_EQ(std::get<model::Silent>(first), std::get<model::Silent>(second));
    EXPECT_LT(std::get<model::Silent>(second).since, asked_at);
    const auto inserted_before = *model::Lsn::parse(*primary().ask("SELECT pg_current_wal_insert_lsn()"));
    frozen.thaw();
    const auto third = poll(*server, seconds{10}, false);
    ASSERT_TRUE(std::holds_alternative<model::Answered>(third)) << describe(third);
    // One question only: the two silent polls together wrote one heartbeat.
    const auto written = gap(inserted_before, std::get<model::Answered>(third).primary()->inserted);
    EXPECT_LT(written.count, 120U);
    const auto fourth = poll(*server);
    EXPECT_TRUE(std::holds_alternative<model::Answered>(fourth)) << describe(fourth);
    EXPECT_EQ(backend_of_ours(primary()), backend);
}

TEST_F(Poll, EndsAtOnceWhenTheSessionIsDropped) {
    const auto server = connect(primary());
    poll(*server);
    const Frozen frozen{backend_of_ours(primary())};
    std::optional<model::HeldSight> sight;
    asio::co_spawn(loop.context, Loop::keep(server->poll(true, loop.in(seconds{50})), sight), asio::detached);
    loop.turn_for(milliseconds{50});
    const auto dropped = loop.clock.now();
    server->drop_session();
    loop.turn_until([&] { return sight.has_value(); });
    EXPECT_LT(loop.clock.now() - dropped, seconds{10});
    EXPECT_TRUE(std::holds_alternative<model::Silent>(*sight)) << describe(*sight);
    const auto next = poll(*server);
    EXPECT_TRUE(std::holds_alternative<model::Answered>(next)) << describe(next);
}

TEST_F(Dial, IsAcceptedByAHealthyServerAlsoUnderAName) {
    PostgresSettings named = settings(primary());
    named.server.hostname = "localhost";
    EXPECT_EQ(loop.run(connect(named)->dial(loop.in(seconds{10}))).outcome, DialOutcome::accepted);
}

TEST_F(Dial, IsRefusedWhereNobodyListens) { EXPECT_EQ(dial_port(*harness::free_port(), seconds{10}).outcome, DialOutcome::refused); }

TEST_F(Dial, TellsASilentNetworkFromASilentServer) {
    const BadListener deaf{loop.context, BadListener::Kind::deaf};
    EXPECT_EQ(dial_port(deaf.port(), milliseconds{200}).outcome, DialOutcome::connect_timeout);
    const BadListener mute{loop.context, BadListener::Kind::mute};
    EXPECT_EQ(dial_port(mute.port(), milliseconds{200}).outcome, DialOutcome::startup_timeout);
}

TEST_F(Dial, OfAStoppedPostmasterIsAcceptedByTheKernelAndThenMute) {
    const Frozen frozen{*primary().postmaster()};
    EXPECT_EQ(dial_port(primary().port, milliseconds{200}).outcome, DialOutcome::startup_timeout);
}

TEST_F(Dial, IsResetWhenTheConnectionIsCutBeforeAnAnswer) {
    const BadListener rude{loop.context, BadListener::Kind::rude};
    EXPECT_EQ(dial_port(rude.port(), seconds{10}).outcome, DialOutcome::reset);
}

TEST_F(Dial, TellsAWrongPasswordAndAMissingOne) {
    PostgresSettings wrong = settings(primary());
    wrong.password = Secret{"certainly-not-it"};
    const auto sight = loop.run(connect(wrong)->dial(loop.in(seconds{10})));
    EXPECT_EQ(sight.outcome, DialOutcome::authentication_failed);
    EXPECT_EQ(sight.message.find("certainly-not-it"), std::string::npos);
    PostgresSettings none = settings(primary());
    none.password = Secret{};
    none.options = {{"passfile", "/dev/null"}};
    EXPECT_EQ(loop.run(connect(none)->dial(loop.in(seconds{10}))).outcome, DialOutcome::authentication_failed);
}

TEST_F(Dial, TellsThatTlsFailedWhereTheServerHasNone) {
    PostgresSettings strict = settings(primary());
    strict.options = {{"sslmode", "require"}};
    EXPECT_EQ(loop.run(connect(strict)->dial(loop.in(seconds{10}))).outcome, DialOutcome::tls_failed);
}

TEST_F(Dial, TellsAnUnknownDatabaseFromADeadServer) {
    PostgresSettings other = settings(primary());
    other.database = "no_such_database";
    EXPECT_EQ(loop.run(connect(other)->dial(loop.in(seconds{10}))).outcome, DialOutcome::other_refusal);
}

TEST_F(Dial, TellsThatANameLeadsNowhere) {
    PostgresSettings lost = settings(primary());
    lost.server.hostname = "no-such-host.invalid";
    EXPECT_EQ(loop.run(connect(lost)->dial(loop.in(seconds{1}))).outcome, DialOutcome::name_not_resolved);
}

TEST_F(Dial, TellsThatAllConnectionsAreTakenWhileTheHeldSessionGoesOn) {
    const auto server = connect(primary());
    poll(*server);
    const auto filled = primary().fill_connections();
    ASSERT_TRUE(filled) << filled.error().text();
    EXPECT_EQ(loop.run(server->dial(loop.in(seconds{10}))).outcome, DialOutcome::too_many_connections);
    const auto held = poll(*server);
    EXPECT_TRUE(std::holds_alternative<model::Answered>(held)) << describe(held);
}

TEST_F(Dial, TellsThatTheServerIsShuttingDown) {
    const auto session = primary().session();
    ASSERT_TRUE(session);
    kill(*primary().postmaster(), SIGTERM);  // smart: it waits for the session
    const auto server = connect(primary());
    model::DialSight sight{};
    const Instant limit = loop.in(seconds{20});
    while (sight.outcome != DialOutcome::shutting_down && loop.clock.now() < limit) sight = loop.run(server->dial(limit));
    EXPECT_EQ(sight.outcome, DialOutcome::shutting_down) << sight.message;
    ASSERT_TRUE(primary().stop(harness::StopMode::immediate));
    ASSERT_TRUE(primary().start());
}

TEST_F(HeldSession, IsReportedAsEndedByAnAdministratorAndReopenedByTheNextPoll) {
    const auto server = connect(primary());
    const auto sight = last_words_after(
        *server, [&] { ASSERT_TRUE(primary().ask(fmt::format("SELECT pg_terminate_backend({})", backend_of_ours(primary())))); });
    const auto* lost = std::get_if<model::Lost>(&sight);
    ASSERT_NE(lost, nullptr) << describe(sight);
    EXPECT_EQ(lost->words, LastWords::administrator);
    const auto next = poll(*server);
    EXPECT_TRUE(std::holds_alternative<model::Answered>(next)) << describe(next);
}

TEST_F(HeldSession, HearsThatThePostmasterDied) {
    const auto server = connect(primary());
    const auto sight = last_words_after(*server, [&] { primary().kill_postmaster(); });
    ASSERT_TRUE(std::holds_alternative<model::Lost>(sight)) << describe(sight);
    EXPECT_EQ(std::get<model::Lost>(sight).words, LastWords::postmaster_died);
    const auto next = poll(*server);
    ASSERT_TRUE(std::holds_alternative<model::NotOpen>(next)) << describe(next);
    EXPECT_EQ(std::get<model::NotOpen>(next).why, DialOutcome::refused);
}

TEST_F(HeldSession, HearsOfAnImmediateStop) {
    const auto server = connect(primary());
    const auto sight = last_words_after(*server, [&] { kill(*primary().postmaster(), SIGQUIT); });
    ASSERT_TRUE(std::holds_alternative<model::Lost>(sight)) << describe(sight);
    EXPECT_EQ(std::get<model::Lost>(sight).words, LastWords::immediate_stop);
}

TEST_F(HeldSession, HearsOfTheCrashOfAnotherBackend) {
    auto other = primary().session();
    ASSERT_TRUE(other);
    const auto server = connect(primary());
    const auto sight = last_words_after(*server, [&] { kill(other->backend(), SIGKILL); });
    ASSERT_TRUE(std::holds_alternative<model::Lost>(sight)) << describe(sight);
    EXPECT_EQ(std::get<model::Lost>(sight).words, LastWords::backend_crash);
    ASSERT_TRUE(primary().wait_for_sessions(seconds{30}));
}

TEST_F(HeldSession, EndsWithoutAWordWhenEveryProcessIsKilled) {
    const auto server = connect(primary());
    const auto sight = last_words_after(*server, [&] { primary().kill_all(); });
    ASSERT_TRUE(std::holds_alternative<model::Lost>(sight)) << describe(sight);
    EXPECT_NE(std::get<model::Lost>(sight).words, LastWords::administrator);
}

TEST_F(HeldSession, TellsItsLastWordsAlsoToAPollThatIsWaiting) {
    const auto server = connect(primary());
    poll(*server);
    const pid_t backend = backend_of_ours(primary());
    Frozen frozen{backend};
    const auto silent = poll(*server, milliseconds{100});
    ASSERT_TRUE(std::holds_alternative<model::Silent>(silent)) << describe(silent);
    ASSERT_TRUE(primary().ask(fmt::format("SELECT pg_terminate_backend({})", backend)));
    frozen.thaw();
    // The answer may still come before the end.
    auto sight = poll(*server);
    if (std::holds_alternative<model::Answered>(sight)) sight = poll(*server);
    ASSERT_TRUE(std::holds_alternative<model::Lost>(sight)) << describe(sight);
    EXPECT_EQ(std::get<model::Lost>(sight).words, LastWords::administrator);
}

TEST_F(HeldSession, IsWatchedFromTheMomentItIsOpened) {
    const auto server = connect(primary());
    bool ended = false;
    asio::co_spawn(loop.context, server->session_ended(), [&](std::exception_ptr) { ended = true; });
    loop.turn_for(milliseconds{20});
    poll(*server);
    poll(*server);
    EXPECT_FALSE(ended);
    ASSERT_TRUE(primary().ask(fmt::format("SELECT pg_terminate_backend({})", backend_of_ours(primary()))));
    loop.turn_until([&] { return ended; });
    EXPECT_TRUE(ended);
}

TEST_F(HeldSession, PutsNoPasswordIntoTheLog) {
    const auto server = connect(primary());
    last_words_after(
        *server, [&] { ASSERT_TRUE(primary().ask(fmt::format("SELECT pg_terminate_backend({})", backend_of_ours(primary())))); });
    EXPECT_NE(loop.log.text.find("session_lost"), std::string::npos);
    EXPECT_EQ(loop.log.text.find(cluster().superuser_password().reveal()), std::string::npos);
}

}  // namespace
}  // namespace handyrep
