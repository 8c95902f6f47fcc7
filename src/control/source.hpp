// control/source.hpp — a cluster, as far as questions and orders are concerned.
//
// The service speaks to this instead of to engine::Cluster, so that API and CLI are the same whether the answers come from
// the engine over real servers, over simulated ones, or from a program that only replays a recorded report.
#pragma once

#include "engine/report.hpp"
#include "model/moment.hpp"
#include "model/standing_order.hpp"
#include "ports/async.hpp"
#include "saved/event.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace handyrep::engine {
class Cluster;
}

namespace handyrep::control {

class Source {
public:
    Source() = default;
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;
    virtual ~Source() = default;

    [[nodiscard]] virtual engine::ClusterReport report() const = 0;
    /// Oldest first; the last is now.
    [[nodiscard]] virtual std::vector<model::Moment> moments() const = 0;
    virtual Async<engine::OrderAnswer> order(engine::Order order) = 0;
    virtual Result<void> cancel(std::uint64_t operation, const std::string& by) = 0;
    virtual Async<void> acknowledge(std::string by) = 0;
    /// Maintenance and the pause of automation.
    virtual Async<model::StandingAnswer> obey(model::StandingOrder order) = 0;
    /// Newest last.
    virtual Async<std::vector<saved::Event>> events(std::size_t count, Instant deadline) = 0;
    /// Newest last; with the one that runs.
    virtual Async<std::vector<engine::OperationReport>> operations(std::size_t count, Instant deadline) = 0;
    virtual Async<engine::Readiness> verify() = 0;
    /// The last round's word; nothing before the first.
    [[nodiscard]] virtual std::optional<engine::Readiness> readiness() const = 0;
};

/// The real one. Keeps a reference: the cluster outlives it.
class EngineSource final : public Source {
public:
    explicit EngineSource(engine::Cluster& cluster) : cluster_{cluster} {}

    [[nodiscard]] engine::ClusterReport report() const override;
    [[nodiscard]] std::vector<model::Moment> moments() const override;
    Async<engine::OrderAnswer> order(engine::Order order) override;
    Result<void> cancel(std::uint64_t operation, const std::string& by) override;
    Async<void> acknowledge(std::string by) override;
    Async<model::StandingAnswer> obey(model::StandingOrder order) override;
    Async<std::vector<saved::Event>> events(std::size_t count, Instant deadline) override;
    Async<std::vector<engine::OperationReport>> operations(std::size_t count, Instant deadline) override;
    Async<engine::Readiness> verify() override;
    [[nodiscard]] std::optional<engine::Readiness> readiness() const override;

private:
    engine::Cluster& cluster_;
};

}  // namespace handyrep::control
