// sim/swarm.hpp — what a seed means: a cluster, its clients, its settings and its faults, all drawn before anything runs.
#pragma once

#include "model/server.hpp"
#include "sim/faults.hpp"
#include "sim/world.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace handyrep::sim {

/// Everything that was drawn, or that a scenario chose. A run is a function of this value alone.
struct Draw {
    std::uint64_t seed = 0;
    WorldOptions world{};
    model::FailoverSettings settings{};
    std::vector<int> priorities{};            // per server; their number is the number of servers
    bool local = false;                       // every server on the manager's machine
    std::string synchronous_standby_names{};  // of db1; in the other servers' rule db1 stands where their own name would
    bool replicas_have_the_rule = true;       // in their own configuration, for the day they are promoted
    std::vector<Client> clients{};
    std::vector<Duration> clocks_ahead{};     // per server
    std::vector<Duration> restarted_after{};  // per server
    std::vector<Fault> faults{};
    Duration faults_end = std::chrono::seconds{31};  // phase two begins: nothing is broken any more
    Duration settles = std::chrono::seconds{20};     // and lasts at least so long, or until every operation has ended

    [[nodiscard]] std::string rule_of(ServerIndex server) const;
    [[nodiscard]] std::vector<std::string> text() const;
};

[[nodiscard]] Draw draw(std::uint64_t seed);

/// Three servers, asynchronous, one client elsewhere, default settings, no fault: what scenarios start from.
[[nodiscard]] Draw plain(std::uint64_t seed);

}  // namespace handyrep::sim
