#include "bench/failover_runs.hpp"

#include "tests/harness/orphan.hpp"
#include "tests/harness/writer.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <future>
#include <random>

namespace handyrep::bench {

using harness::Daemon;
using harness::Moment;
using harness::now;
using harness::Prober;
using harness::RealCluster;
using harness::RealServer;
using harness::Session;
using harness::Writer;

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration writer_pause = milliseconds{9};  // with a millisecond for the row itself: about 100 a second
constexpr Duration failover_limit = seconds{30};

using Probers = std::vector<std::unique_ptr<Prober>>;

Probers probe(const std::vector<RealServer>& servers) {
    Probers probers;
    for (const auto& server : servers) probers.push_back(std::make_unique<Prober>(server));
    return probers;
}

struct FirstWrite {
    std::string server;
    Moment at;
};

Result<FirstWrite> first_write(const Probers& probers, Moment fault) {
    std::optional<FirstWrite> first;
    auto found = harness::wait_until(
        [&] {
            for (const auto& prober : probers) {
                if (const auto at = prober->first_accepted_after(fault); at && (!first || *at < first->at))
                    first = FirstWrite{prober->server(), *at};
            }
            return first.has_value();
        },
        failover_limit, "another server takes writes", milliseconds{5});
    if (!found) return found.error();
    if (!first) return Error{ErrorKind::failed, "no server took a write"};
    return *first;
}

/// The fault must not always meet the same moment of the daemon's round.
void wait_a_random_while() {
    static std::mt19937 random{std::random_device{}()};
    std::this_thread::sleep_for(milliseconds{std::uniform_int_distribution<int>{500, 1500}(random)});
}

/// Fills in what the writer saw; it is stopped.
Result<void> settle(Run& run, Writer& writer, const RealServer& promoted, Moment fault, const std::string& old_primary) {
    if (auto goes_on = writer.wait_for_row_on(promoted.name, fault, failover_limit); !goes_on) return goes_on;
    writer.stop();
    const auto gap = writer.gap_around(fault, old_primary);
    if (gap) run.writer_gap = gap->milliseconds();
    auto missing = writer.missing_on(promoted);
    if (!missing) return missing.error();
    run.lost_rows = missing->size();
    return {};
}

/// Which replica holds the most WAL, and its position, asked over open sessions.
Result<std::size_t> furthest(std::vector<Session>& sessions) {
    std::size_t best = 0;
    std::uint64_t most = 0;
    for (std::size_t at = 0; at < sessions.size(); ++at) {
        auto position = sessions[at].value("SELECT (greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) - '0/0')::bigint");
        if (!position) return position.error();
        if (const auto count = std::stoull(*position); count > most) most = count, best = at;
    }
    return best;
}

}  // namespace

Result<std::unique_ptr<FailoverBench>> FailoverBench::make(bool over_ssh) {
    auto cluster = RealCluster::make();
    if (!cluster) return cluster.error();
    std::unique_ptr<FailoverBench> bench{new FailoverBench(std::move(*cluster))};
    if (over_ssh) {
        auto sshd = harness::PrivateSshd::make(bench->cluster_->folder());
        if (!sshd) return sshd.error();
        bench->sshd_ = std::move(*sshd);
    }
    return bench;
}

std::vector<RealServer> FailoverBench::replicas() const {
    std::vector<RealServer> others;
    std::ranges::copy_if(
        cluster_->servers(), std::back_inserter(others), [&](const RealServer& server) { return server.name != primary_; });
    return others;
}

Result<std::unique_ptr<Daemon>> FailoverBench::watch() const {
    auto daemon = Daemon::make(*cluster_, {.sshd = sshd_.get(), .primary = primary_});
    if (!daemon) return daemon.error();
    (*daemon)->forget();
    if (auto started = (*daemon)->start(); !started) return started.error();
    if (auto healthy = (*daemon)->wait_for_status(0); !healthy) return healthy.error();
    return daemon;
}

Result<void> FailoverBench::restore(const std::string& promoted) {
    const std::string old_primary = std::exchange(primary_, promoted);
    std::vector<std::string> names;
    std::vector<std::future<Result<void>>> rebuilds;
    for (const auto& server : replicas()) {
        names.push_back(server.name);
        const bool follows = server.name != old_primary && cluster_->wait_until_streaming({server.name}, primary_, Duration::zero());
        if (follows) continue;
        rebuilds.push_back(
            std::async(std::launch::async, [this, name = server.name] { return cluster_->rebuild_as_replica(name, primary_); }));
    }
    for (auto& rebuild : rebuilds) {
        if (auto rebuilt = rebuild.get(); !rebuilt) return rebuilt;
    }
    return cluster_->wait_until_streaming(names, primary_, seconds{30});
}

Result<Run> FailoverBench::with_handyrep() {
    auto daemon = watch();
    if (!daemon) return daemon.error();
    auto writer = Writer::start(*cluster_, writer_pause);
    if (!writer) return writer.error();
    auto probers = probe(replicas());
    wait_a_random_while();

    const RealServer& victim = cluster_->server(primary_);
    const Moment fault = victim.kill_all();
    auto first = first_write(probers, fault);
    if (!first) return first.error();
    Run run{.until_write = harness::milliseconds_between(fault, first->at)};
    if (auto settled = settle(run, **writer, cluster_->server(first->server), fault, primary_); !settled) return settled.error();
    if (auto ended = (*daemon)->wait_for_operation(failover_limit); !ended) return ended.error();
    run.announced = (*daemon)->announced_loss();
    run.steps = (*daemon)->steps();
    probers.clear();
    (*daemon)->stop();
    if (auto restored = restore(first->server); !restored) return restored.error();
    return run;
}

Result<Run> FailoverBench::by_hand() {
    auto writer = Writer::start(*cluster_, writer_pause);
    if (!writer) return writer.error();
    const auto candidates = replicas();
    std::vector<Session> sessions;
    for (const auto& server : candidates) {
        auto session = server.session();
        if (!session) return session.error();
        sessions.push_back(std::move(*session));
    }
    auto probers = probe(candidates);
    wait_a_random_while();

    const Moment fault = cluster_->server(primary_).kill_all();
    const auto best = furthest(sessions);
    if (!best) return best.error();
    Session& candidate = sessions[*best];
    const Moment call = now();
    if (auto asked = candidate.value("SELECT pg_promote(false)"); !asked) return asked.error();
    auto promoted = harness::wait_until(
        [&] {
            const auto still = candidate.value("SELECT pg_is_in_recovery(), pg_reload_conf()");
            return still && *still == "f";
        },
        failover_limit, "the candidate is promoted", milliseconds{20});
    if (!promoted) return promoted.error();
    auto first = first_write(probers, call);
    if (!first) return first.error();
    Run run{.until_write = harness::milliseconds_between(call, first->at)};
    if (auto settled = settle(run, **writer, candidates[*best], fault, primary_); !settled) return settled.error();
    probers.clear();
    if (auto restored = restore(candidates[*best].name); !restored) return restored.error();
    return run;
}

Result<OrphanRun> FailoverBench::with_orphan() {
    auto daemon = watch();
    if (!daemon) return daemon.error();
    auto probers = probe(replicas());
    const RealServer& victim = cluster_->server(primary_);
    auto orphan = harness::OrphanProcedure::start(victim);
    if (!orphan) return orphan.error();
    wait_a_random_while();

    const Moment fault = victim.kill_postmaster();
    auto first = first_write(probers, fault);
    if (!first) return first.error();
    if (auto ended = (*daemon)->wait_for_operation(failover_limit); !ended) return ended.error();
    probers.clear();
    (*daemon)->stop();
    auto rows = harness::count_orphan_rows(victim, cluster_->server(first->server));
    if (!rows) return rows.error();
    if (auto restored = restore(first->server); !restored) return restored.error();
    return OrphanRun{harness::milliseconds_between(fault, first->at), rows->all, rows->after_promotion};
}

}  // namespace handyrep::bench
