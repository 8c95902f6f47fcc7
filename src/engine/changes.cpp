#include "engine/changes.hpp"

#include "base/text.hpp"
#include "decide/gates.hpp"
#include "decide/look.hpp"

#include <algorithm>

namespace handyrep::engine {

using model::Role;
using model::SavedState;
using model::ServerName;

void move_role(SavedState& saved, const ServerName& server) {
    for (model::ServerDefinition& it : saved.servers) {
        if (it.name == server) it.role = Role::primary;
        if (it.name != server && it.role == Role::primary) it.role = Role::replica;
    }
    saved.primary = server;
    std::erase_if(saved.must_be_down, [&](const model::MustBeDown& it) { return it.server == server; });
    // Who confirmed what, and by which rule, was about the old one.
    saved.former_synchronous_standby_names.reset();
    saved.sync_members.clear();
    saved.acknowledged.reset();
    ++saved.epoch;
}

bool note_sync_members(SavedState& saved, const model::PrimaryAnswer& primary, WallTime now) {
    constexpr auto memory = std::chrono::hours{24};
    const std::size_t before = saved.sync_members.size();
    std::erase_if(saved.sync_members, [&](const model::SyncMember& it) { return now - it.seen > memory; });
    bool changed = saved.sync_members.size() != before;
    for (const model::WalSender& sender : primary.senders) {
        if (sender.sync_state != "sync" && sender.sync_state != "quorum" && sender.sync_state != "potential") continue;
        const std::string name = lower(sender.application_name);
        const auto known = std::ranges::find_if(
            saved.sync_members, [&](const model::SyncMember& it) { return it.application_name == name && it.address == sender.address; });
        if (known != saved.sync_members.end()) {
            known->seen = now;
        } else {
            saved.sync_members.push_back({name, sender.address, now});
            changed = true;
        }
    }
    return changed;
}

void note_acknowledged(SavedState& saved, const model::PrimaryAnswer& primary) {
    const auto confirmed = decide::confirmed_by_set(primary);
    if (!confirmed) return;
    const bool same_timeline = saved.acknowledged && saved.acknowledged->timeline == primary.timeline;
    if (!same_timeline || saved.acknowledged->lsn < *confirmed) saved.acknowledged = model::WalPosition{primary.timeline, *confirmed};
}

void record_promotion(SavedState& saved, const Promotion& promotion) {
    move_role(saved, promotion.promoted);
    saved.possible_primary.reset();
    saved.last_failover = model::LastFailover{promotion.at, promotion.old_primary, promotion.promoted, !promotion.automatic};
    const auto old = std::ranges::find(saved.servers, promotion.old_primary, &model::ServerDefinition::name);
    if (old == saved.servers.end() || !saved.system_id) return;

    std::erase_if(saved.must_be_down, [&](const model::MustBeDown& it) { return it.server == promotion.old_primary; });
    const model::WalPosition last = promotion.old_position.value_or(model::WalPosition{model::Timeline{0}, model::Lsn{0}});
    // Without the history the fork is where the candidate stood: the promotion switches there.
    const model::TimelineHistory history =
        promotion.history.value_or(model::TimelineHistory{model::Timeline{last.timeline.id + 1}, {{last.timeline, last.lsn}}});
    const model::TimelineSwitch fork =
        history.switches().empty() ? model::TimelineSwitch{last.timeline, last.lsn} : history.switches().back();
    // The next candidate must be on this timeline: one that still is on the old one would make a twin of it (same number, other WAL).
    std::erase_if(saved.highest, [&](const model::HighestSeen& it) { return it.server == promotion.promoted; });
    saved.highest.push_back({promotion.promoted, {history.current(), fork.at}});
    // Who was barred in favour of the old primary is barred in favour of the new one, which descends from it: otherwise nobody
    // would be left whose presence lets it be stopped.
    for (model::MustBeDown& it : saved.must_be_down) {
        if (history.left(it.fork.timeline) != it.fork.lsn) continue;
        it.successor = promotion.promoted;
        it.successor_history = history;
        it.epoch = saved.epoch;
    }
    saved.must_be_down.push_back(
        {.server = promotion.old_primary,
         .system_id = *saved.system_id,
         .hostname = old->hostname,
         .pgdata = old->pgdata,
         .fork = {fork.from, fork.at},
         .successor = promotion.promoted,
         .successor_history = history,
         .epoch = saved.epoch});
}

std::optional<ServerName> adoptable(const decide::AnalysisInput& input, const decide::Analysis& analysis) {
    if (!analysis.writable || !input.saved.primary || *analysis.writable == *input.saved.primary) return std::nullopt;
    if (input.saved.barred(*analysis.writable) != nullptr) return std::nullopt;
    const auto* const risen = input.evidence.find(*analysis.writable);
    const auto* const held = input.evidence.find(*input.saved.primary);
    if (risen == nullptr || held == nullptr || !risen->last_answer) return std::nullopt;
    const bool now_a_standby = !held->bad_since && held->last_answer && held->last_answer->what.standby() != nullptr;
    if (now_a_standby) return analysis.writable;

    const bool dead =
        analysis.situation == decide::Situation::primary_dead || analysis.situation == decide::Situation::primary_dead_some_replicas_lost;
    const model::PrimaryAnswer* const primary = risen->last_answer->what.primary();
    if (!dead || primary == nullptr || !primary->history || !held->last_answer || held->last_answer->what.primary() == nullptr)
        return std::nullopt;
    if (!primary->history->left(held->last_answer->what.primary()->timeline)) return std::nullopt;
    return analysis.writable;
}

std::vector<ServerName> void_entries(const decide::AnalysisInput& input) {
    std::vector<ServerName> out;
    const auto out_of_recovery = decide::seen_out_of_recovery(input);
    for (const model::MustBeDown& entry : input.saved.must_be_down) {
        const auto* const seen = input.evidence.find(entry.server);
        if (seen == nullptr || seen->bad_since || !seen->last_answer || seen->last_answer->what.system_id != entry.system_id) continue;
        const model::StandbyAnswer* const standby = seen->last_answer->what.standby();
        const bool follows_successor = standby != nullptr && standby->receiver && standby->receiver->status == "streaming" &&
                                       standby->timeline && *standby->timeline >= entry.successor_history.current();
        if (follows_successor || decide::judge_barred(input, *seen, out_of_recovery) == decide::Barred::entry_is_void)
            out.push_back(entry.server);
    }
    return out;
}

bool follows(
    const model::StandbyAnswer& standby, const model::ServerDefinition& upstream, const std::optional<model::TimelineHistory>& history) {
    if (!standby.receiver || standby.receiver->status != "streaming" || standby.receiver->sender_port != upstream.port ||
        standby.receiver->sender_host != upstream.hostname) {
        return false;
    }
    if (!history) return true;
    const bool past_fork = history->switches().empty() || standby.replayed > history->switches().back().at;
    return standby.timeline == history->current() && past_fork;
}

}  // namespace handyrep::engine
