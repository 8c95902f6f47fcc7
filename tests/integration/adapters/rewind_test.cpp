// What a host says before a rewind, and what it leaves when one cannot be done, or was interrupted.
#include "adapters/ssh/shell_host.hpp"
#include "postgres_fixture.hpp"
#include "tests/harness/process.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <fstream>

namespace handyrep {
namespace {

using adapters::ssh::ShellHost;
using adapters::ssh::ShellHostSettings;
using model::RewindPhase;
using std::chrono::milliseconds;
using std::chrono::seconds;

class Rewinds : public RealPostgres {
protected:
    std::unique_ptr<ShellHost> host(const harness::RealServer& of) {
        ShellHostSettings settings{
            .server = definition(of), .kept_folder = kept.string(), .debian_configuration = (owners_folder() / "etc").string()};
        return std::make_unique<ShellHost>(settings, loop.executor(), loop.clock, loop.log);
    }
    model::SystemId system_id() {
        return model::SystemId{std::stoull(*primary().ask("SELECT system_identifier FROM pg_control_system()"))};
    }
    Result<model::RewindLook> look(ShellHost& at) { return loop.run(at.look_for_rewind(loop.in(seconds{20}))); }
    ports::RewindWanted to_nowhere(const std::string& ticket, const model::RewindLook& seen, model::Lsn from) {
        return {
            ticket,
            "db1",
            {seen.system_id, {seen.history.current(), from}, seen.history.current()},
            fmt::format("host=127.0.0.1 port={} user=postgres dbname=postgres", *harness::free_port())};
    }
    model::RewindProgress to_its_end(ShellHost& at, const ports::RewindWanted& wanted) {
        for (;;) {
            const auto progress = loop.run(at.rewind(wanted, loop.in(seconds{20})));
            EXPECT_TRUE(progress) << progress.error().text();
            if (!progress || !model::under_way(progress->phase)) return progress ? *progress : model::RewindProgress{};
            loop.turn_for(milliseconds{50});
        }
    }
    static bool is_held(const harness::RealServer& of) {
        struct stat found{};
        return stat(of.data.c_str(), &found) == 0 && (found.st_mode & S_IXOTH) != 0;
    }
    static std::filesystem::path state_of(const harness::RealServer& of, const std::filesystem::path& kept) {
        struct stat found{};
        EXPECT_EQ(stat(of.data.c_str(), &found), 0);
        return kept / fmt::format("rewind.{}.{}", found.st_dev, found.st_ino) / "state";
    }

    std::filesystem::path kept = owners_folder() / "rewinds";
};

TEST_F(Rewinds, NeedChecksumsOrHintsInTheControlFile) {
    const auto machine = host(replica());
    const auto before = look(*machine);
    ASSERT_TRUE(before) << before.error().text();
    EXPECT_TRUE(before->protects_pages && before->programs && before->configured);
    EXPECT_FALSE(before->restores);
    EXPECT_EQ(before->version, 15U);
    EXPECT_GT(before->processes, 0U);
    ASSERT_TRUE(replica().stop(harness::StopMode::fast));
    const auto checksums = [&](const char* what) {
        return harness::run_well(
            {.arguments = {replica().programs / "pg_checksums", what, "--no-sync", "-D", replica().data}, .user = harness::server_user()},
            seconds{60});
    };
    ASSERT_TRUE(checksums("--disable"));
    const auto without = look(*machine);
    ASSERT_TRUE(without) << without.error().text();
    EXPECT_FALSE(without->protects_pages);
    EXPECT_EQ(without->processes, 0U);
    ASSERT_TRUE(checksums("--enable"));
    ASSERT_TRUE(replica().start());
}

TEST_F(Rewinds, ThatAreGivenUpLeaveTheDirectoryAsItWas) {
    const auto id = system_id();
    const auto from = model::Lsn::parse(*primary().ask("SELECT pg_current_wal_flush_lsn()"));
    ASSERT_TRUE(did(primary(), "CREATE TABLE IF NOT EXISTS given_up (i int)"));
    ASSERT_TRUE(did(primary(), "INSERT INTO given_up SELECT generate_series(1, 30)"));
    ASSERT_TRUE(did(primary(), "DELETE FROM given_up WHERE i <= 5"));
    primary().kill_all();
    const auto machine = host(primary());
    const auto seen = look(*machine);
    ASSERT_TRUE(seen) << seen.error().text();
    const auto wanted = to_nowhere("1", *seen, *from);
    const auto ended = to_its_end(*machine, wanted);
    EXPECT_EQ(ended.phase, RewindPhase::untouched);
    EXPECT_NE(ended.why.find("pg_rewind cannot"), std::string::npos) << ended.why;
    ASSERT_TRUE(ended.saved);
    EXPECT_GE(ended.saved->commits, 3U);
    ASSERT_EQ(ended.saved->tables.size(), 1U);
    EXPECT_EQ(ended.saved->tables.front().inserted, 30U);
    EXPECT_EQ(ended.saved->tables.front().deleted, 5U);
    EXPECT_FALSE(is_held(primary()));
    EXPECT_TRUE(primary().marked_standby());
    EXPECT_EQ(loop.run(machine->rewind(wanted, loop.in(seconds{20})))->phase, RewindPhase::untouched) << "it is told, not begun again";
    const auto started = loop.run(machine->start(id, ports::StartAs::primary, loop.in(seconds{30})));
    ASSERT_TRUE(started) << started.error().text();
    ASSERT_TRUE(primary().wait_for_sessions(seconds{20}));
    EXPECT_EQ(*primary().ask("SELECT count(*) FROM given_up"), "25");
}

/// The last checkpoint that both servers have lies in an earlier file than where the crash was, as on any busy server.
TEST_F(Rewinds, LetACrashedServerRecoverWithoutLosingTheWalThatTheyRead) {
    const auto from = model::Lsn::parse(*primary().ask("SELECT pg_current_wal_flush_lsn()"));
    ASSERT_TRUE(did(primary(), "CREATE TABLE IF NOT EXISTS long_ago (i int)"));
    ASSERT_TRUE(did(primary(), "ALTER SYSTEM SET wal_keep_size = 0"));
    std::vector<std::filesystem::path> needed;
    for (int file = 0; file < 3; ++file) {
        ASSERT_TRUE(did(primary(), "INSERT INTO long_ago SELECT generate_series(1, 30)"));
        needed.push_back(primary().data / "pg_wal" / *primary().ask("SELECT pg_walfile_name(pg_current_wal_flush_lsn())"));
        ASSERT_TRUE(did(primary(), "SELECT pg_switch_wal()"));
    }
    primary().kill_all();
    const auto machine = host(primary());
    const auto seen = look(*machine);
    ASSERT_TRUE(seen) << seen.error().text();
    const auto ended = to_its_end(*machine, to_nowhere("1", *seen, *from));
    EXPECT_NE(ended.why.find("pg_rewind cannot"), std::string::npos) << "it recovered, and pg_rewind was tried: " << ended.why;
    for (const auto& it : needed) EXPECT_TRUE(std::filesystem::exists(it)) << it;
}

/// Whoever starts it: PostgreSQL itself refuses.
TEST_F(Rewinds, ThatWereInterruptedHalfWayAreNeverStarted) {
    const auto id = system_id();
    primary().kill_all();
    const auto machine = host(primary());
    const auto seen = look(*machine);
    ASSERT_TRUE(seen) << seen.error().text();
    ASSERT_EQ(to_its_end(*machine, to_nowhere("1", *seen, model::Lsn{0x3000000})).phase, RewindPhase::untouched);
    // As a machine that lost power in the middle leaves it.
    const auto state = state_of(primary(), kept);
    ASSERT_TRUE(std::filesystem::exists(state)) << state;
    std::ofstream{state} << "phase rewinding\nticket 2\nsaved -\nwhy -\n";
    std::filesystem::permissions(primary().data, std::filesystem::perms{0701});

    EXPECT_FALSE(primary().start()) << "by hand";
    const auto started = loop.run(machine->start(id, ports::StartAs::standby, loop.in(seconds{20})));
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().kind, ErrorKind::refused);
    const auto after = look(*machine);
    ASSERT_TRUE(after) << after.error().text();
    EXPECT_EQ(after->phase, RewindPhase::half);
    const auto again = loop.run(machine->rewind(to_nowhere("3", *seen, model::Lsn{0x3000000}), loop.in(seconds{20})));
    ASSERT_TRUE(again) << again.error().text();
    EXPECT_EQ(again->phase, RewindPhase::half);
    EXPECT_FALSE(loop.run(machine->end_rewind(id, loop.in(seconds{20}))));

    std::ofstream{state} << "phase saving\nticket 2\nsaved -\nwhy -\n";
    const auto settled = look(*machine);
    ASSERT_TRUE(settled) << settled.error().text();
    EXPECT_EQ(settled->phase, RewindPhase::untouched) << "nothing had been rewritten";
    EXPECT_FALSE(is_held(primary()));
    EXPECT_TRUE(primary().marked_standby());
}

}  // namespace
}  // namespace handyrep
