// A planned change of primary as a person orders it, and what becomes of it when the daemon is killed on the way.
#include "tests/integration/daemon/stage.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace handyrep::integration {
namespace {

using harness::Moment;
using harness::Writer;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr Duration generous = seconds{120};

class Switchover : public testing::TestWithParam<Over> {};

TEST_P(Switchover, HandsTheRoleOverAndBackAndLosesNothing) {
    Stage stage{GetParam()};
    must(stage.cluster().write_upstream("db1", "db2"));
    auto writer = must(Writer::start(stage.cluster()));
    must(writer->wait_for_rows(50, generous));

    const auto shown = must(stage.daemon().cli({"switchover", "--to", "db2", "--dry-run"}, generous));
    EXPECT_EQ(shown.exit_code, 0) << shown.errors;
    EXPECT_THAT(shown.output, HasSubstr("stop db1"));
    EXPECT_THAT(shown.output, HasSubstr("undo: on db1"));
    EXPECT_EQ(stage.the_one_writable_server(), "db1") << "a dry run touches nothing";

    for (const auto& [from, to] : {std::pair{"db1", "db2"}, {"db2", "db1"}}) {
        SCOPED_TRACE(testing::Message() << "from " << from << " to " << to);
        const Moment began = harness::now();
        const auto done = must(stage.daemon().cli({"switchover", "--to", to, "--yes"}, generous));
        ASSERT_EQ(done.exit_code, 0) << done.output << done.errors;
        EXPECT_EQ(stage.the_one_writable_server(), to);
        must(writer->wait_for_row_on(to, began, generous));
        must(stage.cluster().wait_until_streaming({from, "db3"}, to, generous));
        stage.wait_until_healthy();
        EXPECT_EQ(stage.row(to).at("role"), "primary");
        EXPECT_EQ(stage.row(from).at("must_be_down"), false);
    }
    writer->stop();
    EXPECT_TRUE(must(writer->missing_on(stage.server("db1"))).empty());
    EXPECT_EQ(stage.row("db1").at("timeline"), 3);
    EXPECT_FALSE(stage.server("db1").marked_standby());
}

INSTANTIATE_TEST_SUITE_P(Transports, Switchover, testing::Values(Over::local, Over::ssh), [](const auto& over) {
    return over.param == Over::local ? "local" : "ssh";
});

TEST(SwitchoverRefused, ByNameBeforeAnythingIsTouched) {
    Stage stage{Over::local};
    const auto refused = must(stage.daemon().cli({"switchover", "--to", "db2", "--yes"}, generous));
    EXPECT_EQ(refused.exit_code, 6);
    EXPECT_THAT(refused.errors, HasSubstr("NotReady: replication_login")) << "db1 has no passfile that it would log in with";
    EXPECT_EQ(must(stage.daemon().cli({"switchover", "--to", "db9", "--yes"}, generous)).exit_code, 4);
    EXPECT_THAT(must(stage.daemon().cli({"switchover", "--to", "db1", "--yes"}, generous)).errors, HasSubstr("AlreadyPrimary"));
    EXPECT_TRUE(std::ranges::none_of(stage.events(), [](const std::string& it) { return it == "operation_begun"; }));
    EXPECT_EQ(stage.the_one_writable_server(), "db1");
    EXPECT_FALSE(stage.server("db1").marked_standby());
}

/// The daemon is killed so long after the primary's directory was marked, which is right before it is stopped.
class CutSwitchover : public testing::TestWithParam<int> {};

TEST_P(CutSwitchover, EndsWithOneWritableServerAndNothingOpen) {
    Stage stage{Over::local};
    must(stage.cluster().write_upstream("db1", "db2"));
    auto writer = must(Writer::start(stage.cluster()));
    must(writer->wait_for_rows(50, generous));
    auto order = harness::Background::start(
        {.arguments = {harness::program(), "--config", stage.daemon().configuration(), "switchover", "--to", "db2", "--yes"}},
        stage.cluster().folder() / "order.log");
    ASSERT_TRUE(order) << order.error().text();
    must(harness::wait_until(
        [&] { return stage.server("db1").marked_standby(); }, generous, "the primary is being stopped", milliseconds{1}));
    std::this_thread::sleep_for(milliseconds{GetParam()});
    stage.daemon().kill();
    ASSERT_LE(stage.cluster().writable_servers().size(), 1U);

    must(stage.daemon().start());
    const std::string primary = stage.the_one_writable_server();
    must(stage.daemon().wait_for(
        [&](const nlohmann::json& status) {
            const auto& operation = status.at("operation");
            return status.at("situation") == "Healthy" && (operation.is_null() || !operation.at("ended").is_null());
        },
        generous, "the cluster works and nothing is left open"));
    const std::string other = primary == "db1" ? "db2" : "db1";
    must(stage.cluster().wait_until_streaming({other, "db3"}, primary, generous));
    writer->stop();
    EXPECT_TRUE(must(writer->missing_on(stage.server(primary))).empty());
    EXPECT_FALSE(stage.server(primary).marked_standby());
}

INSTANTIATE_TEST_SUITE_P(Moments, CutSwitchover, testing::Values(0, 20, 60, 120, 250));

}  // namespace
}  // namespace handyrep::integration
