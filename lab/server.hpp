// lab/server.hpp — PostgreSQL on one host of the lab, and what a person or an accident does to it.
#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"
#include "lab/machine.hpp"
#include "tests/harness/session.hpp"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace handyrep::lab {

inline constexpr std::uint16_t postgres_port = 5432;
inline constexpr const char* managers_address = "10.87.0.1";
inline constexpr const char* replication_user = "replicator";

struct Passwords {
    Secret superuser;
    Secret replication;
    Secret console{};  // of pgbouncer
};

class Server {
public:
    Server(Machine& machine, std::filesystem::path programs, const Passwords& passwords, const std::vector<std::string>& layouts)
        : machine_{machine}, programs_{std::move(programs)}, passwords_{passwords}, layouts_{layouts} {}

    [[nodiscard]] Machine& machine() const { return machine_; }
    [[nodiscard]] const std::string& name() const { return machine_.name(); }
    [[nodiscard]] const std::filesystem::path& programs() const { return programs_; }
    [[nodiscard]] std::filesystem::path disk() const { return machine_.folder() / "disk"; }
    [[nodiscard]] std::filesystem::path data() const { return disk() / "data"; }
    /// Where its WAL is: a disk of its own, or the same.
    [[nodiscard]] std::filesystem::path wal_disk() const { return has("wal_apart") ? machine_.folder() / "wal" : disk(); }
    [[nodiscard]] std::filesystem::path config_folder() const {
        return has("config_apart") ? machine_.folder() / "etc" / "postgresql" / "15" / "main" : data();
    }
    [[nodiscard]] std::filesystem::path rules_file() const { return config_folder() / "pg_hba.conf"; }
    [[nodiscard]] std::filesystem::path space() const { return machine_.folder() / "space"; }
    /// Its certificate, the key of it, and who may have signed those of others: where it has any.
    [[nodiscard]] std::filesystem::path certificate() const { return disk() / "server.crt"; }
    [[nodiscard]] std::filesystem::path key() const { return disk() / "server.key"; }
    [[nodiscard]] std::filesystem::path authority() const { return disk() / "ca.crt"; }
    /// Words of scenarios::layouts.
    [[nodiscard]] bool has(std::string_view layout) const { return std::ranges::count(layouts_, layout) != 0; }
    [[nodiscard]] std::filesystem::path log() const { return machine_.folder() / "log" / "postgresql.log"; }

    /// The empty disk of a host: before it is switched on.
    Result<void> make_disk() const;
    /// A new cluster that runs, with the roles and tables of the lab.
    Result<void> make_primary(const std::vector<std::pair<std::string, std::string>>& settings);
    /// A copy of `upstream`, which it follows; running.
    Result<void> make_replica(const Server& upstream, const std::vector<std::pair<std::string, std::string>>& settings);

    /// Waits until it takes sessions.
    Result<void> start() const;
    /// Does not wait: it may never.
    Result<void> begin_start() const;
    Result<void> stop(const std::string& mode = "fast") const;
    [[nodiscard]] bool has_processes() const { return !processes().empty(); }
    [[nodiscard]] bool marked_standby() const;
    Result<void> mark_standby(bool marked) const;
    /// "start.conf" of Debian's tools: whether a boot starts it. HandyRep's fence switches it off.
    [[nodiscard]] bool starts_by_itself() const;

    /// As a person does. A fence's word stays.
    Result<void> set_autostart(bool on) const;

    /// As a replica has it: it takes a WAL sender.
    [[nodiscard]] Result<harness::Session> replication_session() const;
    /// By the host's own socket: no packet filter is between.
    [[nodiscard]] Result<harness::Session> session(Duration limit = std::chrono::seconds{2}, const std::string& application = "lab") const;
    Result<std::string> ask(const std::string& sql, Duration limit = std::chrono::seconds{5}) const;
    /// ALTER SYSTEM and a reload.
    Result<void> set(const std::string& name, const std::string& value) const;
    Result<void> reset(const std::string& name) const;
    /// Runs one of PostgreSQL's programs as its owner.
    Result<std::string> program(const std::vector<std::string>& words, Duration limit = std::chrono::seconds{60}) const;
    Result<std::string> as_owner(const std::string& script, Duration limit = std::chrono::seconds{30}, std::string input = {}) const;

    /// Its processes whose title begins so: "walreceiver", "startup", "checkpointer"; empty: all that hold its directory, the postmaster first.
    [[nodiscard]] std::vector<pid_t> processes(const std::string& title = {}) const;
    [[nodiscard]] std::optional<pid_t> postmaster() const;
    void signal_all(int number) const;

private:
    [[nodiscard]] std::string end_of_log() const;
    Result<void> write_settings(const std::vector<std::pair<std::string, std::string>>& settings) const;
    Result<void> own_disks() const;
    Result<void> write_pgpass() const;
    [[nodiscard]] std::string replication_tls() const;
    Result<void> write_debian_cluster() const;

    Machine& machine_;
    std::filesystem::path programs_;
    const Passwords& passwords_;
    const std::vector<std::string>& layouts_;
};

}  // namespace handyrep::lab
