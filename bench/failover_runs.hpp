// bench/failover_runs.hpp — one run of each kind on a real cluster, as numbers.
//
// Both kinds do the same to the same cluster: a writer of about 100 rows a second, kill -9 of the primary's postmaster and all
// its children, and a prober per replica that asks every 5 ms whether it would take a write. They differ in who promotes.
#pragma once

#include "base/result.hpp"
#include "tests/harness/cluster.hpp"
#include "tests/harness/daemon.hpp"
#include "tests/harness/sshd.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace handyrep::bench {

/// Milliseconds.
struct Run {
    double until_write = 0;                  // from the kill (by hand: from the call) to the first committed write on another server
    std::optional<double> writer_gap{};      // between the last row the old primary acknowledged and the first of the new one
    std::size_t lost_rows = 0;               // acknowledged, and not on the new primary
    std::optional<std::string> announced{};  // what the failover's event says about the loss
    std::string steps{};                     // and how long each took; by hand: none
};

struct OrphanRun {
    double until_write = 0;
    std::uint64_t rows = 0;                  // committed by the procedure, all in all
    std::uint64_t rows_after_promotion = 0;  // on the old primary: must be 0
};

class FailoverBench {
public:
    /// A cluster of three, with an sshd of its own for transport ssh.
    static Result<std::unique_ptr<FailoverBench>> make(bool over_ssh);

    /// HandyRep watches and fails over.
    Result<Run> with_handyrep();
    /// pg_promote(false) on the replica that is furthest, over an open connection, right after the kill, with nudges.
    Result<Run> by_hand();
    /// The postmaster alone is killed while a backend runs a procedure that commits; HandyRep fails over.
    Result<OrphanRun> with_orphan();

private:
    explicit FailoverBench(std::unique_ptr<harness::RealCluster> cluster) : cluster_{std::move(cluster)} {}
    Result<std::unique_ptr<harness::Daemon>> watch() const;
    /// All three stream again, `promoted` being the primary.
    Result<void> restore(const std::string& promoted);
    [[nodiscard]] std::vector<harness::RealServer> replicas() const;

    std::unique_ptr<harness::RealCluster> cluster_;
    std::unique_ptr<harness::PrivateSshd> sshd_;
    std::string primary_ = "db1";
};

}  // namespace handyrep::bench
