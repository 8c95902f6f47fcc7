// What a cluster answers when it is asked, and its public face.
#include "engine/cluster.hpp"

#include "engine/loop.hpp"
#include "engine/reporter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace handyrep::engine {

model::Moment Cluster::Loop::moment() const {
    return {
        .at = state_.clock().wall(),
        .since = since_,
        .now = state_.clock().now(),
        .settings = state_.settings(),
        .saved = state_.saved,
        .evidence = state_.evidence,
        .guards = guards()};
}

std::vector<model::Moment> Cluster::Loop::moments() const {
    std::vector<model::Moment> out(changes_.begin(), changes_.end());
    out.push_back(moment());
    return out;
}

ClusterReport Cluster::Loop::report() const {
    ClusterReport out = make_report({state_, analysis_, decision_, since_, operation_});
    if (const auto& last = verifier_.last()) out.readiness = ReadinessSummary{last->at, decide::count(last->checks)};
    return out;
}

Async<std::vector<saved::Event>> Cluster::Loop::events(std::size_t count, Instant deadline) {
    co_return co_await state_.store().events(count, deadline);
}

/// What is remembered, and what this life knows better: the history may lag, or be lost.
Async<std::vector<OperationReport>> Cluster::Loop::operations(std::size_t count, Instant deadline) {
    auto found = co_await state_.store().operations(count, deadline);
    if (!found || !operation_) co_return found;
    const auto known = std::ranges::find(*found, operation_->id, &OperationReport::id);
    if (known == found->end())
        found->push_back(*operation_);
    else
        *known = *operation_;
    if (found->size() > count) found->erase(found->begin());
    co_return found;
}

Async<void> Cluster::Loop::acknowledge(std::string by) {
    if (!loaded_) co_return Error{ErrorKind::refused, "the saved state cannot be read yet; check the manager's disk"};
    if (!state_.saved.last_failover || state_.saved.last_failover->acknowledged)
        co_return Error{ErrorKind::refused, "there is no failover to acknowledge"};
    state_.saved.last_failover->acknowledged = true;
    state_.tell(Level::info, "acknowledged", fmt::format("{} acknowledged the failover: the cool-down is over", by), {{"by", by}});
    co_return co_await state_.save();
}

Async<model::StandingAnswer> Cluster::Loop::obey(model::StandingOrder order) {
    if (!loaded_) co_return Error{ErrorKind::refused, "the saved state cannot be read yet; check the manager's disk"};
    auto answer = model::obey(state_.saved, order, state_.clock().wall());
    if (!answer) co_return answer.error();
    if (answer->event.empty()) co_return *std::move(answer);
    apply_disabled();
    if (state_.saved.hands_off() && operating_) answer->text += "; the operation that runs is carried to its end";
    state_.tell(state_.saved.hands_off() ? Level::warning : Level::info, answer->event, answer->text, {{"by", order.by}});
    const auto written = co_await state_.save();
    if (written) co_return *std::move(answer);
    Error error = written.error();
    co_return std::move(error).during(fmt::format("write down, for after a restart of the daemon, what holds now ({})", answer->text));
}

/// Who takes part: as the configuration says, but for those that a person took out.
void Cluster::Loop::apply_disabled() {
    for (model::ServerDefinition& it : state_.saved.servers) {
        const model::ServerDefinition* const defined = state_.definition().find(it.name);
        it.enabled = defined != nullptr && defined->enabled && state_.saved.disabled_by_person(it.name) == nullptr;
    }
}

/// By the wall clock: it must end on time after a restart of the daemon too.
void Cluster::Loop::review_maintenance() {
    while (const auto ended = model::expire(state_.saved, state_.clock().wall())) {
        apply_disabled();
        state_.tell(Level::info, ended->event, ended->text, {{"by", "time"}});
        want_save();
    }
    if (state_.saved.scheduled && state_.clock().wall() >= state_.saved.scheduled->at) appointment_bell_.ring();
}

Cluster::Cluster(model::ClusterDefinition definition, Surroundings surroundings)
    : loop_{std::make_unique<Loop>(std::move(definition), std::move(surroundings))} {}
Cluster::~Cluster() = default;
asio::awaitable<void> Cluster::run() { co_await loop_->run(); }
ClusterReport Cluster::report() const { return loop_->report(); }
std::vector<model::Moment> Cluster::moments() const { return loop_->moments(); }
Async<OrderAnswer> Cluster::order(Order order) { co_return co_await loop_->order(std::move(order)); }
Result<void> Cluster::cancel(std::uint64_t operation, const std::string& by) { return loop_->cancel(operation, by); }
Async<void> Cluster::acknowledge(std::string by) { co_return co_await loop_->acknowledge(std::move(by)); }
Async<model::StandingAnswer> Cluster::obey(model::StandingOrder order) { co_return co_await loop_->obey(std::move(order)); }
Async<std::vector<saved::Event>> Cluster::events(std::size_t count, Instant deadline) { co_return co_await loop_->events(count, deadline); }
Async<std::vector<OperationReport>> Cluster::operations(std::size_t count, Instant deadline) {
    co_return co_await loop_->operations(count, deadline);
}
Async<Readiness> Cluster::verify() { co_return co_await loop_->verify(); }
std::optional<Readiness> Cluster::readiness() const { return loop_->readiness(); }

}  // namespace handyrep::engine
