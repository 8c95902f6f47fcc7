#include "decide/readiness.hpp"

#include "decide/readiness_rules.hpp"

#include <algorithm>
#include <ranges>

namespace handyrep::decide {

namespace {

template <class T>
const T* good(const std::optional<Result<T>>& result) {
    return result && *result ? &**result : nullptr;
}

Scene scene_of(const ReadinessInput& input) {
    Scene scene{.input = input, .subjects = {}};
    for (const model::ServerDefinition& server : input.saved.servers) {
        if (!server.enabled) continue;
        Subject subject{.definition = server, .barred = input.saved.barred(server.name) != nullptr};
        const auto seen = std::ranges::find(input.inspections, server.name, &model::ServerInspection::server);
        if (seen != input.inspections.end()) {
            subject.seen = &*seen;
            subject.database = good(seen->database);
            subject.host = good(seen->host);
        }
        scene.subjects.push_back(subject);
    }
    const auto primary = std::ranges::find_if(scene.subjects, &Subject::is_primary);
    if (primary != scene.subjects.end()) scene.primary = &*primary;
    return scene;
}

bool concerns(About about, const Subject& subject) {
    switch (about) {
        case About::every: return true;
        case About::primary: return subject.is_primary();
        case About::replica: return !subject.is_primary();
        case About::candidate: return subject.is_candidate();
    }
    return false;
}

bool can_be_judged(Needs needs, const Subject& subject) {
    switch (needs) {
        case Needs::nothing: return true;
        case Needs::database: return subject.database != nullptr;
        case Needs::host: return subject.host != nullptr;
    }
    return false;
}

Check check_of(CheckName name, const Subject& subject, Verdict verdict, std::string_view remedy) {
    return {
        .name = name,
        .server = subject.definition.name,
        .outcome = verdict.outcome,
        .text = std::move(verdict.text),
        .remedy = verdict.outcome == CheckOutcome::ok ? std::string{} : std::string(remedy)};
}

void add_rules(std::span<const Rule> rules, const Subject& subject, const Scene& scene, std::vector<Check>& out) {
    for (const Rule& rule : rules) {
        if (concerns(rule.about, subject) && can_be_judged(rule.needs, subject))
            out.push_back(check_of(rule.name, subject, rule.judge(subject, scene), rule.remedy));
    }
}

/// A server that must be down is no candidate and is looked at by the fence, not here.
Check barred_check(const Subject& subject) {
    return check_of(
        CheckName::role, subject, debt(fmt::format("{} must be down since a failover: one server fewer to fail over to", subject.name())),
        "rebuild it as a replica of the present primary (pg_rewind or pg_basebackup); once it follows, it takes part again");
}

std::vector<Check> checks_of(const Subject& subject, const Scene& scene) {
    if (subject.barred) return {barred_check(subject)};
    std::vector<Check> out;
    add_rules(server_rules(), subject, scene, out);
    add_rules(cluster_rules(), subject, scene, out);
    add_rules(host_rules(), subject, scene, out);
    if (scene.input.settings.lease_ttl > Duration{}) add_rules(lease_rules(), subject, scene, out);
    for (const SettingRule& rule : setting_rules()) {
        if (subject.database != nullptr && concerns(rule.about, subject))
            out.push_back(check_of(rule.name, subject, judge_setting(rule, *subject.database), rule.remedy));
    }
    std::ranges::stable_sort(out, {}, &Check::name);
    return out;
}

}  // namespace

std::vector<Check> judge(const ReadinessInput& input) {
    const Scene scene = scene_of(input);
    std::vector<Check> out;
    for (const Subject& subject : scene.subjects) std::ranges::move(checks_of(subject, scene), std::back_inserter(out));
    return out;
}

CheckCounts count(std::span<const Check> checks) {
    CheckCounts out;
    for (const Check& check : checks) {
        switch (check.outcome) {
            case CheckOutcome::ok: ++out.ok; break;
            case CheckOutcome::debt: ++out.debts; break;
            case CheckOutcome::broken: ++out.broken; break;
            case CheckOutcome::unknown: ++out.unknown; break;
        }
    }
    return out;
}

std::string_view word_for(CheckOutcome outcome) {
    switch (outcome) {
        case CheckOutcome::ok: return "ok";
        case CheckOutcome::debt: return "debt";
        case CheckOutcome::broken: return "broken";
        case CheckOutcome::unknown: return "unknown";
    }
    return "";
}

std::string_view word_for(CheckName name) {
    switch (name) {
        case CheckName::database_answers: return "database_answers";
        case CheckName::host_answers: return "host_answers";
        case CheckName::role: return "role";
        case CheckName::system_identity: return "system_identity";
        case CheckName::read_only: return "read_only";
        case CheckName::replication: return "replication";
        case CheckName::replication_lag: return "replication_lag";
        case CheckName::replay: return "replay";
        case CheckName::minor_version: return "minor_version";
        case CheckName::manager_rights: return "manager_rights";
        case CheckName::detach_by_reload: return "detach_by_reload";
        case CheckName::rewind_possible: return "rewind_possible";
        case CheckName::full_page_writes: return "full_page_writes";
        case CheckName::durable_writes: return "durable_writes";
        case CheckName::hot_standby: return "hot_standby";
        case CheckName::wal_level: return "wal_level";
        case CheckName::target_timeline: return "target_timeline";
        case CheckName::alter_system_allowed: return "alter_system_allowed";
        case CheckName::effective_settings: return "effective_settings";
        case CheckName::standby_limits: return "standby_limits";
        case CheckName::replication_timeouts: return "replication_timeouts";
        case CheckName::apply_delay: return "apply_delay";
        case CheckName::standby_delay: return "standby_delay";
        case CheckName::reserved_connections: return "reserved_connections";
        case CheckName::sender_headroom: return "sender_headroom";
        case CheckName::slot_headroom: return "slot_headroom";
        case CheckName::wal_kept: return "wal_kept";
        case CheckName::application_name: return "application_name";
        case CheckName::upstream_password: return "upstream_password";
        case CheckName::replication_login: return "replication_login";
        case CheckName::synchronous_standbys: return "synchronous_standbys";
        case CheckName::synchronous_commit: return "synchronous_commit";
        case CheckName::logical_slots: return "logical_slots";
        case CheckName::prepared_transactions: return "prepared_transactions";
        case CheckName::clock: return "clock";
        case CheckName::collation_versions: return "collation_versions";
        case CheckName::collation_skew: return "collation_skew";
        case CheckName::pg_ctl: return "pg_ctl";
        case CheckName::control_data: return "control_data";
        case CheckName::data_directory_writable: return "data_directory_writable";
        case CheckName::parent_writable: return "parent_writable";
        case CheckName::wal_space: return "wal_space";
        case CheckName::reclone_space: return "reclone_space";
        case CheckName::autostart: return "autostart";
        case CheckName::fence_drill: return "fence_drill";
        case CheckName::lease: return "lease";
        case CheckName::lease_replies: return "lease_replies";
    }
    return "";
}

}  // namespace handyrep::decide
