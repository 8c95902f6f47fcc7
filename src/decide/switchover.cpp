#include "decide/switchover.hpp"

#include "decide/candidate.hpp"
#include "decide/rights.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

namespace handyrep::decide {

using model::ServerName;

namespace {

std::optional<Error> slots_lost(const AnalysisInput& input, std::span<const Check> checks, const SwitchoverWanted& wanted) {
    if (wanted.drop_logical) return std::nullopt;
    for (const Check& it : checks) {
        if (it.name != CheckName::logical_slots || it.server != input.saved.primary || it.outcome == CheckOutcome::ok) continue;
        return obstacle(Obstacle::loses_logical_slots, fmt::format("{}; {}, or say --drop-logical", it.text, it.remedy));
    }
    return std::nullopt;
}

std::optional<Error> primary_unfit(const AnalysisInput& input, const Analysis& analysis) {
    if (input.saved.possible_primary)
        return obstacle(
            Obstacle::possible_primary,
            fmt::format(
                "{} was told to promote and may have: it must be seen or stopped first", input.saved.possible_primary->server.text()));
    if (analysis.situation != Situation::healthy || analysis.primary_suspected || analysis.writable != input.saved.primary)
        return obstacle(
            Obstacle::primary_not_healthy,
            fmt::format(
                "{}{}; a switchover needs a primary that answers and takes writes, 'handyrep failover' does not",
                sentence_for(analysis.situation), analysis.primary_suspected ? ", and the primary is suspected" : ""));
    return std::nullopt;
}

model::Lsn written_by_primary(const AnalysisInput& input) {
    const auto* const seen = input.saved.primary ? input.evidence.find(*input.saved.primary) : nullptr;
    const auto* const primary = seen != nullptr && seen->last_answer ? seen->last_answer->what.primary() : nullptr;
    return primary != nullptr ? primary->inserted : model::Lsn{0};
}

/// Why this one cannot be handed the role; nothing when it can.
std::optional<Error> replica_unfit(const AnalysisInput& input, const Analysis& analysis, const ServerName& primary, const Ranked& ranked) {
    const std::string& name = ranked.server.text();
    if (ranked.eligibility != Eligibility::eligible)
        return obstacle(Obstacle::replica_not_eligible, fmt::format("{} {}", name, sentence_for(ranked.eligibility)));
    const auto view = std::ranges::find(analysis.replicas, ranked.server, &ReplicaView::server);
    if (view == analysis.replicas.end() || view->attachment != Attachment::attached)
        return obstacle(
            Obstacle::replica_not_attached, fmt::format("{} does not stream from {} itself; let it follow it first", name, primary.text()));
    const auto server = std::ranges::find(input.saved.servers, ranked.server, &model::ServerDefinition::name);
    const model::Bytes behind = gap(view->standby()->replayed, written_by_primary(input));
    if (server != input.saved.servers.end() && behind > server->lag_limit)
        return obstacle(
            Obstacle::replica_too_far_behind, fmt::format(
                                                  "{} has {} to replay, more than its lag_limit of {}; wait until it has caught up", name,
                                                  text(behind), text(server->lag_limit)));
    return std::nullopt;
}

Result<ServerName> choose_named(
    const AnalysisInput& input, const Analysis& analysis, const ServerName& primary, const Ranking& ranking, const ServerName& wanted) {
    if (wanted == primary) return obstacle(Obstacle::already_primary, fmt::format("{} is the primary already", wanted.text()));
    if (auto why = no_member(input.saved, wanted)) return *std::move(why);
    if (auto why = barred_from_following(input.saved, wanted)) return *std::move(why);
    const auto found = std::ranges::find(ranking.best_first, wanted, &Ranked::server);
    if (found == ranking.best_first.end())
        return obstacle(Obstacle::replica_not_eligible, fmt::format("{} {}", wanted.text(), sentence_for(Eligibility::not_seen)));
    if (auto unfit = replica_unfit(input, analysis, primary, *found)) return *std::move(unfit);
    return wanted;
}

Result<ServerName> choose_best(const AnalysisInput& input, const Analysis& analysis, const ServerName& primary, const Ranking& ranking) {
    std::vector<const Ranked*> fit;
    std::string unfit;
    for (const Ranked& it : ranking.best_first) {
        if (const auto why = replica_unfit(input, analysis, primary, it))
            unfit += fmt::format(" {};", why->what);
        else
            fit.push_back(&it);
    }
    // They come with the furthest first, and equals by name.
    const auto best = std::ranges::min_element(fit, {}, &Ranked::priority);
    if (best != fit.end()) return (*best)->server;
    return obstacle(Obstacle::no_replica, unfit.empty() ? "there is no replica" : "no replica can take over:" + unfit);
}

/// Who does not stream is left alone. The candidate comes last: it is the one that is needed at once.
std::vector<Restarted> restarted_before(const Analysis& analysis, const ServerName& candidate) {
    std::vector<Restarted> out;
    for (const bool candidates_turn : {false, true}) {
        for (const ReplicaView& it : analysis.replicas) {
            if (it.valid && it.link == Attachment::attached && (it.server == candidate) == candidates_turn)
                out.push_back({it.server, it.upstream});
        }
    }
    return out;
}

}  // namespace

Result<SwitchOver> decide_switchover(
    const AnalysisInput& input, const Analysis& analysis, std::span<const Check> checks, const SwitchoverWanted& wanted) {
    if (!input.saved.primary) return obstacle(Obstacle::no_primary, "nobody holds the role of primary");
    const ServerName& primary = *input.saved.primary;
    if (auto unfit = primary_unfit(input, analysis)) return *std::move(unfit);
    const Ranking ranking = rank(input, analysis);
    const auto candidate =
        wanted.to ? choose_named(input, analysis, primary, ranking, *wanted.to) : choose_best(input, analysis, primary, ranking);
    if (!candidate) return candidate.error();
    if (auto missing = rights_missing(checks, primary, *candidate)) return *std::move(missing);
    if (auto lost = slots_lost(input, checks, wanted)) return *std::move(lost);
    SwitchOver out{primary, *candidate, fmt::format("hands the role over from {} to {}", primary.text(), candidate->text())};
    if (wanted.restart_all) {
        out.restarted = restarted_before(analysis, *candidate);
        out.text = "restarts every replica, then " + out.text;
    }
    return out;
}

}  // namespace handyrep::decide
