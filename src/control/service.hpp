// control/service.hpp — every question and order, once, with rights. API, CLI and tests all speak this.
//
// Runs on the clusters' executor; decides nothing about clusters. `denied` without the right, `invalid` for a name that
// nobody knows, everything else is the cluster's own answer.
#pragma once

#include "control/caller.hpp"
#include "control/check.hpp"
#include "control/source.hpp"
#include "ports/clock.hpp"
#include "saved/recording.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace handyrep::control {

struct Versions {
    std::string handyrep;
    std::string libpq;
};

/// Empty: the only cluster there is.
using ClusterChoice = std::optional<std::string>;

/// Empty: every server.
using ServerChoice = std::optional<std::string>;

/// Without who orders it: the caller does.
using StandingRequest = decltype(model::StandingOrder::what);

inline constexpr std::size_t most_events = 1000;
inline constexpr std::size_t most_operations = 1000;

class Service {
public:
    Service(ports::Clock& clock, Versions versions);

    /// The source outlives the service. Two clusters never have one name (the configuration refuses it).
    void add(model::ClusterName name, Source& source);

    [[nodiscard]] Result<engine::ClusterReport> status(const Caller& caller, const ClusterChoice& cluster) const;
    [[nodiscard]] Result<Check> check(const Caller& caller, const ClusterChoice& cluster) const;
    [[nodiscard]] Result<Versions> version(const Caller& caller) const;
    /// What `explain` is asked of, and what `record` writes. Holds no secret, so the right to ask suffices.
    [[nodiscard]] Result<saved::Recording> recording(const Caller& caller, const ClusterChoice& cluster) const;

    /// At most `most_events`; newest last.
    Async<std::vector<saved::Event>> events(Caller caller, ClusterChoice cluster, std::size_t count);

    /// At most `most_operations`; newest last.
    Async<std::vector<engine::OperationReport>> operations(Caller caller, ClusterChoice cluster, std::size_t count);
    Async<engine::OperationReport> operation(Caller caller, ClusterChoice cluster, std::uint64_t id);

    /// Returns when the operation has ended. A dry run changes nothing, and needs the same right: it shows what an order would do.
    Async<engine::OrderAnswer> order(Caller caller, ClusterChoice cluster, engine::Wanted what, bool dry_run);
    /// Calls off an operation that runs and is not past its point of no return; what came of it is in its record.
    [[nodiscard]] Result<void> cancel(const Caller& caller, const ClusterChoice& cluster, std::uint64_t operation) const;
    Async<void> acknowledge(Caller caller, ClusterChoice cluster);
    /// Begins or ends a maintenance or a pause of automation.
    Async<model::StandingAnswer> obey(Caller caller, ClusterChoice cluster, StandingRequest request);

    /// Looks anew, everywhere, and tries what a failover would need; with `server` only the checks of that one are answered.
    Async<engine::Readiness> verify(Caller caller, ClusterChoice cluster, ServerChoice server);
    /// What the last round found; `refused` before the first.
    [[nodiscard]] Result<engine::Readiness> readiness(const Caller& caller, const ClusterChoice& cluster, const ServerChoice& server) const;

private:
    [[nodiscard]] Result<Source*> find(const ClusterChoice& cluster) const;

    ports::Clock& clock_;
    Versions versions_;
    std::vector<std::pair<model::ClusterName, Source*>> clusters_;
};

}  // namespace handyrep::control
