// `handyrep verify` on real servers: each debt is found, and nothing stays changed.
#include "tests/harness/process.hpp"
#include "tests/integration/daemon/stage.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <map>

namespace handyrep::integration {
namespace {

using harness::RealServer;
using std::chrono::seconds;
using testing::HasSubstr;
using Checks = std::map<std::string, std::string>;

constexpr Duration generous = seconds{120};

/// "db2 replication_timeouts" → "debt", and the text behind it.
struct Verified {
    int exit_code = 0;
    nlohmann::json document;

    [[nodiscard]] Checks not_ok() const {
        Checks out;
        for (const auto& it : document.at("checks")) {
            if (it.at("outcome") != "ok")
                out[it.at("server").get<std::string>() + " " + it.at("name").get<std::string>()] = it.at("outcome");
        }
        return out;
    }
    [[nodiscard]] nlohmann::json check(const std::string& server, const std::string& name) const {
        for (const auto& it : document.at("checks")) {
            if (it.at("server") == server && it.at("name") == name) return it;
        }
        throw std::runtime_error("no check " + name + " of " + server);
    }
    [[nodiscard]] std::string outcome(const std::string& server, const std::string& name) const {
        return check(server, name).at("outcome");
    }
    [[nodiscard]] std::string text(const std::string& server, const std::string& name) const { return check(server, name).at("text"); }
};

Verified verify(Stage& stage) {
    auto outcome = must(stage.daemon().cli({"--output", "json", "verify"}, generous));
    auto document = nlohmann::json::parse(outcome.output, nullptr, false);
    if (document.is_discarded()) throw std::runtime_error("not JSON: " + outcome.output + outcome.errors);
    return {outcome.exit_code, std::move(document)};
}

/// What the harness's own cluster lacks: PostgreSQL's default timeouts, and a primary that never was a replica and has no
/// passfile, so that it could not follow whoever succeeds it.
const Checks harness_debts{
    {"db1 replication_timeouts", "debt"}, {"db2 replication_timeouts", "debt"}, {"db3 replication_timeouts", "debt"},
    {"db2 replication_login", "debt"},    {"db3 replication_login", "debt"},
};

Checks with(Checks more) {
    more.insert(harness_debts.begin(), harness_debts.end());
    return more;
}

/// Every file that configures the servers, and the names beside it.
std::map<std::string, std::string> configuration_files(const Stage& stage) {
    std::map<std::string, std::string> out;
    for (const char* name : {"db1", "db2", "db3"}) {
        for (const auto& entry : std::filesystem::directory_iterator(stage.server(name).data)) {
            const std::string file = entry.path().filename();
            const bool configures = file.ends_with(".conf") || file.ends_with(".signal") || file == "PG_VERSION";
            out[name + ("/" + file)] = configures ? must(harness::read_file(entry.path())) : "";
        }
    }
    return out;
}

/// One statement now and another when the test ends, each in a session of its own, with a reload after it.
class Changed {
public:
    Changed(const RealServer& server, const std::string& now, std::string then) : server_{server}, then_{std::move(then)} { say(now); }
    Changed(const Changed&) = delete;
    Changed& operator=(const Changed&) = delete;
    ~Changed() { say(then_); }

private:
    void say(const std::string& statement) const {
        auto session = must(server_.session());
        must(session.query(statement));
        must(session.query("SELECT pg_reload_conf()"));
    }
    const RealServer& server_;
    std::string then_;
};

class Verify : public testing::TestWithParam<Over> {};

TEST_P(Verify, FindsOnAHealthyClusterWhatItLacksAndChangesNothing) {
    Stage stage{GetParam()};
    const auto before = configuration_files(stage);
    const Verified found = verify(stage);
    EXPECT_EQ(found.not_ok(), harness_debts) << found.document.dump(2);
    EXPECT_EQ(found.exit_code, 1) << "debts, and nothing broken";
    EXPECT_EQ(found.outcome("db2", "fence_drill"), "ok");
    EXPECT_THAT(found.text("db2", "replication_login"), HasSubstr("from db1"));
    EXPECT_EQ(configuration_files(stage), before);
    EXPECT_EQ(stage.server("db1").in_recovery(), std::optional{false});
    EXPECT_FALSE(stage.server("db1").marked_standby());
    EXPECT_EQ(stage.situation(), "Healthy");
    EXPECT_EQ(stage.status().at("readiness").at("debts"), harness_debts.size());
}

TEST_P(Verify, FindsAHostThatDoesNotLetTheOwnerWrite) {
    Stage stage{GetParam()};
    const auto& folder = stage.cluster().folder();
    const auto rights = std::filesystem::status(folder).permissions();
    std::filesystem::permissions(folder, std::filesystem::perms{0555});
    std::filesystem::permissions(stage.server("db3").data, std::filesystem::perms{0500});
    const Verified found = verify(stage);
    std::filesystem::permissions(stage.server("db3").data, std::filesystem::perms{0700});
    std::filesystem::permissions(folder, rights);
    EXPECT_EQ(
        found.not_ok(), with(
                            {{"db1 parent_writable", "debt"},
                             {"db2 parent_writable", "debt"},
                             {"db3 parent_writable", "debt"},
                             {"db3 data_directory_writable", "broken"},
                             {"db3 fence_drill", "broken"}}))
        << found.document.dump(2);
    EXPECT_EQ(found.exit_code, 2);
}

INSTANTIATE_TEST_SUITE_P(Transports, Verify, testing::Values(Over::local, Over::ssh), [](const auto& over) {
    return over.param == Over::local ? "local" : "ssh";
});

/// One cluster for all; each test undoes what it did.
class VerifyOne : public testing::Test {
protected:
    static void SetUpTestSuite() { made = new Stage{Over::local}; }
    static void TearDownTestSuite() {
        delete made;
        made = nullptr;
    }
    /// The one before may have had a WAL receiver begin anew, and one that is not streaming yet is a check of its own.
    void SetUp() override { must(stage().cluster().wait_until_streaming({"db2", "db3"}, "db1", generous)); }
    static Stage& stage() { return *made; }

private:
    static Stage* made;
};
Stage* VerifyOne::made = nullptr;

TEST_F(VerifyOne, FindsALimitThatTheNextRestartOfAReplicaWouldDieOf) {
    const Changed changed{stage().server("db2"), "ALTER SYSTEM SET max_connections = 20", "ALTER SYSTEM RESET max_connections"};
    const auto before = configuration_files(stage());
    const Verified found = verify(stage());
    EXPECT_EQ(found.not_ok(), with({{"db2 standby_limits", "debt"}})) << found.document.dump(2);
    EXPECT_THAT(found.text("db2", "standby_limits"), HasSubstr("max_connections will be 20, the primary's is 40"));
    EXPECT_EQ(configuration_files(stage()), before);
}

TEST_F(VerifyOne, FindsACandidateThatRefusesItsFollowersLogin) {
    const auto file = stage().server("db2").data / "pg_hba.conf";
    const std::string was = must(harness::read_file(file));
    must(harness::write_private(file, "host replication all 127.0.0.1/32 reject\n" + was, true));
    must(stage().server("db2").ask("SELECT pg_reload_conf()"));
    const Verified found = verify(stage());
    must(harness::write_private(file, was, true));
    must(stage().server("db2").ask("SELECT pg_reload_conf()"));
    EXPECT_EQ(found.outcome("db2", "replication_login"), "broken");
    EXPECT_THAT(found.text("db2", "replication_login"), HasSubstr("from db3: "));
    EXPECT_THAT(found.text("db2", "replication_login"), HasSubstr("pg_hba.conf"));
    EXPECT_EQ(found.outcome("db3", "replication_login"), "debt") << "only the one that refuses is called broken";
    EXPECT_EQ(found.exit_code, 2);
}

TEST_F(VerifyOne, FindsASetThatAnybodyMayConfirm) {
    const Changed changed{
        stage().server("db1"), "ALTER SYSTEM SET synchronous_standby_names = '*'", "ALTER SYSTEM RESET synchronous_standby_names"};
    EXPECT_EQ(verify(stage()).not_ok(), with({{"db1 synchronous_standbys", "broken"}}));
}

TEST_F(VerifyOne, FindsARoleWhoseCommitsDoNotWait) {
    const Changed set{
        stage().server("db1"), "ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (db2, db3)'",
        "ALTER SYSTEM RESET synchronous_standby_names"};
    const Changed role{
        stage().server("db1"), "ALTER ROLE replicator SET synchronous_commit = off", "ALTER ROLE replicator RESET synchronous_commit"};
    const Verified found = verify(stage());
    EXPECT_EQ(found.not_ok(), with({{"db1 synchronous_commit", "debt"}}));
    EXPECT_THAT(found.text("db1", "synchronous_commit"), HasSubstr("off for role replicator"));
}

TEST_F(VerifyOne, FindsTwoReplicasOfOneName) {
    const std::string conninfo = must(stage().server("db3").ask("SHOW primary_conninfo"));
    const std::string same = conninfo + " application_name=db2";
    const Changed changed{
        stage().server("db3"), "ALTER SYSTEM SET primary_conninfo = " + harness::sql_literal(same),
        "ALTER SYSTEM SET primary_conninfo = " + harness::sql_literal(conninfo)};
    const Verified found = verify(stage());
    EXPECT_EQ(found.outcome("db2", "application_name"), "debt");
    EXPECT_EQ(found.outcome("db3", "application_name"), "debt");
    EXPECT_THAT(found.text("db3", "application_name"), HasSubstr("db2"));
}

TEST_F(VerifyOne, ShowsOneServerAndTheLastRound) {
    must(stage().daemon().cli({"verify"}, generous));
    const auto one = must(stage().daemon().cli_json({"verify", "db3", "--last"}));
    for (const auto& it : one.at("checks")) EXPECT_EQ(it.at("server"), "db3");
    EXPECT_FALSE(one.at("checks").empty());
    const auto wrong = must(stage().daemon().cli({"verify", "db9"}));
    EXPECT_EQ(wrong.exit_code, 4);
    EXPECT_THAT(wrong.errors, HasSubstr("there is no server 'db9'"));
    const auto table = must(stage().daemon().cli({"verify", "--last"}));
    EXPECT_EQ(table.exit_code, 1) << table.output;
    EXPECT_THAT(table.output, HasSubstr("Remedy: wal_receiver_timeout"));
    EXPECT_THAT(table.output, testing::Not(HasSubstr("its replay goes on"))) << "what is ok is shown with --all only";
}

}  // namespace
}  // namespace handyrep::integration
