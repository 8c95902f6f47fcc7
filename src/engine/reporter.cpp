#include "engine/reporter.hpp"

#include "base/overloaded.hpp"
#include "base/text.hpp"
#include "decide/findings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace handyrep::engine {

using decide::Situation;
using model::ClusterStatus;
using model::ServerStatus;

namespace {

bool warns(const decide::Finding& finding) { return severity_of(finding.kind) == decide::Severity::warning; }

ClusterStatus status_of(Situation situation, const std::vector<decide::Finding>& findings) {
    switch (situation) {
        case Situation::unknown:
        case Situation::manager_isolated: return ClusterStatus::unknown;
        case Situation::healthy: return std::ranges::any_of(findings, warns) ? ClusterStatus::warning : ClusterStatus::healthy;
        case Situation::old_primary_returned:
        case Situation::sync_commit_blocked_suspect:
        case Situation::connections_exhausted:
        case Situation::auth_broken:
        case Situation::postmaster_hung:
        case Situation::listener_or_firewall:
        case Situation::primary_unreachable_from_here: return ClusterStatus::warning;
        case Situation::two_primaries:
        case Situation::no_writable_primary:
        case Situation::primary_read_only:
        case Situation::storage_stalled:
        case Situation::sync_commit_blocked:
        case Situation::primary_shut_down_cleanly:
        case Situation::primary_crash_recovery:
        case Situation::all_dark:
        case Situation::primary_stalled:
        case Situation::primary_dead_no_replicas:
        case Situation::primary_dead_some_replicas_lost:
        case Situation::primary_dead: return ClusterStatus::down;
    }
    return ClusterStatus::unknown;
}

/// Trouble that is this server's own, worth a word in its row.
bool is_of_server(decide::FindingKind kind) {
    using enum decide::FindingKind;
    constexpr std::array kinds{access_refused,   host_unreachable, look_refused, replica_detached, foreign_system, session_lost,
                               diverged_replica, timeline_drift,   went_back,    version_unknown,  disk_full,      possible_primary};
    return std::ranges::find(kinds, kind) != kinds.end();
}

ServerStatus status_of(
    const std::vector<decide::Finding>& findings, const model::ServerDefinition& server, const model::ServerEvidence* seen) {
    const bool trouble = std::ranges::any_of(findings, [&](const decide::Finding& it) {
        return it.server == server.name && is_of_server(it.kind) && it.kind != decide::FindingKind::possible_primary;
    });
    const bool lagged = std::ranges::any_of(
        findings, [&](const decide::Finding& it) { return it.server == server.name && it.kind == decide::FindingKind::replica_lagged; });
    if (seen == nullptr || (!seen->held && !seen->dial)) return ServerStatus::unknown;
    if (seen->bad_since && seen->held) {
        const auto* const closed = std::get_if<model::NotOpen>(&seen->held->what);
        const bool nobody_listens = (closed != nullptr && closed->why == model::DialOutcome::refused) ||
                                    (seen->dial && seen->dial->what.outcome == model::DialOutcome::refused);
        return nobody_listens ? ServerStatus::down : ServerStatus::unavailable;
    }
    if (trouble) return ServerStatus::warning;
    return lagged ? ServerStatus::lagged : ServerStatus::healthy;
}

/// Position and lag of one server, from its last answer.
void add_positions(const ReportInput& input, const model::ServerEvidence& seen, ServerReport& out) {
    if (!seen.last_answer) return;
    if (!seen.bad_since) out.seen_as = seen.last_answer->what.primary() != nullptr ? "primary" : "replica";
    out.seen_ago = input.state.clock().now() - seen.last_answer->at;
    if (const auto* primary = seen.last_answer->what.primary()) {
        out.timeline = primary->timeline;
        out.lsn = primary->flushed;
        return;
    }
    const model::StandbyAnswer& standby = *seen.last_answer->what.standby();
    out.timeline = standby.timeline;
    out.lsn = standby.received;
    const auto* const primary = input.state.saved.primary ? input.state.evidence.find(*input.state.saved.primary) : nullptr;
    const model::PrimaryAnswer* const ahead = primary != nullptr && primary->last_answer ? primary->last_answer->what.primary() : nullptr;
    if (ahead == nullptr) return;
    out.lag = gap(standby.received, ahead->flushed);
    // Without anything to replay the clock runs on: only what is behind in bytes is behind in time.
    const bool behind = standby.replayed < ahead->flushed;
    out.lag_time = behind ? standby.replay_delay : std::optional{Duration::zero()};
}

std::string message_of(
    const ReportInput& input, const std::vector<decide::Finding>& findings, const model::ServerDefinition& server,
    const model::ServerEvidence* seen) {
    std::string out;
    const auto add = [&](const std::string& text) { out += (out.empty() ? "" : "; ") + text; };
    if (const auto* const disabled = input.state.saved.disabled_by_person(server.name)) add(model::text(*disabled));
    if (seen != nullptr && (seen->bad_since || (seen->dial && seen->dial->what.outcome != model::DialOutcome::accepted)))
        add(decide::describe_sight(input.state.input(), *seen));
    for (const decide::Finding& it : findings) {
        // What the sensors' own words have said already is not said twice.
        const bool said = it.kind == decide::FindingKind::access_refused || it.kind == decide::FindingKind::session_lost;
        if (it.server == server.name && is_of_server(it.kind) && !said) add(it.text);
    }
    return out;
}

ServerReport report_server(const ReportInput& input, const std::vector<decide::Finding>& findings, const model::ServerDefinition& server) {
    const model::ServerEvidence* const seen = input.state.evidence.find(server.name);
    ServerReport out{
        .name = server.name,
        .role = server.role,
        .seen_as = {},
        .status = status_of(findings, server, seen),
        .host = fmt::format("{}:{}", server.hostname, server.port),
        .enabled = server.enabled,
        .must_be_down = input.state.saved.barred(server.name) != nullptr,
        .timeline = {},
        .lsn = {},
        .lag = {},
        .lag_time = {},
        .seen_ago = {},
        .message = message_of(input, findings, server, seen)};
    if (seen != nullptr) add_positions(input, *seen, out);
    return out;
}

std::string automation_of(const State& state) {
    std::vector<std::string> held;
    if (!state.settings().auto_failover) held.emplace_back("off (failover.auto_failover is false)");
    if (state.saved.maintenance) held.push_back(text(*state.saved.maintenance));
    if (state.saved.paused) held.push_back(text(*state.saved.paused));
    if (state.saved.provisional) held.emplace_back("waits until every server was read once (started without saved state)");
    return held.empty() ? "on" : join(held, "; ");
}

/// What a failover could prove about the old primary if it died now: said beforehand, so that nobody learns it at night.
std::string fence_outlook_of(const State& state) {
    if (!state.saved.primary) return "no primary is known";
    const model::ServerEvidence* const seen = state.evidence.find(*state.saved.primary);
    if (seen == nullptr || !seen->host) return "not looked into yet";
    if (seen->host->what.look() != nullptr)
        return fmt::format("processes_gone (its host answers over {})", word_for(state.define(*state.saved.primary).transport));
    switch (state.settings().fencing) {
        case model::Fencing::strict: return "no fence possible: its host does not answer, and failover.fencing is strict";
        case model::Fencing::witnessed: return "no fence possible: its host does not answer; only the replicas' hosts could witness";
        case model::Fencing::none: return "no fence possible, and failover.fencing asks for none";
    }
    return {};
}

std::string text_of(const decide::Decision& decision) {
    return std::visit([](const auto& it) { return it.text; }, decision);
}

}  // namespace

ClusterReport make_report(const ReportInput& input) {
    std::vector<decide::Finding> findings = decide::findings(input.state.input(), input.analysis);
    ClusterReport out{
        .cluster = input.state.saved.cluster,
        .status = status_of(input.analysis.situation, findings),
        .situation = input.analysis.situation,
        .situation_text = std::string(sentence_for(input.analysis.situation)),
        .since = input.since,
        .next = text_of(input.decision),
        .reason = std::visit([](const auto& it) { return it.reason; }, input.decision),
        .automation = automation_of(input.state),
        .provisional = input.state.saved.provisional,
        .fence_outlook = fence_outlook_of(input.state),
        .epoch = input.state.saved.epoch,
        .servers = {},
        .findings = {},
        .operation = input.operation,
        .maintenance = input.state.saved.maintenance,
        .paused = input.state.saved.paused,
        .scheduled = input.state.saved.scheduled};
    // A cluster that nobody would fail over is not as it should be, however well its servers are.
    if (out.status == ClusterStatus::healthy && input.state.saved.hands_off()) out.status = ClusterStatus::warning;
    if (!input.analysis.detail.empty()) out.situation_text += ": " + input.analysis.detail;
    if (input.analysis.situation == Situation::healthy && input.analysis.primary_suspected)
        out.situation_text = "the primary is not answering at this moment";
    for (const model::ServerDefinition& server : input.state.saved.servers) out.servers.push_back(report_server(input, findings, server));
    out.findings = std::move(findings);
    return out;
}

}  // namespace handyrep::engine
