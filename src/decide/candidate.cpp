#include "decide/candidate.hpp"

#include "model/version_facts.hpp"

#include <algorithm>
#include <tuple>

namespace handyrep::decide {

std::string_view sentence_for(Eligibility eligibility) {
    switch (eligibility) {
        case Eligibility::eligible: return "may take over";
        case Eligibility::not_seen: return "is not seen as a standby";
        case Eligibility::foreign_system: return "belongs to another system";
        case Eligibility::never_by_priority: return "has failover_priority 0: never";
        case Eligibility::delayed: return "applies WAL with a delay (recovery_min_apply_delay)";
        case Eligibility::replay_paused: return "has its replay paused";
        case Eligibility::unknown_timeline: return "is on a timeline that could not be read";
        case Eligibility::other_timeline: return "is on another timeline than the primary was";
        case Eligibility::version_unknown: return "is of a version that this HandyRep does not know";
        case Eligibility::went_back: return "is further back than it was seen before: an older copy of itself";
        case Eligibility::version_cannot_promote: return "is older than PostgreSQL 10, which this HandyRep cannot promote";
        case Eligibility::promotion_needs_host: return "is older than PostgreSQL 12 and is promoted over its host, which does not answer";
    }
    return "";
}

namespace {

std::optional<model::Timeline> expected_timeline(const AnalysisInput& input) {
    if (!input.saved.primary) return std::nullopt;
    const model::ServerEvidence* const seen = input.evidence.find(*input.saved.primary);
    if (seen != nullptr && seen->last_answer && seen->last_answer->what.primary() != nullptr)
        return seen->last_answer->what.primary()->timeline;
    const auto highest = std::ranges::find(input.saved.highest, *input.saved.primary, &model::HighestSeen::server);
    if (highest == input.saved.highest.end()) return std::nullopt;
    return highest->position.timeline;
}

/// When it was last looked into, or as a witness since the primary went bad.
bool host_answered(const AnalysisInput& input, const ReplicaView& view) {
    const model::ServerEvidence* const seen = input.evidence.find(view.server);
    const bool looked = seen != nullptr && seen->host && std::holds_alternative<model::HostLook>(seen->host->what.saw);
    return looked || view.reach != model::Reach::unknown;
}

Eligibility judge(
    const AnalysisInput& input, const model::ServerDefinition& server, const ReplicaView& view, std::optional<model::Timeline> expected) {
    if (!view.valid || !view.answer || view.answer->standby() == nullptr) return Eligibility::not_seen;
    const model::StandbyAnswer& standby = *view.answer->standby();
    if (server.failover_priority == 0) return Eligibility::never_by_priority;
    if (view.answer->version.major() > newest_known_major) return Eligibility::version_unknown;
    const model::Promoting promoting = model::facts_of(view.answer->version).promoting;
    if (promoting == model::Promoting::not_possible) return Eligibility::version_cannot_promote;
    if (promoting == model::Promoting::by_host && !host_answered(input, view)) return Eligibility::promotion_needs_host;
    if (standby.apply_delay > Duration::zero()) return Eligibility::delayed;
    if (standby.replay_paused) return Eligibility::replay_paused;
    if (!standby.timeline || !expected) return Eligibility::unknown_timeline;
    if (*standby.timeline != *expected) return Eligibility::other_timeline;
    if (went_back(input.saved, server.name, {*standby.timeline, standby.received}, false)) return Eligibility::went_back;
    return Eligibility::eligible;
}

/// Smaller is better: eligible before not, further before nearer, lower priority number, then the name.
bool better(const Ranked& a, const Ranked& b) {
    const bool a_may = a.eligibility == Eligibility::eligible;
    const bool b_may = b.eligibility == Eligibility::eligible;
    if (a_may != b_may) return a_may;
    if (!a_may) return a.server < b.server;
    const auto position = [](const Ranked& it) { return it.received ? it.received->lsn : model::Lsn{0}; };
    return std::tuple{position(b), a.priority, a.server} < std::tuple{position(a), b.priority, b.server};
}

}  // namespace

const Ranked* Ranking::winner() const {
    if (best_first.empty() || best_first.front().eligibility != Eligibility::eligible) return nullptr;
    return &best_first.front();
}

Ranking rank(const AnalysisInput& input, const Analysis& analysis) {
    Ranking out;
    const auto expected = expected_timeline(input);
    for (const ReplicaView& view : analysis.replicas) {
        const auto server = std::ranges::find(input.saved.servers, view.server, &model::ServerDefinition::name);
        Ranked& it = out.best_first.emplace_back(Ranked{
            .server = view.server,
            .eligibility = judge(input, *server, view, expected),
            .priority = server->failover_priority,
            .received = {}});
        if (const model::StandbyAnswer* standby = view.standby(); standby != nullptr && standby->timeline)
            it.received = model::WalPosition{*standby->timeline, standby->received};
    }
    std::ranges::sort(out.best_first, better);
    return out;
}

}  // namespace handyrep::decide
