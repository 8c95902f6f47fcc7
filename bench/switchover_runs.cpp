#include "bench/switchover_runs.hpp"

#include "tests/harness/temporary_folder.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>
#include <random>
#include <thread>
#include <utility>

namespace handyrep::bench {

using harness::Daemon;
using harness::Moment;
using harness::now;
using harness::RealCluster;
using harness::RealServer;
using harness::Session;
using harness::Writer;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr Duration writer_pause = milliseconds{9};  // with a millisecond for the row itself: about 100 a second
constexpr Duration handover_limit = seconds{60};
/// The checks before the handover read the disk and open sessions: not part of what is measured, and not to fall on it either.
constexpr Duration calm = seconds{1};

void wait_a_random_while() {
    static std::mt19937 random{std::random_device{}()};
    std::this_thread::sleep_for(calm + milliseconds{std::uniform_int_distribution<int>{0, 1000}(random)});
}

bool is(Session& session, const std::string& question, const std::string& answer) {
    const auto value = session.value(question);
    return value && *value == answer;
}

}  // namespace

Result<std::unique_ptr<SwitchoverBench>> SwitchoverBench::make(bool over_ssh) {
    auto cluster = RealCluster::make();
    if (!cluster) return cluster.error();
    std::unique_ptr<SwitchoverBench> bench{new SwitchoverBench(std::move(*cluster))};
    if (auto written = bench->cluster_->write_upstream("db1", "db2"); !written) return written.error();
    if (over_ssh) {
        auto sshd = harness::PrivateSshd::make(bench->cluster_->folder());
        if (!sshd) return sshd.error();
        bench->sshd_ = std::move(*sshd);
    }
    return bench;
}

Result<std::unique_ptr<Daemon>> SwitchoverBench::watch() const {
    auto daemon = Daemon::make(*cluster_, {.sshd = sshd_.get(), .primary = primary_});
    if (!daemon) return daemon.error();
    (*daemon)->forget();
    if (auto started = (*daemon)->start(); !started) return started.error();
    if (auto healthy = (*daemon)->wait_for_status(0); !healthy) return healthy.error();
    return daemon;
}

std::string SwitchoverBench::identity_of(const std::string& server) const {
    struct stat found{};
    const std::string file = cluster_->server(server).data / "PG_VERSION";
    return ::stat(file.c_str(), &found) == 0 ? fmt::format("{}.{}", found.st_ino, found.st_mtim.tv_nsec) : "";
}

Result<Handover> SwitchoverBench::settle(Writer& writer, Moment began, const std::string& identity) {
    const std::string old_primary = std::exchange(primary_, successor());
    if (auto goes_on = writer.wait_for_row_on(primary_, began, handover_limit); !goes_on) return goes_on.error();
    Handover out;
    const auto streams = cluster_->wait_until_streaming({old_primary, "db3"}, primary_, handover_limit);
    out.follows = streams && identity_of(old_primary) == identity;
    writer.stop();
    const auto gap = writer.gap_around(began, old_primary);
    const auto length = gap ? gap->milliseconds() : std::nullopt;
    if (!length) return Error{ErrorKind::failed, "the writer saw no handover"};
    out.writer_gap = *length;
    const auto missing = writer.missing_on(cluster_->server(primary_));
    if (!missing) return missing.error();
    out.lost_rows = missing->size();
    return out;
}

Result<Handover> SwitchoverBench::with_handyrep() {
    auto daemon = watch();
    if (!daemon) return daemon.error();
    auto writer = Writer::start(*cluster_, writer_pause);
    if (!writer) return writer.error();
    wait_a_random_while();
    const std::string identity = identity_of(primary_);
    const Moment began = now();
    const auto ordered = (*daemon)->cli({"switchover", "--to", successor(), "--yes"}, handover_limit);
    if (!ordered) return ordered.error();
    if (ordered->exit_code != 0) return Error{ErrorKind::failed, ordered->output + ordered->errors};
    auto out = settle(**writer, began, identity);
    if (out) out->steps = (*daemon)->steps();
    (*daemon)->stop();
    return out;
}

Result<void> SwitchoverBench::hand_over() const {
    const RealServer& old_primary = cluster_->server(primary_);
    const RealServer& candidate = cluster_->server(successor());
    auto session = candidate.session();
    if (!session) return session.error();
    if (auto done = old_primary.ask("SELECT 1"); !done) return done.error();
    {
        auto before = old_primary.session();
        if (!before) return before.error();
        if (auto done = before->query("CHECKPOINT", seconds{30}); !done) return done.error();
    }
    if (auto written = cluster_->write_upstream(primary_, successor()); !written) return written;
    std::ofstream{old_primary.mark()};
    if (auto given = harness::give_to_server_user(old_primary.mark()); !given) return given;
    const auto postmaster = old_primary.postmaster();
    if (!postmaster || ::kill(*postmaster, SIGINT) != 0) return Error{ErrorKind::failed, "the primary could not be stopped"};
    if (auto down =
            harness::wait_until([&] { return old_primary.processes().empty(); }, handover_limit, "the primary is down", milliseconds{2});
        !down)
        return down;
    std::uint64_t checkpoint = 0;
    std::ifstream control{old_primary.data / "global" / "pg_control", std::ios::binary};
    control.seekg(32);
    control.read(reinterpret_cast<char*>(&checkpoint), sizeof checkpoint);  // NOLINT(cppcoreguidelines-pro-type-reinterpret-cast)
    const std::string replayed = fmt::format("SELECT (pg_last_wal_replay_lsn() - '0/0')::bigint > {}", checkpoint);
    if (auto there = harness::wait_until(
            [&] { return is(*session, replayed, "t"); }, handover_limit, "its last record is replayed", milliseconds{2});
        !there)
        return there;
    if (auto asked = session->value("SELECT pg_promote(false)"); !asked) return asked.error();
    return harness::wait_until(
        [&] { return is(*session, "SELECT pg_is_in_recovery(), pg_reload_conf()", "f"); }, handover_limit, "it is promoted",
        milliseconds{10});
}

Result<void> SwitchoverBench::follow_by_hand(const std::string& promoted) const {
    if (auto started = cluster_->server(primary_).start(); !started) return started;
    return cluster_->write_upstream("db3", promoted);
}

Result<Handover> SwitchoverBench::by_hand() {
    auto writer = Writer::start(*cluster_, writer_pause);
    if (!writer) return writer.error();
    wait_a_random_while();
    const std::string identity = identity_of(primary_);
    const Moment began = now();
    if (auto done = hand_over(); !done) return done.error();
    if (auto done = follow_by_hand(successor()); !done) return done.error();
    return settle(**writer, began, identity);
}

}  // namespace handyrep::bench
