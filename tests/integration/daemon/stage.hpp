// tests/integration/daemon/stage.hpp — a real cluster and the daemon that watches it, for tests.
#pragma once

#include "tests/harness/cluster.hpp"
#include "tests/harness/daemon.hpp"
#include "tests/harness/sshd.hpp"
#include "tests/harness/writer.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace handyrep::integration {

/// What a test cannot do without. Thrown, so that the test ends, says why, and cleans up.
template <class T>
T must(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().text());
    return std::move(*result);
}
template <>
inline void must(Result<void> result) {
    if (!result) throw std::runtime_error(result.error().text());
}

enum class Over { local, ssh };

/// A cluster of three with db1 as its primary, watched by a daemon that calls it healthy.
class Stage {
public:
    explicit Stage(Over transport, harness::DaemonOptions options = {});

    [[nodiscard]] harness::RealCluster& cluster() { return *cluster_; }
    [[nodiscard]] const harness::RealServer& server(const std::string& name) const { return cluster_->server(name); }
    [[nodiscard]] harness::Daemon& daemon() { return *daemon_; }
    [[nodiscard]] harness::PrivateSshd& sshd() { return *sshd_; }

    [[nodiscard]] nlohmann::json status() const;
    [[nodiscard]] std::string situation() const { return status().value("situation", ""); }
    /// The row of `server` in the status.
    [[nodiscard]] nlohmann::json row(const std::string& server) const;
    /// What the findings of this kind say, one line each; empty when there is none.
    [[nodiscard]] std::string finding(const std::string& kind) const;
    void wait_for_situation(const std::string& word) const;
    void wait_for_finding(const std::string& kind) const;
    /// Healthy, with nothing to say.
    void wait_until_healthy();
    /// Names of all events so far.
    [[nodiscard]] std::vector<std::string> events() const;

    /// Waits until `writable_servers` is one name for a second on end, and answers it.
    [[nodiscard]] std::string the_one_writable_server() const;
    /// The cluster as at the beginning, with another primary, and a daemon that knows nothing of before.
    void start_over(const std::string& primary);

private:
    void start_daemon(const std::string& primary);
    [[nodiscard]] bool first_look_is_saved() const;

    harness::DaemonOptions options_;
    std::unique_ptr<harness::RealCluster> cluster_;
    std::unique_ptr<harness::PrivateSshd> sshd_;
    std::unique_ptr<harness::Daemon> daemon_;
};

}  // namespace handyrep::integration
