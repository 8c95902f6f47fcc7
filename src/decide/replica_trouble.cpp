// Findings about one replica, and about any server that answers what cannot be.
#include "decide/findings.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace handyrep::decide {

using model::ServerEvidence;

namespace {

/// Twice wal_retrieve_retry_interval: a receiver that only lost its connection is back by then.
constexpr Duration patience_with_receiver = std::chrono::seconds{10};

const model::Answered* held_answer_of(const AnalysisInput& input, const model::ServerName& server) {
    const ServerEvidence* const seen = input.evidence.find(server);
    return seen != nullptr && seen->held ? std::get_if<model::Answered>(&seen->held->what) : nullptr;
}

std::optional<model::WalPosition> position_of(const model::Answered& answer) {
    if (const auto* primary = answer.primary()) return model::WalPosition{primary->timeline, primary->flushed};
    const model::StandbyAnswer& standby = *answer.standby();
    if (!standby.timeline) return std::nullopt;
    return model::WalPosition{*standby.timeline, standby.received};
}

void find_lag(Finder& finder, const ReplicaView& view) {
    const auto& primary_name = finder.input.saved.primary;
    const ServerEvidence* const primary = primary_name ? finder.input.evidence.find(*primary_name) : nullptr;
    const model::PrimaryAnswer* const ahead = primary != nullptr && primary->last_answer ? primary->last_answer->what.primary() : nullptr;
    const model::Bytes limit = finder.define(view.server).lag_limit;
    if (ahead == nullptr || gap(view.standby()->received, ahead->flushed) <= limit) return;
    finder.add(
        FindingKind::replica_lagged, view.server,
        fmt::format(
            "{} is {} behind the primary (limit {})", view.server.text(), text(gap(view.standby()->received, ahead->flushed)),
            text(limit)));
}

/// A receiver that hears nothing goes on saying "streaming" for wal_receiver_timeout (S6). Without heartbeats an idle primary is silent
/// that long too, so there must be something that it does not get.
bool is_mute(const Finder& finder, const ReplicaView& view) {
    const model::PrimaryAnswer* const primary = finder.primary_answer();
    if (view.attachment != Attachment::stale || primary == nullptr) return false;
    const model::StandbyAnswer& standby = *view.standby();
    return standby.receiver && standby.receiver->message_age >= patience_with_receiver && standby.received < primary->flushed;
}

void find_detachment(Finder& finder, const ReplicaView& view) {
    if (is_mute(finder, view)) {
        finder.add(
            FindingKind::replica_detached, view.server, fmt::format("{} receives nothing: it {}", view.server.text(), word_for(view.link)));
        return;
    }
    if (view.link != Attachment::gone && view.link != Attachment::forked) return;
    finder.add(
        FindingKind::replica_detached, view.server, fmt::format("{} receives nothing: it {}", view.server.text(), word_for(view.link)));
    const ServerEvidence* const seen = finder.input.evidence.find(view.server);
    const bool for_long = seen->unattached_since && finder.input.now - *seen->unattached_since >= patience_with_receiver;
    const bool of_primary = !view.upstream || view.upstream == finder.input.saved.primary;
    if (finder.primary_answer() == nullptr || !for_long || !of_primary || view.link != Attachment::gone) return;
    const std::string reach = view.reach == model::Reach::unknown ? "" : fmt::format("; its host {}", word_for(view.reach));
    finder.add(
        FindingKind::replica_cannot_reach_primary, view.server,
        fmt::format(
            "{} has had no WAL receiver for {} although the primary answers{}", view.server.text(),
            text(std::chrono::floor<std::chrono::seconds>(finder.input.now - *seen->unattached_since)), reach));
}

/// By the replay position, never by what was received: half a record past the fork is no divergence (S11).
void find_drift(Finder& finder, const ReplicaView& view) {
    const model::PrimaryAnswer* const primary = finder.primary_answer();
    const model::StandbyAnswer& standby = *view.standby();
    if (primary == nullptr || !standby.timeline) return;
    const model::WalPosition replayed{*standby.timeline, standby.replayed};
    if (primary->history && !primary->history->contains(replayed)) {
        finder.add(
            FindingKind::diverged_replica, view.server,
            fmt::format(
                "{} has replayed up to {}, which the history of the primary (timeline {}) does not contain: it must be rewound or cloned",
                view.server.text(), text(replayed), primary->timeline.id));
    } else if (*standby.timeline != primary->timeline) {
        finder.add(
            FindingKind::timeline_drift, view.server,
            fmt::format(
                "{} is on timeline {}, the primary on timeline {}", view.server.text(), standby.timeline->id, primary->timeline.id));
    }
}

void find_recovery_target(Finder& finder, const ReplicaView& view) {
    const model::Details* const details = fresh_details(finder.input, view.server);
    if (details == nullptr || details->recovery_target_timeline.empty() || details->recovery_target_timeline == "latest") return;
    finder.add(
        FindingKind::timeline_drift, view.server,
        fmt::format(
            "{} has recovery_target_timeline = '{}': it would not follow a new primary", view.server.text(),
            details->recovery_target_timeline));
}

void find_one(Finder& finder, const ReplicaView& view) {
    const ServerEvidence* const seen = finder.input.evidence.find(view.server);
    if (seen == nullptr) return;
    if (const model::Answered* any = held_answer_of(finder.input, view.server); any != nullptr && is_foreign(finder.input, *any)) return;
    if (!view.answer) {
        if (seen->bad_since || !seen->last_answer)
            finder.add(
                FindingKind::replica_dead, view.server,
                fmt::format("{} does not answer: {}", view.server.text(), describe_sight(finder.input, *seen)));
        return;
    }
    find_detachment(finder, view);
    find_drift(finder, view);
    find_recovery_target(finder, view);
    find_lag(finder, view);
}

void find_oddity(Finder& finder, const model::ServerName& server, const model::Answered& answer) {
    if (is_foreign(finder.input, answer)) {
        finder.add(
            FindingKind::foreign_system, server,
            fmt::format("{} belongs to another system (identifier {}): it is never a candidate", server.text(), answer.system_id.value));
        return;
    }
    if (answer.version.major() > newest_known_major) {
        finder.add(
            FindingKind::version_unknown, server,
            fmt::format(
                "{} says it is PostgreSQL {}; this HandyRep knows versions up to {}: it is never a candidate", server.text(),
                answer.version.major(), newest_known_major));
    }
    const auto position = position_of(answer);
    if (!position || !went_back(finder.input.saved, server, *position, answer.primary() != nullptr)) return;
    const auto highest = std::ranges::find(finder.input.saved.highest, server, &model::HighestSeen::server);
    finder.add(
        FindingKind::went_back, server,
        fmt::format(
            "{} is at {}, and was seen at {} before: it is an older copy of itself", server.text(), text(*position),
            text(highest->position)));
}

}  // namespace

bool went_back(const model::SavedState& saved, const model::ServerName& server, model::WalPosition position, bool is_primary) {
    // A standby's receive position may fall back to the start of a segment, and to the end of a record after a restart (T2, S11).
    constexpr model::Bytes slack_of_standby{16ULL << 20U};
    const auto highest = std::ranges::find(saved.highest, server, &model::HighestSeen::server);
    if (highest == saved.highest.end()) return false;
    if (position.timeline != highest->position.timeline) return position.timeline < highest->position.timeline;
    const model::Bytes missing = gap(position.lsn, highest->position.lsn);
    return is_primary ? missing.count > 0 : missing > slack_of_standby;
}

void find_oddities(Finder& finder) {
    for (const model::ServerDefinition& server : finder.input.saved.servers) {
        if (!server.enabled) continue;
        if (const model::Answered* answer = held_answer_of(finder.input, server.name)) find_oddity(finder, server.name, *answer);
    }
}

void find_replica_trouble(Finder& finder) {
    for (const ReplicaView& view : finder.analysis.replicas) find_one(finder, view);
}

}  // namespace handyrep::decide
