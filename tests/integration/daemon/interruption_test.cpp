#include "tests/integration/daemon/stage.hpp"

#include <random>

namespace handyrep::integration {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// The daemon is killed so long after the primary.
std::vector<milliseconds> moments() {
    std::vector<milliseconds> list{milliseconds{10}, milliseconds{40}, milliseconds{80}, milliseconds{140}};
    std::mt19937 random{std::random_device{}()};
    for (int count = 0; count < 2; ++count) list.emplace_back(std::uniform_int_distribution<int>{0, 250}(random));
    return list;
}

TEST(Interruption, EndsWithOneWritableServerWheneverTheDaemonIsKilled) {
    Stage stage{Over::local};
    std::string primary = "db1";
    for (const auto moment : moments()) {
        SCOPED_TRACE(testing::Message() << "killed " << moment.count() << " ms after the primary " << primary);
        stage.server(primary).kill_all();
        std::this_thread::sleep_for(moment);
        stage.daemon().kill();
        ASSERT_LE(stage.cluster().writable_servers().size(), 1U);

        must(stage.daemon().start());
        const std::string promoted = stage.the_one_writable_server();
        ASSERT_NE(promoted, primary);
        must(stage.daemon().wait_for(
            [&](const nlohmann::json& status) {
                const auto& operation = status.at("operation");
                return status.at("situation") == "Healthy" && (operation.is_null() || !operation.at("ended").is_null());
            },
            seconds{30}, "the cluster works and nothing is left open"));
        EXPECT_EQ(stage.row(promoted).at("role"), "primary");
        EXPECT_EQ(stage.row(primary).at("must_be_down"), true);
        EXPECT_TRUE(stage.server(primary).processes().empty());
        stage.start_over(promoted);
        primary = promoted;
    }
}

}  // namespace
}  // namespace handyrep::integration
