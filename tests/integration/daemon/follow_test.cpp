// Replicas that are led to another server by a person's order, and an order that is called off.
#include "tests/integration/daemon/stage.hpp"

#include <gmock/gmock.h>

namespace handyrep::integration {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

constexpr Duration generous = seconds{120};

TEST(Follow, MakesACascadeAndLeadsEverybodyBack) {
    Stage stage{Over::local};
    const auto shown = must(stage.daemon().cli({"follow", "db3", "--upstream", "db2", "--dry-run"}, generous));
    EXPECT_EQ(shown.exit_code, 0) << shown.errors;
    EXPECT_THAT(shown.output, HasSubstr("let db3 follow db2"));
    EXPECT_THAT(shown.output, HasSubstr("undo: let db3 follow db1"));

    const auto done = must(stage.daemon().cli({"follow", "db3", "--upstream", "db2", "--yes"}, generous));
    ASSERT_EQ(done.exit_code, 0) << done.output << done.errors;
    must(stage.cluster().wait_until_streaming({"db3"}, "db2", generous));
    stage.wait_until_healthy();
    const auto circle = must(stage.daemon().cli({"follow", "db2", "--upstream", "db3", "--yes"}, generous));
    EXPECT_EQ(circle.exit_code, 6);
    EXPECT_THAT(circle.errors, HasSubstr("WouldMakeACircle"));
    EXPECT_EQ(must(stage.daemon().cli({"follow", "db9", "--yes"}, generous)).exit_code, 4);

    const auto back = must(stage.daemon().cli({"remaster", "--yes"}, generous));
    ASSERT_EQ(back.exit_code, 0) << back.output << back.errors;
    must(stage.cluster().wait_until_streaming({"db2", "db3"}, "db1", generous));
    EXPECT_THAT(must(stage.daemon().cli({"follow", "--yes"}, generous)).errors, HasSubstr("FollowsAlready: db3"));
    const auto late = must(stage.daemon().cli({"cancel", "1"}, generous));
    EXPECT_EQ(late.exit_code, 6);
    EXPECT_THAT(late.errors, HasSubstr("operation 1 does not run"));
}

}  // namespace
}  // namespace handyrep::integration
