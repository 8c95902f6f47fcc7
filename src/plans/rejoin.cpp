#include "plans/rejoin.hpp"

#include <fmt/format.h>

namespace handyrep::plans {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

/// Copying is as long as it is; the job goes on when nobody waits for it any more.
constexpr Duration rewind_limit = hours{6};

void add_rewind(Plan& plan, const decide::Rejoin& decision, model::SystemId system_id) {
    const std::string& name = decision.server.text();
    plan.reversible.push_back(
        {.name = fmt::format("checkpoint on {}", decision.upstream.text()),
         .why = "pg_rewind goes by the control file, which knows of the promotion only since its first checkpoint",
         .apply = {Checkpoint{decision.upstream}},
         .limit = minutes{5}});
    if (decision.runs)
        plan.reversible.push_back(
            {.name = fmt::format("stop {}", name),
             .why = "a directory is rewound while nobody uses it",
             .apply = {HoldDown{decision.server, system_id}},
             .limit = seconds{60}});
    // Of one that is under way already its host knows from where.
    const model::DivergenceQuestion nowhere{system_id, {model::Timeline{1}, model::Lsn{0}}, model::Timeline{1}};
    plan.reversible.push_back(
        {.name = fmt::format("rewind {}", name),
         .why = decision.text,
         .apply = {Rewind{decision.server, decision.upstream, decision.behind.value_or(nowhere)}},
         .limit = rewind_limit});
}

}  // namespace

Plan rejoin(const decide::Rejoin& decision, const model::SavedState& saved) {
    const std::string& name = decision.server.text();
    const model::SystemId system_id = saved.system_id.value_or(model::SystemId{0});
    Plan plan{.kind = OperationKind::rejoin, .cluster = saved.cluster, .reversible = {}};
    const bool rewinds = decision.way == decide::Way::rewind;
    if (!rewinds && decision.runs) {
        plan.reversible.push_back(
            {.name = fmt::format("re-point {}", name),
             .why = decision.text,
             .apply = {Repoint{decision.server, decision.upstream}},
             .limit = seconds{60}});
        return plan;
    }
    if (rewinds)
        add_rewind(plan, decision, system_id);
    else
        plan.reversible.push_back(
            {.name = fmt::format("mark {}", name),
             .why = "whatever starts it makes a replica of it",
             .apply = {HoldDown{decision.server, system_id}},
             .limit = seconds{30}});
    plan.reversible.push_back(
        {.name = fmt::format("prepare {} to follow", name),
         .why = fmt::format("started it is a replica of {}", decision.upstream.text()),
         .apply = {PrepareDown{decision.server, decision.upstream, system_id}},
         .limit = seconds{20}});
    if (rewinds)
        plan.reversible.push_back(
            {.name = fmt::format("check the marks of {}", name),
             .why = "pg_rewind took them away: what starts without them is a primary",
             .apply = {EndRewind{decision.server, system_id}},
             .limit = seconds{30}});
    StartRejoined start{decision.server, decision.upstream, system_id};
    if (!rewinds && decision.behind) start.fork = decision.behind->fork;
    plan.reversible.push_back(
        {.name = fmt::format("start {} as a replica", name),
         .why = rewinds ? "it has the history of its upstream now" : decision.text,
         .apply = {start},
         .limit = minutes{2}});
    return plan;
}

}  // namespace handyrep::plans
