// decide/readiness_rules.hpp — the tables that decide/readiness walks: one row per check. Internal to the room.
#pragma once

#include "decide/readiness.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace handyrep::decide {

/// One server, with what was read of it.
struct Subject {
    const model::ServerDefinition& definition;
    const model::ServerInspection* seen = nullptr;
    const model::DatabaseInspection* database = nullptr;
    const model::HostInspection* host = nullptr;
    bool barred = false;

    [[nodiscard]] bool is_primary() const { return definition.role == model::Role::primary; }
    [[nodiscard]] bool is_candidate() const { return !is_primary() && !barred && definition.failover_priority > 0; }
    [[nodiscard]] const std::string& name() const { return definition.name.text(); }
};

struct Scene {
    const ReadinessInput& input;
    std::vector<Subject> subjects;  // enabled servers
    const Subject* primary = nullptr;

    /// The primary's answer over SQL; nothing when there is none.
    [[nodiscard]] const model::DatabaseInspection* primary_database() const { return primary == nullptr ? nullptr : primary->database; }
};

struct Verdict {
    CheckOutcome outcome;
    std::string text;
};
[[nodiscard]] inline Verdict fine(std::string text) { return {CheckOutcome::ok, std::move(text)}; }
[[nodiscard]] inline Verdict debt(std::string text) { return {CheckOutcome::debt, std::move(text)}; }
[[nodiscard]] inline Verdict broken(std::string text) { return {CheckOutcome::broken, std::move(text)}; }
[[nodiscard]] inline Verdict unknown(std::string text) { return {CheckOutcome::unknown, std::move(text)}; }

enum class About { every, primary, replica, candidate };
enum class Needs { nothing, database, host };

struct Rule {
    CheckName name;
    About about;
    Needs needs;  // without it the check is left out: that it could not be made is said once, by database_answers or host_answers
    Verdict (*judge)(const Subject& self, const Scene& scene);
    std::string_view remedy;
};

/// A check of one setting by itself.
struct SettingRule {
    CheckName name;
    About about;
    std::string_view setting;
    bool (*good)(std::string_view value);
    CheckOutcome otherwise;
    std::string_view meaning;  // of a value that is not good
    std::string_view remedy;
    std::string_view unit{};
    int first_version = 100000;
    CheckOutcome on_older = CheckOutcome::unknown;
    std::string_view before{};  // what is so on older versions, which do not have the setting
};

[[nodiscard]] std::span<const SettingRule> setting_rules();  // readiness_settings.cpp
[[nodiscard]] std::span<const Rule> server_rules();          // readiness_servers.cpp
[[nodiscard]] std::span<const Rule> cluster_rules();         // readiness_cluster.cpp
[[nodiscard]] std::span<const Rule> host_rules();            // readiness_hosts.cpp
[[nodiscard]] std::span<const Rule> lease_rules();           // readiness_lease.cpp

/// The value of a setting, or nothing where it could not be read.
[[nodiscard]] const model::SettingSeen* setting_of(const model::DatabaseInspection& database, std::string_view name);
[[nodiscard]] std::string value_of(const model::DatabaseInspection& database, std::string_view name);
[[nodiscard]] std::optional<std::int64_t> number_of(const model::DatabaseInspection& database, std::string_view name);
[[nodiscard]] std::optional<std::int64_t> whole_number(std::string_view text);
/// "15.20", as people say it.
[[nodiscard]] std::string version_text(model::ServerVersion version);
[[nodiscard]] Verdict judge_setting(const SettingRule& rule, const model::DatabaseInspection& database);

}  // namespace handyrep::decide
