#include "decide/decision.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace handyrep::decide {

Result<Overrides> parse_overrides(std::span<const std::string> words) {
    Overrides out;
    for (const std::string& word : words) {
        if (word != "fence" && word != "durability")
            return Error{
                ErrorKind::invalid, fmt::format("'{}' is no gate that can be overridden: say fence or durability", word.substr(0, 80))};
        (word == "fence" ? out.fence : out.durability) = true;
    }
    return out;
}

std::string_view word_for(Reason reason) {
    switch (reason) {
        case Reason::primary_answers: return "PrimaryAnswers";
        case Reason::first_look_incomplete: return "FirstLookIncomplete";
        case Reason::suspicion_too_young: return "SuspicionTooYoung";
        case Reason::situation_holds: return "SituationHolds";
        case Reason::waiting_for_grace: return "WaitingForGrace";
        case Reason::needs_real_fence: return "NeedsRealFence";
        case Reason::writable_sighting: return "WritableSighting";
        case Reason::auto_failover_off: return "AutoFailoverOff";
        case Reason::maintenance: return "Maintenance";
        case Reason::cooldown: return "Cooldown";
        case Reason::provisional_start: return "ProvisionalStart";
        case Reason::possible_primary_unresolved: return "PossiblePrimaryUnresolved";
        case Reason::operation_running: return "OperationRunning";
        case Reason::journal_unavailable: return "JournalUnavailable";
        case Reason::recently_refused: return "RecentlyRefused";
        case Reason::no_eligible_replica: return "NoEligibleReplica";
        case Reason::fence_gate_closed: return "FenceGateClosed";
        case Reason::durability_gate_closed: return "DurabilityGateClosed";
        case Reason::primary_is_dead: return "PrimaryIsDead";
        case Reason::crash_recovery_overran: return "CrashRecoveryOverran";
        case Reason::planned_stop_overran: return "PlannedStopOverran";
        case Reason::stall_overran: return "StallOverran";
        case Reason::returned_primary_must_stop: return "ReturnedPrimaryMustStop";
        case Reason::ordered_by_person: return "OrderedByPerson";
    }
    return "";
}

namespace {

std::string left_text(const AnalysisInput& input, Instant until) {
    return text(std::chrono::floor<std::chrono::milliseconds>(std::max(Duration::zero(), until - input.now)));
}

/// What is said of a situation that calls for no action of ours, whatever its age; empty for those that may.
std::string_view held_by(Situation situation) {
    switch (situation) {
        case Situation::unknown:
        case Situation::healthy:
        case Situation::primary_dead:
        case Situation::primary_dead_some_replicas_lost:
        case Situation::primary_stalled:
        case Situation::primary_crash_recovery:
        case Situation::primary_shut_down_cleanly:
        case Situation::old_primary_returned: return {};
        case Situation::storage_stalled:
            return "nothing by itself: the primary may wake up and write; look at its storage, or fence it by power and order the failover";
        case Situation::manager_isolated: return "nothing: automation is frozen until the manager sees the network again";
        case Situation::two_primaries: return "nothing by itself: a person must decide which server is the primary and stop the other";
        case Situation::no_writable_primary: return "nothing by itself: a person must promote a server";
        case Situation::primary_read_only: return "nothing: somebody set default_transaction_read_only, a person must take it back";
        case Situation::sync_commit_blocked:
            return "nothing: a promotion would not help; bring a synchronous standby back, or change synchronous_standby_names";
        case Situation::sync_commit_blocked_suspect: return "looks whether commits wait; bring the missing synchronous standby back";
        case Situation::connections_exhausted: return "nothing: the primary is alive; free connections, or raise max_connections";
        case Situation::auth_broken:
            return "nothing: somebody answers there and does not let the manager in; check the password, pg_hba.conf and the certificates";
        case Situation::postmaster_hung: return "nothing: open sessions still work; look at the postmaster";
        case Situation::listener_or_firewall: return "nothing: the primary is alive; check listen_addresses and the firewall";
        case Situation::primary_unreachable_from_here: return "nothing: the primary is alive; check the network between the manager and it";
        case Situation::all_dark: return "nothing: no server answers, so no server can take over";
        case Situation::primary_dead_no_replicas: return "nothing: there is no replica; start the primary again";
    }
    return {};
}

/// Beside a lost replica the primary may serve a whole side of the network: not even the policy 'none' makes a second one there
/// by itself. Of a mute one the policy says whether its waking up is risked.
bool real_fence_in_reach(const AnalysisInput& input, const Analysis& analysis) {
    const bool may_risk = analysis.situation == Situation::primary_stalled && input.settings.fencing == model::Fencing::none;
    return analysis.primary_fenceable || may_risk;
}

/// What a situation asks for by itself, before guards and gates: nothing means "go on, fail over".
std::optional<Hold> situation_forbids(const AnalysisInput& input, const Analysis& analysis) {
    if (const std::string_view text = held_by(analysis.situation); !text.empty())
        return Hold{
            analysis.situation == Situation::storage_stalled ? Reason::needs_real_fence : Reason::situation_holds, std::string(text)};
    if (analysis.situation == Situation::unknown) return Hold{Reason::first_look_incomplete, "waits until every server was looked at once"};
    if (analysis.situation == Situation::healthy) {
        if (!analysis.primary_suspected) return Hold{Reason::primary_answers, "nothing: the primary answers"};
        return Hold{
            Reason::suspicion_too_young, "looks again: the primary does not answer, but not for long enough to count", analysis.ripe_at};
    }
    if (analysis.situation == Situation::old_primary_returned)
        return Hold{Reason::situation_holds, "a person must decide: " + analysis.detail};
    if (analysis.situation == Situation::primary_dead) return std::nullopt;
    if (!analysis.overdue)
        return Hold{
            Reason::waiting_for_grace,
            fmt::format(
                "waits for the primary or its replicas to come back for another {}",
                left_text(input, analysis.ripe_at.value_or(input.now))),
            analysis.ripe_at};
    const bool may_live = analysis.situation == Situation::primary_stalled;
    const bool unseen_side = analysis.situation == Situation::primary_dead_some_replicas_lost;
    if ((!may_live && !unseen_side) || real_fence_in_reach(input, analysis)) return std::nullopt;
    return Hold{
        Reason::needs_real_fence,
        may_live
            ? "nothing by itself: the primary may wake up and write, a person must fence it and order the failover"
            : "nothing by itself: a lost replica may still serve the primary's side, and the primary's host cannot be fenced; a person can "
              "order the failover"};
}

/// A person's word holds every action of ours back, the stop of a returned primary too.
std::optional<Hold> person_forbids(const AnalysisInput& input, const Guards& guards) {
    if (guards.paused) return Hold{Reason::auto_failover_off, "nothing by itself: " + pause_text(input.saved)};
    if (guards.maintenance) return Hold{Reason::maintenance, "nothing by itself: " + maintenance_text(input.saved)};
    return std::nullopt;
}

std::optional<Hold> guards_forbid(const AnalysisInput& input, const Analysis& analysis, const Guards& guards) {
    if (analysis.writable_sighting)
        return Hold{
            Reason::writable_sighting,
            fmt::format(
                "{} was seen taking writes less than {} ago", analysis.writable_sighting->text(), text(input.settings.witness_freshness))};
    if (guards.provisional)
        return Hold{Reason::provisional_start, "started without saved state: no automatic action before every server was read once"};
    if (!input.settings.auto_failover)
        return Hold{Reason::auto_failover_off, "nothing by itself: failover.auto_failover is false; 'handyrep failover' does it"};
    if (auto hold = person_forbids(input, guards)) return hold;
    if (guards.cooldown_left) {
        return Hold{
            Reason::cooldown,
            fmt::format(
                "no second automatic failover for another {}, or until 'handyrep acknowledge'",
                text(std::chrono::ceil<std::chrono::seconds>(*guards.cooldown_left))),
            input.now + *guards.cooldown_left};
    }
    if (input.saved.possible_primary) {
        return Hold{
            Reason::possible_primary_unresolved,
            fmt::format("{} was told to promote and may have: it must be seen first", input.saved.possible_primary->server.text())};
    }
    if (guards.refused && input.now < guards.refused->until)
        return Hold{Reason::recently_refused, "tries again later: " + refusal_text(*guards.refused), guards.refused->until};
    if (!guards.journal_available)
        return Hold{
            Reason::journal_unavailable,
            "nothing: the journal cannot be written, and without it no action is taken; check the manager's disk"};
    return std::nullopt;
}

std::string nobody_text(const Ranking& ranking) {
    std::string out = "no replica can take over:";
    for (const Ranked& it : ranking.best_first) out += fmt::format(" {} {};", it.server.text(), sentence_for(it.eligibility));
    if (ranking.best_first.empty()) out += " there is none";
    return out;
}

/// Both gates, from outside, for `candidate`.
std::optional<Hold> gates_forbid(const AnalysisInput& input, const Analysis& analysis, const Ranked& candidate) {
    if (!candidate.received)
        return Hold{Reason::no_eligible_replica, fmt::format("the WAL position of {} is not known", candidate.server.text())};
    const Gate durability = durability_outlook(input, analysis, candidate);
    if (!is_open(durability)) return Hold{Reason::durability_gate_closed, text_of(durability)};
    const Gate fence = fence_outlook(input, analysis);
    if (!is_open(fence)) return Hold{Reason::fence_gate_closed, text_of(fence)};
    return std::nullopt;
}

/// What is risked by opening the gates that are shut, `fence` being one of them or not; `refused` when one is shut that the order does not
/// name.
Result<std::string> open_by_order(
    const AnalysisInput& input, const Analysis& analysis, const Ranked& candidate, Overrides overrides, const Gate& fence) {
    if (!candidate.received || !input.saved.primary)
        return Error{ErrorKind::refused, fmt::format("the WAL position of {} is not known", candidate.server.text())};
    std::string out;
    const Gate durability = durability_outlook(input, analysis, candidate);
    if (!is_open(durability)) {
        if (!overrides.durability) return Error{ErrorKind::refused, text_of(durability) + "; --override durability takes that loss"};
        out += fmt::format("; overrides the durability gate, and what only others hold is lost: {}", text_of(durability));
    }
    if (!is_open(fence)) {
        if (!overrides.fence) return Error{ErrorKind::refused, text_of(fence) + "; --override fence takes that risk"};
        out += fmt::format(
            "; overrides the fence gate: if {} still lives, clients can go on writing there, and those rows are lost: {}",
            input.saved.primary->text(), text_of(fence));
    }
    return out;
}

/// Whom a person may make the primary; refused for what keeps it, or everybody, from that.
Result<Ranked> choose_by_order(const AnalysisInput& input, const Analysis& analysis, const std::optional<model::ServerName>& wanted) {
    const auto refused = [](std::string what) { return Error{ErrorKind::refused, std::move(what)}; };
    if (!input.saved.primary) return refused("nobody holds the role of primary");
    if (analysis.situation == Situation::two_primaries) return refused("two servers are out of recovery: stop one of them first");
    if (input.saved.possible_primary)
        return refused(fmt::format(
            "{} was told to promote and may have: it must be seen or stopped first", input.saved.possible_primary->server.text()));
    if (wanted && *wanted == *input.saved.primary) return refused(fmt::format("{} is the primary already", wanted->text()));
    const Ranking ranking = rank(input, analysis);
    const Ranked* const winner = ranking.winner();
    if (winner == nullptr) return refused(nobody_text(ranking));
    if (!wanted) return *winner;
    const auto found = std::ranges::find(ranking.best_first, *wanted, &Ranked::server);
    if (found == ranking.best_first.end()) return Error{ErrorKind::invalid, fmt::format("there is no replica called {}", wanted->text())};
    if (found->eligibility != Eligibility::eligible) return refused(fmt::format("{} {}", wanted->text(), sentence_for(found->eligibility)));
    if (found->received->lsn < winner->received->lsn) {
        return refused(fmt::format(
            "{} is {} behind {}, which would be forked away; name {}, or wait until it has caught up", wanted->text(),
            text(gap(found->received->lsn, winner->received->lsn)), winner->server.text(), winner->server.text()));
    }
    return *found;
}

Reason reason_for_acting(Situation situation) {
    if (situation == Situation::primary_crash_recovery) return Reason::crash_recovery_overran;
    if (situation == Situation::primary_shut_down_cleanly) return Reason::planned_stop_overran;
    if (situation == Situation::primary_stalled) return Reason::stall_overran;
    return Reason::primary_is_dead;
}

}  // namespace

Decision decide(const AnalysisInput& input, const Analysis& analysis, const Guards& guards) {
    if (guards.operation_running) return Hold{Reason::operation_running, "an operation is running"};
    const bool returned = analysis.situation == Situation::old_primary_returned && !analysis.to_be_stopped.empty();
    if (auto hold = returned ? person_forbids(input, guards) : std::nullopt) return *std::move(hold);
    if (returned && guards.journal_available && (!guards.refused || input.now >= guards.refused->until)) {
        const model::ServerName& server = analysis.to_be_stopped.front();
        return StopReturned{
            Reason::returned_primary_must_stop, server, fmt::format("{} must not run as primary: it is stopped", server.text())};
    }
    if (auto hold = situation_forbids(input, analysis)) return *std::move(hold);
    if (auto hold = guards_forbid(input, analysis, guards)) return *std::move(hold);
    const Ranking ranking = rank(input, analysis);
    const Ranked* const winner = ranking.winner();
    if (winner == nullptr || !input.saved.primary) return Hold{Reason::no_eligible_replica, nobody_text(ranking)};
    if (auto hold = gates_forbid(input, analysis, *winner)) return *std::move(hold);
    return FailOver{
        reason_for_acting(analysis.situation), *input.saved.primary, winner->server,
        fmt::format("fails over from {} to {}", input.saved.primary->text(), winner->server.text())};
}

std::string grounds(const AnalysisInput& input, const Analysis& analysis) {
    std::vector<std::string> servers;
    for (const Ranked& it : rank(input, analysis).best_first)
        servers.push_back(fmt::format("{} {}", it.server.text(), sentence_for(it.eligibility)));
    std::ranges::sort(servers);
    return fmt::format(
        "{} {} {} {}", word_for(analysis.situation), analysis.primary_host_answers, analysis.primary_fenceable, fmt::join(servers, "; "));
}

std::string maintenance_text(const model::SavedState& saved) { return saved.maintenance ? text(*saved.maintenance) : "in maintenance"; }

std::string pause_text(const model::SavedState& saved) {
    return saved.paused ? "automation is " + text(*saved.paused) : "automation is paused";
}

std::string refusal_text(const model::Refusal& refusal) {
    const std::string row = refusal.in_a_row > 1 ? fmt::format(" ({} in a row)", refusal.in_a_row) : "";
    return fmt::format("the last attempt was refused{}{}{}", row, refusal.why.empty() ? "" : ": ", refusal.why);
}

Result<FailOver> decide_order(
    const AnalysisInput& input, const Analysis& analysis, const std::optional<model::ServerName>& wanted, Overrides overrides) {
    const auto chosen = choose_by_order(input, analysis, wanted);
    if (!chosen) return chosen.error();
    const auto opened = open_by_order(input, analysis, *chosen, overrides, fence_outlook(input, analysis));
    if (!opened) return opened.error();
    return FailOver{
        Reason::ordered_by_person, *input.saved.primary, chosen->server,
        fmt::format("fails over from {} to {}{}", input.saved.primary->text(), chosen->server.text(), *opened), overrides};
}

Result<FailOver> decide_promotion(
    const AnalysisInput& input, const Analysis& analysis, const model::ServerName& wanted, Overrides overrides) {
    const auto chosen = choose_by_order(input, analysis, wanted);
    if (!chosen) return chosen.error();
    const Gate fence = input.settings.fencing == model::Fencing::none
                           ? Gate{GateOpen{Proof::nothing, "failover.fencing is 'none': no proof is asked for"}}
                           : Gate{GateClosed{
                                 Closed::fence_unreachable,
                                 fmt::format(
                                     "a promotion alone ends no process of {} and detaches no replica; 'handyrep failover' does both",
                                     input.saved.primary->text())}};
    const auto opened = open_by_order(input, analysis, *chosen, overrides, fence);
    if (!opened) return opened.error();
    return FailOver{
        .reason = Reason::ordered_by_person,
        .old_primary = *input.saved.primary,
        .candidate = chosen->server,
        .text = fmt::format(
            "promotes {0} and nothing else: the other replicas stay where they are, and {1}, if it lives, is stopped once {0} is seen taking "
            "writes{2}",
            chosen->server.text(), input.saved.primary->text(), *opened),
        .overrides = overrides,
        .alone = true};
}

}  // namespace handyrep::decide
