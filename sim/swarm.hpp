// sim/swarm.hpp — what a seed means: a cluster, its clients, its settings and its faults, all drawn before anything runs.
#pragma once

#include "model/server.hpp"
#include "sim/faults.hpp"
#include "sim/world.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace handyrep::sim {

struct ServerDraw {
    int priority = 100;
    Duration clock_ahead{};
    Duration restarted_after{};  // by what supervises it; zero: nothing does
    bool autostart = true;
    std::optional<std::string> restore_command{};  // set by a person with ALTER SYSTEM
};

/// Everything that was drawn, or that a scenario chose. A run is a function of this value alone.
struct Draw {
    std::uint64_t seed = 0;
    std::string options{};  // of the simulator, that draw the same again
    WorldOptions world{};
    model::FailoverSettings settings{};
    std::vector<ServerDraw> servers{};        // as many as world.servers
    bool local = false;                       // every server on the manager's machine
    std::string synchronous_standby_names{};  // of db1; in the other servers' rule db1 stands where their own name would
    bool replicas_have_the_rule = true;       // in their own configuration, for the day they are promoted
    std::vector<Client> clients{};
    std::vector<Fault> faults{};
    Duration faults_end = std::chrono::seconds{20};  // phase two begins: nothing is broken any more

    [[nodiscard]] std::string rule_of(ServerIndex server) const;
    [[nodiscard]] std::vector<std::string> text() const;
};

/// One history to play.
struct Seed {
    std::uint64_t number = 0;
    std::size_t servers = 0;  // so many, whatever the seed says; 0: what it says
};
/// "748", or "748/3" for three servers, at the start of `line`. Nothing when it names none.
[[nodiscard]] std::optional<Seed> read_seed(std::string_view line);

[[nodiscard]] Draw draw(Seed seed);

/// Three servers and one fault that no failover may answer: recovery, refusal, a pause, a lossy link, a restart in its grace.
[[nodiscard]] Draw benign(std::uint64_t seed);

/// Three servers, asynchronous, one client elsewhere, default settings, no fault: what scenarios start from.
[[nodiscard]] Draw plain(std::uint64_t seed);

}  // namespace handyrep::sim
