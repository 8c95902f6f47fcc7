#include "decide/gates.hpp"

#include "base/text.hpp"
#include "model/sync_standbys.hpp"
#include "model/version_facts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace handyrep::decide {

using model::Bytes;
using model::Lsn;
using model::ServerName;
using model::SyncStandbys;

std::string_view word_for(Proof proof) {
    switch (proof) {
        case Proof::nothing: return "nothing";
        case Proof::witnessed: return "witnessed";
        case Proof::lease_expired: return "lease_expired";
        case Proof::quorum_revoked: return "quorum_revoked";
        case Proof::fence_hook: return "fence_hook";
        case Proof::processes_gone: return "processes_gone";
    }
    return "";
}

std::string_view word_for(Closed closed) {
    switch (closed) {
        case Closed::fence_unreachable: return "FenceUnreachable";
        case Closed::fence_failed: return "FenceFailed";
        case Closed::witness_missing: return "WitnessMissing";
        case Closed::witness_reaches_primary: return "WitnessReachesPrimary";
        case Closed::replica_not_detached: return "ReplicaNotDetached";
        case Closed::silence_too_short: return "SilenceTooShort";
        case Closed::loss_too_large: return "LossTooLarge";
        case Closed::loss_unknown: return "LossUnknown";
        case Closed::sync_set_open: return "SyncSetOpen";
        case Closed::sync_name_shared: return "SyncNameShared";
        case Closed::sync_member_unmanaged: return "SyncMemberUnmanaged";
        case Closed::sync_member_too_old: return "SyncMemberTooOld";
        case Closed::sync_members_missing: return "SyncMembersMissing";
        case Closed::sync_unknown: return "SyncUnknown";
        case Closed::not_replayed: return "NotReplayed";
        case Closed::below_acknowledged: return "BelowAcknowledged";
    }
    return "";
}

const std::string& text_of(const Gate& gate) {
    if (const auto* open = std::get_if<GateOpen>(&gate)) return open->text;
    return std::get<GateClosed>(gate).text;
}

namespace {

/// The conditions of `witnessed` that do not depend on whether the detaching was done already. Nothing: they hold.
std::optional<GateClosed> witnesses_object(const AnalysisInput& input, const Analysis& analysis) {
    if (analysis.situation != Situation::primary_dead) {
        return GateClosed{
            Closed::fence_unreachable, fmt::format(
                                           "policy 'witnessed' applies to PrimaryDead only, not to {}; the primary's host must be fenced",
                                           word_for(analysis.situation))};
    }
    if (analysis.primary_host_lives) {
        return GateClosed{
            Closed::fence_unreachable,
            fmt::format(
                "the primary's machine refuses the port, so it lives and must be fenced; its shell answered less than {} ago, or is being opened",
                text(host_memory))};
    }
    for (const ReplicaView& view : analysis.replicas) {
        if (view.reach == model::Reach::accepted)
            return GateClosed{Closed::witness_reaches_primary, fmt::format("the host of {} reaches the primary", view.server.text())};
        if (!view.valid) return GateClosed{Closed::witness_missing, fmt::format("{} is not seen", view.server.text())};
        if (view.reach == model::Reach::unknown)
            return GateClosed{
                Closed::witness_missing, fmt::format("the host of {} cannot say whether it reaches the primary", view.server.text())};
        if (!model::facts_of(view.answer->version).stays_detached)
            return GateClosed{
                Closed::replica_not_detached,
                fmt::format("{} is older than PostgreSQL 13: only a restart keeps it from streaming again", view.server.text())};
    }
    if (!analysis.dials_silent_long_enough) {
        return GateClosed{
            Closed::silence_too_short, fmt::format(
                                           "the primary's port must be silent or refused for {} when its host cannot be fenced",
                                           text(input.settings.silence_timeout))};
    }
    return std::nullopt;
}

const model::PrimaryAnswer* last_primary_answer(const AnalysisInput& input) {
    const model::ServerEvidence* const seen = input.saved.primary ? input.evidence.find(*input.saved.primary) : nullptr;
    return seen != nullptr && seen->last_answer ? seen->last_answer->what.primary() : nullptr;
}

/// Settings under which commits may have been acknowledged: the primary's as last read by a living session, else as saved by
/// an earlier one, and the one before it while the change is young. Empty: it was never read.
std::vector<std::string> settings_in_force(const AnalysisInput& input) {
    std::vector<std::string> out;
    if (const model::PrimaryAnswer* answer = last_primary_answer(input)) {
        out.push_back(answer->synchronous_standby_names);
    } else if (input.saved.synchronous_standby_names) {
        out.push_back(*input.saved.synchronous_standby_names);
    } else {
        return out;
    }
    const auto& former = input.saved.former_synchronous_standby_names;
    if (former && *former != out.front()) out.push_back(*former);
    return out;
}

Gate asynchronous_gate(const AnalysisInput& input, const FinalPosition& chosen, const std::optional<model::WalPosition>& on_disk) {
    const Lsn candidate = chosen.position.lsn;
    auto loss = estimated_loss(input, candidate);
    if (on_disk && on_disk->timeline == chosen.position.timeline) loss = std::max(loss.value_or(Bytes{0}), gap(candidate, on_disk->lsn));
    if (!loss)
        return GateClosed{
            Closed::loss_unknown,
            "the primary's WAL position was never read: the loss cannot be estimated; a person can order the failover"};
    const std::string amount = loss->count == 0 ? "no WAL that the primary was seen to flush would be lost"
                                                : fmt::format("at least {} of flushed WAL would be lost", text(*loss));
    if (*loss > input.settings.max_lag_on_failover) {
        return GateClosed{
            Closed::loss_too_large,
            fmt::format("{}; failover.max_lag_on_failover is {}", amount, text(input.settings.max_lag_on_failover))};
    }
    return GateOpen{Proof::nothing, amount};
}

/// Two walsenders of one name at once, or of one name from two machines lately: each could confirm for it.
bool is_shared(const AnalysisInput& input, std::span<const FinalPosition> finals, const std::string& name) {
    const auto bears = [&](const auto& it) { return lower(it.application_name) == name; };
    if (std::ranges::count_if(finals, bears) > 1 || std::ranges::count_if(input.saved.sync_members, bears) > 1) return true;
    const model::PrimaryAnswer* const answer = last_primary_answer(input);
    return answer != nullptr && std::ranges::count_if(answer->senders, bears) > 1;
}

const model::ServerDefinition* bearer_of(const AnalysisInput& input, const std::string& name) {
    const auto found = std::ranges::find_if(
        input.saved.servers, [&](const model::ServerDefinition& it) { return lower(application_name_of(input.saved, it.name)) == name; });
    return found == input.saved.servers.end() ? nullptr : &*found;
}

/// Why a member is missing that cannot be detached at all; nothing: it was only not seen.
std::optional<Closed> hopeless(const AnalysisInput& input, const std::string& name) {
    const model::ServerDefinition* const bearer = bearer_of(input, name);
    if (bearer == nullptr) return Closed::sync_member_unmanaged;
    const model::ServerEvidence* const seen = input.evidence.find(bearer->name);
    const bool old = seen != nullptr && seen->last_answer && !model::facts_of(seen->last_answer->what.version).stays_detached;
    return old ? std::optional{Closed::sync_member_too_old} : std::nullopt;
}

GateClosed too_few(const AnalysisInput& input, const SyncStandbys& set, const Revocation& revocation) {
    GateClosed out{
        Closed::sync_members_missing, fmt::format(
                                          "{} of {} synchronous members must be detached and read, {} are; missing: {}", revocation.needed,
                                          set.names.size(), revocation.detached, join(revocation.missing, ", "))};
    for (const std::string& name : revocation.missing) {
        const auto why = hopeless(input, name);
        if (!why) continue;
        out.why = *why;
        out.text += *why == Closed::sync_member_unmanaged ? fmt::format("; '{}' belongs to no configured server", name)
                                                          : fmt::format("; '{}' is older than PostgreSQL 13", name);
        break;
    }
    return out;
}

/// Enough members of the set detached and read, and the candidate not behind any (S2, S5).
Gate synchronous_gate(
    const AnalysisInput& input, const SyncStandbys& set, std::span<const FinalPosition> finals, const FinalPosition& chosen) {
    const Revocation revocation = revocation_of(input, set, finals);
    if (revocation.impossible) return *revocation.impossible;
    if (!revocation.enough() || !revocation.highest) return too_few(input, set, revocation);
    if (!chosen.replayed_all) {
        return GateClosed{
            Closed::not_replayed, fmt::format(
                                      "{} has not replayed yet what it received up to {}: how far its WAL is whole is not known",
                                      chosen.server.text(), chosen.position.lsn.text())};
    }
    if (chosen.position.lsn < *revocation.highest) {
        return GateClosed{
            Closed::loss_too_large,
            fmt::format("{} lacks WAL that a synchronous member has: it may hold acknowledged commits", chosen.server.text())};
    }
    return GateOpen{Proof::nothing, "every commit that a synchronous standby confirmed is on the candidate"};
}

/// Every setting under which a commit may have been acknowledged must be satisfied, and what was seen acknowledged be there.
Gate durable(
    const AnalysisInput& input, std::span<const FinalPosition> finals, const FinalPosition& chosen,
    const std::optional<model::WalPosition>& on_disk = {}) {
    std::vector<std::string> settings = settings_in_force(input);
    std::string text;
    if (on_disk && holds_all(input, chosen, on_disk)) {
        settings.clear();
        text = fmt::format("it holds everything that is on the fenced primary's disk, up to {}", on_disk->lsn.text());
    } else if (settings.empty()) {
        return GateClosed{Closed::sync_unknown, "the primary's synchronous_standby_names was never read"};
    }
    for (const std::string& setting : settings) {
        const auto set = SyncStandbys::parse(setting);
        if (!set) return GateClosed{Closed::sync_set_open, set.error().what};
        Gate gate = *set ? synchronous_gate(input, **set, finals, chosen) : asynchronous_gate(input, chosen, on_disk);
        if (!is_open(gate)) return gate;
        text += (text.empty() ? "" : "; ") + text_of(gate);
    }
    const auto& acknowledged = input.saved.acknowledged;
    // Compared with what arrived: what standbys confirmed may itself end within a record, which no commit waited for.
    const Lsn arrived = std::max(chosen.position.lsn, chosen.received);
    if (acknowledged && acknowledged->timeline == chosen.position.timeline && arrived < acknowledged->lsn) {
        return GateClosed{
            Closed::below_acknowledged,
            fmt::format(
                "{} is {} behind {}, which synchronous standbys were seen to confirm: commits up to there may be acknowledged",
                chosen.server.text(), model::text(gap(arrived, acknowledged->lsn)), model::text(*acknowledged))};
    }
    return GateOpen{Proof::nothing, text};
}

}  // namespace

std::string application_name_of(const model::SavedState& saved, const ServerName& server) {
    const auto remembered = std::ranges::find(saved.upstream_settings, server, &model::UpstreamSettings::server);
    if (remembered == saved.upstream_settings.end()) return server.text();
    return model::value_in(remembered->conninfo, "application_name").value_or("walreceiver");  // libpqwalreceiver's own default
}

Revocation revocation_of(const AnalysisInput& input, const SyncStandbys& set, std::span<const FinalPosition> finals) {
    Revocation out{.needed = set.to_revoke()};
    if (set.open())
        out.impossible =
            GateClosed{Closed::sync_set_open, "synchronous_standby_names contains '*': nobody can count who may have confirmed a commit"};
    for (const std::string& name : set.names) {
        if (is_shared(input, finals, name))
            out.impossible = GateClosed{Closed::sync_name_shared, fmt::format("two servers use the application_name '{}'", name)};
        const auto member = std::ranges::find_if(finals, [&](const FinalPosition& it) { return lower(it.application_name) == name; });
        if (member == finals.end() || !member->detached) {
            out.missing.push_back(name);
            continue;
        }
        ++out.detached;
        out.highest = std::max(out.highest.value_or(member->position.lsn), member->position.lsn);
    }
    return out;
}

std::optional<Lsn> confirmed_by_set(const model::PrimaryAnswer& primary) {
    const auto set = SyncStandbys::parse(primary.synchronous_standby_names);
    if (!set || !*set) return std::nullopt;
    std::vector<Lsn> flushed;
    for (const model::WalSender& it : primary.senders) {
        if ((it.sync_state == "sync" || it.sync_state == "quorum") && it.flushed) flushed.push_back(*it.flushed);
    }
    if (flushed.size() < (*set)->required) return std::nullopt;
    std::ranges::sort(flushed, std::greater{});
    return flushed[(*set)->required - 1];
}

std::optional<PrimaryEnd> last_known_end(const AnalysisInput& input) {
    if (!input.saved.primary) return std::nullopt;
    const model::ServerEvidence* const seen = input.evidence.find(*input.saved.primary);
    if (seen == nullptr || !seen->last_answer || seen->last_answer->what.primary() == nullptr) return std::nullopt;
    return PrimaryEnd{seen->last_answer->what.primary()->flushed, input.now - seen->last_answer->at};
}

std::optional<Bytes> estimated_loss(const AnalysisInput& input, Lsn candidate) {
    if (const auto end = last_known_end(input)) return gap(candidate, end->flushed);
    if (!input.saved.primary) return std::nullopt;
    const auto highest = std::ranges::find(input.saved.highest, *input.saved.primary, &model::HighestSeen::server);
    if (highest == input.saved.highest.end()) return std::nullopt;
    return gap(candidate, highest->position.lsn);
}

Gate fence_outlook(const AnalysisInput& input, const Analysis& analysis) {
    if (analysis.primary_host_answers)
        return GateOpen{
            Proof::processes_gone,
            "the primary's host answers: every PostgreSQL process there can be ended and its directory marked standby"};
    if (input.settings.fencing == model::Fencing::none)
        return GateOpen{Proof::nothing, "failover.fencing is 'none': no proof is asked for"};
    if (input.settings.fencing == model::Fencing::strict)
        return GateClosed{Closed::fence_unreachable, "the primary's host cannot be fenced, and failover.fencing is 'strict'"};
    if (auto objection = witnesses_object(input, analysis)) return *std::move(objection);
    return GateOpen{
        Proof::witnessed,
        "every replica is seen and no replica's host reaches the primary (this is not a fence: clients beside the primary could go on writing there)"};
}

Gate fence_gate(const AnalysisInput& input, const Analysis& analysis, const FenceOutcome& fence, std::span<const FinalPosition> finals) {
    if (fence.processes_gone) return GateOpen{Proof::processes_gone, fence.text};
    if (input.settings.fencing == model::Fencing::none)
        return GateOpen{Proof::nothing, "failover.fencing is 'none': no proof is asked for"};
    const std::string tried = fence.text.empty() ? "the fence was not possible" : fence.text;
    if (input.settings.fencing == model::Fencing::strict) return GateClosed{Closed::fence_failed, tried};
    // A host that answers must be fenced: witnesses are for hosts that nobody reaches.
    if (analysis.primary_host_answers || fence.host_answered) return GateClosed{Closed::fence_failed, tried};
    if (auto objection = witnesses_object(input, analysis)) return *std::move(objection);
    for (const ReplicaView& view : analysis.replicas) {
        const auto final_position = std::ranges::find(finals, view.server, &FinalPosition::server);
        if (final_position == finals.end() || !final_position->detached)
            return GateClosed{Closed::replica_not_detached, fmt::format("{} is not detached", view.server.text())};
    }
    return GateOpen{Proof::witnessed, "every replica is detached and no replica's host reaches the primary"};
}

Gate durability_outlook(const AnalysisInput& input, const Analysis& analysis, const Ranked& candidate) {
    // Seen from now: every visible replica counts as one that could be detached and read.
    std::vector<FinalPosition> finals;
    const FinalPosition chosen{candidate.server, {}, true, candidate.received.value_or(model::WalPosition{model::Timeline{0}, Lsn{0}})};
    for (const ReplicaView& view : analysis.replicas) {
        if (!view.valid || view.standby() == nullptr || view.attachment == Attachment::elsewhere) continue;
        // What cannot be kept from streaming again is read for good only once the primary's processes are gone.
        if (!model::facts_of(view.answer->version).stays_detached && !analysis.primary_host_answers) continue;
        const model::WalPosition position{view.standby()->timeline.value_or(chosen.position.timeline), view.standby()->received};
        finals.push_back({view.server, application_name_of(input.saved, view.server), true, position});
    }
    return durable(input, finals, chosen);
}

bool holds_all(const AnalysisInput& input, const FinalPosition& chosen, const std::optional<model::WalPosition>& on_disk) {
    if (!on_disk || on_disk->timeline != chosen.position.timeline || chosen.position.lsn < on_disk->lsn) return false;
    return estimated_loss(input, on_disk->lsn).value_or(Bytes{0}) == Bytes{0};
}

Gate durability_gate(
    const AnalysisInput& input, std::span<const FinalPosition> finals, const ServerName& candidate,
    const std::optional<model::WalPosition>& on_disk) {
    const auto chosen = std::ranges::find(finals, candidate, &FinalPosition::server);
    if (chosen == finals.end())
        return GateClosed{Closed::loss_unknown, fmt::format("the final WAL position of {} could not be read", candidate.text())};
    std::vector<FinalPosition> named(finals.begin(), finals.end());
    for (FinalPosition& it : named) {
        if (it.application_name.empty()) it.application_name = application_name_of(input.saved, it.server);
    }
    return durable(input, named, *chosen, on_disk);
}

}  // namespace handyrep::decide
