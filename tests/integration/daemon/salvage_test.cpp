// kill -9 of a primary whose replicas are behind: what it flushed and never sent is on the new primary.
#include "tests/integration/daemon/stage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <string>
#include <string_view>

namespace handyrep::integration {
namespace {

using harness::Moment;
using harness::Writer;
using std::chrono::seconds;

constexpr Duration generous = seconds{30};
class Salvage : public testing::TestWithParam<Over> {};

bool told(const Stage& stage, std::string_view name) { return std::ranges::count(stage.events(), name) > 0; }

/// The replicas receive nothing any more, while a client goes on and `megabytes` more are written.
void hold_behind(Stage& stage, const Writer& writer, int megabytes) {
    for (const std::string name : {"db2", "db3"}) {
        std::ignore = must(stage.server(name).ask("ALTER SYSTEM SET primary_conninfo = ''"));
        std::ignore = must(stage.server(name).ask("SELECT pg_reload_conf()"));
        const auto receives_nothing = [&] {
            const auto receivers = stage.server(name).ask("SELECT count(*) FROM pg_stat_wal_receiver");
            return receivers && *receivers == "0";
        };
        must(harness::wait_until(receives_nothing, generous, "it receives nothing"));
    }
    must(writer.wait_for_rows(writer.rows() + 100, generous));
    std::ignore = must(stage.server("db1").ask(
        fmt::format("CREATE TABLE ballast AS SELECT i, md5(i::text) FROM generate_series(1, {}) AS i", megabytes * 13000)));
}

TEST_P(Salvage, LosesNoRowThatTheDeadPrimaryFlushedAndNeverSent) {
    Stage stage{GetParam(), {.failover = {{"max_lag_on_failover", "1GB"}}}};
    for (const std::string name : {"db2", "db3"}) {
        std::ignore = must(stage.server(name).ask("ALTER SYSTEM SET restore_command = 'false # somebody''s archive'"));
        std::ignore = must(stage.server(name).ask("SELECT pg_reload_conf()"));
    }
    auto writer = must(Writer::start(stage.cluster()));
    must(writer->wait_for_rows(50, generous));
    hold_behind(stage, *writer, 20);  // over the end of a segment
    must(writer->wait_for_rows(writer->rows() + 20, generous));

    const Moment fault = stage.server("db1").kill_all();
    must(stage.daemon().wait_for_operation(generous));
    const std::string promoted = stage.the_one_writable_server();
    ASSERT_NE(promoted, "db1");
    must(writer->wait_for_row_on(promoted, fault, generous));
    writer->stop();

    EXPECT_TRUE(told(stage, "salvaged")) << stage.daemon().steps();
    EXPECT_EQ(must(writer->missing_on(stage.server(promoted))).size(), 0U);
    EXPECT_EQ(must(stage.server(promoted).ask("SELECT count(*) FROM ballast")), std::to_string(20 * 13000));
    EXPECT_EQ(
        must(stage.server(promoted).ask("SELECT setting FROM pg_settings WHERE name = 'restore_command'")), "false # somebody's archive");
    // Both replicas follow: what was brought is on the new timeline's way.
    const std::string other = promoted == "db2" ? "db3" : "db2";
    must(stage.cluster().wait_until_streaming({other}, promoted, generous));
    std::cout << stage.daemon().steps() << "\n";
}

TEST_P(Salvage, HoldsNothingUpWhereNothingIsMissing) {
    Stage stage{GetParam()};
    stage.server("db1").kill_all();
    must(stage.daemon().wait_for_operation(generous));
    ASSERT_NE(stage.the_one_writable_server(), "db1");
    EXPECT_TRUE(told(stage, "nothing_to_salvage") || told(stage, "salvaged")) << stage.daemon().steps();
    for (const std::string name : {"db2", "db3"})
        EXPECT_EQ(must(stage.server(name).ask("SELECT setting FROM pg_settings WHERE name = 'restore_command'")), "");
}

TEST_P(Salvage, ThatIsCutOffByTheEndOfTheDaemonIsTakenBackAndDoneAgain) {
    Stage stage{GetParam(), {.failover = {{"max_lag_on_failover", "1GB"}}}};
    auto writer = must(Writer::start(stage.cluster()));
    must(writer->wait_for_rows(50, generous));
    hold_behind(stage, *writer, 60);
    stage.server("db1").kill_all();
    // As soon as a replica is offered WAL, or somebody was promoted before we saw it.
    const auto offered = [&](const std::string& name) {
        const auto command = stage.server(name).ask("SELECT setting FROM pg_settings WHERE name = 'restore_command'");
        return command && command->find("handyrep operation") != std::string::npos;
    };
    std::ignore = harness::wait_until([&] { return offered("db2") || offered("db3"); }, seconds{15}, "WAL is offered", Duration{2000000});
    stage.daemon().kill();
    must(stage.daemon().start());
    const std::string promoted = stage.the_one_writable_server();
    ASSERT_NE(promoted, "db1");
    must(harness::wait_until([&] { return !offered("db2") && !offered("db3"); }, generous, "restore_command is put back"));
    writer->stop();
    EXPECT_EQ(must(stage.server(promoted).ask("SELECT count(*) FROM ballast")), std::to_string(60 * 13000));
    EXPECT_EQ(must(writer->missing_on(stage.server(promoted))).size(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Transports, Salvage, testing::Values(Over::local, Over::ssh), [](const auto& over) {
    return over.param == Over::local ? "local" : "ssh";
});

}  // namespace
}  // namespace handyrep::integration
