#include "decide/findings.hpp"

#include "base/overloaded.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace handyrep::decide {

using model::ServerEvidence;

namespace {

std::string age_text(const AnalysisInput& input, Instant at) { return text(std::chrono::floor<std::chrono::milliseconds>(input.now - at)); }

std::string with_message(std::string_view what, const std::string& message) {
    return message.empty() ? std::string(what) : fmt::format("{} ({})", what, message);
}

std::string describe_held(const AnalysisInput& input, const model::Seen<model::HeldSight>& held) {
    return std::visit(
        Overloaded{
            [](const model::Answered&) { return std::string("answers"); },
            [&](const model::Silent& it) { return fmt::format("no answer for {}", age_text(input, it.since)); },
            [](const model::Lost& it) { return fmt::format("session lost: {}", word_for(it.words)); },
            [](const model::NotOpen& it) { return with_message(fmt::format("no session: {}", word_for(it.why)), it.message); },
            [](const model::Complained& it) { return fmt::format("refuses the question: {} {}", it.sqlstate, it.message); },
        },
        held.what);
}

void find(Analysis& out, FindingKind kind, const model::ServerName& server, std::string text) {
    out.findings.push_back({kind, server, std::move(text)});
}

bool is_access_trouble(model::DialOutcome outcome) {
    return outcome == model::DialOutcome::authentication_failed || outcome == model::DialOutcome::too_many_connections ||
           outcome == model::DialOutcome::tls_failed || outcome == model::DialOutcome::name_not_resolved ||
           outcome == model::DialOutcome::other_refusal;
}

/// What concerns any server, whatever its role.
void add_access_findings(const model::ServerDefinition& server, const ServerEvidence& seen, Analysis& out) {
    if (seen.dial && is_access_trouble(seen.dial->what.outcome)) {
        find(
            out, FindingKind::access_refused, server.name,
            with_message(
                fmt::format("{}: a fresh connection ends with: {}", server.name.text(), word_for(seen.dial->what.outcome)),
                seen.dial->what.message));
    }
    if (seen.held && std::holds_alternative<model::Complained>(seen.held->what)) {
        const auto& complaint = std::get<model::Complained>(seen.held->what);
        find(
            out, FindingKind::look_refused, server.name,
            fmt::format("{} refuses the question of the poll: {} {}", server.name.text(), complaint.sqlstate, complaint.message));
    }
    if (seen.host && std::holds_alternative<Error>(seen.host->what.saw)) {
        find(
            out, FindingKind::host_unreachable, server.name,
            fmt::format(
                "the host of {} cannot be looked into: {}; it could not be fenced", server.name.text(),
                std::get<Error>(seen.host->what.saw).text()));
    }
}

void add_replica_findings(
    const AnalysisInput& input, const model::ServerDefinition& server, const ServerEvidence* seen, const ReplicaView& view, Analysis& out) {
    if (seen == nullptr) return;
    const model::Answered* const any = seen->held ? std::get_if<model::Answered>(&seen->held->what) : nullptr;
    if (any != nullptr && input.saved.system_id && any->system_id != *input.saved.system_id) {
        find(
            out, FindingKind::replica_foreign, server.name,
            fmt::format("{} belongs to another system (identifier {}): it is never a candidate", server.name.text(), any->system_id.value));
        return;
    }
    if (!view.answer) {
        if (seen->bad_since || !seen->last_answer)
            find(
                out, FindingKind::replica_dead, server.name,
                fmt::format("{} does not answer: {}", server.name.text(), describe_sight(input, *seen)));
        return;
    }
    const model::StandbyAnswer& standby = *view.standby();
    if (view.attachment == Attachment::gone || view.attachment == Attachment::forked) {
        find(
            out, FindingKind::replica_detached, server.name,
            fmt::format("{} receives nothing: it {}", server.name.text(), word_for(view.attachment)));
    }
    const ServerEvidence* const primary = input.saved.primary ? input.evidence.find(*input.saved.primary) : nullptr;
    const model::PrimaryAnswer* const ahead = primary != nullptr && primary->last_answer ? primary->last_answer->what.primary() : nullptr;
    if (ahead != nullptr && gap(standby.received, ahead->flushed) > server.lag_limit) {
        find(
            out, FindingKind::replica_lagged, server.name,
            fmt::format(
                "{} is {} behind the primary (limit {})", server.name.text(), text(gap(standby.received, ahead->flushed)),
                text(server.lag_limit)));
    }
}

}  // namespace

std::string describe_sight(const AnalysisInput& input, const ServerEvidence& seen) {
    std::string out = seen.held ? describe_held(input, *seen.held) : "not read yet";
    const bool answers = seen.held && std::holds_alternative<model::Answered>(seen.held->what);
    if (seen.dial && seen.dial->what.outcome != model::DialOutcome::accepted) {
        const bool said_already = seen.held && std::holds_alternative<model::NotOpen>(seen.held->what) &&
                                  std::get<model::NotOpen>(seen.held->what).why == seen.dial->what.outcome;
        if (!said_already)
            out += with_message(
                fmt::format("; new connection: {}", word_for(seen.dial->what.outcome)), answers ? seen.dial->what.message : std::string{});
    }
    return out;
}

void add_findings(const AnalysisInput& input, const PrimaryLook& primary, Analysis& out) {
    for (const model::ServerDefinition& server : input.saved.servers) {
        if (!server.enabled) continue;
        const ServerEvidence* const seen = input.evidence.find(server.name);
        if (const model::MustBeDown* entry = input.saved.barred(server.name)) {
            const bool down = seen != nullptr && seen->bad_since.has_value();
            find(
                out, FindingKind::barred_server_down, server.name,
                fmt::format(
                    "{} must not run as primary since {} took over in epoch {}{}", server.name.text(), entry->successor.text(),
                    entry->epoch, down ? "; it is down" : ""));
        }
        if (seen != nullptr) add_access_findings(server, *seen, out);
        if (seen == nullptr || (!seen->held && !seen->dial))
            find(out, FindingKind::never_read, server.name, fmt::format("{} has not been read since the start", server.name.text()));
    }
    for (const ReplicaView& view : out.replicas) {
        const auto found = std::ranges::find(input.saved.servers, view.server, &model::ServerDefinition::name);
        add_replica_findings(input, *found, input.evidence.find(view.server), view, out);
    }
    if (primary.suspected() && out.situation == Situation::healthy) {
        const bool dial_accepted = primary.dial_since_bad() == model::DialOutcome::accepted;
        find(
            out, dial_accepted ? FindingKind::session_lost : FindingKind::primary_suspected, primary.name(),
            fmt::format("{}: {}", primary.name().text(), describe_sight(input, *primary.seen)));
    }
    if (input.saved.possible_primary) {
        find(
            out, FindingKind::possible_primary, input.saved.possible_primary->server,
            fmt::format(
                "{} was told to promote and has not been seen since: it counts as a possible primary",
                input.saved.possible_primary->server.text()));
    }
}

std::vector<Fact> facts(const AnalysisInput& input, const Analysis& analysis) {
    const PrimaryLook primary = look_at_primary(input);
    std::vector<Fact> out;
    const auto add = [&](Weight weight, const model::ServerName& server, std::string source, std::string what, std::optional<Instant> at) {
        out.push_back({weight, server, std::move(source), std::move(what), at});
    };
    if (primary.seen != nullptr) {
        const ServerEvidence& seen = *primary.seen;
        if (seen.held)
            add(primary.held_answers ? Weight::contradicts : Weight::supports, seen.server, "held session",
                describe_held(input, *seen.held), seen.held->at);
        if (seen.dial)
            add(model::is_dead(seen.dial->what.outcome) ? Weight::supports : Weight::contradicts, seen.server, "dial",
                std::string(word_for(seen.dial->what.outcome)), seen.dial->at);
        if (primary.host != nullptr) {
            add(primary.host->processes == 0 ? Weight::supports : Weight::contradicts, seen.server, "host",
                fmt::format(
                    "control file says {}, {} processes hold the data directory", word_for(primary.host->state), primary.host->processes),
                seen.host ? std::optional{seen.host->at} : std::nullopt);
        } else {
            add(Weight::unknown, seen.server, "host",
                !seen.host                          ? "not looked into"
                : seen.host->what.look() != nullptr ? "not looked into since"
                                                    : "cannot be looked into",
                seen.host ? std::optional{seen.host->at} : std::nullopt);
        }
    }
    for (const ReplicaView& view : analysis.replicas) {
        const ServerEvidence* const seen = input.evidence.find(view.server);
        if (!view.valid) {
            add(Weight::unknown, view.server, "held session", "no answer since the primary went bad", std::nullopt);
            continue;
        }
        add(view.attachment == Attachment::attached ? Weight::contradicts : Weight::supports, view.server, "wal receiver",
            std::string(word_for(view.attachment)), seen->held ? std::optional{seen->held->at} : std::nullopt);
        if (seen->witness && view.reach != model::Reach::unknown) {
            add(view.reach == model::Reach::accepted ? Weight::contradicts : Weight::supports, view.server, "witness",
                fmt::format("its host {}", word_for(view.reach)), seen->witness->at);
        }
    }
    return out;
}

}  // namespace handyrep::decide
