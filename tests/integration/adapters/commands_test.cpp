// What the adapter makes real servers do.
#include "adapters/ssh/shell_host.hpp"
#include "postgres_fixture.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

namespace handyrep {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Commands : public RealPostgres {
protected:
    static bool streams(const model::Answered& it) {
        return it.standby() != nullptr && it.standby()->receiver && it.standby()->receiver->status == "streaming";
    }
    ports::Upstream upstream() const { return {"127.0.0.1", primary().port}; }
    std::string conninfo() const { return *replica().ask("SHOW primary_conninfo"); }
    void give_password_to_conninfo() {
        const std::string text = fmt::format(
            "host=127.0.0.1 port={} user={} password={} application_name=db2 sslmode=disable", primary().port,
            harness::RealCluster::replication_user(), cluster().replication_password().reveal());
        ASSERT_TRUE(did(replica(), "ALTER SYSTEM SET primary_conninfo TO " + harness::sql_literal(text)));
        ASSERT_TRUE(replica().ask("SELECT pg_reload_conf()"));
        ASSERT_TRUE(harness::wait_until([&] { return conninfo() == text; }, seconds{10}, "the setting with the password is used"));
    }
};

TEST_F(Commands, DetachEndsTheReceiverAndFollowBringsItBackAsItWas) {
    const auto server = connect(replica());
    const std::string before = conninfo();
    const auto detached = loop.run(server->detach(loop.in(seconds{20})));
    ASSERT_TRUE(detached) << detached.error().text();
    EXPECT_EQ(conninfo(), "");
    const auto sight = poll(*server);
    const auto* answered = std::get_if<model::Answered>(&sight);
    ASSERT_NE(answered, nullptr) << describe(sight);
    ASSERT_NE(answered->standby(), nullptr);
    EXPECT_FALSE(answered->standby()->receiver);
    EXPECT_TRUE(loop.run(server->detach(loop.in(seconds{20}))));
    ASSERT_TRUE(server->upstream_settings());

    const auto followed = loop.run(server->follow(upstream(), loop.in(seconds{20})));
    ASSERT_TRUE(followed) << followed.error().text();
    EXPECT_TRUE(poll_until(*server, streams));
    for (const char* word : {"user='replicator'", "application_name='db2'", "passfile='", "sslmode='disable'"})
        EXPECT_NE(conninfo().find(word), std::string::npos) << word;
    EXPECT_TRUE(loop.run(server->follow(upstream(), loop.in(seconds{20}))));
}

TEST_F(Commands, RedialStartsAnotherReceiverForTheSameUpstream) {
    const auto receiver = [this] {
        const auto pid = replica().ask("SELECT coalesce(max(pid), 0) FROM pg_stat_wal_receiver");
        return pid ? *pid : std::string("0");
    };
    const auto server = connect(replica());
    ASSERT_TRUE(poll_until(*server, streams));
    for (int twice = 0; twice < 2; ++twice) {
        const std::string before = receiver();
        const auto done = loop.run(server->redial(loop.in(seconds{20})));
        ASSERT_TRUE(done) << done.error().text();
        EXPECT_TRUE(
            harness::wait_until([&] { return receiver() != before && receiver() != "0"; }, seconds{20}, "another receiver is there"));
        EXPECT_NE(conninfo().find(fmt::format("port='{}'", primary().port)), std::string::npos) << conninfo();
        EXPECT_TRUE(poll_until(*server, streams));
    }
    EXPECT_EQ(conninfo().find("fallback_application_name"), std::string::npos) << "the second one takes back what the first one added";
    ASSERT_TRUE(loop.run(server->detach(loop.in(seconds{20}))));
    EXPECT_EQ(loop.run(server->redial(loop.in(seconds{20}))).error().kind, ErrorKind::refused);
    EXPECT_EQ(conninfo(), "") << "a redial brings no detached replica back";
    ASSERT_TRUE(loop.run(server->follow(upstream(), loop.in(seconds{20}))));
}

TEST_F(Commands, AStandbysTimelineIsToldAlsoWithoutAReceiver) {
    const std::string before = conninfo();
    {
        const auto server = connect(replica());
        ASSERT_TRUE(loop.run(server->detach(loop.in(seconds{20}))));
    }
    const auto server = connect(replica());
    const auto seen = poll_until(*server, [](const model::Answered& it) { return it.standby() != nullptr && it.standby()->timeline; });
    ASSERT_TRUE(seen);
    EXPECT_FALSE(seen->standby()->receiver);
    // This one never saw the setting while it was not empty; it makes one, which the replica's own passfile does not serve.
    EXPECT_FALSE(server->upstream_settings());
    server->remember_upstream_settings(before);
    ASSERT_TRUE(loop.run(server->follow(upstream(), loop.in(seconds{20}))));
    EXPECT_TRUE(poll_until(*server, streams));
}

TEST_F(Commands, WhatAnEarlierLifeRememberedServesToFollow) {
    std::optional<std::string> remembered;
    {
        const auto server = connect(replica());
        ASSERT_TRUE(loop.run(server->detach(loop.in(seconds{20}))));
        remembered = server->upstream_settings();
    }
    ASSERT_TRUE(remembered);
    const auto server = connect(replica());
    server->remember_upstream_settings(*remembered);
    ASSERT_TRUE(loop.run(server->follow(upstream(), loop.in(seconds{20}))));
    EXPECT_TRUE(poll_until(*server, streams));
}

TEST_F(Commands, APasswordInTheSettingIsMovedToAPassfile) {
    give_password_to_conninfo();
    adapters::ssh::ShellHost host{
        {.server = definition(replica()), .kept_folder = (owners_folder() / "passfiles").string()}, loop.executor(), loop.clock, loop.log};
    const auto server = connect(replica(), &host);
    ASSERT_TRUE(loop.run(server->detach(loop.in(seconds{20}))));
    const auto followed = loop.run(server->follow(upstream(), loop.in(seconds{20})));
    ASSERT_TRUE(followed) << followed.error().text();
    const std::string& password = cluster().replication_password().reveal();
    EXPECT_EQ(conninfo().find(password), std::string::npos);
    EXPECT_EQ(server->upstream_settings().value_or("").find(password), std::string::npos);
    EXPECT_EQ(loop.log.text.find(password), std::string::npos);
    struct stat file{};
    ASSERT_EQ(stat((owners_folder() / "passfiles" / "passfile.db2").c_str(), &file), 0);
    EXPECT_EQ(file.st_mode & 0777U, 0600U);
    EXPECT_TRUE(poll_until(*server, streams));
}

TEST_F(Commands, WithoutAShellAReplicaWithAPasswordIsLeftAlone) {
    give_password_to_conninfo();
    const std::string before = conninfo();
    const auto server = connect(replica());
    const auto detached = loop.run(server->detach(loop.in(seconds{20})));
    ASSERT_FALSE(detached);
    EXPECT_EQ(detached.error().kind, ErrorKind::refused);
    EXPECT_EQ(conninfo(), before);
    ASSERT_TRUE(cluster().rebuild_as_replica("db2", "db1"));
}

TEST_F(Commands, DetachOfAPrimaryIsRefused) {
    const auto server = connect(primary());
    const auto detached = loop.run(server->detach(loop.in(seconds{20})));
    ASSERT_FALSE(detached);
    EXPECT_EQ(detached.error().kind, ErrorKind::refused);
}

TEST_F(Commands, TheSynchronousSetIsWrittenAndReadBack) {
    const auto server = connect(primary());
    ASSERT_TRUE(loop.run(server->set_synchronous_standby_names("ANY 1 (db2)", loop.in(seconds{20}))));
    EXPECT_EQ(*primary().ask("SHOW synchronous_standby_names"), "ANY 1 (db2)");
    const auto nonsense = loop.run(server->set_synchronous_standby_names("ANY (", loop.in(seconds{20})));
    ASSERT_FALSE(nonsense);
    EXPECT_EQ(nonsense.error().kind, ErrorKind::refused);
    ASSERT_TRUE(loop.run(server->set_synchronous_standby_names("", loop.in(seconds{20}))));
    EXPECT_EQ(*primary().ask("SHOW synchronous_standby_names"), "");
}

TEST_F(Commands, AnExpiredPromotionIsDroppedByTheServer) {
    const auto server = connect(replica());
    const auto promoted = loop.run(server->promote(loop.clock.wall() - seconds{1}, loop.in(seconds{20})));
    ASSERT_FALSE(promoted);
    EXPECT_EQ(promoted.error().kind, ErrorKind::refused);
    EXPECT_EQ(replica().in_recovery(), std::optional{true});
}

TEST_F(Commands, APromotedReplicaTellsItsNewTimelineAndWhereItLeftTheOldOne) {
    const auto server = connect(replica());
    ASSERT_TRUE(poll_until(*server, streams));
    ASSERT_TRUE(loop.run(server->detach(loop.in(seconds{20}))));
    const auto promoted = loop.run(server->promote(loop.clock.wall() + seconds{20}, loop.in(seconds{20})));
    ASSERT_TRUE(promoted) << promoted.error().text();
    ASSERT_TRUE(loop.run(server->nudge(loop.in(seconds{20}))));
    const auto seen = poll_until(*server, [](const model::Answered& it) { return it.primary() != nullptr && it.primary()->history; });
    ASSERT_TRUE(seen);
    const auto& history = *seen->primary()->history;
    EXPECT_EQ(history.current(), seen->primary()->timeline);
    ASSERT_FALSE(history.switches().empty());
    EXPECT_LE(history.switches().back().at, seen->primary()->inserted);
    const auto asked = loop.run(server->timeline_history(loop.in(seconds{20})));
    ASSERT_TRUE(asked) << asked.error().text();
    EXPECT_EQ(*asked, history);
    const auto again = loop.run(server->promote(loop.clock.wall() + seconds{20}, loop.in(seconds{20})));
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().kind, ErrorKind::refused);
    ASSERT_TRUE(cluster().rebuild_as_replica("db2", "db1"));
}

TEST_F(Commands, ATimelineHistoryOfTheFirstTimelineIsEmpty) {
    const auto server = connect(primary());
    const auto history = loop.run(server->timeline_history(loop.in(seconds{20})));
    ASSERT_TRUE(history) << history.error().text();
    EXPECT_EQ(*history, (model::TimelineHistory{model::Timeline{1}, {}}));
    const auto sight = poll(*server);
    ASSERT_TRUE(std::holds_alternative<model::Answered>(sight)) << describe(sight);
    EXPECT_TRUE(std::get<model::Answered>(sight).primary()->history);
}

TEST_F(Commands, ALateAnswerIsNeverTakenForAnothers) {
    const auto server = connect(primary());
    poll(*server);
    const pid_t first = backend_of_ours(primary());
    {
        const Frozen frozen{first};
        const auto nudged = loop.run(server->nudge(loop.in(milliseconds{150})));
        ASSERT_FALSE(nudged);
        EXPECT_EQ(nudged.error().kind, ErrorKind::timed_out);
    }
    const auto sight = poll(*server);
    EXPECT_TRUE(std::holds_alternative<model::Answered>(sight)) << describe(sight);
}

TEST_F(Commands, ACommandBehindAnUnansweredPollIsNotSentAndCertainlyNotDone) {
    const auto server = connect(replica());
    poll(*server);
    Frozen frozen{backend_of_ours(replica())};
    ASSERT_TRUE(std::holds_alternative<model::Silent>(poll(*server, milliseconds{100})));
    const auto promoted = loop.run(server->promote(loop.clock.wall() + seconds{20}, loop.in(milliseconds{150})));
    ASSERT_FALSE(promoted);
    EXPECT_TRUE(surely_not_done(promoted.error().kind)) << promoted.error().text();
    frozen.thaw();
    const auto sight = poll(*server);
    EXPECT_TRUE(std::holds_alternative<model::Answered>(sight)) << describe(sight);
    EXPECT_EQ(replica().in_recovery(), std::optional{true});
}

TEST_F(Commands, ACommandToADeadServerCertainlyDidNothing) {
    PostgresSettings nowhere = settings(primary());
    nowhere.server.port = *harness::free_port();
    const auto promoted = loop.run(connect(nowhere)->promote(loop.clock.wall() + seconds{5}, loop.in(seconds{5})));
    ASSERT_FALSE(promoted);
    EXPECT_TRUE(surely_not_done(promoted.error().kind)) << promoted.error().text();
}

}  // namespace
}  // namespace handyrep
