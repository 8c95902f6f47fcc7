// sim/run.hpp — plays one drawn history from beginning to end.
#pragma once

#include "scenarios/scenario.hpp"
#include "sim/faults.hpp"
#include "sim/invariants.hpp"
#include "sim/manager.hpp"
#include "sim/recovery.hpp"
#include "sim/swarm.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace handyrep::sim {

/// A cluster with its manager in virtual time. Scenarios drive it by hand; `play` does it for a seed.
class Run {
public:
    explicit Run(Draw draw);
    ~Run();
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;

    void run_for(Duration length);
    /// True as soon as `reached` is; false when `limit` passed first.
    bool run_until(const std::function<bool()>& reached, Duration limit);
    void kill_manager();
    void start_manager();
    void set_manager_stopped(bool stopped);
    /// Of a person at the manager, who is there; `told` gets the refusal, or an empty text once it was carried out.
    void order(const scenarios::Order& order, std::function<void(std::string)> told);
    /// Of a person at the manager, who is there: maintenance or pause. Nobody waits for the answer.
    void order(model::StandingOrder order);
    /// The same, who calls an operation off.
    Result<void> cancel(std::uint64_t operation);
    [[nodiscard]] Stage stage();

    [[nodiscard]] World& world() { return world_; }
    [[nodiscard]] StoreDisk& disk() { return disk_; }
    [[nodiscard]] Invariants& invariants() { return invariants_; }
    [[nodiscard]] const Manager* manager() const { return manager_.get(); }
    [[nodiscard]] const model::ClusterDefinition& definition() const { return definition_; }
    [[nodiscard]] bool settled() const;
    /// How it stands, as of the second phase.
    [[nodiscard]] Verdict verdict() const;

private:
    Draw draw_;
    World world_;
    StoreDisk disk_{};
    Invariants invariants_;
    model::ClusterDefinition definition_;
    std::unique_ptr<Manager> manager_;
    bool manager_stopped_ = false;
};

struct Played {
    std::uint64_t seed;
    std::string options;
    Ending ending;
    std::uint64_t hash;
    std::vector<Violation> violations;
    std::vector<Trace::Line> lines;
    std::vector<std::string> drawn;
    std::size_t promotions;
    std::size_t failovers_begun;
    std::size_t acknowledged;
};

[[nodiscard]] Played play(const Draw& draw);

}  // namespace handyrep::sim
