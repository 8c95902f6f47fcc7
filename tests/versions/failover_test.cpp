// The whole program fails over a cluster of one version.
#include "tests/integration/daemon/stage.hpp"

namespace handyrep::integration {
namespace {

using std::chrono::seconds;

constexpr Duration generous = seconds{60};

TEST(VersionFailover, PromotesAReplicaLetsTheOtherFollowAndLosesNoSynchronousCommit) {
    Stage stage{Over::local};
    const bool synchronous = stage.server("db1").major() >= 13;  // before, a synchronous failover needs a person
    if (synchronous) {
        auto session = must(stage.server("db1").session());
        must(session.query("ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (db2, db3)'"));
        must(session.query("SELECT pg_reload_conf()"));
        stage.wait_until_healthy();
    }
    auto writer = must(harness::Writer::start(stage.cluster()));
    must(writer->wait_for_rows(50, generous));

    const harness::Moment fault = stage.server("db1").kill_all();
    must(stage.daemon().wait_for_operation(generous));
    const std::string promoted = stage.the_one_writable_server();
    ASSERT_NE(promoted, "db1");
    must(writer->wait_for_row_on(promoted, fault, generous));
    writer->stop();

    const std::string other = promoted == "db2" ? "db3" : "db2";
    must(stage.cluster().wait_until_streaming({other}, promoted, generous));
    must(stage.server(other).wait_for_replay(must(stage.server(promoted).ask("SELECT pg_current_wal_lsn()")), generous));
    const auto lost = must(writer->missing_on(stage.server(promoted)));
    EXPECT_EQ(must(writer->missing_on(stage.server(other))), lost);
    // Asynchronous rows of the last moment may be lost; then the event says so.
    EXPECT_LE(lost.size(), synchronous ? 0U : 5U);
    EXPECT_TRUE(stage.daemon().announced_loss().has_value());
    EXPECT_TRUE(stage.server("db1").processes().empty());
    EXPECT_TRUE(stage.server("db1").marked_standby());
    EXPECT_EQ(stage.row("db1").at("must_be_down"), true);
    EXPECT_EQ(stage.row(promoted).at("timeline"), 2);
}

TEST(VersionFailover, ThePlanSaysWhatItCannotDo) {
    Stage stage{Over::local};
    const int major = stage.server("db1").major();
    const auto plan = must(stage.daemon().cli({"failover", "--dry-run"}));
    const auto says = [&](std::string_view words) { return plan.output.find(words) != std::string::npos; };
    EXPECT_EQ(says("not detached, because before PostgreSQL 13"), major < 13) << plan.output << plan.errors;
    EXPECT_EQ(says("ALTER SYSTEM SET primary_conninfo = ''"), major >= 13) << plan.output;
    EXPECT_EQ(says("pg_ctl promote over its host"), major < 12) << plan.output;
    EXPECT_EQ(says("pg_promote(false)"), major >= 12) << plan.output;
}

}  // namespace
}  // namespace handyrep::integration
