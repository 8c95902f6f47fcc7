#include "plans/service.hpp"

#include <fmt/format.h>

#include <utility>

namespace handyrep::plans {

using decide::ServiceDeed;
using model::ServerName;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

/// A server writes a checkpoint, or a restartpoint, before it ends, and may have to replay after it was started.
constexpr seconds of_a_stop{60};
constexpr seconds of_a_start{120};

Step stop_primary(const ServerName& server, model::SystemId system_id) {
    return {
        .name = fmt::format("stop {}", server.text()),
        .why = "a clean stop ships its WAL to the end; marked standby, nothing starts it as a second primary meanwhile",
        .apply = {StopCleanly{server, system_id}},
        .undo = {StartAgain{server, system_id}},
        .limit = of_a_stop};
}

Step start_primary(const ServerName& server, model::SystemId system_id) {
    return {
        .name = fmt::format("start {}", server.text()),
        .why = "it holds the role still",
        .apply = {StartAgain{server, system_id}},
        .limit = of_a_start};
}

Plan of_primary(const decide::ServiceOrder& order, model::SystemId id, Plan plan) {
    if (order.deed == ServiceDeed::start) {
        plan.commit = start_primary(order.server, id);
        return plan;
    }
    plan.reversible.push_back(
        {.name = fmt::format("checkpoint on {}", order.server.text()),
         .why = "the checkpoint of its stop has little left to write then, and so is short",
         .apply = {Checkpoint{order.server}},
         .limit = minutes{5},
         .may_fail = true});
    Step stop = stop_primary(order.server, id);
    if (order.deed == ServiceDeed::restart) {
        plan.reversible.push_back(std::move(stop));
        plan.commit = start_primary(order.server, id);
    } else {
        stop.undo.clear();
        plan.commit = std::move(stop);
    }
    return plan;
}

OperationKind kind_of(ServiceDeed deed) {
    switch (deed) {
        case ServiceDeed::stop: return OperationKind::stop;
        case ServiceDeed::start: return OperationKind::start;
        case ServiceDeed::restart: return OperationKind::restart;
        case ServiceDeed::fence: break;
    }
    return OperationKind::fence;
}

Step of_replica(const decide::ServiceOrder& order, model::SystemId id) {
    Step step{
        .name = fmt::format("{} {}", word_for(order.deed), order.server.text()),
        .why = "until a person starts it again",
        .apply = {},
        .limit = of_a_stop};
    switch (order.deed) {
        case ServiceDeed::stop: step.apply = {HoldDown{order.server, id}}; break;
        case ServiceDeed::fence: step.apply = {Fence{order.server, id}}; break;
        case ServiceDeed::restart: return restart_of(order.server, order.upstream, id);
        case ServiceDeed::start:
            step.why = "as the replica that it is marked as";
            step.apply = {StartReplica{order.server, order.upstream, id}};
            step.limit = of_a_start;
            break;
    }
    return step;
}

}  // namespace

Step restart_of(const ServerName& replica, const std::optional<ServerName>& upstream, model::SystemId system_id) {
    return {
        .name = fmt::format("restart {}", replica.text()),
        .why = "it reads its settings anew",
        .apply = {RestartReplica{replica, upstream, system_id}},
        .limit = of_a_start};
}

Plan service(const decide::ServiceOrder& order, const model::SavedState& saved) {
    const model::SystemId id = saved.system_id.value_or(model::SystemId{0});
    Plan plan{.kind = kind_of(order.deed), .cluster = saved.cluster, .reversible = {}};
    if (order.holds_role) return of_primary(order, id, std::move(plan));
    plan.commit = of_replica(order, id);
    return plan;
}

}  // namespace handyrep::plans
