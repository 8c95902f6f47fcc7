// tests/harness/daemon.hpp — the program itself: its configuration, the daemon, its command line, its HTTP.
#pragma once

#include "base/result.hpp"
#include "tests/harness/cluster.hpp"
#include "tests/harness/http.hpp"
#include "tests/harness/process.hpp"
#include "tests/harness/sshd.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace handyrep::harness {

struct DaemonOptions {
    const PrivateSshd* sshd = nullptr;  // nothing: transport local
    std::string primary = "db1";
    std::string name = "handyrep";                                // of files and state_dir in the cluster's folder
    std::vector<std::pair<std::string, std::string>> failover{};  // keys of the section `failover` and their values
    std::vector<std::pair<std::string, std::string>> server_defaults{};
    std::optional<Secret> superuser_password{};  // nothing: the right one
};

/// The program under test: HANDYREP_BINARY, or the one of this build.
std::filesystem::path program();

class Daemon {
public:
    /// Writes the configuration; nothing runs yet.
    static Result<std::unique_ptr<Daemon>> make(const RealCluster& cluster, const DaemonOptions& options = {});
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;
    ~Daemon() { kill(); }

    Result<void> start();
    /// Until `status` ends with `exit_code` (0 healthy, 1 warning, 2 down, 3 unknown), or the daemon itself has ended.
    Result<void> wait_for_status(int exit_code, Duration limit = std::chrono::seconds{20});
    /// Until the status as JSON satisfies `question`, which is called with it.
    template <class Question>
    Result<void> wait_for(Question question, Duration limit, const std::string& what) const;

    /// Until the newest operation has ended; fails unless its outcome is "done".
    Result<void> wait_for_operation(Duration limit) const;
    /// What the newest failover's events say about lost data; nothing when they say nothing.
    [[nodiscard]] std::optional<std::string> announced_loss() const;
    /// What the newest operation did, and how long each step took: "secure 24ms, promote db2 50ms".
    [[nodiscard]] std::string steps() const;

    /// kill -9.
    void kill();
    /// SIGTERM; the exit code, or nothing when it did not end in time.
    std::optional<int> stop(Duration limit = std::chrono::seconds{10});
    [[nodiscard]] bool running() { return process_.running(); }
    [[nodiscard]] pid_t pid() const { return process_.pid(); }
    /// Lets it run on after this object is gone.
    void release() { process_.release(); }

    /// `handyrep --config FILE …`.
    [[nodiscard]] Result<Outcome> cli(const std::vector<std::string>& arguments, Duration limit = std::chrono::seconds{30}) const;
    [[nodiscard]] Result<nlohmann::json> cli_json(const std::vector<std::string>& arguments) const;
    /// One request to the daemon; `headers` are whole lines.
    [[nodiscard]] Result<HttpAnswer> http(
        const std::string& method, const std::string& path, const std::vector<std::string>& headers, const std::string& body = "") const;

    [[nodiscard]] const std::filesystem::path& configuration() const { return configuration_; }
    [[nodiscard]] const std::filesystem::path& state_folder() const { return state_; }
    [[nodiscard]] const std::filesystem::path& log() const { return log_; }
    [[nodiscard]] std::uint16_t port() const { return port_; }
    /// Makes it forget everything: for a fresh start on the same cluster.
    void forget() const;

private:
    Daemon(std::filesystem::path folder, const DaemonOptions& options, std::uint16_t port);

    std::filesystem::path folder_;
    std::filesystem::path configuration_;
    std::filesystem::path state_;
    std::filesystem::path log_;
    std::uint16_t port_;
    Background process_;
};

template <class Question>
Result<void> Daemon::wait_for(Question question, Duration limit, const std::string& what) const {
    return wait_until(
        [&] {
            const auto status = cli_json({"status"});
            return status && question(*status);
        },
        limit, what, std::chrono::milliseconds{50});
}

}  // namespace handyrep::harness
