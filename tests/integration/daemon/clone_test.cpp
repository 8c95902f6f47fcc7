// A replica that is made anew as a person orders it: refused by name, with progress, and in spite of a daemon and a connection that are killed.
#include "tests/integration/daemon/stage.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace handyrep::integration {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr Duration generous = seconds{120};

std::filesystem::path beside(const harness::RealServer& server, const char* word) { return server.data.string() + ".handyrep-" + word; }

bool is_gone(const std::filesystem::path& path) {
    return harness::wait_until([&] { return !std::filesystem::exists(path); }, generous, "it is deleted", milliseconds{20}).has_value();
}

std::ptrdiff_t told(const Stage& stage, const std::string& event) {
    const auto events = stage.events();
    return std::ranges::count(events, event);
}

class Clone : public testing::TestWithParam<Over> {};

TEST_P(Clone, ReplacesADeadReplicaAndKeepsWhatIsTheNodesOwn) {
    Stage stage{GetParam()};
    const harness::RealServer& replica = stage.server("db3");
    const auto running = must(stage.daemon().cli({"reclone", "db3", "--yes"}, generous));
    EXPECT_EQ(running.exit_code, 6) << running.output;
    EXPECT_THAT(running.errors, HasSubstr("StillRuns"));
    replica.kill_all();
    must(harness::run_well(
        {.arguments = {"sh", "-c", "echo \"work_mem = '7MB'\" >>" + (replica.data / "postgresql.conf").string()}}, generous));
    const auto not_empty = must(stage.daemon().cli({"clone", "db3", "--yes"}, generous));
    EXPECT_THAT(not_empty.errors, HasSubstr("DirectoryNotEmpty"));

    const auto shown = must(stage.daemon().cli({"reclone", "db3", "--dry-run"}, generous));
    EXPECT_EQ(shown.exit_code, 0) << shown.errors;
    EXPECT_THAT(shown.output, HasSubstr("pg_basebackup -d"));
    EXPECT_THAT(shown.output, HasSubstr("DELETED"));
    EXPECT_FALSE(std::filesystem::exists(beside(replica, "new"))) << "a dry run touches nothing";

    const auto done = must(stage.daemon().cli({"reclone", "db3", "--slot", "db3", "--yes"}, generous));
    ASSERT_EQ(done.exit_code, 0) << done.output << done.errors;
    must(stage.cluster().wait_until_streaming({"db2", "db3"}, "db1", generous));
    EXPECT_EQ(must(replica.ask("SHOW work_mem")), "7MB");
    EXPECT_EQ(must(replica.ask("SHOW cluster_name")), "db3");
    EXPECT_EQ(must(stage.server("db1").ask("SELECT active FROM pg_replication_slots WHERE slot_name = 'db3'")), "t");
    EXPECT_THAT(must(replica.ask("SHOW primary_conninfo")), testing::Not(HasSubstr("password")));
    EXPECT_TRUE(is_gone(beside(replica, "old")));
    stage.wait_until_healthy();
}

/// The whole of what must hold of long work: seen soon, and ended by nobody who merely watches it.
TEST_P(Clone, OutlivesTheDaemonAndItsConnection) {
    Stage stage{GetParam()};
    const harness::RealServer& replica = stage.server("db3");
    must(stage.server("db1").ask("CREATE TABLE big AS SELECT repeat(md5(g::text), 30) AS text FROM generate_series(1, 60000) g"));
    replica.kill_all();
    const auto begun = must(stage.daemon().cli({"reclone", "db3", "--rate", "6MB", "--no-wait", "--yes"}, generous));
    ASSERT_EQ(begun.exit_code, 0) << begun.output << begun.errors;
    must(stage.daemon().wait_for(
        [](const nlohmann::json& status) {
            const auto& operation = status.at("operation");
            return operation.is_object() && operation.at("progress").is_object() && operation.at("progress").at("done_bytes") > 0;
        },
        generous, "progress is shown"));
    ASSERT_EQ(stage.status().at("operation").at("outcome"), "running");
    stage.daemon().kill();
    if (GetParam() == Over::ssh) {
        stage.sshd().stop();
        must(stage.sshd().start());
    }
    EXPECT_TRUE(std::filesystem::exists(beside(replica, "new"))) << "it goes on";
    must(stage.daemon().start());
    must(stage.daemon().wait_for_operation(generous));
    must(stage.cluster().wait_until_streaming({"db3"}, "db1", generous));
    EXPECT_EQ(must(replica.ask("SELECT count(*) FROM big")), "60000");
    EXPECT_EQ(told(stage, "copy_begun"), 1);
    EXPECT_EQ(told(stage, "copy_goes_on"), 1);
    EXPECT_TRUE(is_gone(beside(replica, "old")));
}

TEST_P(Clone, FillsAnAbsentDirectoryFromAReplica) {
    Stage stage{GetParam()};
    const harness::RealServer& replica = stage.server("db3");
    replica.kill_all();
    std::filesystem::remove_all(replica.data);
    const auto done = must(stage.daemon().cli({"clone", "db3", "--from", "db2", "--yes"}, generous));
    ASSERT_EQ(done.exit_code, 0) << done.output << done.errors;
    must(stage.cluster().wait_until_streaming({"db2", "db3"}, "db1", generous));
    EXPECT_EQ(must(replica.ask("SHOW port")), std::to_string(replica.port));
    EXPECT_FALSE(std::filesystem::exists(beside(replica, "new")));
    EXPECT_FALSE(std::filesystem::exists(beside(replica, "old")));
}

INSTANTIATE_TEST_SUITE_P(Transports, Clone, testing::Values(Over::local, Over::ssh), [](const auto& over) {
    return over.param == Over::local ? "local" : "ssh";
});

TEST(CloneCalledOff, LeavesTheOldDirectoryAsItWas) {
    Stage stage{Over::local};
    const harness::RealServer& replica = stage.server("db3");
    replica.kill_all();
    const auto begun = must(stage.daemon().cli({"reclone", "db3", "--rate", "1MB", "--no-wait", "--yes"}, generous));
    ASSERT_EQ(begun.exit_code, 0) << begun.output << begun.errors;
    const auto number = stage.status().at("operation").at("id").get<int>();
    must(harness::wait_until([&] { return std::filesystem::exists(beside(replica, "new") / "PG_VERSION"); }, generous, "it copies"));
    const auto cancelled = must(stage.daemon().cli({"cancel", std::to_string(number)}, generous));
    EXPECT_EQ(cancelled.exit_code, 0) << cancelled.errors;
    must(stage.daemon().wait_for(
        [](const nlohmann::json& status) { return !status.at("operation").at("ended").is_null(); }, generous, "it has ended"));
    EXPECT_THAT(stage.status().at("operation").at("outcome").get<std::string>(), HasSubstr("called off"));
    EXPECT_TRUE(is_gone(beside(replica, "new")));
    must(replica.start());
    must(stage.cluster().wait_until_streaming({"db3"}, "db1", generous));
}

TEST(CloneRefused, ByNameBeforeAnythingIsTouched) {
    Stage stage{Over::local};
    const auto refusal = [&stage](std::vector<std::string> words) {
        words.emplace_back("--yes");
        return must(stage.daemon().cli(words, generous)).errors;
    };
    EXPECT_THAT(refusal({"reclone", "db9"}), HasSubstr("UnknownServer"));
    EXPECT_THAT(refusal({"reclone", "db1"}), HasSubstr("IsPrimary"));
    EXPECT_THAT(refusal({"reclone", "db3", "--from", "db3"}), HasSubstr("SourceUnfit"));
    const harness::RealServer& replica = stage.server("db3");
    replica.kill_all();
    const auto control = replica.data / "global" / "pg_control";
    std::filesystem::rename(control, control.string() + ".away");
    EXPECT_THAT(refusal({"reclone", "db3"}), HasSubstr("DirectoryUnidentified"));
    std::filesystem::rename(control.string() + ".away", control);
    {
        std::fstream file{control, std::ios::in | std::ios::out | std::ios::binary};
        file.put('\0');  // the lowest byte of the system identifier
        file.put('\0');
    }
    EXPECT_THAT(refusal({"reclone", "db3"}), HasSubstr("ForeignSystem"));
    EXPECT_EQ(told(stage, "operation_begun"), 0);
    EXPECT_TRUE(std::filesystem::exists(control));
}

}  // namespace
}  // namespace handyrep::integration
