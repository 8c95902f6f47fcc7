// An old primary is brought back as a replica by order: followed as it is, or rewound, also when the daemon dies on the way.
#include "tests/harness/process.hpp"
#include "tests/harness/temporary_folder.hpp"
#include "tests/integration/daemon/stage.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

namespace handyrep::integration {
namespace {

using harness::Writer;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

/// A rewind is hundreds of small programs on its host: a busy machine takes minutes.
constexpr Duration generous = seconds{240};

/// What the event says of what was saved; the saved WAL itself is removed.
std::string forget_saved(Stage& stage) {
    std::string text;
    const auto answer = must(stage.daemon().cli_json({"events", "--count", "1000"}));
    for (const auto& event : answer.at("events")) {
        if (event.at("name") != "diverged_wal_saved") continue;
        text = event.at("text");
        const std::filesystem::path folder{text.substr(text.find("saved in ") + 9)};
        EXPECT_TRUE(std::filesystem::exists(folder / "pg_wal")) << folder;
        std::filesystem::remove_all(folder);
    }
    return text;
}

/// db1 was killed and failed over from.
class Returning {
public:
    explicit Returning(Over over) : stage{over} {
        must(stage.cluster().write_upstream("db1", "db2"));
        auto writer = must(Writer::start(stage.cluster()));
        must(writer->wait_for_rows(50, generous));
        stage.server("db1").kill_all();
        must(stage.daemon().wait_for_operation(generous));
        primary = stage.the_one_writable_server();
        must(writer->wait_for_row_on(primary, harness::now(), generous));
        writer->stop();
    }
    /// While nobody watches, it comes up as what it was, takes writes, and crashes.
    void let_db1_write_alone() {
        stage.daemon().kill();
        const auto& db1 = stage.server("db1");
        must(db1.start_as_primary());
        auto session = must(db1.session());
        must(session.query("CREATE TABLE only_here (i int)"));
        must(session.query("INSERT INTO harness_probes (prober) SELECT 'lost' FROM generate_series(1, 20)"));
        db1.kill_all();
        must(stage.daemon().start());
        must(stage.daemon().wait_for(
            [](const nlohmann::json& it) { return it.at("situation") == "Healthy"; }, generous, "it is watched again"));
    }
    [[nodiscard]] bool is_held() const {
        struct stat found{};
        return stat(stage.server("db1").data.c_str(), &found) == 0 && (found.st_mode & S_IXOTH) != 0;
    }
    void expect_it_is_back() {
        must(stage.cluster().wait_until_streaming({"db1"}, primary, generous));
        stage.wait_until_healthy();
        const auto& db1 = stage.server("db1");
        must(db1.wait_for_replay(must(stage.server(primary).ask("SELECT pg_current_wal_lsn()")), generous));
        const std::string count = "SELECT count(*), max(id) FROM harness_rows";
        EXPECT_EQ(must(db1.ask(count)), must(stage.server(primary).ask(count)));
        EXPECT_EQ(must(db1.ask("SELECT count(*) FROM harness_probes WHERE prober = 'lost'")), "0");
        EXPECT_TRUE(db1.marked_standby());
        EXPECT_FALSE(is_held());
        EXPECT_EQ(stage.row("db1").at("must_be_down"), false);
    }
    Stage stage;
    std::string primary;
};

class Rejoin : public testing::TestWithParam<Over> {};

TEST_P(Rejoin, RewindsAnOldPrimaryThatWroteMoreAndSaysWhatWasLost) {
    Returning it{GetParam()};
    it.let_db1_write_alone();
    auto writer = must(Writer::start(it.stage.cluster()));

    const auto shown = must(it.stage.daemon().cli({"rejoin", "db1", "--dry-run"}, generous));
    EXPECT_EQ(shown.exit_code, 0) << shown.errors;
    EXPECT_THAT(shown.output, HasSubstr("rewind db1"));
    EXPECT_THAT(shown.output, HasSubstr("not followed as it is: its WAL ends"));
    EXPECT_FALSE(it.is_held()) << "a dry run touches nothing";

    const auto done = must(it.stage.daemon().cli({"rejoin", "db1", "--yes"}, generous));
    ASSERT_EQ(done.exit_code, 0) << done.output << done.errors;
    writer->stop();
    it.expect_it_is_back();
    const std::string told = forget_saved(it.stage);
    EXPECT_THAT(told, HasSubstr("harness_probes: 20 inserted"));
    EXPECT_EQ(must(it.stage.server("db1").ask("SELECT to_regclass('only_here') IS NULL")), "t");
    const auto again = must(it.stage.daemon().cli({"rejoin", "db1", "--yes"}, generous));
    EXPECT_EQ(again.exit_code, 6);
    EXPECT_THAT(again.errors, HasSubstr("FollowsAlready"));
}

INSTANTIATE_TEST_SUITE_P(Transports, Rejoin, testing::Values(Over::local, Over::ssh), [](const auto& over) {
    return over.param == Over::local ? "local" : "ssh";
});

TEST(RejoinAsItIs, WhereTheWalEndsAtTheFork) {
    Stage stage{Over::local};
    must(stage.cluster().write_upstream("db1", "db2"));
    must(stage.server("db1").stop(harness::StopMode::fast));
    const auto failover = must(stage.daemon().cli({"failover", "--to", "db2", "--override", "fence", "--yes"}, generous));
    ASSERT_EQ(failover.exit_code, 0) << failover.errors;
    const auto rewind = must(stage.daemon().cli({"rewind", "db1", "--yes"}, generous));
    EXPECT_EQ(rewind.exit_code, 6);
    EXPECT_THAT(rewind.errors, HasSubstr("NothingToRewind"));
    const auto done = must(stage.daemon().cli({"rejoin", "db1", "--yes"}, generous));
    ASSERT_EQ(done.exit_code, 0) << done.output << done.errors;
    must(stage.cluster().wait_until_streaming({"db1", "db3"}, "db2", generous));
    stage.wait_until_healthy();
    EXPECT_TRUE(std::ranges::none_of(stage.events(), [](const std::string& it) { return it == "diverged_wal_saved"; }));
}

/// It was promoted by hand, beside the primary, and started as a standby again.
TEST(RejoinDiverged, StopsAReplicaThatWentItsOwnWayAndRewindsIt) {
    Stage stage{Over::local};
    stage.daemon().kill();
    const auto& db3 = stage.server("db3");
    must(db3.promote());
    {
        auto session = must(db3.session());
        must(session.query("INSERT INTO harness_probes (prober) SELECT 'lost' FROM generate_series(1, 20)"));
    }
    must(db3.stop(harness::StopMode::fast));
    must(harness::write_private(db3.mark(), "", true));
    must(db3.start());
    must(stage.daemon().start());
    must(
        stage.daemon().wait_for([](const nlohmann::json& it) { return it.at("situation") == "Healthy"; }, generous, "it is watched again"));
    must(harness::wait_until([&] { return stage.row("db3").at("seen_as") == "replica"; }, generous, "db3 answers", milliseconds{50}));
    const auto done = must(stage.daemon().cli({"rejoin", "db3", "--yes"}, generous));
    ASSERT_EQ(done.exit_code, 0) << done.output << done.errors;
    must(stage.cluster().wait_until_streaming({"db2", "db3"}, "db1", generous));
    EXPECT_EQ(must(db3.ask("SELECT count(*) FROM harness_probes WHERE prober = 'lost'")), "0");
    EXPECT_EQ(stage.the_one_writable_server(), "db1");
    EXPECT_THAT(forget_saved(stage), HasSubstr("harness_probes: 20 inserted"));
}

TEST(RejoinCut, IsGoneOnWithAfterTheDaemonDied) {
    Returning it{Over::local};
    it.let_db1_write_alone();
    auto order = harness::Background::start(
        {.arguments = {harness::program(), "--config", it.stage.daemon().configuration(), "rejoin", "db1", "--yes"}},
        it.stage.cluster().folder() / "order.log");
    ASSERT_TRUE(order) << order.error().text();
    must(harness::wait_until([&] { return it.is_held(); }, generous, "db1 is being rewound", milliseconds{1}));
    it.stage.daemon().kill();
    EXPECT_EQ(it.stage.cluster().writable_servers(), std::vector{it.primary});
    must(it.stage.daemon().start());
    must(it.stage.daemon().wait_for(
        [](const nlohmann::json& status) {
            const auto& operation = status.at("operation");
            return status.at("situation") == "Healthy" && (operation.is_null() || !operation.at("ended").is_null());
        },
        generous, "the cluster works and nothing is left open"));
    const auto done = must(it.stage.daemon().cli({"rejoin", "db1", "--yes"}, generous));
    ASSERT_EQ(done.exit_code, 0) << done.output << done.errors;
    it.expect_it_is_back();
    forget_saved(it.stage);
}

}  // namespace
}  // namespace handyrep::integration
