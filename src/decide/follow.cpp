#include "decide/follow.hpp"

#include "base/text.hpp"
#include "decide/look.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace handyrep::decide {

using model::ServerName;

namespace {

std::optional<Error> takes_no_part(const AnalysisInput& input, const ServerName& name) {
    if (auto why = no_member(input.saved, name)) return why;
    return barred_from_following(input.saved, name);
}

std::optional<Error> upstream_unfit(const AnalysisInput& input, const Analysis& analysis, const ServerName& upstream) {
    if (auto no_part = takes_no_part(input, upstream)) return no_part;
    if (upstream == input.saved.primary) {
        if (analysis.writable == upstream && !analysis.primary_suspected) return std::nullopt;
        return obstacle(
            Obstacle::upstream_unfit, fmt::format("{} does not answer as primary: {}", upstream.text(), sentence_for(analysis.situation)));
    }
    const ReplicaView* const view = view_of(analysis, upstream);
    if (view == nullptr || !view->valid)
        return obstacle(Obstacle::upstream_unfit, fmt::format("{} does not answer as a standby of this cluster", upstream.text()));
    if (view->link != Attachment::attached)
        return obstacle(Obstacle::upstream_unfit, fmt::format("{} does not stream itself: it {}", upstream.text(), word_for(view->link)));
    return std::nullopt;
}

/// Whether `server` gets its WAL from `from`, over however many others.
bool descends_from(const Analysis& analysis, const ServerName& server, const ServerName& from) {
    std::optional<ServerName> at = server;
    for (std::size_t hops = 0; at && hops <= analysis.replicas.size(); ++hops) {
        if (*at == from) return true;
        const ReplicaView* const view = view_of(analysis, *at);
        at = view != nullptr ? view->upstream : std::nullopt;
    }
    return false;
}

/// By the replay position, never by what was received: half a record past the fork is no divergence (S11).
bool has_diverged(const AnalysisInput& input, const ReplicaView& view) {
    const model::TimelineHistory* const history = history_of_primary(input);
    const model::StandbyAnswer* const standby = view.standby();
    return history != nullptr && standby != nullptr && standby->timeline && !history->contains({*standby->timeline, standby->replayed});
}

/// Why this one cannot be made to follow `upstream`; nothing when it can.
std::optional<Error> replica_unfit(
    const AnalysisInput& input, const Analysis& analysis, const ServerName& replica, const ServerName& upstream) {
    const std::string& name = replica.text();
    if (auto no_part = takes_no_part(input, replica)) return no_part;
    if (replica == input.saved.primary)
        return obstacle(
            Obstacle::is_primary, fmt::format("{} is the primary and follows nobody; hand the role over first: handyrep switchover", name));
    if (descends_from(analysis, upstream, replica))
        return obstacle(
            Obstacle::would_make_a_circle,
            replica == upstream ? fmt::format("{} cannot follow itself", name)
                                : fmt::format("{} gets its WAL from {}; let it follow another one first", upstream.text(), name));
    const ReplicaView* const view = view_of(analysis, replica);
    if (view == nullptr || !view->valid)
        return obstacle(Obstacle::replica_not_seen, fmt::format("{} does not answer as a standby of this cluster", name));
    if (has_diverged(input, *view))
        return obstacle(
            Obstacle::diverged, fmt::format("{} has WAL that {} does not have: it must be rewound or cloned anew", name, upstream.text()));
    if (view->upstream == upstream && view->link == Attachment::attached)
        return obstacle(Obstacle::follows_already, fmt::format("{} streams from {} already", name, upstream.text()));
    return std::nullopt;
}

Result<std::vector<Follow::Replica>> choose_named(
    const AnalysisInput& input, const Analysis& analysis, const FollowWanted& wanted, const ServerName& upstream) {
    std::vector<Follow::Replica> out;
    for (const ServerName& replica : wanted.replicas) {
        if (std::ranges::find(out, replica, &Follow::Replica::name) != out.end()) continue;
        if (auto unfit = replica_unfit(input, analysis, replica, upstream)) return *std::move(unfit);
        out.push_back({replica, view_of(analysis, replica)->upstream});
    }
    return out;
}

Result<std::vector<Follow::Replica>> choose_all(const AnalysisInput& input, const Analysis& analysis, const ServerName& upstream) {
    std::vector<Follow::Replica> out;
    std::string unfit;
    for (const ReplicaView& view : analysis.replicas) {
        if (view.server == upstream) continue;
        if (const auto why = replica_unfit(input, analysis, view.server, upstream))
            unfit += fmt::format(" {};", why->what);
        else
            out.push_back({view.server, view.upstream});
    }
    if (out.empty())
        return obstacle(Obstacle::no_replica, unfit.empty() ? "there is no replica" : "no replica is to be re-pointed:" + unfit);
    return out;
}

}  // namespace

Result<Follow> decide_follow(const AnalysisInput& input, const Analysis& analysis, const FollowWanted& wanted) {
    if (!input.saved.primary) return obstacle(Obstacle::no_primary, "nobody holds the role of primary");
    if (input.saved.possible_primary)
        return obstacle(
            Obstacle::possible_primary,
            fmt::format(
                "{} was told to promote and may have: it must be seen or stopped first", input.saved.possible_primary->server.text()));
    const ServerName upstream = wanted.upstream.value_or(*input.saved.primary);
    if (auto unfit = upstream_unfit(input, analysis, upstream)) return *std::move(unfit);
    auto replicas = wanted.replicas.empty() ? choose_all(input, analysis, upstream) : choose_named(input, analysis, wanted, upstream);
    if (!replicas) return replicas.error();
    std::vector<std::string> names;
    for (const Follow::Replica& it : *replicas) names.push_back(it.name.text());
    return Follow{*std::move(replicas), upstream, fmt::format("lets {} follow {}", join(names, ", "), upstream.text())};
}

}  // namespace handyrep::decide
