// What the adapter does where a data directory is made anew, on real directories and a real server: the same claims locally and through a
// private sshd.
#include "adapters/ssh/shell_copier.hpp"
#include "adapters/ssh/shell_host.hpp"
#include "postgres_fixture.hpp"
#include "tests/harness/process.hpp"
#include "tests/harness/sshd.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <fstream>
#include <iterator>

namespace handyrep {
namespace {

using adapters::ssh::ShellCopier;
using adapters::ssh::ShellHost;
using adapters::ssh::ShellHostSettings;
using model::CopyProgress;
using model::Standing;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr Duration generous = seconds{50};

harness::PrivateSshd& private_sshd() {
    static const std::unique_ptr<harness::PrivateSshd> made = [] {
        auto sshd = harness::PrivateSshd::make(cluster().folder());
        ensure(sshd.has_value(), sshd ? "" : sshd.error().text());
        return std::move(*sshd);
    }();
    return *made;
}

std::string content(const std::filesystem::path& file) {
    std::ifstream in{file};
    return {std::istreambuf_iterator<char>{in}, {}};
}

/// It goes by itself, after a while.
bool is_gone(const std::filesystem::path& path) {
    return harness::wait_until([&] { return !std::filesystem::exists(path); }, generous, "it is deleted", milliseconds{20}).has_value();
}

class Copies : public RealPostgres, public testing::WithParamInterface<model::Transport> {
protected:
    void SetUp() override {
        RealPostgres::SetUp();
        id = model::SystemId{std::stoull(*primary().ask("SELECT system_identifier FROM pg_control_system()"))};
        version = model::ServerVersion{std::stoi(*primary().ask("SHOW server_version_num"))};
        conninfo = *replica().ask("SHOW primary_conninfo");
        forget(fresh());
        forget(replica().data);
    }
    void TearDown() override {
        if (const harness::RealServer server = fresh_server(); !server.processes().empty()) server.kill_all();
        forget(fresh());
        forget(replica().data);
    }
    static std::filesystem::path beside(const std::filesystem::path& data, const char* word) { return data.string() + ".handyrep-" + word; }
    static void forget(const std::filesystem::path& data) {
        std::error_code ignored;
        if (data == fresh()) std::filesystem::remove_all(data, ignored);
        for (const char* word : {"new", "old"}) std::filesystem::remove_all(beside(data, word), ignored);
        std::filesystem::remove_all(owners_folder() / "copies", ignored);
    }
    static std::filesystem::path fresh() { return cluster().folder() / "db9"; }
    static harness::RealServer fresh_server() {
        static const std::uint16_t port = *harness::free_port();
        harness::RealServer out = cluster().server("db1");
        out.name = "db9";
        out.port = port;
        out.data = fresh();
        out.log = cluster().folder() / "db9.log";
        return out;
    }
    ShellHostSettings settings_for(const harness::RealServer& of) {
        model::ServerDefinition server = definition(of);
        server.transport = GetParam();
        if (GetParam() == model::Transport::ssh) {
            server.ssh_user = private_sshd().login();
            server.ssh_config = private_sshd().client_configuration().string();
        }
        return {
            .server = server,
            .kept_folder = (owners_folder() / "copies").string(),
            .debian_configuration = (owners_folder() / "etc").string()};
    }
    std::unique_ptr<ShellCopier> copier(const harness::RealServer& of) {
        return std::make_unique<ShellCopier>(settings_for(of), loop.executor(), loop.clock);
    }
    model::TargetLook look(ShellCopier& at) {
        const auto seen = loop.run(at.look(version, loop.in(generous)));
        ensure(seen.has_value(), seen ? "" : seen.error().text());
        return *seen;
    }
    ports::CopyOrder order(std::uint64_t operation, model::CopyWishes wishes = {}) {
        return {
            .operation = operation,
            .system_id = id,
            .version = version,
            .source = conninfo,
            .upstream = conninfo,
            .wishes = std::move(wishes)};
    }
    Result<void> begin(ShellCopier& at, const ports::CopyOrder& what) { return loop.run(at.begin(what, loop.in(generous))); }
    CopyProgress progress(ShellCopier& at, std::uint64_t operation) {
        const auto seen = loop.run(at.progress(operation, loop.in(generous)));
        ensure(seen.has_value(), seen ? "" : seen.error().text());
        return *seen;
    }
    CopyProgress end_of(ShellCopier& at, std::uint64_t operation) {
        for (;;) {
            CopyProgress seen = progress(at, operation);
            if (seen.state != CopyProgress::State::running) return seen;
            loop.turn_for(milliseconds{50});
        }
    }
    Result<void> place(ShellCopier& at, std::uint64_t operation, std::uint16_t port) {
        const ports::Placing placing{.operation = operation, .system_id = id, .version = version, .port = port, .upstream = conninfo};
        return loop.run(at.put_in_place(placing, loop.in(generous)));
    }
    Result<void> start(const harness::RealServer& server) {
        ShellHost host{settings_for(server), loop.executor(), loop.clock, loop.log};
        return loop.run(host.start(id, ports::StartAs::standby, loop.in(generous)));
    }

    model::SystemId id{0};
    model::ServerVersion version{0};
    std::string conninfo;
};

#define DONE(call)                                      \
    {                                                   \
        const auto outcome = call;                      \
        ASSERT_TRUE(outcome) << outcome.error().text(); \
    }
#define REFUSED(call, words)                                   \
    {                                                          \
        const auto outcome = call;                             \
        ASSERT_FALSE(outcome);                                 \
        EXPECT_EQ(outcome.error().kind, ErrorKind::refused);   \
        EXPECT_THAT(outcome.error().text(), HasSubstr(words)); \
    }

TEST_P(Copies, SayWhatStandsThere) {
    const auto at_fresh = copier(fresh_server());
    EXPECT_EQ(look(*at_fresh).standing, Standing::absent);
    EXPECT_EQ(look(*at_fresh).impediment, "");
    EXPECT_GT(look(*at_fresh).room->free.count, 0U);
    DONE(loop.run(at_fresh->make_directory(loop.in(generous))));
    EXPECT_EQ(look(*at_fresh).standing, Standing::empty);
    std::ofstream{fresh() / "somebody's"} << "work";
    EXPECT_EQ(look(*at_fresh).standing, Standing::unidentified);

    const model::TargetLook running = look(*copier(replica()));
    EXPECT_EQ(running.standing, Standing::database);
    EXPECT_EQ(running.system_id, id);
    EXPECT_GT(running.processes, 0U);
    const auto own = loop.run(copier(replica())->own_conninfo(loop.in(generous)));
    ASSERT_TRUE(own) << own.error().text();
    EXPECT_EQ(own->reveal(), conninfo);
}

TEST_P(Copies, MakeAStandbyWhereNothingWas) {
    const auto at = copier(fresh_server());
    DONE(begin(*at, order(7)));
    DONE(begin(*at, order(7))) << "the same once more changes nothing";
    const CopyProgress whole = end_of(*at, 7);
    ASSERT_EQ(whole.state, CopyProgress::State::whole) << whole.said;
    ASSERT_TRUE(whole.total);
    EXPECT_EQ(whole.copied, *whole.total);
    EXPECT_EQ(look(*at).standing, Standing::absent) << "it is not in its place yet";
    DONE(place(*at, 7, fresh_server().port));
    EXPECT_EQ(progress(*at, 7).state, CopyProgress::State::in_place);
    DONE(place(*at, 7, fresh_server().port));
    EXPECT_TRUE(fresh_server().marked_standby());
    DONE(start(fresh_server()));
    DONE(fresh_server().wait_for_sessions(generous));
    EXPECT_EQ(fresh_server().in_recovery(), std::optional{true});
    REFUSED(loop.run(at->abandon(7, loop.in(generous))), "in its place");
    DONE(loop.run(at->discard_old(7, loop.in(generous))));
}

TEST_P(Copies, TakeThePlaceOfAnOldDirectoryAndKeepWhatIsTheNodesOwn) {
    DONE(replica().stop(harness::StopMode::fast));
    std::ofstream{replica().data / "postgresql.conf", std::ios::app} << "work_mem = '7MB'\n";
    std::ofstream{replica().data / "old"} << "old";
    std::filesystem::create_directory(replica().data / "base" / "old");
    const auto at = copier(replica());
    DONE(begin(*at, order(8)));
    ASSERT_EQ(end_of(*at, 8).state, CopyProgress::State::whole);
    DONE(place(*at, 8, 1));
    EXPECT_TRUE(std::filesystem::exists(beside(replica().data, "old") / "base" / "old"));
    EXPECT_FALSE(std::filesystem::exists(replica().data / "base" / "old"));
    DONE(start(replica()));
    DONE(cluster().wait_until_streaming({"db2"}, "db1", generous));
    EXPECT_EQ(*replica().ask("SHOW work_mem"), "7MB");
    EXPECT_EQ(*replica().ask("SHOW cluster_name"), "db2");
    DONE(loop.run(at->discard_old(8, loop.in(generous))));
    EXPECT_TRUE(is_gone(beside(replica().data, "old")));
    EXPECT_TRUE(std::filesystem::exists(replica().data / "PG_VERSION"));
}

TEST_P(Copies, AreRefusedOverWhatIsNotIdentifiedOrLives) {
    REFUSED(begin(*copier(replica()), order(9)), "processes hold");
    REFUSED(begin(*copier(primary()), order(9)), "processes hold");
    DONE(replica().stop(harness::StopMode::fast));
    ports::CopyOrder foreign = order(9);
    foreign.system_id = model::SystemId{id.value + 1};
    REFUSED(begin(*copier(replica()), foreign), "another system");
    const auto at = copier(fresh_server());
    DONE(loop.run(at->make_directory(loop.in(generous))));
    std::ofstream{fresh() / "somebody's"} << "work";
    REFUSED(begin(*at, order(9)), "could not be identified");
    EXPECT_EQ(content(fresh() / "somebody's"), "work");
    EXPECT_FALSE(std::filesystem::exists(beside(replica().data, "new")));
    DONE(replica().start());
}

TEST_P(Copies, GoOnWithoutWhoeverBeganThemAndAreFoundAgain) {
    auto at = copier(fresh_server());
    DONE(begin(*at, order(10, {.rate = model::Bytes{4U << 20U}})));
    at.reset();  // with its shell, as a killed manager or a broken connection would
    at = copier(fresh_server());
    const CopyProgress found = progress(*at, 10);
    EXPECT_EQ(found.state, CopyProgress::State::running);
    REFUSED(begin(*at, order(11)), "operation 10");
    REFUSED(place(*at, 10, 1), "not whole");
    EXPECT_EQ(progress(*at, 11).state, CopyProgress::State::none);
    const CopyProgress whole = end_of(*at, 10);
    EXPECT_EQ(whole.state, CopyProgress::State::whole) << whole.said;
    EXPECT_GE(whole.running_for, seconds{2});
}

TEST_P(Copies, AreAbandonedWithAllThatTheyMade) {
    const auto at = copier(fresh_server());
    DONE(begin(*at, order(12, {.rate = model::Bytes{1U << 20U}})));
    loop.turn_for(milliseconds{500});
    EXPECT_TRUE(std::filesystem::exists(beside(fresh(), "new") / "PG_VERSION"));
    DONE(loop.run(at->abandon(12, loop.in(generous))));
    EXPECT_FALSE(std::filesystem::exists(beside(fresh(), "new")));
    EXPECT_EQ(progress(*at, 12).state, CopyProgress::State::none);
    DONE(loop.run(at->abandon(12, loop.in(generous))));
}

TEST_P(Copies, ThatDieAreLostAndThatFailSayWhy) {
    const auto at = copier(fresh_server());
    DONE(begin(*at, order(13, {.rate = model::Bytes{1U << 20U}})));
    loop.turn_for(milliseconds{300});
    DONE(harness::run_well({.arguments = {"pkill", "-9", "-f", beside(fresh(), "new").string()}}, generous));
    // The job's own shell outlives the program that it waits for.
    const CopyProgress killed = end_of(*at, 13);
    EXPECT_EQ(killed.state, CopyProgress::State::failed);
    DONE(loop.run(at->abandon(13, loop.in(generous))));
    ports::CopyOrder unreachable = order(14);
    unreachable.source = fmt::format("host=127.0.0.1 port={}", *harness::free_port());
    DONE(begin(*at, unreachable));
    const CopyProgress failed = end_of(*at, 14);
    EXPECT_EQ(failed.state, CopyProgress::State::failed);
    EXPECT_THAT(failed.said, HasSubstr("refused"));
    DONE(loop.run(at->abandon(14, loop.in(generous))));
    EXPECT_FALSE(std::filesystem::exists(beside(fresh(), "new")));
}

TEST_P(Copies, TouchNothingThatIsInTheirWay) {
    const auto at = copier(fresh_server());
    std::filesystem::create_directory(beside(fresh(), "new"));
    std::ofstream{beside(fresh(), "new") / "somebody's"} << "work";
    ASSERT_TRUE(harness::give_to_server_user(beside(fresh(), "new")));
    EXPECT_THAT(look(*at).impediment, HasSubstr("in the way"));
    DONE(begin(*at, order(15)));
    EXPECT_THAT(end_of(*at, 15).said, HasSubstr("in the way"));
    DONE(begin(*at, order(15)));
    const auto abandoned = loop.run(at->abandon(15, loop.in(generous)));
    EXPECT_FALSE(abandoned);
    EXPECT_EQ(content(beside(fresh(), "new") / "somebody's"), "work");
}

/// A cluster of its own: a replica of the same machine would replay a tablespace into the primary's.
TEST(CopiedPlaces, AreMappedAndAreTakenAgainTheNextTime) {
    const auto made = harness::RealCluster::make({.servers = 1, .settings = {"fsync = off"}});
    ASSERT_TRUE(made) << made.error().text();
    const harness::RealServer& source = (*made)->server("db1");
    const auto place = [&](const char* name) {
        const auto folder = (*made)->folder() / name;
        std::filesystem::create_directory(folder);
        ensure(harness::give_to_server_user(folder).has_value(), "a folder can be given away");
        return folder;
    };
    const auto space = place("space");
    const auto there = place("its space=2");
    const auto wal = place("wal") / "of-it";
    ASSERT_TRUE(did(source, fmt::format("CREATE TABLESPACE elsewhere LOCATION '{}'", space.string())));
    ASSERT_TRUE(did(source, "CREATE TABLE far TABLESPACE elsewhere AS SELECT 42 AS answer"));
    harness::RealServer copy = source;
    copy.name = "db2";
    copy.port = *harness::free_port();
    copy.data = (*made)->folder() / "db2";
    const model::SystemId id{std::stoull(*source.ask("SELECT system_identifier FROM pg_control_system()"))};
    const model::ServerVersion version{std::stoi(*source.ask("SHOW server_version_num"))};
    const std::string conninfo = fmt::format(
        "host=127.0.0.1 port={} user={} passfile={}", source.port, harness::RealCluster::replication_user(),
        ((*made)->folder() / "replication.pgpass").string());
    const ShellHostSettings settings{
        .server =
            {.name = *model::ServerName::parse("db2"),
             .hostname = "127.0.0.1",
             .port = copy.port,
             .transport = model::Transport::local,
             .ssh_key = {},
             .ssh_config = {},
             .pgdata = copy.data.string()},
        .kept_folder = ((*made)->folder() / "kept").string(),
        .debian_configuration = "/nowhere"};
    Loop loop;
    ShellCopier at{settings, loop.executor(), loop.clock};
    ShellHost host{settings, loop.executor(), loop.clock, loop.log};
    for (const std::uint64_t operation : {1, 2}) {
        SCOPED_TRACE(operation);
        model::CopyWishes wishes;
        if (operation == 1) {
            wishes.wal_directory = wal.string();
            wishes.tablespaces = {{space.string(), there.string()}};
        } else {
            wishes.tablespaces = {{space.string(), there.string()}};
            DONE(copy.stop(harness::StopMode::fast));
        }
        const ports::CopyOrder order{operation, id, version, conninfo, conninfo, wishes};
        DONE(loop.run(at.begin(order, loop.in(generous))));
        CopyProgress seen;
        do {
            loop.turn_for(milliseconds{50});
            const auto looked = loop.run(at.progress(operation, loop.in(generous)));
            ASSERT_TRUE(looked) << looked.error().text();
            seen = *looked;
        } while (seen.state == CopyProgress::State::running);
        ASSERT_EQ(seen.state, CopyProgress::State::whole) << seen.said;
        DONE(loop.run(at.put_in_place({operation, id, version, copy.port, conninfo}, loop.in(generous))));
        EXPECT_TRUE(std::filesystem::equivalent(copy.data / "pg_wal", wal));
        DONE(loop.run(host.start(id, ports::StartAs::standby, loop.in(generous))));
        DONE(copy.wait_for_sessions(generous));
        EXPECT_EQ(*copy.ask("SELECT answer FROM far"), "42");
        EXPECT_EQ(*copy.ask("SELECT pg_tablespace_location(oid) FROM pg_tablespace WHERE spcname = 'elsewhere'"), there.string());
        DONE(loop.run(at.discard_old(operation, loop.in(generous))));
        EXPECT_TRUE(is_gone(there.string() + ".handyrep-old"));
        EXPECT_FALSE(std::filesystem::exists(wal.string() + ".handyrep-new"));
    }
    copy.kill_all();
}

INSTANTIATE_TEST_SUITE_P(Transports, Copies, testing::Values(model::Transport::local, model::Transport::ssh), [](const auto& transport) {
    return std::string(word_for(transport.param));
});

}  // namespace
}  // namespace handyrep
