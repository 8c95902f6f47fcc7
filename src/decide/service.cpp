#include "decide/service.hpp"

#include "base/text.hpp"
#include "decide/gates.hpp"
#include "decide/look.hpp"
#include "decide/rights.hpp"
#include "model/sync_standbys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace handyrep::decide {

using model::ServerName;

std::string_view word_for(ServiceDeed deed) {
    switch (deed) {
        case ServiceDeed::stop: return "stop";
        case ServiceDeed::start: return "start";
        case ServiceDeed::restart: return "restart";
        case ServiceDeed::fence: return "fence";
    }
    return "";
}

namespace {

/// Synchronous commits would wait for it as long as it is down.
std::optional<Error> commits_would_wait(const AnalysisInput& input, const ServerName& server) {
    const auto* const answer = input.saved.primary ? answer_of(input, *input.saved.primary) : nullptr;
    const auto* const primary = answer != nullptr ? answer->primary() : nullptr;
    if (primary == nullptr) return std::nullopt;
    const auto set = model::SyncStandbys::parse(primary->synchronous_standby_names);
    if (!set || !*set) return std::nullopt;
    const std::string own = lower(application_name_of(input.saved, server));
    const auto left = std::ranges::count_if(primary->senders, [&](const model::WalSender& it) {
        return it.sync_state != "async" && !it.sync_state.empty() && lower(it.application_name) != own;
    });
    if (static_cast<std::size_t>(left) >= (*set)->required) return std::nullopt;
    return obstacle(
        Obstacle::commits_would_wait,
        fmt::format(
            "without {} only {} synchronous standbys are left of the {} that a commit needs ({}); begin a maintenance first if they may wait",
            server.text(), left, (*set)->required, primary->synchronous_standby_names));
}

std::optional<Error> others_follow(const Analysis& analysis, const ServerName& server) {
    std::vector<std::string> names;
    for (const ReplicaView& it : analysis.replicas) {
        if (it.upstream == server && it.link == Attachment::attached) names.push_back(it.server.text());
    }
    if (names.empty()) return std::nullopt;
    return obstacle(
        Obstacle::others_follow_it,
        fmt::format("{} would receive nothing any more; let them follow another server first: handyrep follow", join(names, ", ")));
}

/// A person who began a maintenance takes it on himself.
std::optional<Error> stop_would_hurt(const AnalysisInput& input, const Analysis& analysis, const ServiceWanted& wanted) {
    if (input.saved.hands_off()) return std::nullopt;
    if (wanted.server == input.saved.primary)
        return obstacle(
            Obstacle::is_primary,
            fmt::format(
                "{} holds the role: hand it over first (handyrep switchover), or begin a maintenance, without which a "
                "failover would follow",
                wanted.server.text()));
    if (auto others = others_follow(analysis, wanted.server)) return others;
    return commits_would_wait(input, wanted.server);
}

/// Whoever was failed over from holds WAL that its successor may not have.
std::optional<Error> must_be_down(const AnalysisInput& input, const ServerName& name) {
    if (input.saved.barred(name) == nullptr) return std::nullopt;
    return obstacle(
        Obstacle::server_barred,
        fmt::format("{} was failed over from: as it is it must not run; bring it back as a replica first (handyrep rejoin)", name.text()));
}

std::optional<Error> start_unfit(const AnalysisInput& input, const ServerName& server) {
    if (auto barred = must_be_down(input, server)) return barred;
    if (answer_of(input, server) != nullptr) return obstacle(Obstacle::runs_already, fmt::format("{} runs, and answers", server.text()));
    return std::nullopt;
}

std::optional<Error> restart_unfit(
    const AnalysisInput& input, const Analysis& analysis, std::span<const Check> checks, const ServerName& server) {
    if (auto barred = must_be_down(input, server)) return barred;
    if (server != input.saved.primary) {
        const ReplicaView* const view = view_of(analysis, server);
        if (view == nullptr || !view->valid)
            return obstacle(Obstacle::replica_not_seen, fmt::format("{} does not answer as a standby of this cluster", server.text()));
        return std::nullopt;
    }
    if (analysis.situation != Situation::healthy || analysis.primary_suspected || analysis.writable != server)
        return obstacle(Obstacle::primary_not_healthy, fmt::format("{}: {}", server.text(), sentence_for(analysis.situation)));
    return rights_missing(checks, server, std::nullopt);
}

std::optional<Error> unfit(
    const AnalysisInput& input, const Analysis& analysis, std::span<const Check> checks, const ServiceWanted& wanted) {
    switch (wanted.deed) {
        case ServiceDeed::stop: return stop_would_hurt(input, analysis, wanted);
        case ServiceDeed::start: return start_unfit(input, wanted.server);
        case ServiceDeed::restart: return restart_unfit(input, analysis, checks, wanted.server);
        case ServiceDeed::fence: break;
    }
    if (wanted.server == input.saved.primary)
        return obstacle(
            Obstacle::is_primary,
            fmt::format("{} holds the role: a failover fences it and promotes another one: handyrep failover", wanted.server.text()));
    return stop_would_hurt(input, analysis, wanted);
}

}  // namespace

Result<ServiceOrder> decide_service(
    const AnalysisInput& input, const Analysis& analysis, std::span<const Check> checks, const ServiceWanted& wanted) {
    const auto server = std::ranges::find(input.saved.servers, wanted.server, &model::ServerDefinition::name);
    if (server == input.saved.servers.end())
        return obstacle(Obstacle::unknown_server, fmt::format("there is no server called {}", wanted.server.text()));
    if (!input.saved.system_id)
        return obstacle(Obstacle::not_ready, "the cluster's system identifier was never read: nobody knows whose directory that is");
    if (input.saved.possible_primary)
        return obstacle(
            Obstacle::possible_primary,
            fmt::format(
                "{} was told to promote and may have: it must be seen or stopped first", input.saved.possible_primary->server.text()));
    if (auto why = unfit(input, analysis, checks, wanted)) return *std::move(why);
    const ReplicaView* const view = view_of(analysis, wanted.server);
    return ServiceOrder{
        .deed = wanted.deed,
        .server = wanted.server,
        .holds_role = wanted.server == input.saved.primary,
        .upstream = view != nullptr ? view->upstream : std::nullopt,
        .text = fmt::format("{}s {}", word_for(wanted.deed), wanted.server.text())};
}

}  // namespace handyrep::decide
