// What must not lead to a failover, and how the status says what is wrong instead.
#include "tests/integration/daemon/stage.hpp"

#include <algorithm>
#include <optional>

namespace handyrep::integration {
namespace {

using harness::Writer;
using std::chrono::seconds;
using testing::Test;

constexpr Duration generous = seconds{120};

/// One cluster for all: each test leaves it healthy, and checks that nobody failed over.
class Calm : public Test {
protected:
    static void SetUpTestSuite() { stage_holder().emplace(Over::ssh); }
    static void TearDownTestSuite() { stage_holder().reset(); }
    void TearDown() override {
        stage().wait_until_healthy();
        const auto status = stage().status();
        EXPECT_EQ(status.at("epoch"), 0);
        EXPECT_TRUE(status.at("operation").is_null()) << status.at("operation");
        EXPECT_EQ(stage().cluster().writable_servers(), std::vector<std::string>{"db1"});
        EXPECT_EQ(stage().row("db1").at("timeline"), 1);
        const auto events = stage().events();
        EXPECT_EQ(std::ranges::count(events, "operation_begun"), 0);
    }
    static Stage& stage() { return *stage_holder(); }

private:
    static std::optional<Stage>& stage_holder() {
        static std::optional<Stage> stage;
        return stage;
    }
};

TEST_F(Calm, SaysThatItsLoginIsRefusedWhenThePasswordIsWrong) {
    must(stage().server("db1").set_password(Secret{"another-one"}));
    stage().wait_for_situation("AuthBroken");
    const auto status = must(stage().daemon().cli({"status"}));
    EXPECT_NE(status.output.find("does not let the manager in"), std::string::npos) << status.output;
    EXPECT_NE(status.exit_code, 0);
    // Also when the session that was open before has ended.
    harness::RealServer with_new = stage().server("db1");
    with_new.password = Secret{"another-one"};
    must(with_new.ask("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name LIKE 'handyrep%'"));
    std::this_thread::sleep_for(seconds{5});  // longer than every timeout that could make it dead
    EXPECT_EQ(stage().situation(), "AuthBroken");
    must(with_new.set_password(stage().cluster().superuser_password()));
}

TEST_F(Calm, SaysThatNoHostCanBeReachedWhenSshdIsStopped) {
    stage().sshd().stop();
    stage().wait_for_finding("HostUnreachable");
    EXPECT_EQ(stage().situation(), "Healthy");
    const auto status = must(stage().daemon().cli({"status"}));
    EXPECT_EQ(status.exit_code, 1) << status.output;
    EXPECT_NE(status.output.find("db1"), std::string::npos);
    must(stage().sshd().start());
}

TEST_F(Calm, SaysThatNoConnectionIsLeft) {
    {
        const auto sessions = must(stage().server("db1").fill_connections());
        stage().wait_for_situation("ConnectionsExhausted");
        const auto status = must(stage().daemon().cli({"status"}));
        EXPECT_NE(status.output.find("has no connection left"), std::string::npos) << status.output;
        std::this_thread::sleep_for(seconds{5});
        EXPECT_EQ(stage().situation(), "ConnectionsExhausted");
    }
    stage().wait_for_situation("Healthy");
}

TEST_F(Calm, WaitsForAPrimaryThatIsRestarted) {
    auto writer = must(Writer::start(stage().cluster()));
    for (int restart = 1; restart <= 20; ++restart) {
        SCOPED_TRACE(restart);
        must(stage().server("db1").restart(harness::StopMode::fast));
        must(writer->wait_for_rows(20, generous));
    }
    writer->stop();
    EXPECT_TRUE(must(writer->missing_on(stage().server("db1"))).empty());
}

TEST_F(Calm, SaysWhichReplicaDoesNotAnswer) {
    must(stage().server("db2").freeze());
    stage().wait_for_finding("ReplicaDead");
    EXPECT_NE(stage().finding("ReplicaDead").find("db2"), std::string::npos) << stage().finding("ReplicaDead");
    EXPECT_EQ(stage().situation(), "Healthy");
    EXPECT_EQ(must(stage().daemon().cli({"status"})).exit_code, 1);
    stage().server("db2").thaw();
}

}  // namespace
}  // namespace handyrep::integration
