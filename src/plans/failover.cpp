#include "plans/failover.hpp"

#include "base/text.hpp"
#include "model/sync_standbys.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace handyrep::plans {

using model::ServerName;
using std::chrono::seconds;

std::string_view word_for(OperationKind kind) {
    switch (kind) {
        case OperationKind::failover: return "failover";
        case OperationKind::stop_returned_primary: return "stop_returned_primary";
        case OperationKind::switchover: return "switchover";
        case OperationKind::follow: return "follow";
        case OperationKind::stop: return "stop";
        case OperationKind::start: return "start";
        case OperationKind::restart: return "restart";
        case OperationKind::fence: return "fence";
        case OperationKind::rejoin: return "rejoin";
        case OperationKind::clone: return "clone";
        case OperationKind::reclone: return "reclone";
    }
    return "";
}

bool moves_role(OperationKind kind) { return kind == OperationKind::failover || kind == OperationKind::switchover; }

namespace {

bool can_detach(const decide::ReplicaView& view) {
    return view.valid && view.answer && model::facts_of(view.answer->version).stays_detached;
}

/// What the plan cannot do, said aloud (S21); empty when there is nothing of the kind.
std::string not_detached(const decide::Analysis& analysis) {
    std::vector<std::string> names;
    for (const decide::ReplicaView& view : analysis.replicas) {
        if (view.valid && !can_detach(view)) names.push_back(view.server.text());
    }
    if (names.empty()) return {};
    return fmt::format(
        "; not detached, because before PostgreSQL 13 that needs a restart: {} (no witness, and final in its position only once the old "
        "primary's processes are gone)",
        join(names, ", "));
}

const model::VersionFacts* facts_of(const decide::Analysis& analysis, const ServerName& server) {
    const auto seen = std::ranges::find(analysis.replicas, server, &decide::ReplicaView::server);
    return seen != analysis.replicas.end() && seen->answer ? &model::facts_of(seen->answer->version) : nullptr;
}

model::Promoting promoting_of(const decide::Analysis& analysis, const ServerName& candidate) {
    const model::VersionFacts* const facts = facts_of(analysis, candidate);
    return facts != nullptr ? facts->promoting : model::Promoting::by_sql;
}

/// A promotion alone leaves every other replica as it is.
bool concerns(const FailoverInput& input, const ServerName& replica) {
    return !input.decision.alone || replica == input.decision.candidate;
}

Step secure(const FailoverInput& input) {
    const ServerName& old_primary = input.decision.old_primary;
    Step step{
        .name = "secure",
        .why = fmt::format(
            "{} must not acknowledge anything more, and no replica may receive what the others will not have{}", old_primary.text(),
            not_detached(input.analysis)),
        .apply = {},
        .limit = seconds{5},
        .may_fail = true};
    // A host that does not answer is not waited for: the gates know beforehand what else they accept.
    if (input.saved.system_id && input.analysis.primary_host_answers && !input.decision.alone)
        step.apply.emplace_back(Fence{old_primary, *input.saved.system_id});
    for (const decide::ReplicaView& view : input.analysis.replicas) {
        if (!can_detach(view) || !concerns(input, view.server)) continue;
        step.apply.emplace_back(Detach{view.server});
        step.undo.emplace_back(Reattach{view.server, old_primary});
    }
    return step;
}

Step read_positions(const FailoverInput& input) {
    Step step{
        .name = "read final positions", .why = "the candidate must hold the most WAL", .apply = {}, .limit = seconds{5}, .may_fail = true};
    for (const decide::ReplicaView& view : input.analysis.replicas) {
        if (!view.valid || !concerns(input, view.server)) continue;
        step.apply.emplace_back(
            ReadFinalPosition{view.server, view.server == input.decision.candidate && input.settings.end_blocking_queries});
    }
    return step;
}

bool may_salvage(const FailoverInput& input) {
    const model::VersionFacts* const facts = facts_of(input.analysis, input.decision.candidate);
    return input.settings.salvage && input.analysis.primary_host_answers && !input.decision.alone && facts != nullptr &&
           facts->salvaging == model::Salvaging::by_reload;
}

/// Two steps: what is changed for it is put back before the gates are asked, whatever became of it.
void add_salvage(const FailoverInput& input, std::vector<Step>& steps) {
    if (!input.saved.system_id || !may_salvage(input)) return;
    const ServerName& candidate = input.decision.candidate;
    const ServerName& old_primary = input.decision.old_primary;
    steps.push_back(
        {.name = "salvage",
         .why = fmt::format("what {} flushed and never sent lies on its disk: {} replays it first", old_primary.text(), candidate.text()),
         .apply = {Salvage{old_primary, candidate, *input.saved.system_id, input.settings.end_blocking_queries}},
         .undo = {EndSalvage{candidate}},
         .limit = input.settings.salvage_limit,
         .may_fail = true});
    steps.push_back(
        {.name = "end the salvage",
         .why = fmt::format("{} is promoted with its own restore_command", candidate.text()),
         .apply = {EndSalvage{candidate}},
         .limit = seconds{5}});
}

}  // namespace

std::string synchronous_names_after(
    const std::string& before, const ServerName& candidate, const decide::Analysis& analysis, const model::SavedState& saved) {
    const auto set = model::SyncStandbys::parse(before);
    if (!set || !*set || (*set)->open()) return set && *set ? before : std::string{};
    std::vector<std::string> names;
    for (const decide::ReplicaView& view : analysis.replicas) {
        const std::string name = decide::application_name_of(saved, view.server);
        if (view.valid && view.server != candidate && std::ranges::find((*set)->names, lower(name)) != (*set)->names.end())
            names.push_back(fmt::format("\"{}\"", name));
    }
    if (names.empty()) return {};
    const std::size_t required = std::min((*set)->required, names.size());
    return fmt::format("{} {} ({})", (*set)->method == model::SyncStandbys::Method::any ? "ANY" : "FIRST", required, join(names, ", "));
}

std::string synchronous_names_after_switchover(
    const std::string& before, const ServerName& candidate, const ServerName& old_primary, const model::SavedState& saved) {
    const auto set = model::SyncStandbys::parse(before);
    if (!set || !*set || (*set)->open()) return set && *set ? before : std::string{};
    const std::string leaves = lower(decide::application_name_of(saved, candidate));
    const std::string comes = lower(decide::application_name_of(saved, old_primary));
    std::vector<std::string> names;
    for (const std::string& name : (*set)->names) {
        const std::string& kept = name == leaves ? comes : name;
        const std::string quoted = fmt::format("\"{}\"", kept);
        if (std::ranges::find(names, quoted) == names.end()) names.push_back(quoted);
    }
    const std::size_t required = std::min((*set)->required, names.size());
    return fmt::format("{} {} ({})", (*set)->method == model::SyncStandbys::Method::any ? "ANY" : "FIRST", required, join(names, ", "));
}

Plan failover(const FailoverInput& input) {
    const ServerName& candidate = input.decision.candidate;
    const ServerName& old_primary = input.decision.old_primary;
    Plan plan{
        .kind = OperationKind::failover,
        .cluster = input.saved.cluster,
        .reversible = {},
        .commit =
            Step{
                .name = fmt::format("promote {}", candidate.text()),
                .why = input.decision.text,
                .apply = {Promote{candidate, input.settings.end_blocking_queries, promoting_of(input.analysis, candidate)}},
                .limit = seconds{10}},
        .finish = after_promotion(
            input.saved, input.settings,
            {.promoted = candidate,
             .old_primary = old_primary,
             .old_end = input.analysis.primary_host_answers ? OldEnd::host_answers : OldEnd::out_of_reach})};
    if (input.decision.alone) plan.finish.resize(1);  // what records it
    plan.reversible.push_back(secure(input));
    plan.reversible.push_back(read_positions(input));
    add_salvage(input, plan.reversible);
    plan.reversible.push_back(
        {.name = "check gates",
         .why = "fence and durability, both must be open",
         .apply = {CheckGates{old_primary, candidate, input.decision.overrides}},
         .limit = seconds{2}});
    plan.reversible.push_back(
        {.name = "prepare candidate",
         .why = "it must not acknowledge a commit by a rule of its own, nor hang on a server that is gone",
         .apply = {PrepareCandidate{
             candidate, synchronous_names_after(input.synchronous_standby_names, candidate, input.analysis, input.saved)}},
         .limit = seconds{3}});
    return plan;
}

std::vector<Group> after_promotion(const model::SavedState& saved, const model::FailoverSettings& settings, const Promoted& what) {
    const auto& [promoted, old_primary, old_end] = what;
    std::vector<Group> groups;
    groups.push_back(
        {{{.name = fmt::format("record {} as primary", promoted.text()),
           .why = "the new roles are written down before clients and replicas follow them",
           .apply = {RecordPromotion{promoted, old_primary}},
           .limit = seconds{5}}}});
    Group rest;
    for (const model::ServerDefinition& server : saved.servers) {
        if (!settings.remaster || !server.enabled || server.name == promoted || server.name == old_primary ||
            saved.barred(server.name) != nullptr)
            continue;
        rest.steps.push_back(
            {.name = fmt::format("re-point {}", server.name.text()),
             .why = fmt::format("it follows {} from now on", promoted.text()),
             .apply = {Repoint{server.name, promoted}},
             .limit = seconds{60}});
    }
    if (old_end == OldEnd::stopped_cleanly && saved.system_id) {
        rest.steps.push_back(
            {.name = fmt::format("start {} as a replica", old_primary.text()),
             .why = fmt::format("its WAL ends before the fork, so it follows {} without a rewind", promoted.text()),
             .apply = {StartAsReplica{old_primary, promoted, *saved.system_id}},
             .limit = seconds{60}});
    }
    if (old_end == OldEnd::host_answers && saved.system_id) {
        rest.steps.push_back(
            {.name = fmt::format("read what was lost on {}", old_primary.text()),
             .why = "the loss was announced as an estimate; the end of its WAL says it exactly",
             .apply = {ReadLoss{old_primary, *saved.system_id}},
             .limit = seconds{15}});
    }
    if (!rest.steps.empty()) groups.push_back(std::move(rest));
    return groups;
}

Plan stop_returned_primary(const model::SavedState& saved, const model::MustBeDown& entry) {
    return {
        .kind = OperationKind::stop_returned_primary,
        .cluster = saved.cluster,
        .reversible = {},
        .commit =
            Step{
                .name = fmt::format("stop {}", entry.server.text()),
                .why = fmt::format("{} took over from it in epoch {}; two primaries must not run", entry.successor.text(), entry.epoch),
                .apply = {Fence{entry.server, entry.system_id}},
                .limit = seconds{10}},
        .finish = {}};
}

}  // namespace handyrep::plans
