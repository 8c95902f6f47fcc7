// sim/manager.hpp — the real engine over simulated ports: one life of the daemon. Killed, it leaves behind what is on
// its disk and what is under way in the network; a new one is made over the same disk.
#pragma once

#include "engine/cluster.hpp"
#include "sim/clock.hpp"
#include "sim/copier.hpp"
#include "sim/host.hpp"
#include "sim/inspector.hpp"
#include "sim/postgres.hpp"
#include "sim/store.hpp"
#include "sim/world.hpp"

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace handyrep::sim {

class Manager {
public:
    Manager(World& world, StoreDisk& disk, const model::ClusterDefinition& definition);
    ~Manager();
    Manager(const Manager&) = delete;
    Manager& operator=(const Manager&) = delete;

    /// Runs what became ready, until nothing is. Does nothing while the process is stopped.
    void poll();
    void set_stopped(bool stopped) { stopped_ = stopped; }
    /// `told` gets the refusal, or an empty text once it was carried out; nothing when the manager dies before.
    void order(engine::Order order, std::function<void(std::string)> told);

    void order(model::StandingOrder order);
    /// Calls off an operation that runs, in the name of a person.
    Result<void> cancel(std::uint64_t operation);

    [[nodiscard]] engine::ClusterReport report() const { return cluster_->report(); }
    [[nodiscard]] std::vector<model::Moment> moments() const { return cluster_->moments(); }
    [[nodiscard]] std::optional<engine::Readiness> readiness() const { return cluster_->readiness(); }
    /// How the engine's loop ended, when it ended by itself: always a defect.
    [[nodiscard]] const std::optional<std::string>& ended() const { return ended_; }
    [[nodiscard]] Instant born() const { return born_; }

private:
    class TraceLog;
    World& world_;
    Instant born_;
    asio::io_context io_{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE};  // one thread: no locks
    std::shared_ptr<Waits> waits_;
    SimClock clock_;
    SimStore store_;
    std::unique_ptr<TraceLog> log_;
    std::vector<std::unique_ptr<SimPostgres>> postgres_;
    std::vector<std::unique_ptr<SimHost>> hosts_;
    std::vector<std::unique_ptr<SimCopier>> copiers_;
    std::vector<std::unique_ptr<SimDatabaseInspector>> database_inspectors_;
    std::vector<std::unique_ptr<SimHostInspector>> host_inspectors_;
    asio::cancellation_signal stop_;
    std::deque<asio::cancellation_signal> order_stops_;  // one for each: a slot is one coroutine's alone
    std::unique_ptr<engine::Cluster> cluster_;
    bool stopped_ = false;
    bool over_ = false;
    std::optional<std::string> ended_;
};

}  // namespace handyrep::sim
