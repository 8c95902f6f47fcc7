// bench/switchover_runs.hpp — one handover of each kind on a real cluster, as numbers.
//
// Both kinds do the same steps to the same cluster under a writer of about 100 rows a second, back and forth: a checkpoint, a
// clean stop of the primary, a look whether the other has replayed its last record, pg_promote. They differ in who does them.
#pragma once

#include "base/result.hpp"
#include "tests/harness/cluster.hpp"
#include "tests/harness/daemon.hpp"
#include "tests/harness/sshd.hpp"
#include "tests/harness/writer.hpp"

#include <cstddef>
#include <memory>
#include <string>

namespace handyrep::bench {

struct Handover {
    double writer_gap = 0;      // milliseconds between the last row that the old primary acknowledged and the first of the new one
    std::size_t lost_rows = 0;  // acknowledged, and not on the new primary
    bool follows = false;       // the old primary streams from the new one again, and its data directory is the same
    std::string steps{};        // and how long each took; by hand: none
};

class SwitchoverBench {
public:
    /// A cluster of three, with an sshd of its own for transport ssh.
    static Result<std::unique_ptr<SwitchoverBench>> make(bool over_ssh);

    /// `handyrep switchover`.
    Result<Handover> with_handyrep();
    /// The same steps over open sessions, by somebody who makes no mistakes and needs no thought.
    Result<Handover> by_hand();

private:
    explicit SwitchoverBench(std::unique_ptr<harness::RealCluster> cluster) : cluster_{std::move(cluster)} {}
    Result<std::unique_ptr<harness::Daemon>> watch() const;
    [[nodiscard]] std::string successor() const { return primary_ == "db1" ? "db2" : "db1"; }
    /// The steps that clients wait for.
    Result<void> hand_over() const;
    Result<void> follow_by_hand(const std::string& promoted) const;
    /// What came of it; `primary_` is the new one afterwards.
    Result<Handover> settle(harness::Writer& writer, harness::Moment began, const std::string& inode);
    /// Changes when a data directory is another one.
    [[nodiscard]] std::string identity_of(const std::string& server) const;

    std::unique_ptr<harness::RealCluster> cluster_;
    std::unique_ptr<harness::PrivateSshd> sshd_;
    std::string primary_ = "db1";
};

}  // namespace handyrep::bench
