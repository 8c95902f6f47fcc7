#include "decide/findings.hpp"

#include "base/ensure.hpp"
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

bool is_access_trouble(model::DialOutcome outcome) {
    return outcome == model::DialOutcome::authentication_failed || outcome == model::DialOutcome::too_many_connections ||
           outcome == model::DialOutcome::tls_failed || outcome == model::DialOutcome::name_not_resolved ||
           outcome == model::DialOutcome::other_refusal;
}

/// What concerns any server, whatever its role.
void find_access_trouble(Finder& finder, const model::ServerDefinition& server, const ServerEvidence& seen) {
    if (seen.dial && is_access_trouble(seen.dial->what.outcome)) {
        finder.add(
            FindingKind::access_refused, server.name,
            with_message(
                fmt::format("{}: a fresh connection ends with: {}", server.name.text(), word_for(seen.dial->what.outcome)),
                seen.dial->what.message));
    }
    if (seen.held && std::holds_alternative<model::Complained>(seen.held->what)) {
        const auto& complaint = std::get<model::Complained>(seen.held->what);
        finder.add(
            FindingKind::look_refused, server.name,
            fmt::format("{} refuses the question of the poll: {} {}", server.name.text(), complaint.sqlstate, complaint.message));
    }
    if (seen.host && std::holds_alternative<Error>(seen.host->what.saw)) {
        finder.add(
            FindingKind::host_unreachable, server.name,
            fmt::format(
                "the host of {} cannot be looked into: {}; it could not be fenced", server.name.text(),
                std::get<Error>(seen.host->what.saw).text()));
    }
}

void find_barred(Finder& finder, const model::ServerDefinition& server, const ServerEvidence* seen) {
    const model::MustBeDown* const entry = finder.input.saved.barred(server.name);
    if (entry == nullptr) return;
    const bool down = seen != nullptr && seen->bad_since.has_value();
    finder.add(
        FindingKind::barred_server_down, server.name,
        fmt::format(
            "{} must not run as primary since {} took over in epoch {}{}", server.name.text(), entry->successor.text(), entry->epoch,
            down ? "; it is down" : ""));
}

void find_suspicion(Finder& finder) {
    const PrimaryLook& look = finder.primary;
    if (look.suspected() && finder.analysis.situation == Situation::healthy) {
        const bool dial_accepted = look.dial_since_bad() == model::DialOutcome::accepted;
        finder.add(
            dial_accepted ? FindingKind::session_lost : FindingKind::primary_suspected, look.name(),
            fmt::format("{}: {}", look.name().text(), describe_sight(finder.input, *look.seen)));
    }
    if (const auto& possible = finder.input.saved.possible_primary) {
        finder.add(
            FindingKind::possible_primary, possible->server,
            fmt::format("{} was told to promote and has not been seen since: it counts as a possible primary", possible->server.text()));
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

const model::PrimaryAnswer* Finder::primary_answer() const {
    return primary.answer != nullptr && !is_foreign(input, *primary.answer) ? primary.answer->primary() : nullptr;
}

const model::ServerDefinition& Finder::define(const model::ServerName& server) const {
    const auto known = std::ranges::find(input.saved.servers, server, &model::ServerDefinition::name);
    ensure(known != input.saved.servers.end(), "a server that is spoken of is defined");
    return *known;
}

std::vector<Finding> findings(const AnalysisInput& input, const Analysis& analysis) {
    const PrimaryLook look = look_at_primary(input);
    Finder finder{.input = input, .primary = look, .analysis = analysis};
    for (const model::ServerDefinition& server : input.saved.servers) {
        if (!server.enabled) continue;
        const ServerEvidence* const seen = input.evidence.find(server.name);
        find_barred(finder, server, seen);
        if (seen != nullptr) find_access_trouble(finder, server, *seen);
        if (seen == nullptr || (!seen->held && !seen->dial))
            finder.add(FindingKind::never_read, server.name, fmt::format("{} has not been read since the start", server.name.text()));
    }
    find_suspicion(finder);
    find_oddities(finder);
    find_replica_trouble(finder);
    find_structure(finder);
    find_setup_trouble(finder);
    return std::move(finder.found);
}

bool has(const std::vector<Finding>& findings, FindingKind kind) {
    return std::ranges::find(findings, kind, &Finding::kind) != findings.end();
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
                    "control file says {}, {} processes hold the data directory{}{}", word_for(primary.host->state),
                    primary.host->processes, primary.host->service.empty() ? "" : "; ", primary.host->service),
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
