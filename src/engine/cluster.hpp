// engine/cluster.hpp — one cluster, watched, decided for and acted on: a value that owns its loop.
//
// Everything happens on the executor that `run` is spawned on, one strand per cluster; nothing here knows whether ports lead to
// real servers or to the simulator. The caller keeps the ports alive until `run` has returned.
#pragma once

#include "base/log.hpp"
#include "engine/report.hpp"
#include "model/moment.hpp"
#include "model/saved_state.hpp"
#include "model/server.hpp"
#include "model/standing_order.hpp"
#include "ports/clock.hpp"
#include "ports/copier.hpp"
#include "ports/host.hpp"
#include "ports/inspector.hpp"
#include "ports/postgres.hpp"
#include "ports/store.hpp"

#include <memory>
#include <vector>

namespace handyrep::engine {

struct ServerPorts {
    model::ServerName server;
    ports::Postgres& postgres;
    ports::Host& host;
    ports::DatabaseInspector& database_inspector;
    ports::HostInspector& host_inspector;
    ports::Copier& copier;
};

struct Surroundings {
    ports::Clock& clock;
    ports::Store& store;
    Log& log;
    std::vector<ServerPorts> servers;  // one per server of the definition
};

class Cluster {
public:
    Cluster(model::ClusterDefinition definition, Surroundings surroundings);
    ~Cluster();
    Cluster(const Cluster&) = delete;
    Cluster& operator=(const Cluster&) = delete;

    /// Loads the saved state, settles what the journal left open, then watches until told to stop (by cancellation; then
    /// it throws `operation_aborted` once everything it started has ended). Co_spawn it once.
    asio::awaitable<void> run();

    [[nodiscard]] ClusterReport report() const;

    /// What decisions are made of: now (the last), and at each of the last changes of situation or reason before, oldest first.
    [[nodiscard]] std::vector<model::Moment> moments() const;

    /// Carries out (or, dry, only plans) what a person ordered. Returns when the operation ended.
    /// `refused` by a gate or an obstacle, `conflict` while another operation runs.
    Async<OrderAnswer> order(Order order);

    /// Calls off an operation that runs, which then undoes what it did. Returns at once: the operation's record says what came of it.
    /// `conflict` when it does not run, or is past its point of no return.
    Result<void> cancel(std::uint64_t operation, const std::string& by);

    /// Ends the cool-down after an automatic failover.
    Async<void> acknowledge(std::string by);

    /// Begins or ends a maintenance or a pause of automation. An operation that runs already is carried to its end.
    Async<model::StandingAnswer> obey(model::StandingOrder order);

    /// Newest last.
    Async<std::vector<saved::Event>> events(std::size_t count, Instant deadline);

    /// Oldest first; one that runs is among them.
    Async<std::vector<OperationReport>> operations(std::size_t count, Instant deadline);

    /// Looks at every server and its host, and tries what would be needed; changes nothing that stays.
    Async<Readiness> verify();
    /// The last round's word, which may be an automatic one's; nothing before the first.
    [[nodiscard]] std::optional<Readiness> readiness() const;

private:
    class Loop;
    std::unique_ptr<Loop> loop_;
};

}  // namespace handyrep::engine
