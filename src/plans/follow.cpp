#include "plans/follow.hpp"

#include <fmt/format.h>

namespace handyrep::plans {

Plan follow(const decide::Follow& decision, const model::SavedState& saved) {
    Plan plan{.kind = OperationKind::follow, .cluster = saved.cluster, .reversible = {}};
    for (const decide::Follow::Replica& it : decision.replicas) {
        Step step{
            .name = fmt::format("re-point {}", it.name.text()),
            .why = fmt::format("it follows {} from now on", decision.upstream.text()),
            .apply = {Repoint{it.name, decision.upstream}},
            .limit = std::chrono::seconds{60}};
        if (it.former) step.undo = {Repoint{it.name, *it.former}};
        plan.reversible.push_back(std::move(step));
    }
    return plan;
}

}  // namespace handyrep::plans
