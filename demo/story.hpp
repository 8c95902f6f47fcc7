// demo/story.hpp — the main job, shown: a cluster loses its primary and keeps its clients.
#pragma once

#include "base/result.hpp"
#include "tests/harness/cluster.hpp"
#include "tests/harness/daemon.hpp"
#include "tests/harness/writer.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace handyrep::demo {

class Story {
public:
    /// Shows everything. An error is the sentence that says why it did not work; what was begun is cleaned up by the destructor.
    Result<void> tell();
    /// Leaves cluster and daemon running and says how to look at them and how to stop them.
    void keep();

private:
    Result<void> make_cluster();
    Result<void> start_daemon();
    Result<void> start_writer();
    Result<void> lose_the_primary();
    Result<void> look_at_what_happened();
    Result<void> sum_up();
    Result<void> show(const std::vector<std::string>& verb) const;
    [[nodiscard]] std::string command_line() const;

    harness::Moment began_ = harness::now();
    std::unique_ptr<harness::RealCluster> cluster_;
    std::unique_ptr<harness::Daemon> daemon_;
    std::unique_ptr<harness::Writer> writer_;
    harness::Moment killed_;
    std::string promoted_;
};

/// Ends what `--keep` left behind: `folder`, or every one there is when it is empty.
Result<void> stop_kept(const std::string& folder);

}  // namespace handyrep::demo
