#include "control/source.hpp"

#include "engine/cluster.hpp"

#include <utility>

namespace handyrep::control {

engine::ClusterReport EngineSource::report() const { return cluster_.report(); }

std::vector<model::Moment> EngineSource::moments() const { return cluster_.moments(); }

Async<engine::OrderAnswer> EngineSource::order(engine::Order order) { return cluster_.order(std::move(order)); }

Result<void> EngineSource::cancel(std::uint64_t operation, const std::string& by) { return cluster_.cancel(operation, by); }

Async<void> EngineSource::acknowledge(std::string by) { return cluster_.acknowledge(std::move(by)); }

Async<model::StandingAnswer> EngineSource::obey(model::StandingOrder order) { return cluster_.obey(std::move(order)); }

Async<std::vector<saved::Event>> EngineSource::events(std::size_t count, Instant deadline) { return cluster_.events(count, deadline); }

Async<std::vector<engine::OperationReport>> EngineSource::operations(std::size_t count, Instant deadline) {
    return cluster_.operations(count, deadline);
}

Async<engine::Readiness> EngineSource::verify() { return cluster_.verify(); }

std::optional<engine::Readiness> EngineSource::readiness() const { return cluster_.readiness(); }

}  // namespace handyrep::control
