// lab/manager.hpp — the daemon on its host: started, stopped, asked, and what it told.
#pragma once

#include "base/result.hpp"
#include "lab/announced.hpp"
#include "lab/server.hpp"
#include "tests/harness/http.hpp"

#include <nlohmann/json.hpp>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace handyrep::lab {

struct ManagerOptions {
    std::vector<std::pair<std::string, std::string>> failover{};    // keys of the section `failover`
    std::vector<std::pair<std::string, std::string>> priorities{};  // server and failover_priority
    std::filesystem::path ssh_config;
    std::string tls{};         // lines of server_defaults
    bool has_password = true;  // else it logs in by a certificate
};

class Manager {
public:
    Manager(Machine& machine, const Passwords& passwords) : machine_{machine}, passwords_{passwords} {}
    Manager(const Manager&) = delete;
    Manager& operator=(const Manager&) = delete;
    ~Manager();

    [[nodiscard]] Machine& machine() const { return machine_; }
    [[nodiscard]] std::filesystem::path configuration() const { return machine_.folder() / "handyrep.conf"; }
    [[nodiscard]] std::filesystem::path state_folder() const { return machine_.folder() / "state" / "handyrep"; }
    [[nodiscard]] std::filesystem::path clock_file() const { return machine_.folder() / "clock"; }
    [[nodiscard]] std::filesystem::path log() const { return machine_.folder() / "handyrep.log"; }

    Result<void> configure(const std::vector<Server*>& servers, const ManagerOptions& options) const;
    /// Its state lies on a disk of its own, so that it can be full or hang without anything else.
    Result<void> make_disk() const;
    Result<void> start() const;
    void kill() const { signal(9); }
    /// From its next start on its wall clock is its own, which can be set; every other clock is the machine's.
    Result<void> give_clock() const { return set_clock(Duration{}); }
    /// So far from the machine's.
    Result<void> set_clock(Duration ahead) const;
    void signal(int number) const;
    [[nodiscard]] bool runs() const { return !machine_.processes("handyrep").empty(); }

    /// From now on its status is asked for all the time, from its own host.
    void watch();
    /// The last answer; nothing when it did not answer, or is not there.
    [[nodiscard]] std::optional<nlohmann::json> status() const;
    /// What `handyrep explain` prints on its host.
    [[nodiscard]] Result<std::string> explain() const;
    /// Everything it has told since the lab was made, in its order; those that are new since `from` calls.
    [[nodiscard]] std::vector<Telling> tellings();
    /// An order by HTTP. Fails when nobody answers.
    [[nodiscard]] Result<harness::HttpAnswer> post(const std::string& path, const std::string& body) const;
    /// The command line, on its host.
    [[nodiscard]] Result<harness::Outcome> cli(const std::vector<std::string>& words) const;

private:
    [[nodiscard]] std::vector<std::string> headers() const;
    void poll();

    Machine& machine_;
    const Passwords& passwords_;
    std::atomic<bool> stopping_ = false;
    mutable std::mutex guard_;
    std::optional<nlohmann::json> status_;
    std::vector<Telling> tellings_;
    std::streamoff read_ = 0;  // of the log
    pid_t visited_ = 0;        // the init of the host that the poller is in
    std::thread poller_;
};

}  // namespace handyrep::lab
