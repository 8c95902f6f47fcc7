// What `verify` reads and tries on real servers, and that it leaves everything as it was.
#include "adapters/postgres/postgres_inspector.hpp"
#include "adapters/ssh/shell_inspector.hpp"
#include "postgres_fixture.hpp"
#include "tests/harness/temporary_folder.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <fstream>

namespace handyrep {
namespace {

using adapters::postgres::PostgresInspector;
using adapters::ssh::ShellInspector;
using model::LoginAttempt;
using model::Right;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

class Inspection : public RealPostgres {
protected:
    Result<model::DatabaseInspection> inspect(const PostgresSettings& of, ports::Depth depth = ports::Depth::full) {
        PostgresInspector inspector{of, loop.executor(), loop.clock};
        return loop.run(inspector.inspect(depth, loop.in(seconds{20})));
    }
    std::unique_ptr<ShellInspector> host(const harness::RealServer& of) {
        adapters::ssh::ShellHostSettings host_settings{.server = definition(of)};
        host_settings.debian_configuration = (owners_folder() / "etc").string();
        return std::make_unique<ShellInspector>(host_settings, loop.executor(), loop.clock);
    }
    model::SystemId system_id() {
        return model::SystemId{std::stoull(*primary().ask("SELECT system_identifier FROM pg_control_system()"))};
    }
    ports::LoginQuestion question(std::string conninfo, Secret password = {}) {
        return {
            .to = *model::ServerName::parse("db2"),
            .hostname = "127.0.0.1",
            .port = replica().port,
            .conninfo = std::move(conninfo),
            .password = std::move(password),
            .expected = system_id()};
    }
    LoginAttempt log_in(const ports::LoginQuestion& asked) {
        const auto from = host(primary());
        return loop.run(from->try_login(asked, loop.in(seconds{20})));
    }
};

TEST_F(Inspection, ReadsAPrimaryAndItsReplica) {
    const auto seen = inspect(settings(primary()));
    ASSERT_TRUE(seen) << seen.error().text();
    EXPECT_FALSE(seen->in_recovery);
    EXPECT_EQ(seen->system_id, system_id());
    EXPECT_EQ(seen->settings.at("max_connections").value, "40");
    EXPECT_EQ(seen->settings.at("max_connections").in_file, "40");
    EXPECT_EQ(seen->settings.at("wal_receiver_timeout").value, "60000");
    EXPECT_TRUE(seen->rights.at(Right::superuser));
    EXPECT_EQ(seen->senders->size(), 1U);
    EXPECT_GT(seen->size->count, 1U << 20U);
    EXPECT_EQ(seen->upstream.has_value(), false);
    EXPECT_LT(seen->clock_ahead, seconds{1}) << "it is the same machine";
    const auto standby = inspect(settings(replica()), ports::Depth::brief);
    ASSERT_TRUE(standby) << standby.error().text();
    EXPECT_TRUE(standby->in_recovery);
    EXPECT_EQ(standby->receiver_status, "streaming");
    EXPECT_EQ(standby->upstream->application_name, "db2");
    EXPECT_FALSE(standby->size) << "a brief look costs the server nothing";
}

TEST_F(Inspection, SaysOfAPlainRoleWhatItMayNot) {
    const std::string password = harness::sql_literal(cluster().superuser_password().reveal());
    ASSERT_TRUE(did(primary(), "CREATE ROLE watcher LOGIN PASSWORD " + password));
    PostgresSettings plain = settings(primary());
    plain.server.database_user = "watcher";
    const auto seen = inspect(plain);
    ASSERT_TRUE(did(primary(), "DROP ROLE watcher"));
    ASSERT_TRUE(seen) << seen.error().text();
    for (const Right right :
         {Right::superuser, Right::pg_monitor, Right::pg_signal_backend, Right::replication, Right::promote, Right::reload,
          Right::checkpoint, Right::alter_conninfo, Right::alter_sync_names, Right::alter_restore})
        EXPECT_FALSE(seen->rights.at(right)) << static_cast<int>(right);
    EXPECT_TRUE(seen->rights.at(Right::heartbeat)) << "anybody may, unless somebody took it away";
    EXPECT_FALSE(seen->settings.contains("primary_conninfo")) << "hidden is not the same as empty";
    EXPECT_FALSE(seen->files_read);
}

TEST_F(Inspection, LetsNoPasswordOutOfPrimaryConninfo) {
    const auto was = replica().ask("SHOW primary_conninfo");
    ASSERT_TRUE(was);
    ASSERT_TRUE(did(replica(), "ALTER SYSTEM SET primary_conninfo = " + harness::sql_literal(*was + " password=hush-hush")));
    ASSERT_TRUE(did(replica(), "SELECT pg_reload_conf()"));
    std::optional<model::DatabaseInspection> seen;
    loop.turn_until([&] {
        const auto read = inspect(settings(replica()), ports::Depth::brief);
        if (read && read->upstream && read->upstream->has_password) seen = *read;
        return seen.has_value();
    });
    ASSERT_TRUE(did(replica(), "ALTER SYSTEM SET primary_conninfo = " + harness::sql_literal(*was)));
    ASSERT_TRUE(did(replica(), "SELECT pg_reload_conf()"));
    EXPECT_EQ(seen->settings.at("primary_conninfo").value, "set");
    EXPECT_THAT(seen->upstream->conninfo, Not(HasSubstr("hush")));
    EXPECT_EQ(seen->upstream->password.reveal(), "hush-hush");
}

TEST_F(Inspection, TriesAReplicationLoginAsTheNodeWould) {
    const std::string user = "user=" + harness::RealCluster::replication_user();
    const auto by_file = log_in(question(user + " passfile=" + (cluster().folder() / "replication.pgpass").string()));
    EXPECT_EQ(by_file.outcome, LoginAttempt::Outcome::accepted) << by_file.text;
    const auto by_password = log_in(question(user, cluster().replication_password()));
    EXPECT_EQ(by_password.outcome, LoginAttempt::Outcome::accepted) << by_password.text;
    const auto wrong = log_in(question(user, Secret{"wrong-and-secret"}));
    EXPECT_EQ(wrong.outcome, LoginAttempt::Outcome::refused);
    EXPECT_THAT(wrong.text, HasSubstr("password authentication failed"));
    EXPECT_THAT(wrong.text, Not(HasSubstr("wrong-and-secret")));
    const auto none = log_in(question(user));
    EXPECT_EQ(none.outcome, LoginAttempt::Outcome::refused) << "nothing asks for a password there";
    auto another = question(user, cluster().replication_password());
    another.expected = model::SystemId{42};
    EXPECT_THAT(log_in(another).text, HasSubstr("another system"));
    auto nobody = question(user, cluster().replication_password());
    nobody.port = *harness::free_port();
    EXPECT_THAT(log_in(nobody).text, HasSubstr("refused"));
}

TEST_F(Inspection, FindsTheProgramsAndWhatTheOwnerMay) {
    const auto seen = loop.run(host(replica())->inspect(loop.in(seconds{20})));
    ASSERT_TRUE(seen) << seen.error().text();
    EXPECT_EQ(seen->system_id, system_id());
    EXPECT_EQ(seen->programs, replica().programs.string());
    EXPECT_EQ(seen->pg_ctl, model::PgCtlStatus::running);
    EXPECT_TRUE(seen->control_data_readable);
    EXPECT_TRUE(seen->psql_found);
    EXPECT_TRUE(seen->data_writable);
    EXPECT_GT(seen->data_free->count, 0U);
    EXPECT_GT(seen->wal_free->count, 0U);
    EXPECT_THAT(seen->libc_version.value_or(""), HasSubstr("glibc"));
    EXPECT_FALSE(seen->recovery_target_timeline) << "from 12 on it is a setting";
    for (const auto& entry : std::filesystem::directory_iterator(replica().data))
        EXPECT_THAT(entry.path().filename().string(), Not(HasSubstr("handyrep"))) << "what was tried is taken away";
}

TEST_F(Inspection, DrillsTheFenceWithoutItsDeeds) {
    const auto folder = owners_folder() / "etc" / "15" / "drilled";
    std::filesystem::create_directories(folder);
    std::ofstream{folder / "postgresql.conf"} << "data_directory = '" << primary().data.string() << "'\n";
    std::ofstream{folder / "start.conf"} << "# who starts it\nauto\n";
    for (const auto& path : {folder, folder / "start.conf"}) ASSERT_TRUE(harness::give_to_server_user(path));
    const auto machine = host(primary());
    const auto drilled = loop.run(machine->drill(system_id(), loop.in(seconds{20})));
    ASSERT_TRUE(drilled) << drilled.error().text();
    EXPECT_EQ(drilled->autostart, "start.conf of 15/drilled: manual") << "what the fence would say";
    EXPECT_TRUE(drilled->autostart_off);
    EXPECT_TRUE(drilled->markable);
    EXPECT_GE(drilled->processes, 5U);
    EXPECT_EQ(drilled->untouchable, 0U);
    EXPECT_EQ(*harness::read_file(folder / "start.conf"), "# who starts it\nauto\n");
    EXPECT_FALSE(std::filesystem::exists(folder / "start.conf.handyrep"));
    EXPECT_EQ(primary().in_recovery(), std::optional{false});
    EXPECT_FALSE(primary().marked_standby());

    std::filesystem::permissions(folder, std::filesystem::perms{0555});
    const auto refused = loop.run(machine->drill(system_id(), loop.in(seconds{20})));
    std::filesystem::permissions(folder, std::filesystem::perms{0755});
    std::filesystem::remove_all(folder);
    ASSERT_TRUE(refused) << refused.error().text();
    EXPECT_FALSE(refused->autostart_off);
    EXPECT_THAT(refused->autostart, HasSubstr("could not be written"));

    const auto foreign = loop.run(machine->drill(model::SystemId{42}, loop.in(seconds{20})));
    ASSERT_FALSE(foreign);
    EXPECT_EQ(foreign.error().kind, ErrorKind::refused);
}

}  // namespace
}  // namespace handyrep
