// One server's service by a person's order: stopped, started, restarted, fenced, and all of them one after the other.
#include "tests/integration/daemon/stage.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace handyrep::integration {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

constexpr Duration generous = seconds{120};

struct Service : testing::TestWithParam<Over> {
    /// An order that is carried out, or refused with a text.
    static void order(Stage& stage, std::vector<std::string> words, const std::string& refusal = {}) {
        words.emplace_back("--yes");
        const auto done = must(stage.daemon().cli(words, generous));
        EXPECT_EQ(done.exit_code, refusal.empty() ? 0 : 6) << words.front() << ": " << done.output << done.errors;
        EXPECT_THAT(done.errors, HasSubstr(refusal));
    }
    static bool promoted(const Stage& stage) {
        return std::ranges::any_of(stage.events(), [](const std::string& it) { return it == "promoted"; });
    }
};

TEST_P(Service, StopsFencesStartsAndRestarts) {
    Stage stage{GetParam()};
    order(stage, {"shutdown", "db1"}, "IsPrimary");
    order(stage, {"fence", "db1"}, "IsPrimary");
    order(stage, {"startup", "db2"}, "RunsAlready");

    order(stage, {"shutdown", "db2"});
    EXPECT_TRUE(stage.server("db2").processes().empty());
    order(stage, {"startup", "db2"});
    must(stage.cluster().wait_until_streaming({"db2", "db3"}, "db1", generous));
    order(stage, {"fence", "db3"});
    EXPECT_TRUE(stage.server("db3").processes().empty());
    order(stage, {"startup", "db3"});
    must(stage.cluster().wait_until_streaming({"db2", "db3"}, "db1", generous));
    stage.wait_until_healthy();
    order(stage, {"restart", "db2"});
    must(stage.cluster().wait_until_streaming({"db2", "db3"}, "db1", generous));
    stage.wait_until_healthy();

    order(stage, {"restart", "db1"});
    EXPECT_EQ(stage.the_one_writable_server(), "db1");
    EXPECT_FALSE(stage.server("db1").marked_standby());
    must(stage.cluster().wait_until_streaming({"db2", "db3"}, "db1", generous));
    stage.wait_until_healthy();
    EXPECT_FALSE(promoted(stage));
}

INSTANTIATE_TEST_SUITE_P(Transports, Service, testing::Values(Over::local, Over::ssh), [](const auto& over) {
    return over.param == Over::local ? "local" : "ssh";
});

TEST(RollingRestart, RestartsEverybodyAndHandsTheRoleOver) {
    Stage stage{Over::local};
    must(stage.cluster().write_upstream("db1", "db2"));
    const auto done = must(stage.daemon().cli({"restart", "--rolling", "--to", "db2", "--yes"}, generous));
    ASSERT_EQ(done.exit_code, 0) << done.output << done.errors;
    EXPECT_EQ(stage.the_one_writable_server(), "db2");
    must(stage.cluster().wait_until_streaming({"db1", "db3"}, "db2", generous));
    stage.wait_until_healthy();
    const auto shown = must(stage.daemon().cli({"operation", "1"}, generous));
    EXPECT_THAT(shown.output, HasSubstr("restart db3"));
}

}  // namespace
}  // namespace handyrep::integration
