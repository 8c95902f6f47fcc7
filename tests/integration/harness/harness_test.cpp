#include "tests/harness/cluster.hpp"
#include "tests/harness/orphan.hpp"
#include "tests/harness/process.hpp"
#include "tests/harness/sshd.hpp"
#include "tests/harness/temporary_folder.hpp"
#include "tests/harness/writer.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>

namespace handyrep::harness {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration generous = seconds{120};

#define ASSERT_DONE(result) \
    if (const auto& done = (result); !done) FAIL() << done.error().text()

Command sleeper(const std::filesystem::path& folder) { return {.arguments = {"sleep", "600"}, .folder = folder}; }

TEST(TemporaryFolder, TakesItsProcessesAlongWhenItsProgramIsKilled) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        auto folder = TemporaryFolder::make();
        auto background = folder ? Background::start(sleeper((*folder)->path()), (*folder)->path() / "log")
                                 : Result<Background>{Error{ErrorKind::failed, ""}};
        const std::string said = background ? (*folder)->path().string() : "";
        if (::write(ends[1], said.data(), said.size()) < 0) ::_exit(1);
        ::raise(SIGKILL);
    }
    ::close(ends[1]);
    ::waitpid(child, nullptr, 0);
    std::array<char, 256> buffer{};
    const ssize_t length = ::read(ends[0], buffer.data(), buffer.size());
    ::close(ends[0]);
    ASSERT_GT(length, 0);
    const std::filesystem::path folder{std::string(buffer.data(), static_cast<std::size_t>(length))};
    ASSERT_DONE(wait_until([&] { return !std::filesystem::exists(folder); }, generous, "the folder is gone"));
    EXPECT_TRUE(processes_living_in(folder).empty());
    EXPECT_TRUE(processes_living_in(folder.string() + " (deleted)").empty());
}

TEST(TemporaryFolder, RemovesOnlyWhatItKept) {
    auto folder = TemporaryFolder::make();
    ASSERT_DONE(folder);
    EXPECT_FALSE(TemporaryFolder::remove_kept((*folder)->path()));
    EXPECT_FALSE(TemporaryFolder::remove_kept("/tmp"));
    EXPECT_TRUE(std::filesystem::exists((*folder)->path()));

    const auto path = (*folder)->path();
    (*folder)->keep();
    folder->reset();
    EXPECT_TRUE(std::filesystem::exists(path));
    EXPECT_TRUE(TemporaryFolder::remove_kept(path));
    EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(PrivateSshd, EndsItsSessionsWhenItIsStopped) {
    auto folder = TemporaryFolder::make();
    ASSERT_DONE(folder);
    auto sshd = PrivateSshd::make((*folder)->path());
    ASSERT_DONE(sshd);
    const std::vector<std::string> ssh{"ssh", "-F", (*sshd)->client_configuration(), (*sshd)->login() + "@anywhere"};
    const auto with = [&](const std::string& command) {
        auto words = ssh;
        words.push_back(command);
        return Command{.arguments = words, .folder = (*folder)->path()};
    };
    const auto answered = run(with("echo here; exit 7"), generous);
    ASSERT_DONE(answered);
    EXPECT_EQ(answered->output, "here\n") << answered->errors;
    EXPECT_EQ(answered->exit_code, 7);

    auto held = Background::start(with("echo begun; sleep 600"), (*folder)->path() / "held.log");
    ASSERT_DONE(held);
    const auto begun = [&] {
        const auto said = read_file((*folder)->path() / "held.log");
        return said && *said == "begun\n";
    };
    ASSERT_DONE(wait_until(begun, generous, "the session is open"));
    (*sshd)->stop();
    EXPECT_TRUE(held->wait(generous).has_value());
    const auto refused = run(with("true"), generous);
    ASSERT_DONE(refused);
    EXPECT_EQ(refused->exit_code, 255);
    ASSERT_DONE((*sshd)->start());
    const auto again = run(with("true"), generous);
    ASSERT_DONE(again);
    EXPECT_EQ(again->exit_code, 0) << again->errors;
}

class Cluster : public testing::Test {
protected:
    void SetUp() override {
        auto made = RealCluster::make();
        ASSERT_DONE(made);
        real = std::move(*made);
    }
    const RealServer& server(const std::string& name) { return real->server(name); }
    std::unique_ptr<RealCluster> real;
};

TEST_F(Cluster, HasOnePrimaryAndLosesRowsOnlyWhereTheyAreMissed) {
    EXPECT_EQ(real->writable_servers(), std::vector<std::string>{"db1"});
    auto writer = Writer::start(*real);
    ASSERT_DONE(writer);
    ASSERT_DONE((*writer)->wait_for_rows(50, generous));
    const Moment fault = server("db1").kill_all();
    EXPECT_TRUE(server("db1").processes().empty());
    ASSERT_DONE(server("db2").promote());
    ASSERT_DONE((*writer)->wait_for_row_on("db2", fault, generous));
    (*writer)->stop();
    const auto gap = (*writer)->gap_around(fault, "db1");
    if (!gap || !gap->first_after) FAIL() << "the writer saw no gap";
    EXPECT_EQ(gap->last_before.server, "db1");
    EXPECT_EQ(gap->first_after->server, "db2");

    const auto before = (*writer)->missing_on(server("db2"));
    ASSERT_DONE(before);
    const auto newest = gap->first_after->id;
    ASSERT_DONE(server("db2").ask(
        "WITH gone AS (DELETE FROM harness_rows WHERE id = " + std::to_string(newest) + " RETURNING 1) SELECT count(*) FROM gone"));
    const auto after = (*writer)->missing_on(server("db2"));
    ASSERT_DONE(after);
    EXPECT_EQ(after->size(), before->size() + 1);
    EXPECT_NE(std::ranges::find(*after, newest), after->end());

    ASSERT_DONE(real->rebuild_as_replica("db1", "db2"));
    EXPECT_EQ(real->writable_servers(), std::vector<std::string>{"db2"});
}

TEST_F(Cluster, ShowsTheRowsThatAnOrphanCommitsAfterAPromotionWithoutAFence) {
    auto orphan = OrphanProcedure::start(server("db1"));
    ASSERT_DONE(orphan);
    server("db1").kill_postmaster();
    ASSERT_DONE(server("db2").promote());
    std::this_thread::sleep_for(milliseconds{200});  // the orphan goes on
    server("db1").kill_all();
    std::ofstream{server("db1").data / "standby.signal"};
    const auto rows = count_orphan_rows(server("db1"), server("db2"));
    ASSERT_DONE(rows);
    EXPECT_GT(rows->after_promotion, 0U);
}

TEST_F(Cluster, StandsStillWhileItIsFrozen) {
    ASSERT_DONE(server("db2").freeze());
    EXPECT_FALSE(server("db2").accepts_sessions());
    server("db2").thaw();
    EXPECT_TRUE(server("db2").wait_for_sessions(generous));
    const auto sessions = server("db1").fill_connections();
    ASSERT_DONE(sessions);
    EXPECT_GE(sessions->size(), 30U);
    EXPECT_FALSE(server("db1").accepts_sessions());
}

TEST_F(Cluster, FeelsAWriteOnlyWhereItIsAccepted) {
    const Prober primary{server("db1")};
    const Prober replica{server("db2")};
    ASSERT_DONE(wait_until([&] { return primary.accepted().size() > 20; }, generous, "the primary accepts"));
    EXPECT_TRUE(replica.accepted().empty());
}

}  // namespace
}  // namespace handyrep::harness
