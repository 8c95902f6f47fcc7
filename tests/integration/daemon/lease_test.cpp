// The daemon keeps a lease on the primary's node: it survives the daemon's death, and goes with its orderly end and with the option.
#include "tests/integration/daemon/stage.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace handyrep::integration {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr seconds generous{40};

class Lease : public testing::Test {
protected:
    void SetUp() override {
        // As root the servers run as postgres, who is let in by peer; another user has no role of his name.
        if (::geteuid() != 0) GTEST_SKIP() << "the owner of the data has no role of his own there";
    }
    [[nodiscard]] std::string lease() { return stage.status().value("lease", ""); }
    void wait_until_armed(const std::string& server) {
        must(stage.daemon().wait_for(
            [&](const auto& status) { return status.value("lease", "").starts_with("armed on " + server); }, generous,
            "a lease is armed on " + server));
    }
    /// Of the script, by the word of the status.
    [[nodiscard]] std::string pid() {
        const std::string text = lease();
        const auto at = text.find("process ");
        return at == std::string::npos ? std::string{} : text.substr(at + 8, text.find(',', at) - at - 8);
    }
    static bool lives(const std::string& pid) { return !pid.empty() && std::filesystem::exists("/proc/" + pid); }
    static void wait_until_gone(const std::string& pid) {
        must(harness::wait_until([&] { return !lives(pid); }, generous, "the script is gone", milliseconds{50}));
    }
    void configure(const std::string& from, const std::string& to) {
        std::ostringstream text;
        text << std::ifstream{stage.daemon().configuration()}.rdbuf();
        std::string content = text.str();
        const auto at = content.find(from);
        ASSERT_NE(at, std::string::npos) << content;
        std::ofstream{stage.daemon().configuration()} << content.replace(at, from.size(), to);
    }

    /// Longer than any pause of a busy machine.
    Stage stage{Over::local, {.failover = {{"lease_ttl", "10min"}}}};
};

TEST_F(Lease, OutlivesTheDaemonIsTakenOverAndGoesWithTheOption) {
    wait_until_armed("db1");
    EXPECT_THAT(lease(), HasSubstr("the replies of db2, db3 keep it alive too"));
    const std::string first = pid();
    ASSERT_TRUE(lives(first)) << lease();
    stage.daemon().kill();
    EXPECT_TRUE(lives(first));
    must(stage.daemon().start());
    wait_until_armed("db1");
    EXPECT_EQ(pid(), first);

    configure("lease_ttl: 10min", "lease_ttl: 0s");
    ASSERT_EQ(::kill(stage.daemon().pid(), SIGHUP), 0);
    wait_until_gone(first);
    must(stage.daemon().wait_for([&](const auto& status) { return status.value("lease", "") == "off"; }, generous, "no lease is wanted"));

    configure("lease_ttl: 0s", "lease_ttl: 11min");
    ASSERT_EQ(::kill(stage.daemon().pid(), SIGHUP), 0);
    wait_until_armed("db1");
    const std::string second = pid();
    ASSERT_TRUE(lives(second));
    EXPECT_EQ(stage.daemon().stop(seconds{30}), std::optional{0});
    EXPECT_FALSE(lives(second)) << "an orderly end takes it away";
    EXPECT_EQ(stage.the_one_writable_server(), "db1");
}

TEST_F(Lease, FollowsTheRole) {
    wait_until_armed("db1");
    const std::string first = pid();
    const auto done = must(stage.daemon().cli({"switchover", "--to", "db2"}, seconds{120}));
    ASSERT_EQ(done.exit_code, 0) << done.errors;
    EXPECT_FALSE(lives(first));
    wait_until_armed("db2");
    EXPECT_EQ(stage.the_one_writable_server(), "db2");
    EXPECT_EQ(stage.daemon().stop(seconds{30}), std::optional{0});
}

}  // namespace
}  // namespace handyrep::integration
