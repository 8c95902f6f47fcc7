#include "decide/analysis.hpp"

#include "base/overloaded.hpp"
#include "decide/look.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace handyrep::decide {

using model::DialOutcome;

std::string_view word_for(Attachment attachment) {
    switch (attachment) {
        case Attachment::unseen: return "not seen";
        case Attachment::attached: return "streams from the primary";
        case Attachment::stale: return "says streaming, but hears nothing";
        case Attachment::gone: return "has no WAL receiver";
        case Attachment::forked: return "waits and receives nothing";
        case Attachment::elsewhere: return "streams from another server";
    }
    return "";
}

Duration held_freshness(const model::FailoverSettings& settings) {
    return std::max<Duration>(2 * settings.poll_interval, std::chrono::seconds{1});
}
Duration dial_interval(const model::FailoverSettings& settings) { return 4 * settings.poll_interval; }
Duration dial_freshness(const model::FailoverSettings& settings) { return 2 * dial_interval(settings) + settings.connect_timeout; }

namespace {

/// The situations in the order in which they are asked: the first that answers is the one. Each is a question of its own,
/// so that the order (which is part of the specification) can be read in one place, below.
using Question = std::optional<Situation> (*)(const AnalysisInput&, const PrimaryLook&, Analysis&);

std::optional<Situation> never_looked(const AnalysisInput& input, const PrimaryLook&, Analysis& out) {
    std::string missing;
    for (const model::ServerDefinition& server : input.saved.servers) {
        const auto* const seen = input.evidence.find(server.name);
        // An accepted dial alone has read nothing: whoever dies then was never known to be well.
        if (!server.enabled || (seen != nullptr && seen->held)) continue;
        missing += (missing.empty() ? "" : ", ") + server.name.text();
    }
    if (missing.empty()) return std::nullopt;
    out.detail = fmt::format("not looked at yet: {}", missing);
    return Situation::unknown;
}

/// Counted by host, the primary's left out (S20): a refused connection is an answer, the network works.
std::optional<Situation> isolated(const AnalysisInput& input, const PrimaryLook& primary, Analysis& out) {
    if (!primary.suspected() || primary.definition == nullptr) return std::nullopt;
    bool others = false;
    for (const model::ServerDefinition& server : input.saved.servers) {
        if (!server.enabled || server.hostname == primary.definition->hostname) continue;
        others = true;
        const auto* const seen = input.evidence.find(server.name);
        if (seen != nullptr && anything_answers(input, *seen)) return std::nullopt;
    }
    if (!others) return std::nullopt;
    out.detail = "no host but the primary's own was expected to fail, and none answers";
    return Situation::manager_isolated;
}

std::optional<Situation> several_primaries(const AnalysisInput& input, const PrimaryLook&, Analysis& out) {
    std::vector<const model::ServerEvidence*> writable = seen_out_of_recovery(input);
    for (const model::ServerEvidence* it : writable) {
        const Barred barred = judge_barred(input, *it, writable);
        if (barred == Barred::not_barred || barred == Barred::entry_is_void) continue;
        if (barred == Barred::to_be_stopped) out.to_be_stopped.push_back(it->server);
        out.detail += fmt::format("{}{} {}", out.detail.empty() ? "" : "; ", it->server.text(), sentence_for(barred));
    }
    if (!out.detail.empty()) return Situation::old_primary_returned;
    if (writable.size() < 2) return std::nullopt;
    for (const model::ServerEvidence* it : writable) {
        if (!it->last_answer) continue;
        const auto& answer = it->last_answer->what;
        out.detail += fmt::format(
            "{}{} at {}", out.detail.empty() ? "" : ", ", it->server.text(),
            text(model::WalPosition{answer.primary()->timeline, answer.primary()->flushed}));
    }
    return Situation::two_primaries;
}

std::optional<Situation> no_primary(const AnalysisInput& input, const PrimaryLook& primary, Analysis& out) {
    if (primary.definition == nullptr) {
        out.detail = "nobody holds the role of primary";
        return Situation::no_writable_primary;
    }
    const bool foreign = primary.answer != nullptr && is_foreign(input, *primary.answer);
    if (!foreign && !primary.answers_as_standby()) return std::nullopt;
    if (!foreign && !seen_out_of_recovery(input).empty()) return std::nullopt;  // somebody else is; adoption or a person settles it
    out.detail = foreign ? fmt::format("{} answers as another system ({})", primary.name().text(), primary.answer->system_id.value)
                         : fmt::format("{} is in recovery", primary.name().text());
    return Situation::no_writable_primary;
}

/// Nobody can lift that by itself: PostgreSQL waits for ever, and a promotion would not help.
std::optional<Situation> commits_wait(const AnalysisInput& input, const PrimaryLook& primary, Analysis& out) {
    const auto sync = look_at_sync(input, primary);
    if (!sync) return std::nullopt;
    out.commits_may_wait = sync->attached < sync->required;
    if (sync->wait && sync->wait->backends > 0 && sync->wait->oldest >= input.settings.sync_wait_limit) {
        out.detail = fmt::format(
            "{} commits wait, the oldest for {}; {} of {} synchronous standbys are attached", sync->wait->backends,
            text(std::chrono::floor<std::chrono::milliseconds>(sync->wait->oldest)), sync->attached, sync->required);
        return Situation::sync_commit_blocked;
    }
    // Without a waiter it is a finding: nothing is blocked yet.
    if (sync->attached >= sync->required || (sync->wait && sync->wait->backends == 0)) return std::nullopt;
    out.detail = fmt::format("{} of {} synchronous standbys are attached", sync->attached, sync->required);
    return Situation::sync_commit_blocked_suspect;
}

/// Somebody answers there, and we do not get in. That the login is refused says itself; of TLS only the words tell whose certificate it is.
Situation not_let_in(const PrimaryLook& primary, DialOutcome dial, Analysis& out) {
    const auto& sight = primary.seen->dial;
    if (dial == DialOutcome::tls_failed && sight && sight->what.outcome == dial)
        out.detail = fmt::format("a fresh connection ends with: {} ({})", word_for(dial), sight->what.message);
    return Situation::auth_broken;
}

std::optional<Situation> answering(const AnalysisInput& input, const PrimaryLook& primary, Analysis& out) {
    if (!primary.held_answers) return std::nullopt;
    if (!primary.dial) return Situation::healthy;
    const DialOutcome dial = *primary.dial;
    if (dial == DialOutcome::too_many_connections) return Situation::connections_exhausted;
    if (dial == DialOutcome::authentication_failed || dial == DialOutcome::tls_failed) return not_let_in(primary, dial, out);
    // One login that takes longer than connect_timeout is a busy machine's; of a postmaster that hangs every one is mute.
    if (dial == DialOutcome::startup_timeout && out.dials_silent_long_enough) return Situation::postmaster_hung;
    if (dial != DialOutcome::accepted && dial != DialOutcome::startup_timeout) {
        out.detail = fmt::format("a fresh connection ends with: {}", word_for(dial));
        return Situation::listener_or_firewall;
    }
    const model::PrimaryAnswer* const answer = primary.answer != nullptr ? primary.answer->primary() : nullptr;
    if (answer != nullptr && answer->read_only) return Situation::primary_read_only;
    const model::ServerEvidence& seen = *primary.seen;
    if (seen.flush_stuck_since && input.now - *seen.flush_stuck_since >= input.settings.stall_timeout) {
        out.detail = fmt::format(
            "WAL inserted {} ago is not flushed", text(std::chrono::floor<std::chrono::milliseconds>(input.now - *seen.flush_stuck_since)));
        return Situation::storage_stalled;
    }
    return commits_wait(input, primary, out).value_or(Situation::healthy);
}

/// A start after a person's stop has that person's grace.
void note_recovery(const AnalysisInput& input, const PrimaryLook& primary, Analysis& out) {
    if (primary.stopped_by_administrator())
        note_grace(input, out, primary.seen->bad_since.value_or(input.now), input.settings.planned_grace);
    else
        note_grace(input, out, primary.seen->recovering_since.value_or(input.now), input.settings.crash_grace);
}

/// The held session is gone or mute, but a fresh one shows a living server.
std::optional<Situation> alive_by_dial(const AnalysisInput& input, const PrimaryLook& primary, Analysis& out) {
    const auto dial = primary.dial_since_bad();
    if (!dial || !primary.seen->bad_since) return std::nullopt;
    const Instant bad_since = *primary.seen->bad_since;
    switch (*dial) {
        case DialOutcome::accepted: return Situation::healthy;
        case DialOutcome::too_many_connections: return Situation::connections_exhausted;
        case DialOutcome::authentication_failed:
        case DialOutcome::tls_failed: return not_let_in(primary, *dial, out);
        case DialOutcome::name_not_resolved:
        case DialOutcome::other_refusal:
            out.detail = fmt::format("a fresh connection ends with: {}", word_for(*dial));
            return Situation::listener_or_firewall;
        case DialOutcome::shutting_down:
            note_grace(input, out, bad_since, input.settings.planned_grace);
            return Situation::primary_shut_down_cleanly;
        case DialOutcome::startup_timeout:
            // A login that is late while it recovers; or it has recovered, so that nobody may act before it says again that it has not.
            if (!primary.seen->recovering_since || out.dials_silent_long_enough) return std::nullopt;
            note_recovery(input, primary, out);
            out.overdue = false;
            return Situation::primary_crash_recovery;
        case DialOutcome::starting_up:
        case DialOutcome::in_recovery:
        case DialOutcome::not_yet_accepting: note_recovery(input, primary, out); return Situation::primary_crash_recovery;
        case DialOutcome::refused:
        case DialOutcome::unreachable:
        case DialOutcome::connect_timeout:
        case DialOutcome::reset: return std::nullopt;
    }
    return std::nullopt;
}

/// Who still hears the primary, or reaches it, in words; nothing: nobody.
std::optional<std::string> heard_by(const Analysis& analysis) {
    for (const ReplicaView& replica : analysis.replicas) {
        if (replica.valid && replica.attachment == Attachment::attached)
            return fmt::format("{} still streams from it", replica.server.text());
        if (replica.reach == model::Reach::accepted) return fmt::format("the host of {} reaches it", replica.server.text());
    }
    return std::nullopt;
}

/// A person's stop, by the last words, the dials before, or the control file; never by recovery that failed (57P03, then refused).
std::optional<Situation> shut_down(const AnalysisInput& input, const PrimaryLook& primary, Analysis& out) {
    if (primary.dial_since_bad() != DialOutcome::refused || !primary.stopped_by_administrator() || !primary.seen->bad_since)
        return std::nullopt;
    // A person may have ended our session alone, while the port is closed to us: whoever is heard was not stopped.
    if (heard_by(out)) return std::nullopt;
    note_grace(input, out, *primary.seen->bad_since, input.settings.planned_grace);
    return Situation::primary_shut_down_cleanly;
}

std::optional<Situation> dead(const AnalysisInput& input, const PrimaryLook& primary, Analysis& out) {
    if (!primary.dead(input)) return std::nullopt;
    if (out.replicas.empty()) return Situation::primary_dead_no_replicas;
    if (auto heard = heard_by(out)) {
        out.detail = *std::move(heard);
        return Situation::primary_unreachable_from_here;
    }
    const auto valid = std::ranges::count_if(out.replicas, &ReplicaView::valid);
    if (valid == 0) return Situation::all_dark;
    const Instant bad_since = primary.seen->bad_since.value_or(input.now);
    if (primary.dial == DialOutcome::startup_timeout) {
        note_grace(input, out, bad_since, input.settings.stall_timeout);
        return Situation::primary_stalled;
    }
    if (static_cast<std::size_t>(valid) < out.replicas.size()) {
        out.detail = fmt::format("{} of {} replicas are seen", valid, out.replicas.size());
        // Right after a death a replica may only not have been asked yet.
        note_grace(input, out, bad_since, input.settings.silence_timeout);
        return Situation::primary_dead_some_replicas_lost;
    }
    return Situation::primary_dead;
}

// The order is part of the specification: docs/decisions/0004-order-of-decision.md.
constexpr std::array<Question, 8> order{never_looked, isolated, several_primaries, no_primary, answering, alive_by_dial, shut_down, dead};

}  // namespace

Analysis analyse(const AnalysisInput& input) {
    Analysis out;
    out.primary = input.saved.primary;
    const PrimaryLook primary = look_at_primary(input);
    out.primary_suspected = primary.suspected();
    out.primary_port_refused = primary.dial_since_bad() == DialOutcome::refused;
    out.primary_host_answers = primary.host_answers;
    out.primary_host_lives = primary.host_lives;
    const bool dialled_since_look = primary.host != nullptr && primary.dial_since_bad() && primary.dial_at && primary.seen->host &&
                                    *primary.dial_at - input.settings.connect_timeout >= primary.seen->host->at;
    out.primary_fenceable = primary.host_answers && (out.primary_port_refused || dialled_since_look);
    out.dials_silent_long_enough = primary.seen != nullptr && primary.seen->dials_bad_since &&
                                   input.now - *primary.seen->dials_bad_since >= input.settings.silence_timeout;
    out.replicas = look_at_replicas(input, primary);
    if (auto writable = writable_sightings(input); !writable.empty()) out.writable_sighting = writable.front();
    const auto out_of_recovery = seen_out_of_recovery(input);
    if (out_of_recovery.size() == 1) out.writable = out_of_recovery.front()->server;

    out.situation = Situation::healthy;
    for (const Question question : order) {
        if (const auto answer = question(input, primary, out)) {
            out.situation = *answer;
            break;
        }
        out.detail.clear();
    }
    if (out.primary_suspected && !out.ripe_at && primary.seen->bad_since)
        out.ripe_at = *primary.seen->bad_since + input.settings.silence_timeout;
    return out;
}

}  // namespace handyrep::decide
