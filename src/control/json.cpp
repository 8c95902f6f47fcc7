#include "control/json.hpp"

#include "plans/describe.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <optional>

namespace handyrep::control {

namespace {

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

template <class T, class F>
Json or_null(const std::optional<T>& value, F&& as_json) {
    return value ? Json(as_json(*value)) : Json(nullptr);
}

std::string_view level_word(Level level) {
    switch (level) {
        case Level::debug: return "debug";
        case Level::info: return "info";
        case Level::warning: return "warning";
        case Level::error: return "error";
    }
    return "";
}

Json server_json(const engine::ServerReport& server) {
    return Json{
        {"name", server.name.text()},
        {"role", word_for(server.role)},
        {"seen_as", server.seen_as},
        {"status", word_for(server.status)},
        {"status_no", static_cast<int>(server.status)},
        {"host", server.host},
        {"timeline", or_null(server.timeline, [](model::Timeline it) { return it.id; })},
        {"lsn", or_null(server.lsn, [](model::Lsn it) { return it.text(); })},
        {"lag_bytes", or_null(server.lag, [](model::Bytes it) { return it.count; })},
        {"lag_seconds", or_null(server.lag_time, seconds)},
        {"seen_seconds_ago", or_null(server.seen_ago, seconds)},
        {"message", server.message},
        {"must_be_down", server.must_be_down},
        {"enabled", server.enabled},
    };
}

Json finding_json(const decide::Finding& finding) {
    return Json{
        {"kind", word_for(finding.kind)},
        {"server", or_null(finding.server, [](const model::ServerName& it) { return it.text(); })},
        {"text", finding.text},
    };
}

Json loss_json(const saved::LossRecord& loss) {
    const auto bytes = [](model::Bytes it) { return it.count; };
    return Json{
        {"at_least_bytes", or_null(loss.at_least, bytes)},
        {"at_most_bytes", or_null(loss.at_most, bytes)},
        {"unbounded", loss.unbounded},
        {"read_bytes", or_null(loss.read, bytes)},
        {"read_transactions", or_null(loss.transactions, [](std::uint64_t it) { return it; })},
    };
}

Json progress_json(const saved::ProgressRecord& progress) {
    const auto bytes = [](model::Bytes it) { return it.count; };
    return Json{
        {"done_bytes", progress.done.count},
        {"total_bytes", or_null(progress.total, bytes)},
        {"rate_bytes_per_second", or_null(progress.rate, bytes)},
        {"left_seconds", or_null(progress.left, [](Duration it) { return std::chrono::duration<double>(it).count(); })},
    };
}

Json operation_json(const engine::OperationReport& operation) {
    return Json{
        {"id", operation.id},
        {"kind", operation.kind},
        {"by", operation.by},
        {"reason", operation.reason},
        {"began", text(operation.began)},
        {"ended", or_null(operation.ended, [](WallTime it) { return text(it); })},
        {"step", operation.step()},
        {"outcome", operation.outcome},
        {"loss", or_null(operation.loss, loss_json)},
        {"progress", or_null(operation.progress, progress_json)},
    };
}

Json counts_json(const decide::CheckCounts& counts) {
    return Json{{"ok", counts.ok}, {"debts", counts.debts}, {"broken", counts.broken}, {"unknown", counts.unknown}};
}

Json readiness_json(const engine::ReadinessSummary& readiness) {
    Json out = counts_json(readiness.counts);
    out["at"] = text(readiness.at);
    return out;
}

Json maintenance_json(const model::Maintenance& it) {
    return Json{{"since", text(it.since)}, {"until", text(it.until)}, {"by", it.by}, {"reason", it.reason}};
}

Json pause_json(const model::Pause& it) { return Json{{"since", text(it.since)}, {"by", it.by}, {"reason", it.reason}}; }

Json scheduled_json(const model::ScheduledSwitchover& it) {
    return Json{
        {"at", text(it.at)},
        {"to", or_null(it.to, [](const model::ServerName& name) { return name.text(); })},
        {"since", text(it.since)},
        {"by", it.by},
        {"text", text(it)}};
}

}  // namespace

Json to_json(const engine::ClusterReport& report) {
    Json servers = Json::array();
    for (const engine::ServerReport& server : report.servers) servers.push_back(server_json(server));
    Json findings = Json::array();
    for (const decide::Finding& finding : report.findings) findings.push_back(finding_json(finding));
    return Json{
        {"cluster", report.cluster.text()},
        {"status", word_for(report.status)},
        {"status_no", static_cast<int>(report.status)},
        {"situation", word_for(report.situation)},
        {"situation_text", report.situation_text},
        {"since", text(report.since)},
        {"next", report.next},
        {"reason", word_for(report.reason)},
        {"automation", report.automation},
        {"provisional", report.provisional},
        {"fence_outlook", report.fence_outlook},
        {"epoch", report.epoch},
        {"servers", std::move(servers)},
        {"findings", std::move(findings)},
        {"operation", or_null(report.operation, operation_json)},
        {"readiness", or_null(report.readiness, readiness_json)},
        {"maintenance", or_null(report.maintenance, maintenance_json)},
        {"paused", or_null(report.paused, pause_json)},
        {"scheduled", or_null(report.scheduled, scheduled_json)},
    };
}

Json to_json(const plans::Plan& plan) {
    return Json{
        {"kind", word_for(plan.kind)},
        {"cluster", plan.cluster.text()},
        {"commit", plan.commit ? Json(plan.commit->name) : Json()},
        {"steps", plans::describe(plan)},
    };
}

Json to_json(const engine::OrderAnswer& answer) {
    return Json{
        {"operation", or_null(answer.operation, [](std::uint64_t it) { return it; })},
        {"dry_run", !answer.operation.has_value()},
        {"text", answer.text},
        {"plan", to_json(answer.plan)},
    };
}

Json to_json(const engine::OperationReport& operation) {
    Json out = operation_json(operation);
    out["plan"] = operation.plan;
    out["steps"] = Json::array();
    for (const saved::StepRecord& step : operation.steps) {
        out["steps"].push_back(Json{
            {"name", step.name},
            {"began", text(step.began)},
            {"took_seconds", or_null(step.took, [](std::chrono::microseconds it) { return seconds(it); })},
            {"outcome", step.outcome},
            {"text", step.text}});
    }
    return out;
}

Json to_json(const model::StandingAnswer& answer) { return Json{{"changed", !answer.event.empty()}, {"text", answer.text}}; }

Json to_json(const saved::Event& event) {
    Json fields = Json::object();
    for (const Field& field : event.fields) fields[field.name] = field.value;
    return Json{
        {"at", text(event.at)},
        {"level", level_word(event.level)},
        {"name", event.name},
        {"text", event.text},
        {"operation", or_null(event.operation, [](std::uint64_t it) { return it; })},
        {"fields", std::move(fields)},
    };
}

Json to_json(const Check& check) {
    return Json{{"cluster", check.cluster.text()}, {"exit_code", check.exit_code}, {"word", check.word}, {"text", check.text}};
}

Json to_json(const engine::Readiness& readiness) {
    Json checks = Json::array();
    for (const decide::Check& check : readiness.checks) {
        checks.push_back(Json{
            {"server", check.server.text()},
            {"name", word_for(check.name)},
            {"outcome", word_for(check.outcome)},
            {"text", check.text},
            {"remedy", check.remedy},
        });
    }
    const decide::CheckCounts counts = decide::count(readiness.checks);
    return Json{
        {"cluster", readiness.cluster.text()},
        {"exit_code", exit_code_for(counts)},
        {"at", text(readiness.at)},
        {"hosts_at", or_null(readiness.hosts_at, [](WallTime it) { return text(it); })},
        {"took_seconds", seconds(readiness.took)},
        {"counts", counts_json(counts)},
        {"checks", std::move(checks)},
    };
}

Json to_json(const Versions& versions) { return Json{{"handyrep", versions.handyrep}, {"libpq", versions.libpq}}; }

std::string document(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

}  // namespace handyrep::control
