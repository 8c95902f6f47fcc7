#include "decide/explain.hpp"

#include "base/overloaded.hpp"
#include "decide/findings.hpp"
#include "decide/not_these.hpp"
#include "decide/reasons.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace handyrep::decide {

std::string_view word_for(GateName name) { return name == GateName::durability ? "durability" : "fence"; }

namespace {

std::string span(Duration duration) { return text(std::chrono::floor<std::chrono::milliseconds>(std::max(Duration::zero(), duration))); }

std::string sentence_of(const Analysis& analysis) {
    if (analysis.situation == Situation::healthy && analysis.primary_suspected) return "the primary is not answering at this moment";
    std::string out{sentence_for(analysis.situation)};
    if (!analysis.detail.empty()) out += ": " + analysis.detail;
    return out;
}

std::vector<Clue> clues_of(const AnalysisInput& input, const Analysis& analysis) {
    std::vector<Clue> out;
    for (const Fact& it : facts(input, analysis))
        out.push_back({it.weight, it.server, it.source, it.text, it.at ? std::optional{input.now - *it.at} : std::nullopt});
    return out;
}

/// Of the situation; and of what holds a failover back, where it is not the situation itself.
std::string advice_of(const Analysis& analysis, const Decision& decision) {
    std::string out{page_of(analysis.situation).person};
    const auto* const hold = std::get_if<Hold>(&decision);
    if (hold == nullptr || hold->reason == Reason::primary_answers || hold->reason == Reason::situation_holds) return out;
    const std::string_view also = page_of(hold->reason).person;
    return also.empty() || also == out ? out : fmt::format("{} {}", out, also);
}

std::optional<Duration> due_in(const AnalysisInput& input, const Decision& decision) {
    const auto* const hold = std::get_if<Hold>(&decision);
    if (hold == nullptr) return Duration::zero();
    if (!hold->until) return std::nullopt;
    return std::max(Duration::zero(), *hold->until - input.now);
}

/// Where a failover could follow; a gate in front of a primary that answers says nothing about the day it does not.
bool gates_matter(Situation situation) {
    switch (situation) {
        case Situation::storage_stalled:
        case Situation::primary_shut_down_cleanly:
        case Situation::primary_crash_recovery:
        case Situation::primary_stalled:
        case Situation::primary_dead_some_replicas_lost:
        case Situation::primary_dead: return true;
        case Situation::unknown:
        case Situation::healthy:
        case Situation::manager_isolated:
        case Situation::two_primaries:
        case Situation::old_primary_returned:
        case Situation::no_writable_primary:
        case Situation::primary_read_only:
        case Situation::sync_commit_blocked:
        case Situation::sync_commit_blocked_suspect:
        case Situation::connections_exhausted:
        case Situation::auth_broken:
        case Situation::postmaster_hung:
        case Situation::listener_or_firewall:
        case Situation::primary_unreachable_from_here:
        case Situation::all_dark:
        case Situation::primary_dead_no_replicas: return false;
    }
    return false;
}

GateState state_of(GateName name, const Gate& gate) {
    const auto* const open = std::get_if<GateOpen>(&gate);
    // Only a fence has a proof.
    if (open != nullptr) return {name, true, name == GateName::fence ? std::string(word_for(open->proof)) : "open", open->text};
    return {name, false, std::string(word_for(std::get<GateClosed>(gate).why)), text_of(gate)};
}

/// Why an eligible replica is not the best one.
std::string behind_text(const Ranked& it, const Ranked& winner) {
    const auto end = [](const Ranked& one) { return one.received ? one.received->lsn : model::Lsn{0}; };
    if (end(it) < end(winner)) return fmt::format("could, but is {} behind {}", text(gap(end(it), end(winner))), winner.server.text());
    if (it.priority != winner.priority)
        return fmt::format(
            "could, and is as far, but has failover_priority {} and {} has {}", it.priority, winner.server.text(), winner.priority);
    return fmt::format("could, and is as far; {} comes first by its name", winner.server.text());
}

CandidateState state_of(const Ranked& it, const Ranked* winner) {
    const bool eligible = it.eligibility == Eligibility::eligible;
    if (!eligible || !it.received) return {it.server, false, false, std::string(sentence_for(it.eligibility))};
    if (&it != winner) return {it.server, true, false, behind_text(it, *winner)};
    return {
        it.server, true, true, fmt::format("would take over: it is at {} and has failover_priority {}", text(*it.received), it.priority)};
}

std::string why_not_ranked(const AnalysisInput& input, const model::ServerDefinition& server) {
    if (server.name == input.saved.primary) return "is the primary";
    if (const auto* const disabled = input.saved.disabled_by_person(server.name)) return "is " + text(*disabled);
    if (!server.enabled) return "is disabled in the configuration";
    if (const auto* const entry = input.saved.barred(server.name)) {
        return fmt::format("must not run as primary since {} took over in epoch {}", entry->successor.text(), entry->epoch);
    }
    return "is not looked at";
}

std::optional<WritesGoTo> writes_of(const AnalysisInput& input, const Analysis& analysis) {
    if (!analysis.writable) return std::nullopt;
    const auto* const seen = input.evidence.find(*analysis.writable);
    if (seen == nullptr || !seen->last_answer || seen->last_answer->what.primary() == nullptr) return std::nullopt;
    const model::PrimaryAnswer& answer = *seen->last_answer->what.primary();
    return WritesGoTo{
        *analysis.writable,
        {answer.timeline, answer.flushed},
        input.now - seen->last_answer->at,
        seen->writable_at ? std::optional{input.now - *seen->writable_at} : std::nullopt};
}

std::string held_words(const AnalysisInput& input, const model::HeldSight& sight) {
    return std::visit(
        Overloaded{
            [](const model::Answered& it) { return fmt::format("answers as {}", it.primary() != nullptr ? "primary" : "standby"); },
            [&](const model::Silent& it) { return fmt::format("silent for {}", span(input.now - it.since)); },
            [](const model::Lost& it) { return fmt::format("lost: {}", word_for(it.words)); },
            [](const model::NotOpen& it) { return fmt::format("not open: {}", word_for(it.why)); },
            [](const model::Complained& it) { return fmt::format("refuses the question: {}", it.sqlstate); },
        },
        sight);
}

std::string receiver_words(const model::StandbyAnswer& standby) {
    if (!standby.receiver) return "none";
    return fmt::format(
        "{} from {}:{}, last message {} before", standby.receiver->status, standby.receiver->sender_host, standby.receiver->sender_port,
        span(standby.receiver->message_age));
}

std::string host_words(const model::HostSight& sight) {
    if (const auto* const look = sight.look())
        return fmt::format("{} processes, control file says {}", look->processes, word_for(look->state));
    return std::get<Error>(sight.saw).what;
}

std::vector<SensorSight> sensors_of(const AnalysisInput& input, const model::ServerEvidence& seen) {
    std::vector<SensorSight> out;
    const auto add = [&](const char* sensor, std::string words, Instant at) { out.push_back({sensor, std::move(words), input.now - at}); };
    if (seen.held) {
        add("held session", held_words(input, seen.held->what), seen.held->at);
        const auto* const answer = std::get_if<model::Answered>(&seen.held->what);
        if (answer != nullptr && answer->standby() != nullptr) add("wal receiver", receiver_words(*answer->standby()), seen.held->at);
    }
    if (seen.dial) add("dial", std::string(word_for(seen.dial->what.outcome)), seen.dial->at);
    if (seen.host) add("host", host_words(seen.host->what), seen.host->at);
    if (seen.witness)
        add("witness", fmt::format("asked about {}: {}", seen.witness->what.of.text(), word_for(seen.witness->what.reach)),
            seen.witness->at);
    return out;
}

ServerSight sight_of(const AnalysisInput& input, const model::ServerDefinition& server, std::optional<model::Lsn> end) {
    ServerSight out{.server = server.name, .role = server.role, .timeline = {}, .lsn = {}, .behind = {}, .age = {}, .sensors = {}};
    const auto* const seen = input.evidence.find(server.name);
    if (seen == nullptr) return out;
    out.sensors = sensors_of(input, *seen);
    if (!seen->last_answer) return out;
    out.age = input.now - seen->last_answer->at;
    if (const auto* const primary = seen->last_answer->what.primary()) {
        out.timeline = primary->timeline;
        out.lsn = primary->flushed;
    }
    if (const auto* const standby = seen->last_answer->what.standby()) {
        out.timeline = standby->timeline;
        out.lsn = standby->received;
        if (end) out.behind = gap(standby->received, *end);
    }
    return out;
}

std::vector<ServerSight> sights_of(const AnalysisInput& input) {
    const auto end = last_known_end(input);
    std::vector<ServerSight> out;
    for (const model::ServerDefinition& it : input.saved.servers)
        out.push_back(sight_of(input, it, end ? std::optional{end->flushed} : std::nullopt));
    return out;
}

}  // namespace

std::vector<CandidateState> candidates(const AnalysisInput& input, const Analysis& analysis) {
    const Ranking ranking = rank(input, analysis);
    std::vector<CandidateState> out;
    for (const Ranked& it : ranking.best_first) out.push_back(state_of(it, ranking.winner()));
    for (const model::ServerDefinition& it : input.saved.servers) {
        if (std::ranges::find(out, it.name, &CandidateState::server) != out.end()) continue;
        out.push_back({it.name, false, false, why_not_ranked(input, it)});
    }
    return out;
}

std::vector<GateState> gates(const AnalysisInput& input, const Analysis& analysis) {
    const Ranking ranking = rank(input, analysis);
    const Ranked* const winner = ranking.winner();
    if (winner == nullptr || !winner->received) return {};
    return {
        state_of(GateName::durability, durability_outlook(input, analysis, *winner)),
        state_of(GateName::fence, fence_outlook(input, analysis))};
}

std::vector<GuardState> guard_states(const AnalysisInput& input, const Analysis& analysis, const Guards& guards) {
    // Names all of them: a new guard does not compile before it is explained.
    const auto& [paused, maintenance, provisional, operation_running, journal_available, cooldown_left, refused] = guards;
    const auto& seen = analysis.writable_sighting;
    const auto& possible = input.saved.possible_primary;
    std::vector<GuardState> out;
    const auto add = [&](Reason reason, bool holds, std::string held, std::string_view free) {
        out.push_back({reason, holds, holds ? std::move(held) : std::string(free)});
    };
    add(Reason::operation_running, operation_running, "an operation is running", "no operation is running");
    add(Reason::writable_sighting, seen.has_value(),
        fmt::format("{} was seen taking writes less than {} ago", seen ? seen->text() : "", span(input.settings.witness_freshness)),
        "no server was seen taking writes lately");
    add(Reason::provisional_start, provisional, "started without saved state, and not every server was read once since",
        "every server was read since the start");
    add(Reason::auto_failover_off, !input.settings.auto_failover, "failover.auto_failover is false: only 'handyrep failover' fails over",
        "failover.auto_failover is true");
    add(Reason::auto_failover_off, paused, pause_text(input.saved), "automation is not paused");
    add(Reason::maintenance, maintenance, maintenance_text(input.saved), "not in maintenance");
    add(Reason::cooldown, cooldown_left.has_value(),
        fmt::format(
            "no second automatic failover for another {}, or until 'handyrep acknowledge'",
            text(std::chrono::ceil<std::chrono::seconds>(cooldown_left.value_or(Duration::zero())))),
        "no failover before this one waits to be acknowledged");
    add(Reason::possible_primary_unresolved, possible.has_value(),
        fmt::format("{} was told to promote and may have: it must be seen first", possible ? possible->server.text() : ""),
        "no promotion has an unknown outcome");
    add(Reason::recently_refused, refused && input.now < refused->until,
        refused ? fmt::format("{}; the next one in {}", refusal_text(*refused), span(refused->until - input.now)) : "",
        "no attempt was refused a moment ago");
    add(Reason::journal_unavailable, !journal_available, "the journal cannot be written: check the manager's disk",
        "the journal can be written");
    return out;
}

Explanation explain(const model::Moment& moment) {
    const AnalysisInput input = input_of(moment);
    const Analysis analysis = analyse(input);
    Decision decision = decide(input, analysis, moment.guards);
    const auto next_in = due_in(input, decision);
    std::string advice = advice_of(analysis, decision);
    return {
        .cluster = moment.saved.cluster,
        .at = moment.at,
        .since = moment.since,
        .situation = analysis.situation,
        .sentence = sentence_of(analysis),
        .decision = std::move(decision),
        .advice = std::move(advice),
        .next_in = next_in,
        .writes = writes_of(input, analysis),
        .clues = clues_of(input, analysis),
        .not_these = not_these(input, analysis),
        .guards = guard_states(input, analysis, moment.guards),
        .gates = gates_matter(analysis.situation) ? gates(input, analysis) : std::vector<GateState>{},
        .candidates = candidates(input, analysis),
        .servers = sights_of(input),
        .findings = findings(input, analysis)};
}

}  // namespace handyrep::decide
