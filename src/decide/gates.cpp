#include "decide/gates.hpp"

#include "base/text.hpp"
#include "model/sync_standbys.hpp"

#include <fmt/format.h>

#include <algorithm>

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
        case Closed::sync_members_missing: return "SyncMembersMissing";
        case Closed::sync_unknown: return "SyncUnknown";
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
    for (const ReplicaView& view : analysis.replicas) {
        if (view.reach == model::Reach::accepted)
            return GateClosed{Closed::witness_reaches_primary, fmt::format("the host of {} reaches the primary", view.server.text())};
        if (!view.valid) return GateClosed{Closed::witness_missing, fmt::format("{} is not seen", view.server.text())};
        if (view.reach == model::Reach::unknown)
            return GateClosed{
                Closed::witness_missing, fmt::format("the host of {} cannot say whether it reaches the primary", view.server.text())};
    }
    if (!analysis.dials_silent_long_enough) {
        return GateClosed{
            Closed::silence_too_short, fmt::format(
                                           "the primary's port must be silent or refused for {} when its host cannot be fenced",
                                           text(input.settings.silence_timeout))};
    }
    return std::nullopt;
}

/// The primary's setting as last read by a living session, else as saved by an earlier one.
const std::string* synchronous_setting(const AnalysisInput& input) {
    if (input.saved.primary) {
        const model::ServerEvidence* const seen = input.evidence.find(*input.saved.primary);
        if (seen != nullptr && seen->last_answer && seen->last_answer->what.primary() != nullptr)
            return &seen->last_answer->what.primary()->synchronous_standby_names;
    }
    return input.saved.synchronous_standby_names ? &*input.saved.synchronous_standby_names : nullptr;
}

Gate asynchronous_gate(const AnalysisInput& input, Lsn candidate) {
    const auto loss = estimated_loss(input, candidate);
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

/// Members of the set with a final position: enough of them, none shared, and the candidate not behind any (S2, S5).
Gate synchronous_gate(const SyncStandbys& set, std::span<const FinalPosition> finals, const ServerName& candidate) {
    if (set.open())
        return GateClosed{
            Closed::sync_set_open, "synchronous_standby_names contains '*': nobody can count who may have confirmed a commit"};
    std::vector<std::string> missing;
    std::optional<Lsn> highest;
    std::size_t detached = 0;
    for (const std::string& name : set.names) {
        const auto bears_name = [&](const FinalPosition& it) { return lower(it.application_name) == name; };
        if (std::ranges::count_if(finals, bears_name) > 1)
            return GateClosed{Closed::sync_set_open, fmt::format("two servers use the application_name '{}'", name)};
        const auto member = std::ranges::find_if(finals, bears_name);
        if (member == finals.end() || !member->detached) {
            missing.push_back(name);
            continue;
        }
        ++detached;
        highest = std::max(highest.value_or(member->position.lsn), member->position.lsn);
    }
    if (detached < set.to_revoke() || !highest) {
        return GateClosed{
            Closed::sync_members_missing, fmt::format(
                                              "{} of {} synchronous members must be detached and read, {} are; missing: {}",
                                              set.to_revoke(), set.names.size(), detached, join(missing, ", "))};
    }
    const auto chosen = std::ranges::find(finals, candidate, &FinalPosition::server);
    if (chosen == finals.end() || chosen->position.lsn < *highest) {
        return GateClosed{
            Closed::loss_too_large,
            fmt::format("{} lacks WAL that a synchronous member has: it may hold acknowledged commits", candidate.text())};
    }
    return GateOpen{Proof::nothing, "every commit that a synchronous standby confirmed is on the candidate"};
}

}  // namespace

std::string application_name_of(const model::SavedState& saved, const ServerName& server) {
    const auto remembered = std::ranges::find(saved.upstream_settings, server, &model::UpstreamSettings::server);
    if (remembered == saved.upstream_settings.end()) return server.text();
    const std::string& conninfo = remembered->conninfo;
    const auto at = conninfo.find("application_name=");
    if (at == std::string::npos) return "walreceiver";  // libpqwalreceiver's own default
    const auto from = at + std::string_view{"application_name="}.size();
    const std::string value = conninfo.substr(from, conninfo.find(' ', from) - from);
    return value.size() >= 2 && value.front() == '\'' ? value.substr(1, value.size() - 2) : value;
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
    if (analysis.primary_host_answers) return GateClosed{Closed::fence_failed, tried};
    if (auto objection = witnesses_object(input, analysis)) return *std::move(objection);
    for (const ReplicaView& view : analysis.replicas) {
        const auto final_position = std::ranges::find(finals, view.server, &FinalPosition::server);
        if (final_position == finals.end() || !final_position->detached)
            return GateClosed{Closed::replica_not_detached, fmt::format("{} is not detached", view.server.text())};
    }
    return GateOpen{Proof::witnessed, "every replica is detached and no replica's host reaches the primary"};
}

Gate durability_outlook(const AnalysisInput& input, const Analysis& analysis, const model::WalPosition& candidate) {
    // Seen from now: every visible replica counts as one that could be detached and read.
    std::vector<FinalPosition> finals;
    std::optional<ServerName> furthest;
    for (const ReplicaView& view : analysis.replicas) {
        if (!view.valid || view.standby() == nullptr || view.attachment == Attachment::elsewhere) continue;
        if (view.answer->version.major() < 13) continue;  // its receiver cannot be stopped without a restart (S21)
        const model::WalPosition position{view.standby()->timeline.value_or(candidate.timeline), view.standby()->received};
        finals.push_back({view.server, application_name_of(input.saved, view.server), true, position});
        if (position == candidate && !furthest) furthest = view.server;
    }
    const std::string* const setting = synchronous_setting(input);
    if (setting == nullptr) return GateClosed{Closed::sync_unknown, "the primary's synchronous_standby_names was never read"};
    const auto set = SyncStandbys::parse(*setting);
    if (!set) return GateClosed{Closed::sync_set_open, set.error().what};
    if (!*set) return asynchronous_gate(input, candidate.lsn);
    if (!furthest) return GateClosed{Closed::sync_members_missing, "no visible replica can be detached and read"};
    return synchronous_gate(**set, finals, *furthest);
}

Gate durability_gate(const AnalysisInput& input, std::span<const FinalPosition> finals, const ServerName& candidate) {
    const auto chosen = std::ranges::find(finals, candidate, &FinalPosition::server);
    if (chosen == finals.end())
        return GateClosed{Closed::loss_unknown, fmt::format("the final WAL position of {} could not be read", candidate.text())};
    const std::string* const setting = synchronous_setting(input);
    if (setting == nullptr) return GateClosed{Closed::sync_unknown, "the primary's synchronous_standby_names was never read"};
    const auto set = SyncStandbys::parse(*setting);
    if (!set) return GateClosed{Closed::sync_set_open, set.error().what};
    if (!*set) return asynchronous_gate(input, chosen->position.lsn);
    std::vector<FinalPosition> named(finals.begin(), finals.end());
    for (FinalPosition& it : named) {
        if (it.application_name.empty()) it.application_name = application_name_of(input.saved, it.server);
    }
    return synchronous_gate(**set, named, candidate);
}

}  // namespace handyrep::decide
