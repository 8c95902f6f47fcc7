// lab/site.hpp — a whole lab: hosts on a network, PostgreSQL on each, the manager on one, clients on another.
#pragma once

#include "base/result.hpp"
#include "lab/fabric.hpp"
#include "lab/host_files.hpp"
#include "lab/machine.hpp"
#include "lab/manager.hpp"
#include "lab/server.hpp"
#include "lab/service.hpp"
#include "tests/harness/certificates.hpp"
#include "tests/harness/temporary_folder.hpp"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace handyrep::lab {

using Pairs = std::vector<std::pair<std::string, std::string>>;

struct SiteWanted {
    std::size_t servers = 3;
    std::string synchronous_standby_names{};  // in force once all replicas stream; on the primary
    Pairs failover{};                         // keys of handyrep.conf
    Pairs priorities{};
    Pairs follows{};                                        // replicas of another than db1
    std::vector<std::pair<std::string, Pairs>> settings{};  // of postgresql.conf, by server
    std::vector<std::string> layouts{};                     // words of scenarios::layouts
    std::vector<std::string> services{};                    // pgbouncer, haproxy, etcd
    bool managers_clock = false;                            // the manager's wall clock can be set
};

class Site {
public:
    /// Everything runs and is healthy when it returns. All of it ends with this object, however that ends, unless kept.
    static Result<std::unique_ptr<Site>> make(const SiteWanted& wanted);
    /// One that was kept.
    static Result<std::unique_ptr<Site>> open(const std::filesystem::path& folder);
    Site(const Site&) = delete;
    Site& operator=(const Site&) = delete;
    ~Site() = default;

    [[nodiscard]] std::filesystem::path folder() const { return folder_; }
    void keep() { temporary_->keep(); }

    [[nodiscard]] Fabric& fabric() { return fabric_; }
    [[nodiscard]] Manager& manager() { return *manager_; }
    [[nodiscard]] Machine& apps() { return *apps_; }
    [[nodiscard]] const std::vector<std::unique_ptr<Server>>& servers() const { return servers_; }
    /// `invalid` when there is none of that name.
    [[nodiscard]] Result<Server*> server(const std::string& name);
    [[nodiscard]] const std::vector<std::unique_ptr<Service>>& services() const { return services_; }
    /// Whether it does what it is there for.
    [[nodiscard]] Result<void> healthy(const Service& service) const { return service.healthy(manager_->machine(), *apps_); }
    /// A host by name: a server's, a service's, "manager" or "apps".
    [[nodiscard]] Result<Machine*> machine(const std::string& name);
    [[nodiscard]] std::vector<Machine*> machines() const;
    [[nodiscard]] std::vector<std::string> server_addresses() const;
    [[nodiscard]] const Passwords& passwords() const { return passwords_; }

    /// Its power, its cable, its sshd; then PostgreSQL, the daemon or a service, where the host starts it by itself.
    Result<void> boot(Machine& machine);
    /// The cable first: a machine without power says no last word to anybody.
    void cut_power(Machine& machine);
    Result<void> wait_until_healthy(Duration limit);
    /// Another address, for itself and in everybody's list of names.
    Result<void> change_address(Machine& machine, const std::string& address);
    [[nodiscard]] static std::string other_address(const std::string& address);
    Result<void> write_names_of(const Machine& machine, const std::set<std::string>& forgotten) const;
    /// A certificate for a server by its name; PostgreSQL reads it at its next reload. `invalid` without the layout tls.
    Result<void> certify(const Server& server, harness::Validity validity) const;
    /// The manager's, which is its login. `invalid` without the layout certificate_logins.
    Result<void> certify_login(harness::Validity validity) const;
    /// Where a password of the lab stands although nobody may write it there: logs, saved state. A sentence each.
    [[nodiscard]] std::vector<std::string> passwords_told() const;

private:
    Site(std::filesystem::path folder, std::size_t servers, std::vector<std::string> layouts, const std::vector<std::string>& services);
    [[nodiscard]] HostFiles files() const;
    [[nodiscard]] bool has(std::string_view layout) const { return std::ranges::count(layouts_, layout) != 0; }
    [[nodiscard]] harness::Authority authority() const;
    [[nodiscard]] std::string tls_keys() const;
    Result<void> make_certificates() const;
    Result<void> make_hosts();
    Result<void> make_cluster(const SiteWanted& wanted);
    Result<void> make_services() const;
    Result<void> make_replica(Server& replica, const SiteWanted& wanted);
    Result<void> write_down() const;

    std::filesystem::path folder_;
    std::vector<std::string> layouts_;
    std::unique_ptr<harness::TemporaryFolder> temporary_;
    Passwords passwords_;
    std::vector<std::unique_ptr<Machine>> machines_;  // the servers', the manager's, the applications', the services'
    Machine* apps_ = nullptr;
    std::vector<std::unique_ptr<Server>> servers_;
    std::unique_ptr<Manager> manager_;
    std::vector<std::unique_ptr<Service>> services_;
    Fabric fabric_;
};

}  // namespace handyrep::lab
