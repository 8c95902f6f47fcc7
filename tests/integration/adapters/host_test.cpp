// What the adapter sees and does on a host: the same claims locally and through a private sshd.
#include "adapters/ssh/shell_host.hpp"
#include "postgres_fixture.hpp"
#include "tests/harness/orphan.hpp"
#include "tests/harness/process.hpp"
#include "tests/harness/sshd.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>

namespace handyrep {
namespace {

using adapters::ssh::Shell;
using adapters::ssh::ShellHost;
using adapters::ssh::ShellHostSettings;
using adapters::ssh::When;
using model::Reach;
using std::chrono::milliseconds;
using std::chrono::seconds;

harness::PrivateSshd& private_sshd() {
    static const std::unique_ptr<harness::PrivateSshd> made = [] {
        auto sshd = harness::PrivateSshd::make(cluster().folder());
        ensure(sshd.has_value(), sshd ? "" : sshd.error().text());
        return std::move(*sshd);
    }();
    return *made;
}

class Hosts : public RealPostgres, public testing::WithParamInterface<model::Transport> {
protected:
    void SetUp() override {
        RealPostgres::SetUp();
        if (GetParam() == model::Transport::ssh) private_sshd();
    }
    model::ServerDefinition reached(const harness::RealServer& of) {
        model::ServerDefinition out = definition(of);
        out.transport = GetParam();
        if (GetParam() == model::Transport::ssh) {
            out.ssh_user = private_sshd().login();
            out.ssh_config = private_sshd().client_configuration().string();
        }
        return out;
    }
    ShellHostSettings host_settings(const harness::RealServer& of) {
        return {
            .server = reached(of),
            .kept_folder = (owners_folder() / "passwords").string(),
            .debian_configuration = (owners_folder() / "etc").string()};
    }
    std::unique_ptr<ShellHost> host(const harness::RealServer& of) {
        return std::make_unique<ShellHost>(host_settings(of), loop.executor(), loop.clock, loop.log);
    }
    model::SystemId system_id() {
        return model::SystemId{std::stoull(*primary().ask("SELECT system_identifier FROM pg_control_system()"))};
    }
    Reach reach(ShellHost& from, std::uint16_t port, Duration patience) {
        return loop.run(from.reach("127.0.0.1", port, patience, loop.in(seconds{30})));
    }
};

TEST_P(Hosts, SayWhatADataDirectoryIsAndWhoHoldsIt) {
    const auto looked = loop.run(host(primary())->look(loop.in(seconds{20})));
    ASSERT_TRUE(looked) << looked.error().text();
    EXPECT_EQ(looked->system_id, system_id());
    EXPECT_EQ(looked->state, model::ControlState::in_production);
    EXPECT_GE(looked->processes, 5U);
    EXPECT_FALSE(looked->marked_standby);
    const auto standby = loop.run(host(replica())->look(loop.in(seconds{20})));
    ASSERT_TRUE(standby) << standby.error().text();
    EXPECT_EQ(standby->state, model::ControlState::in_archive_recovery);
    EXPECT_TRUE(standby->marked_standby);
}

TEST_P(Hosts, SayWhetherTheyReachAPort) {
    const auto from = host(replica());
    EXPECT_EQ(reach(*from, primary().port, seconds{20}), Reach::accepted);
    EXPECT_EQ(reach(*from, *harness::free_port(), seconds{20}), Reach::refused);
    const BadListener deaf{loop.context, BadListener::Kind::deaf};
    EXPECT_EQ(reach(*from, deaf.port(), milliseconds{600}), Reach::silent);
    EXPECT_EQ(loop.run(from->reach("no-such-host.invalid", 5999, seconds{20}, loop.in(seconds{30}))), Reach::unknown);
}

TEST_P(Hosts, FenceNothingThatBelongsToAnotherSystem) {
    const auto fenced = loop.run(host(primary())->fence(model::SystemId{42}, loop.in(seconds{20})));
    ASSERT_FALSE(fenced);
    EXPECT_EQ(fenced.error().kind, ErrorKind::refused);
    EXPECT_FALSE(primary().marked_standby());
    EXPECT_EQ(primary().in_recovery(), std::optional{false});
}

TEST_P(Hosts, FenceARunningPrimaryAndProveIt) {
    const auto machine = host(primary());
    const auto id = system_id();
    const auto fenced = loop.run(machine->fence(id, loop.in(seconds{20})));
    ASSERT_TRUE(fenced) << fenced.error().text();
    EXPECT_TRUE(fenced->processes_gone());
    EXPECT_GE(fenced->killed, 5U);
    EXPECT_EQ(fenced->autostart, "none found");
    EXPECT_TRUE(primary().processes().empty());
    const auto looked = loop.run(machine->look(loop.in(seconds{20})));
    ASSERT_TRUE(looked) << looked.error().text();
    EXPECT_EQ(looked->processes, 0U);
    EXPECT_TRUE(looked->marked_standby);
    const auto again = loop.run(machine->fence(id, loop.in(seconds{20})));
    ASSERT_TRUE(again) << again.error().text();
    EXPECT_TRUE(again->processes_gone());
    EXPECT_EQ(again->killed, 0U);
    // Nobody else's processes were touched.
    EXPECT_EQ(replica().in_recovery(), std::optional{true});
}

TEST_P(Hosts, FenceTheOrphansThatAKilledPostmasterLeftBehind) {
    const auto machine = host(primary());
    const auto id = system_id();
    const auto orphan = harness::OrphanProcedure::start(primary());
    ASSERT_TRUE(orphan) << orphan.error().text();
    primary().kill_postmaster();
    ASSERT_TRUE(harness::wait_until([&] { return !primary().accepts_sessions(); }, seconds{10}, "the port is refused"));
    ASSERT_FALSE(primary().processes().empty());
    const auto fenced = loop.run(machine->fence(id, loop.in(seconds{20})));
    ASSERT_TRUE(fenced) << fenced.error().text();
    EXPECT_TRUE(fenced->processes_gone());
    EXPECT_GE(fenced->killed, 1U);
    EXPECT_TRUE(primary().processes().empty());
}

TEST_P(Hosts, FenceAFrozenServer) {
    const auto id = system_id();
    ASSERT_TRUE(primary().freeze());
    const auto fenced = loop.run(host(primary())->fence(id, loop.in(seconds{20})));
    ASSERT_TRUE(fenced) << fenced.error().text();
    EXPECT_TRUE(fenced->processes_gone());
    EXPECT_TRUE(primary().processes().empty());
}

TEST_P(Hosts, DisableTheAutostartOfADebianClusterAndRememberHowItWas) {
    const auto folder = owners_folder() / "etc" / "15" / "main";
    std::filesystem::create_directories(folder);
    std::ofstream{folder / "postgresql.conf"} << "# a comment\ndata_directory = '" << primary().data.string() << "'\t\t# here\n";
    std::ofstream{folder / "start.conf"} << "# who starts it\nauto\n";
    for (const auto& path : {folder, folder / "start.conf"}) ASSERT_TRUE(harness::give_to_server_user(path));
    const auto fenced = loop.run(host(primary())->fence(system_id(), loop.in(seconds{20})));
    ASSERT_TRUE(fenced) << fenced.error().text();
    EXPECT_EQ(fenced->autostart, "start.conf of 15/main: manual");
    EXPECT_TRUE(fenced->processes_gone());
    EXPECT_EQ(*harness::read_file(folder / "start.conf"), "manual\n");
    EXPECT_EQ(*harness::read_file(folder / "start.conf.handyrep"), "# who starts it\nauto\n");
    std::filesystem::remove_all(owners_folder() / "etc");
}

TEST_P(Hosts, ProveNothingWhenTheAutostartCannotBeDisabled) {
    const auto folder = owners_folder() / "etc" / "15" / "main";
    std::filesystem::create_directories(folder);
    std::ofstream{folder / "postgresql.conf"} << "data_directory = '" << primary().data.string() << "'\n";
    std::ofstream{folder / "start.conf"} << "auto\n";
    std::filesystem::permissions(folder, std::filesystem::perms{0555});
    const auto fenced = loop.run(host(primary())->fence(system_id(), loop.in(seconds{20})));
    ASSERT_TRUE(fenced) << fenced.error().text();
    EXPECT_FALSE(fenced->autostart_disabled);
    EXPECT_FALSE(fenced->processes_gone());
    std::filesystem::permissions(folder, std::filesystem::perms{0755});
    std::filesystem::remove_all(owners_folder() / "etc");
}

TEST_P(Hosts, ReadWhereTheWalOfADeadServerEnds) {
    const auto id = system_id();
    auto session = primary().session();
    ASSERT_TRUE(session);
    ASSERT_TRUE(session->query("CREATE TABLE IF NOT EXISTS lost (i int)"));
    ASSERT_TRUE(session->query("CHECKPOINT"));
    const auto flushed = [&] { return model::Lsn::parse(*primary().ask("SELECT pg_current_wal_flush_lsn()")); };
    // Tests before this one may have promoted it.
    const std::string digits = primary().ask("SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)")->substr(0, 8);
    const model::Timeline timeline{static_cast<std::uint32_t>(std::stoul(digits, nullptr, 16))};
    const model::WalEndQuestion question{id, {timeline, *flushed()}};
    for (int i = 0; i < 7; ++i) ASSERT_TRUE(session->query("INSERT INTO lost VALUES (1)"));
    // A record over several pages.
    ASSERT_TRUE(session->query("SELECT pg_logical_emit_message(true, 'long', repeat('x', 30000))"));
    const model::Lsn written = *flushed();

    const auto early = loop.run(host(primary())->read_wal_end(question, loop.in(seconds{20})));
    ASSERT_FALSE(early);
    EXPECT_EQ(early.error().kind, ErrorKind::conflict);

    ASSERT_TRUE(loop.run(host(primary())->fence(id, loop.in(seconds{20}))));
    const auto read = loop.run(host(primary())->read_wal_end(question, loop.in(seconds{20})));
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_GE(read->end, written);
    EXPECT_LT(gap(written, read->end).count, 4096U);  // what the server writes by itself
    EXPECT_EQ(read->commits, 8U);
    EXPECT_TRUE(read->all_counted);

    const auto none = loop.run(host(primary())->read_wal_end({id, {timeline, read->end}}, loop.in(seconds{20})));
    ASSERT_TRUE(none) << none.error().text();
    EXPECT_EQ(*none, (model::WalEnd{read->end, 0, true}));
    EXPECT_EQ(
        loop.run(host(primary())->read_wal_end({model::SystemId{42}, question.from}, loop.in(seconds{20}))).error().kind,
        ErrorKind::refused);
}

TEST_P(Hosts, StartWhatTheyStoppedAlsoWhenNobodyWaitsForItAnyMore) {
    const auto id = system_id();
    const auto machine = host(replica());
    ASSERT_TRUE(loop.run(machine->look(loop.in(seconds{20}))));
    const auto first = replica().postmaster();
    int begun = 0;
    for (const auto patience : {milliseconds{70}, milliseconds{110}, milliseconds{160}, milliseconds{220}, milliseconds{300}}) {
        const auto before = replica().postmaster();
        const auto restarted = loop.run(machine->restart_standby(id, loop.in(patience)));
        if (!restarted && restarted.error().kind == ErrorKind::refused) continue;
        ++begun;
        EXPECT_TRUE(harness::wait_until(
            [&] { return replica().postmaster() != before && replica().in_recovery() == true; }, seconds{20}, "it runs again"));
        ASSERT_TRUE(loop.run(machine->look(loop.in(seconds{20}))));
    }
    EXPECT_GT(begun, 0);
    EXPECT_NE(replica().postmaster(), first);
}

/// A stop that hangs: a process of it stands, so that only the postmaster's own kill ends it.
TEST_P(Hosts, RestartAStandbyThatDoesNotStop) {
    if (GetParam() == model::Transport::ssh) GTEST_SKIP() << "it takes twelve seconds, and the way there changes nothing";
    const auto id = system_id();
    const auto before = replica().postmaster();
    const auto stuck = replica().ask("SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'");
    ASSERT_TRUE(stuck);
    ASSERT_EQ(::kill(std::stoi(*stuck), SIGSTOP), 0);
    const auto restarted = loop.run(host(replica())->restart_standby(id, loop.in(seconds{30})));
    ASSERT_TRUE(restarted) << restarted.error().text();
    EXPECT_NE(replica().postmaster(), before);
    EXPECT_EQ(replica().in_recovery(), std::optional{true});
}

/// A service manager by the answers of its command, on a machine that has none; only here, where our own PATH counts.
class ServiceManager : public RealPostgres {
protected:
    void SetUp() override {
        RealPostgres::SetUp();
        std::filesystem::create_directories(folder / "bin");
        std::filesystem::create_directories(folder / "etc" / "15" / "main");
        // The unit needs three looks to see that its process is gone.
        program(
            "systemctl", fmt::format(
                             R"sh(
running() {{ read -r p <'{1}/postmaster.pid' 2>/dev/null && [ -d "/proc/$p" ]; }}
case "$1 $3" in
  "show LoadState") echo loaded;; "show SubState") echo dead;; "show MainPID") head -n 1 '{1}/postmaster.pid';;
  "show ActiveState")
    if running; then echo active; elif [ "$(wc -l <'{0}/looks')" -lt 3 ]; then echo deactivating; echo >>'{0}/looks'; else echo failed; fi;;
  "mask "*) echo "$2" >>'{0}/masked';;
  "unmask "*) echo "$2" >>'{0}/unmasked';;
  "restart "*) echo "$2" >>'{0}/restarted'; '{2}/pg_ctl' restart -D '{1}' -w >/dev/null 2>&1;;
esac
)sh",
                             folder.string(), server().data.string(), server().programs.string()));
        program("sudo", may_sudo() ? "shift\nexec \"$@\"\n" : "exit 1\n");
        std::ofstream{folder / "etc" / "15" / "main" / "postgresql.conf"} << "data_directory = '" << server().data.string() << "'\n";
        std::ofstream{folder / "etc" / "15" / "main" / "start.conf"} << "manual\n";
        for (const char* const it : {"masked", "unmasked", "restarted", "looks"}) std::ofstream{folder / it};
        for (const auto& it : std::filesystem::recursive_directory_iterator{folder}) EXPECT_TRUE(harness::give_to_server_user(it.path()));
        EXPECT_TRUE(harness::give_to_server_user(folder));
        setenv("PATH", fmt::format("{}:{}", (folder / "bin").string(), path).c_str(), 1);
    }
    void TearDown() override {
        setenv("PATH", path.c_str(), 1);
        std::filesystem::remove_all(folder);
    }
    std::unique_ptr<ShellHost> host() {
        ShellHostSettings settings{
            .server = definition(server()),
            .kept_folder = (folder / "kept").string(),
            .debian_configuration = (folder / "etc").string(),
            .systemd = folder.string()};
        settings.server.transport = model::Transport::local;
        return std::make_unique<ShellHost>(settings, loop.executor(), loop.clock, loop.log);
    }

    /// Whose units it has.
    virtual const harness::RealServer& server() const { return primary(); }
    virtual bool may_sudo() const { return true; }
    [[nodiscard]] std::string system_id() const { return *server().ask("SELECT system_identifier FROM pg_control_system()"); }

    std::filesystem::path folder = owners_folder() / "service-manager";
    std::string path = getenv("PATH");

private:
    void program(const std::string& name, const std::string& text) const {
        std::ofstream{folder / "bin" / name} << "#!/bin/sh\n" << text;
        std::filesystem::permissions(folder / "bin" / name, std::filesystem::perms{0755});
    }
};

TEST_F(ServiceManager, IsAskedForTheStateOfTheServersUnit) {
    const auto looked = loop.run(host()->look(loop.in(seconds{20})));
    ASSERT_TRUE(looked) << looked.error().text();
    EXPECT_EQ(looked->service, "postgresql@15-main.service is active (dead)");
}

TEST_F(ServiceManager, HasTheUnitMaskedByTheFence) {
    const model::SystemId id{std::stoull(*primary().ask("SELECT system_identifier FROM pg_control_system()"))};
    const auto fenced = loop.run(host()->fence(id, loop.in(seconds{20})));
    ASSERT_TRUE(fenced) << fenced.error().text();
    EXPECT_TRUE(fenced->processes_gone());
    EXPECT_EQ(fenced->autostart, "start.conf of 15/main was manual, postgresql@15-main.service masked");
    EXPECT_EQ(*harness::read_file(folder / "masked"), "postgresql@15-main.service\n");
}

TEST_F(ServiceManager, GetsItsUnitBackWhenTheServerIsStartedAfterAStop) {
    std::ofstream{folder / "etc" / "15" / "main" / "start.conf"} << "# as Debian has it\nauto\n";
    const model::SystemId id{std::stoull(system_id())};
    const auto stopped = loop.run(host()->stop(id, loop.in(seconds{30})));
    ASSERT_TRUE(stopped) << stopped.error().text();
    EXPECT_TRUE(stopped->processes_gone());
    EXPECT_EQ(stopped->autostart, "start.conf of 15/main: manual, postgresql@15-main.service masked");
    EXPECT_EQ(*harness::read_file(folder / "etc" / "15" / "main" / "start.conf"), "manual\n");
    const auto started = loop.run(host()->start(id, ports::StartAs::primary, loop.in(seconds{30})));
    ASSERT_TRUE(started) << started.error().text();
    EXPECT_EQ(*harness::read_file(folder / "unmasked"), "postgresql@15-main.service\n");
    EXPECT_EQ(*harness::read_file(folder / "etc" / "15" / "main" / "start.conf"), "# as Debian has it\nauto\n");
    EXPECT_EQ(*harness::read_file(folder / "kept" / "masked"), "") << "and nothing is given back twice";
    EXPECT_FALSE(primary().marked_standby());
}

class ServiceManagerOfAReplica : public ServiceManager {
protected:
    const harness::RealServer& server() const override { return replica(); }
    [[nodiscard]] std::string said(const char* file) const { return *harness::read_file(folder / file); }
    void restart() {
        const auto before = replica().postmaster();
        const auto done = loop.run(host()->restart_standby(model::SystemId{std::stoull(system_id())}, loop.in(seconds{40})));
        ASSERT_TRUE(done) << done.error().text();
        EXPECT_NE(replica().postmaster(), before);
        EXPECT_EQ(replica().in_recovery(), std::optional{true});
    }
};

TEST_F(ServiceManagerOfAReplica, RestartsIt) {
    restart();
    EXPECT_EQ(said("restarted"), "postgresql@15-main.service\n");
    EXPECT_EQ(said("looks"), "");
}

class ServiceManagerThatIsNotOurs : public ServiceManagerOfAReplica {
protected:
    bool may_sudo() const override { return false; }
};

/// Its stop command would end what was started before that.
TEST_F(ServiceManagerThatIsNotOurs, HasSeenTheEndOfAServerBeforeItIsStartedAgain) {
    restart();
    EXPECT_EQ(said("restarted"), "");
    EXPECT_EQ(said("looks"), "\n\n\n");
}

/// As a directory of that version says of itself, until it is told otherwise.
class VersionFile {
public:
    VersionFile(const std::filesystem::path& data, std::string_view text)
        : file_{data / "PG_VERSION"}, before_{*harness::read_file(file_)} {
        std::ofstream{file_} << text;
    }
    VersionFile(const VersionFile&) = delete;
    VersionFile& operator=(const VersionFile&) = delete;
    ~VersionFile() { std::ofstream{file_} << before_; }

private:
    std::filesystem::path file_;
    std::string before_;
};

TEST_P(Hosts, MarkAnOldVersionByItsRecoveryConf) {
    const VersionFile eleven{primary().data, "11\n"};
    std::ofstream{primary().data / "recovery.conf"} << "restore_command = 'cp'\n";
    ASSERT_TRUE(harness::give_to_server_user(primary().data / "recovery.conf"));
    const auto fenced = loop.run(host(primary())->fence(system_id(), loop.in(seconds{20})));
    ASSERT_TRUE(fenced) << fenced.error().text();
    EXPECT_TRUE(fenced->marked);
    EXPECT_EQ(*harness::read_file(primary().data / "recovery.conf"), "standby_mode = 'on'\n");
    EXPECT_EQ(*harness::read_file(primary().data / "recovery.conf.handyrep"), "restore_command = 'cp'\n");
    EXPECT_FALSE(std::filesystem::exists(primary().data / "standby.signal"));
    std::filesystem::remove(primary().data / "recovery.conf");
    std::filesystem::remove(primary().data / "recovery.conf.handyrep");
}

TEST_P(Hosts, TouchNothingOfADirectoryThatDoesNotSayItsVersion) {
    for (const std::string_view damaged : {"", "fifteen\n"}) {
        const VersionFile file{primary().data, damaged};
        const auto fenced = loop.run(host(primary())->fence(system_id(), loop.in(seconds{20})));
        ASSERT_FALSE(fenced) << damaged;
        EXPECT_NE(fenced.error().text().find("PG_VERSION"), std::string::npos) << fenced.error().text();
        EXPECT_FALSE(primary().processes().empty());
        EXPECT_FALSE(std::filesystem::exists(primary().data / "standby.signal"));
        EXPECT_FALSE(std::filesystem::exists(primary().data / "recovery.conf"));
    }
}

TEST_P(Hosts, KeepOnePasswordPerUserInAFileForTheOwnerAlone) {
    const auto machine = host(replica());
    const auto first = loop.run(machine->keep_password(Secret{"*:*:replication:rep:it's one"}, loop.in(seconds{20})));
    ASSERT_TRUE(first) << first.error().text();
    ASSERT_TRUE(loop.run(machine->keep_password(Secret{"*:*:replication:other:x"}, loop.in(seconds{20}))));
    ASSERT_TRUE(loop.run(machine->keep_password(Secret{"*:*:replication:rep:two"}, loop.in(seconds{20}))));
    EXPECT_EQ(*harness::read_file(*first), "*:*:replication:other:x\n*:*:replication:rep:two\n");
    struct stat file{};
    ASSERT_EQ(stat(first->c_str(), &file), 0);
    EXPECT_EQ(file.st_mode & 0777U, 0600U);
    std::filesystem::remove(*first);
}

TEST_P(Hosts, AnswerAgainAfterTheirShellWasKilledAndLeaveNoZombie) {
    const auto others = harness::descendants_of(getpid());
    const auto machine = host(primary());
    ASSERT_TRUE(loop.run(machine->look(loop.in(seconds{20}))));
    std::size_t killed = 0;
    for (const pid_t process : harness::descendants_of(getpid())) {
        if (std::ranges::find(others, process) == others.end() && kill(process, SIGKILL) == 0) ++killed;
    }
    ASSERT_GE(killed, 1U);
    const auto cut = loop.run(machine->look(loop.in(seconds{20})));
    EXPECT_FALSE(cut);
    const auto again = loop.run(machine->look(loop.in(seconds{20})));
    EXPECT_TRUE(again) << again.error().text();
    loop.turn_for(milliseconds{100});
    for (const pid_t process : harness::descendants_of(getpid())) {
        const bool ours = std::ranges::find(others, process) == others.end();
        EXPECT_FALSE(ours && harness::state_of(process) == 'Z');
    }
}

TEST_P(Hosts, RunScriptsAsTheOwnerFromTheRootFolderAndNotTheirInput) {
    Shell shell{reached(primary()), loop.executor(), loop.clock};
    const auto output = loop.run(shell.run("id -un; pwd; cat; echo to you >&2; exit 7", When::anytime, loop.in(seconds{20})));
    ASSERT_TRUE(output) << output.error().text();
    EXPECT_EQ(output->text, harness::server_user() + "\n/\n");
    EXPECT_EQ(output->complaints, "to you");
    EXPECT_EQ(output->status, 7);
}

TEST_P(Hosts, DoNothingWhenTheirOwnClockSaysThatTheTimeHasPassed) {
    Shell shell{reached(primary()), loop.executor(), loop.clock};
    ASSERT_TRUE(loop.run(shell.run(":", When::anytime, loop.in(seconds{20}))));
    const auto flag = owners_folder() / "flag";
    const auto in_time = loop.run(shell.run("touch '" + flag.string() + "'", When::before_deadline, loop.in(seconds{20})));
    ASSERT_TRUE(in_time) << in_time.error().text();
    ASSERT_TRUE(std::filesystem::remove(flag));
    // Sent with a deadline so near that it has passed there, by the node's clock of hundredths, when the script begins.
    const auto late = loop.run(shell.run("touch '" + flag.string() + "'", When::before_deadline, loop.in(milliseconds{45})));
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().kind, ErrorKind::refused) << late.error().text();
    EXPECT_FALSE(std::filesystem::exists(flag));
}

TEST_P(Hosts, ThatDoNotAnswerInTimeAreAskedThroughANewShell) {
    Shell shell{reached(primary()), loop.executor(), loop.clock};
    ASSERT_TRUE(loop.run(shell.run(":", When::anytime, loop.in(seconds{20}))));
    const auto late = loop.run(shell.run("sleep 30; echo late", When::anytime, loop.in(milliseconds{150})));
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().kind, ErrorKind::timed_out);
    const auto next = loop.run(shell.run("echo next", When::anytime, loop.in(seconds{20})));
    ASSERT_TRUE(next) << next.error().text();
    EXPECT_EQ(next->text, "next\n");
}

TEST_P(Hosts, ThatSayTooMuchAreCutOff) {
    Shell shell{reached(primary()), loop.executor(), loop.clock};
    EXPECT_FALSE(loop.run(shell.run("while :; do echo more; done", When::anytime, loop.in(seconds{20}))));
    EXPECT_TRUE(loop.run(shell.run(":", When::anytime, loop.in(seconds{20}))));
}

INSTANTIATE_TEST_SUITE_P(
    Transports, Hosts, testing::Values(model::Transport::local, model::Transport::ssh),
    [](const testing::TestParamInfo<model::Transport>& info) { return std::string(model::word_for(info.param)); });

class SshHosts : public RealPostgres {};

TEST_F(SshHosts, WithAnUnknownHostKeyAreNotTrusted) {
    const auto keys = *harness::read_file(private_sshd().known_hosts());
    const auto other = cluster().folder() / "ssh" / "client_key.pub";
    std::ofstream{private_sshd().known_hosts()} << "handyrep-harness " << *harness::read_file(other);
    model::ServerDefinition server = definition(primary());
    server.transport = model::Transport::ssh;
    server.ssh_user = private_sshd().login();
    server.ssh_config = private_sshd().client_configuration().string();
    Shell shell{server, loop.executor(), loop.clock};
    const auto output = loop.run(shell.run(":", When::anytime, loop.in(seconds{20})));
    std::ofstream{private_sshd().known_hosts()} << keys;
    ASSERT_FALSE(output);
    EXPECT_EQ(output.error().kind, ErrorKind::denied) << output.error().text();
}

/// It takes two seconds to get there.
model::ServerDefinition behind_a_slow_way(model::ServerDefinition server) {
    const auto configuration = owners_folder() / "slow_way";
    const std::string usual = *harness::read_file(private_sshd().client_configuration());
    std::ofstream{configuration} << "Host *\n  ProxyCommand bash -c 'sleep 2; exec 3<>/dev/tcp/%h/%p; cat <&3 & exec cat >&3'\n" << usual;
    server.transport = model::Transport::ssh;
    server.ssh_user = private_sshd().login();
    server.ssh_config = configuration.string();
    return server;
}

TEST_F(SshHosts, BehindASlowWayTellASilenceThatIsShorterThanTheWay) {
    ShellHost host{{.server = behind_a_slow_way(definition(replica()))}, loop.executor(), loop.clock, loop.log};
    const BadListener deaf{loop.context, BadListener::Kind::deaf};
    EXPECT_EQ(loop.run(host.reach("127.0.0.1", deaf.port(), milliseconds{300}, loop.in(seconds{30}))), Reach::silent);
}

TEST_F(SshHosts, BehindASlowWayAreEnteredBySeveralCallsOfLessPatience) {
    Shell shell{behind_a_slow_way(definition(replica())), loop.executor(), loop.clock};
    const auto first = loop.run(shell.run(":", When::anytime, loop.in(seconds{1})));
    ASSERT_FALSE(first);
    EXPECT_EQ(first.error().kind, ErrorKind::unreachable) << first.error().text();
    const Instant deadline = loop.in(seconds{60});
    bool entered = false;
    while (!entered && loop.clock.now() < deadline) entered = loop.run(shell.run(":", When::anytime, loop.in(seconds{1}))).has_value();
    EXPECT_TRUE(entered);
}

TEST_F(SshHosts, WhoseSshdIsStoppedAreUnreachableUntilItIsBack) {
    model::ServerDefinition server = definition(primary());
    server.transport = model::Transport::ssh;
    server.ssh_user = private_sshd().login();
    server.ssh_config = private_sshd().client_configuration().string();
    ShellHost host{{.server = server}, loop.executor(), loop.clock, loop.log};
    ASSERT_TRUE(loop.run(host.look(loop.in(seconds{20}))));
    private_sshd().stop();
    EXPECT_FALSE(loop.run(host.look(loop.in(seconds{5}))));
    const auto refused = loop.run(host.look(loop.in(seconds{5})));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::unreachable) << refused.error().text();
    ASSERT_TRUE(private_sshd().start());
    EXPECT_TRUE(loop.run(host.look(loop.in(seconds{20}))));
}

}  // namespace
}  // namespace handyrep
