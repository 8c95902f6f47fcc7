// tests/harness/cluster.hpp — a real replication cluster on this machine: one primary and its streaming replicas.
#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"
#include "tests/harness/server.hpp"
#include "tests/harness/temporary_folder.hpp"

#include <memory>
#include <string>
#include <vector>

namespace handyrep::harness {

struct ClusterOptions {
    std::size_t servers = 3;
    std::vector<std::string> settings{};      // lines of postgresql.conf, after the harness's own
    std::string synchronous_standby_names{};  // in force once all replicas stream
};

class RealCluster {
public:
    /// Servers db1 (the primary) to dbN, all streaming when it returns. Tables for Writer, Prober and OrphanProcedure are there.
    static Result<std::unique_ptr<RealCluster>> make(const ClusterOptions& options = {});

    RealCluster(const RealCluster&) = delete;
    RealCluster& operator=(const RealCluster&) = delete;
    ~RealCluster() = default;

    [[nodiscard]] const std::filesystem::path& folder() const { return folder_->path(); }
    [[nodiscard]] TemporaryFolder& temporary_folder() { return *folder_; }
    [[nodiscard]] const std::vector<RealServer>& servers() const { return servers_; }
    [[nodiscard]] const RealServer& server(const std::string& name) const;
    [[nodiscard]] const Secret& superuser_password() const { return password_; }
    [[nodiscard]] const Secret& replication_password() const { return replication_password_; }
    [[nodiscard]] static std::string replication_user() { return "replicator"; }

    /// Every server that answers and is not in recovery. One name in a healthy cluster.
    [[nodiscard]] std::vector<std::string> writable_servers() const;

    /// Throws `name`'s data away and makes it a replica of `upstream`, streaming when it returns.
    Result<void> rebuild_as_replica(const std::string& name, const std::string& upstream);
    /// Writes for every server how it follows `upstream`, also for a primary, which takes no notice of it (12+), and reloads.
    Result<void> write_upstream(const std::string& name, const std::string& upstream) const;
    /// Waits until `names` stream from `upstream`.
    Result<void> wait_until_streaming(const std::vector<std::string>& names, const std::string& upstream, Duration limit) const;

private:
    explicit RealCluster(std::unique_ptr<TemporaryFolder> folder) : folder_{std::move(folder)} {}
    Result<void> make_primary(const ClusterOptions& options);
    Result<void> prepare_database() const;
    Result<void> prepare_programs();
    Result<void> make_replicas_of(const RealServer& upstream, const std::vector<const RealServer*>& replicas) const;
    Result<void> copy(const RealServer& replica, const RealServer& upstream) const;
    Result<void> start_replica(const RealServer& replica, const RealServer& upstream) const;
    [[nodiscard]] std::string conninfo_of(const RealServer& replica, const RealServer& upstream) const;

    std::unique_ptr<TemporaryFolder> folder_;
    std::vector<RealServer> servers_;
    Secret password_;
    Secret replication_password_;
};

}  // namespace handyrep::harness
