// The whole program fails over a cluster of one version.
#include "tests/integration/daemon/stage.hpp"

namespace handyrep::integration {
namespace {

using std::chrono::seconds;

constexpr Duration generous = seconds{60};

TEST(VersionFailover, PromotesAReplicaLetsTheOtherFollowAndLosesNoSynchronousCommit) {
    Stage stage{Over::local};
    {
        auto session = must(stage.server("db1").session());
        must(session.query("ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (db2, db3)'"));
        must(session.query("SELECT pg_reload_conf()"));
    }
    stage.wait_until_healthy();
    auto writer = must(harness::Writer::start(stage.cluster()));
    must(writer->wait_for_rows(50, generous));

    const harness::Moment fault = stage.server("db1").kill_all();
    // The fetched servers come without the program that reads what was lost.
    const auto ended = stage.daemon().wait_for_operation(generous);
    if (!ended)
        EXPECT_TRUE(ended.error().what.starts_with(
            "the operation ended with: done, but: read what was lost on db1: reading the end of the WAL on the host of db1 ended with "
            "status 67: there is no pg_waldump"))
            << ended.error().text();
    const std::string promoted = stage.the_one_writable_server();
    ASSERT_NE(promoted, "db1");
    must(writer->wait_for_row_on(promoted, fault, generous));
    writer->stop();

    const std::string other = promoted == "db2" ? "db3" : "db2";
    must(stage.cluster().wait_until_streaming({other}, promoted, generous));
    must(stage.server(other).wait_for_replay(must(stage.server(promoted).ask("SELECT pg_current_wal_lsn()")), generous));
    for (const auto& name : {promoted, other}) EXPECT_TRUE(must(writer->missing_on(stage.server(name))).empty()) << name;
    EXPECT_TRUE(stage.daemon().announced_loss().has_value());
    EXPECT_TRUE(stage.server("db1").processes().empty());
    EXPECT_TRUE(stage.server("db1").marked_standby());
    EXPECT_EQ(stage.row("db1").at("must_be_down"), true);
    EXPECT_EQ(stage.row(promoted).at("timeline"), 2);
}

TEST(VersionFailover, ThePlanSaysWhatItCannotDo) {
    Stage stage{Over::local};
    const int major = stage.server("db1").major();
    harness::Outcome plan;
    // Healthy says nothing of the primary's host, whose first look may still be under way; without it there is no fence.
    must(harness::wait_until(
        [&] {
            plan = must(stage.daemon().cli({"failover", "--dry-run"}));
            return plan.exit_code == 0;
        },
        generous, "a failover could be planned"));
    const auto says = [&](std::string_view words) { return plan.output.find(words) != std::string::npos; };
    EXPECT_EQ(says("not detached, because before PostgreSQL 13"), major < 13) << plan.output << plan.errors;
    EXPECT_EQ(says("ALTER SYSTEM SET primary_conninfo = ''"), major >= 13) << plan.output;
    EXPECT_EQ(says("pg_ctl promote over its host"), major < 12) << plan.output;
    EXPECT_EQ(says("pg_promote(false)"), major >= 12) << plan.output;
}

}  // namespace
}  // namespace handyrep::integration
