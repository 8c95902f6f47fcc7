#include "tests/harness/orphan.hpp"
#include "tests/integration/daemon/stage.hpp"

namespace handyrep::integration {
namespace {

using harness::Moment;
using harness::Writer;
using std::chrono::seconds;

constexpr Duration generous = seconds{120};

class Failover : public testing::TestWithParam<Over> {};

std::string other_replica(const std::string& promoted) { return promoted == "db2" ? "db3" : "db2"; }

TEST_P(Failover, PromotesAReplicaWhenThePrimaryIsKilled) {
    Stage stage{GetParam()};
    auto writer = must(Writer::start(stage.cluster()));
    must(writer->wait_for_rows(50, generous));

    const Moment fault = stage.server("db1").kill_all();
    must(stage.daemon().wait_for_operation(generous));
    const std::string promoted = stage.the_one_writable_server();
    ASSERT_NE(promoted, "db1");
    must(writer->wait_for_row_on(promoted, fault, generous));
    must(writer->wait_for_rows(50, generous));
    writer->stop();

    // What was acknowledged on the new primary is there, and on its sibling.
    must(stage.cluster().wait_until_streaming({other_replica(promoted)}, promoted, generous));
    must(stage.server(other_replica(promoted)).wait_for_replay(must(stage.server(promoted).ask("SELECT pg_current_wal_lsn()")), generous));
    const auto lost = must(writer->missing_on(stage.server(promoted)));
    EXPECT_EQ(must(writer->missing_on(stage.server(other_replica(promoted)))), lost);
    // The writer is asynchronous: rows of the last moment may be lost, and then the event says that some may be.
    EXPECT_LE(lost.size(), 5U);
    EXPECT_TRUE(stage.daemon().announced_loss().has_value());

    EXPECT_TRUE(stage.server("db1").processes().empty());
    EXPECT_TRUE(stage.server("db1").marked_standby());
    EXPECT_EQ(stage.row("db1").at("must_be_down"), true);
    EXPECT_EQ(stage.row(promoted).at("role"), "primary");
    EXPECT_EQ(stage.row(promoted).at("timeline"), 2);
    EXPECT_EQ(stage.situation(), "Healthy");
    EXPECT_EQ(must(stage.daemon().cli({"status"})).exit_code, 1) << "one server is down, the cluster works: a warning";
}

TEST_P(Failover, StopsTheOldPrimaryWhenItComesBack) {
    Stage stage{GetParam()};
    stage.server("db1").kill_all();
    must(stage.daemon().wait_for_operation(generous));
    const std::string promoted = stage.the_one_writable_server();

    // As an autostart that knows nothing would: it may live for a moment, and nobody may lose anything by it.
    std::ignore = stage.server("db1").start_as_primary();
    must(harness::wait_until(
        [&] { return stage.server("db1").processes().empty() && stage.server("db1").marked_standby(); }, generous,
        "the old primary is stopped and marked"));
    EXPECT_EQ(stage.the_one_writable_server(), promoted);
    EXPECT_EQ(stage.row("db1").at("must_be_down"), true);
    EXPECT_EQ(stage.row(promoted).at("timeline"), 2) << "nothing was promoted once more";
}

TEST_P(Failover, LeavesNoOrphanThatCommitsAfterThePromotion) {
    Stage stage{GetParam()};
    auto orphan = must(harness::OrphanProcedure::start(stage.server("db1")));
    stage.server("db1").kill_postmaster();
    must(stage.daemon().wait_for_operation(generous));
    const std::string promoted = stage.the_one_writable_server();
    ASSERT_NE(promoted, "db1");

    stage.daemon().kill();  // it would meet the old primary while its rows are counted
    const auto rows = must(harness::count_orphan_rows(stage.server("db1"), stage.server(promoted)));
    EXPECT_GT(rows.all, 100U);
    EXPECT_EQ(rows.after_promotion, 0U);
}

INSTANTIATE_TEST_SUITE_P(Transports, Failover, testing::Values(Over::local, Over::ssh), [](const auto& over) {
    return over.param == Over::local ? "local" : "ssh";
});

}  // namespace
}  // namespace handyrep::integration
