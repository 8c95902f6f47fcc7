#include "decide/look.hpp"

#include "model/sync_standbys.hpp"

#include <algorithm>
#include <charconv>

namespace handyrep::decide {

using model::Answered;
using model::DialOutcome;
using model::LastWords;
using model::ServerEvidence;

namespace {

const model::ServerDefinition* definition_of(const AnalysisInput& input, const model::ServerName& name) {
    const auto found = std::ranges::find(input.saved.servers, name, &model::ServerDefinition::name);
    return found == input.saved.servers.end() ? nullptr : &*found;
}

bool is_fresh(const AnalysisInput& input, Instant at, Duration limit) { return input.now - at <= limit; }

/// The held session's last sight, when that is an answer and it is fresh.
const Answered* fresh_answer(const AnalysisInput& input, const ServerEvidence& seen) {
    if (!seen.held || !is_fresh(input, seen.held->at, held_freshness(input.settings))) return nullptr;
    return std::get_if<Answered>(&seen.held->what);
}

std::optional<model::ServerName> server_at(
    const AnalysisInput& input, std::string_view host, std::uint16_t port, const model::ServerName& self) {
    for (const model::ServerDefinition& server : input.saved.servers) {
        if (server.port == port && server.hostname == host && server.name != self) return server.name;
    }
    return std::nullopt;
}

std::uint16_t port_in(const std::string& conninfo) {
    constexpr std::uint16_t usual = 5432;
    const auto text = model::value_in(conninfo, "port");
    std::uint16_t port = usual;
    if (text) std::from_chars(text->data(), text->data() + text->size(), port);
    return port;
}

/// By its receiver, else by the primary_conninfo that was last read of it.
std::optional<model::ServerName> upstream_of(
    const AnalysisInput& input, const model::ServerName& self, const model::StandbyAnswer* standby) {
    if (standby != nullptr && standby->receiver)
        return server_at(input, standby->receiver->sender_host, standby->receiver->sender_port, self);
    const auto known = std::ranges::find(input.saved.upstream_settings, self, &model::UpstreamSettings::server);
    if (known == input.saved.upstream_settings.end()) return std::nullopt;
    return server_at(input, model::value_in(known->conninfo, "host").value_or(""), port_in(known->conninfo), self);
}

Attachment link_of(const AnalysisInput& input, const model::StandbyAnswer& standby, Instant at) {
    if (!standby.receiver) return Attachment::gone;
    const model::WalReceiver& receiver = *standby.receiver;
    if (receiver.status == "waiting") return Attachment::forked;
    if (receiver.status != "streaming") return Attachment::gone;
    const Duration age = receiver.message_age + (input.now - at);
    return age < input.settings.witness_freshness ? Attachment::attached : Attachment::stale;
}

/// A receiver of a server that nobody knows counts as one of the primary: it must not be missed as a witness.
Attachment attachment_of(const AnalysisInput& input, const ReplicaView& view) {
    const bool streams = view.link == Attachment::attached || view.link == Attachment::stale;
    return streams && view.upstream && view.upstream != input.saved.primary ? Attachment::elsewhere : view.link;
}

/// The machine refused the port a moment ago, so it runs, and its shell answered lately: a fence need not wait for another look.
/// Only where the session's own end was heard; a server that was never heard to end may have been stopped by a person.
bool host_will_answer(const AnalysisInput& input, const PrimaryLook& primary) {
    const ServerEvidence& seen = *primary.seen;
    return primary.dial_since_bad() == DialOutcome::refused && seen.last_words && seen.host && seen.host->what.look() != nullptr &&
           is_fresh(input, seen.host->at, host_memory);
}

/// The machine refuses the port, so it runs, and its shell is only slow: it was heard a moment ago. Where the port is silent, too,
/// the machine may be gone since (a reboot is heard until its network ends).
bool host_lives(const AnalysisInput& input, const PrimaryLook& primary) {
    const ServerEvidence& seen = *primary.seen;
    if (primary.dial_since_bad() != DialOutcome::refused || !seen.bad_since) return false;
    if (seen.host_heard && is_fresh(input, *seen.host_heard, host_memory)) return true;
    // Its shell may still be opening, right after our own start: what was not asked yet has not kept silent.
    const bool asked_since = seen.host && seen.host->at - seen.host->what.took >= *seen.bad_since;
    return !asked_since && is_fresh(input, *seen.bad_since, host_patience);
}

/// Asked since the primary went bad, and neither the question nor the answer is old: an answer that a healing network delivers
/// late says nothing of whether the host can be reached now.
bool speaks_for_now(const AnalysisInput& input, const model::Seen<model::HostSight>& host, Instant bad_since) {
    const Instant asked = host.at - host.what.took;
    // Who said no is asked less and less often: his last word stands until another, or silence, takes its place.
    if (host.what.look() == nullptr && host.what.answered()) return asked >= bad_since;
    return asked >= bad_since && is_fresh(input, host.at, host_freshness) && is_fresh(input, asked, 2 * host_freshness);
}

}  // namespace

bool PrimaryLook::stopped_by_administrator() const {
    if (seen == nullptr) return false;
    if (seen->last_words && (seen->last_words->what == LastWords::administrator || seen->last_words->what == LastWords::immediate_stop))
        return true;
    if (seen->last_words && seen->last_words->what != LastWords::none) return false;
    if (seen->recovered) return false;
    if (seen->shut_down) return true;
    return host != nullptr && host->state == model::ControlState::shut_down && host->processes == 0;
}

bool PrimaryLook::dead(const AnalysisInput& input) const {
    const auto outcome = dial_since_bad();
    if (!outcome || !model::is_dead(*outcome) || !seen->held || !seen->bad_since) return false;
    if (seen->bad_looks < input.settings.poll_tries) return false;
    const bool session_ended = !std::holds_alternative<model::Silent>(seen->held->what);
    if (session_ended && outcome == DialOutcome::refused) return true;
    return input.now - *seen->bad_since >= input.settings.silence_timeout;
}

PrimaryLook look_at_primary(const AnalysisInput& input) {
    PrimaryLook out;
    if (!input.saved.primary) return out;
    out.definition = definition_of(input, *input.saved.primary);
    out.seen = input.evidence.find(*input.saved.primary);
    if (out.definition == nullptr || out.seen == nullptr) return out;
    const ServerEvidence& seen = *out.seen;
    out.answer = fresh_answer(input, seen);
    const bool complains = seen.held && std::holds_alternative<model::Complained>(seen.held->what) &&
                           is_fresh(input, seen.held->at, held_freshness(input.settings));
    out.held_answers = out.answer != nullptr || complains;
    if (seen.dial && is_fresh(input, seen.dial->at, dial_freshness(input.settings))) {
        out.dial = seen.dial->what.outcome;
        out.dial_at = seen.dial->at;
    }
    const bool host_is_fresh = seen.host && (!seen.bad_since || speaks_for_now(input, *seen.host, *seen.bad_since));
    if (host_is_fresh) out.host = seen.host->what.look();
    out.host_answers = (host_is_fresh && seen.host->what.answered()) || (!host_is_fresh && host_will_answer(input, out));
    out.host_lives = host_lives(input, out);
    return out;
}

std::vector<ReplicaView> look_at_replicas(const AnalysisInput& input, const PrimaryLook& primary) {
    std::vector<ReplicaView> out;
    for (const model::ServerDefinition& server : input.saved.servers) {
        if (!server.enabled || server.name == input.saved.primary || input.saved.barred(server.name) != nullptr) continue;
        ReplicaView& view = out.emplace_back(ReplicaView{.server = server.name});
        const ServerEvidence* const seen = input.evidence.find(server.name);
        if (seen == nullptr) continue;
        // Before the primary went bad any fresh answer will do; afterwards only one that was asked for since.
        const std::optional<Instant> since = primary.suspected() ? primary.seen->bad_since : std::nullopt;
        const Answered* const answer = fresh_answer(input, *seen);
        if (answer != nullptr && seen->held && answer->standby() != nullptr && !is_foreign(input, *answer)) {
            view.answer = *answer;
            view.valid = !since || seen->held->at >= *since;
            view.link = link_of(input, *answer->standby(), seen->held->at);
        }
        view.upstream = upstream_of(input, server.name, view.standby());
        if (view.answer) view.attachment = attachment_of(input, view);
        if (seen->witness && seen->witness->what.of == input.saved.primary && (!since || seen->witness->at >= *since))
            view.reach = seen->witness->what.reach;
    }
    return out;
}

const Answered* answer_of(const AnalysisInput& input, const model::ServerName& server) {
    const auto* const seen = input.evidence.find(server);
    return seen != nullptr && seen->last_answer && !seen->bad_since ? &seen->last_answer->what : nullptr;
}

const ReplicaView* view_of(const Analysis& analysis, const model::ServerName& server) {
    const auto found = std::ranges::find(analysis.replicas, server, &ReplicaView::server);
    return found == analysis.replicas.end() ? nullptr : &*found;
}

const model::TimelineHistory* history_of_primary(const AnalysisInput& input) {
    const auto* const seen = input.saved.primary ? input.evidence.find(*input.saved.primary) : nullptr;
    const auto* const primary = seen != nullptr && seen->last_answer ? seen->last_answer->what.primary() : nullptr;
    return primary != nullptr && primary->history ? &*primary->history : nullptr;
}

bool is_foreign(const AnalysisInput& input, const Answered& answer) {
    return input.saved.system_id && *input.saved.system_id != answer.system_id;
}

const model::Details* fresh_details(const AnalysisInput& input, const model::ServerName& server) {
    const ServerEvidence* const seen = input.evidence.find(server);
    return seen != nullptr && seen->details && is_fresh(input, seen->details->at, details_freshness) ? &seen->details->what : nullptr;
}

std::optional<SyncLook> look_at_sync(const AnalysisInput& input, const PrimaryLook& primary) {
    const model::PrimaryAnswer* const answer = primary.answer != nullptr ? primary.answer->primary() : nullptr;
    if (answer == nullptr || answer->synchronous_standby_names.empty()) return std::nullopt;
    const auto set = model::SyncStandbys::parse(answer->synchronous_standby_names);
    if (!set || !*set) return std::nullopt;
    // Without pg_monitor the rows of other roles say nothing.
    if (std::ranges::any_of(answer->senders, [](const model::WalSender& it) { return it.state.empty(); })) return std::nullopt;
    SyncLook out{.required = (*set)->required};
    out.attached = static_cast<std::size_t>(std::ranges::count_if(answer->senders, [](const model::WalSender& it) {
        return it.state == "streaming" && (it.sync_state == "sync" || it.sync_state == "quorum");
    }));
    if (const model::Details* details = fresh_details(input, primary.name())) out.wait = details->sync_wait;
    return out;
}

std::vector<const ServerEvidence*> seen_out_of_recovery(const AnalysisInput& input) {
    std::vector<const ServerEvidence*> out;
    for (const ServerEvidence& seen : input.evidence.servers) {
        const Answered* const answer = fresh_answer(input, seen);
        if (answer != nullptr && answer->primary() != nullptr && !is_foreign(input, *answer)) out.push_back(&seen);
    }
    return out;
}

std::vector<model::ServerName> writable_sightings(const AnalysisInput& input) {
    std::vector<model::ServerName> found;
    for (const ServerEvidence& seen : input.evidence.servers) {
        // Later evidence of the same session (lost, refused) takes the word back; silence does not, until it is old.
        const bool taken_back = seen.bad_since && !seen.silent_since;
        const bool answers_now = !taken_back && seen.writable_at && is_fresh(input, *seen.writable_at, input.settings.witness_freshness);
        if (answers_now && seen.last_answer && seen.last_answer->what.primary() != nullptr && !is_foreign(input, seen.last_answer->what))
            found.push_back(seen.server);
    }
    return found;
}

bool anything_answers(const AnalysisInput& input, const ServerEvidence& seen) {
    if (seen.held && is_fresh(input, seen.held->at, held_freshness(input.settings))) {
        if (std::holds_alternative<Answered>(seen.held->what) || std::holds_alternative<model::Complained>(seen.held->what)) return true;
    }
    const bool dial_answered = seen.dial && is_fresh(input, seen.dial->at, dial_freshness(input.settings)) &&
                               !model::is_silence(seen.dial->what.outcome) && seen.dial->what.outcome != DialOutcome::name_not_resolved;
    if (dial_answered) return true;
    return seen.host && seen.host->what.answered() && is_fresh(input, seen.host->at, dial_freshness(input.settings));
}

std::string_view sentence_for(Barred barred) {
    switch (barred) {
        case Barred::not_barred: return "is not barred";
        case Barred::entry_is_void: return "was barred, but its history contains the switch to its successor";
        case Barred::to_be_stopped: return "was failed over from and runs as primary again: it is being stopped";
        case Barred::history_unknown:
            return "was failed over from and runs as primary; its timeline history cannot be read, so a person must decide";
        case Barred::twin:
            return "was failed over from and runs as primary on a timeline of its successor's number and fork: a person must decide";
        case Barred::successor_not_seen:
            return "was failed over from and runs as primary, but its successor is not seen: a person must decide";
    }
    return "";
}

Barred judge_barred(const AnalysisInput& input, const ServerEvidence& seen, const std::vector<const ServerEvidence*>& out_of_recovery) {
    const model::MustBeDown* const entry = input.saved.barred(seen.server);
    if (entry == nullptr || !seen.last_answer || seen.last_answer->what.system_id != entry->system_id) return Barred::not_barred;
    const model::PrimaryAnswer* const primary = seen.last_answer->what.primary();
    if (primary == nullptr) return Barred::not_barred;
    if (!primary->history) return Barred::history_unknown;
    if (primary->history->left(entry->fork.timeline) == entry->fork.lsn) {
        // The same fork made twice gives the same number and the same history with different WAL after it.
        return primary->timeline == entry->successor_history.current() ? Barred::twin : Barred::entry_is_void;
    }
    const bool successor_seen =
        std::ranges::any_of(out_of_recovery, [&](const ServerEvidence* it) { return it->server == entry->successor; });
    return successor_seen ? Barred::to_be_stopped : Barred::successor_not_seen;
}

void note_grace(const AnalysisInput& input, Analysis& out, Instant from, Duration grace) {
    out.ripe_at = from + grace;
    out.overdue = input.now >= *out.ripe_at;
}

}  // namespace handyrep::decide
