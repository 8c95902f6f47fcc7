// The checks that look at one setting of one server.
#include "decide/readiness_rules.hpp"

#include <array>
#include <charconv>

namespace handyrep::decide {

namespace {

bool is_on(std::string_view value) { return value == "on"; }
bool is_off(std::string_view value) { return value == "off"; }
bool is_zero(std::string_view value) { return value == "0"; }
bool feeds_standbys(std::string_view value) { return value == "replica" || value == "logical"; }
/// PostgreSQL's own default is 30 s; -1 waits for ever.
bool is_short_delay(std::string_view value) {
    const auto milliseconds = whole_number(value);
    return milliseconds && *milliseconds >= 0 && *milliseconds <= 30000;
}

constexpr std::array rules{
    SettingRule{
        .name = CheckName::read_only,
        .about = About::primary,
        .setting = "default_transaction_read_only",
        .good = is_off,
        .otherwise = CheckOutcome::broken,
        .meaning = "clients cannot write",
        .remedy = "find out who set it and why (HandyRep never does), then ALTER SYSTEM RESET default_transaction_read_only and reload"},
    SettingRule{
        .name = CheckName::full_page_writes,
        .about = About::every,
        .setting = "full_page_writes",
        .good = is_on,
        .otherwise = CheckOutcome::debt,
        .meaning = "a crash can tear pages, and pg_rewind refuses to copy from it",
        .remedy = "full_page_writes = on, unless the file system itself never tears a page; reload"},
    SettingRule{
        .name = CheckName::durable_writes,
        .about = About::every,
        .setting = "fsync",
        .good = is_on,
        .otherwise = CheckOutcome::debt,
        .meaning = "a crash of the machine can lose or damage what was acknowledged",
        .remedy = "fsync = on; reload"},
    SettingRule{
        .name = CheckName::hot_standby,
        .about = About::every,
        .setting = "hot_standby",
        .good = is_on,
        .otherwise = CheckOutcome::broken,
        .meaning = "as a standby it takes no sessions: it can be neither seen nor promoted over SQL",
        .remedy = "hot_standby = on; restart"},
    SettingRule{
        .name = CheckName::wal_level,
        .about = About::every,
        .setting = "wal_level",
        .good = feeds_standbys,
        .otherwise = CheckOutcome::broken,
        .meaning = "as a primary it could feed no standby",
        .remedy = "wal_level = replica (or logical, where somebody decodes); restart"},
    SettingRule{
        .name = CheckName::alter_system_allowed,
        .about = About::every,
        .setting = "allow_alter_system",
        .good = is_on,
        .otherwise = CheckOutcome::broken,
        .meaning = "HandyRep cannot write primary_conninfo and synchronous_standby_names there",
        .remedy = "allow_alter_system = on; reload",
        .first_version = 170000,
        .on_older = CheckOutcome::ok,
        .before = "before PostgreSQL 17 ALTER SYSTEM cannot be switched off"},
    SettingRule{
        .name = CheckName::apply_delay,
        .about = About::candidate,
        .setting = "recovery_min_apply_delay",
        .good = is_zero,
        .otherwise = CheckOutcome::debt,
        .meaning = "it replays later on purpose: a promotion waits for all of it",
        .remedy = "give a delayed replica failover_priority: 0, or take its delay away",
        .unit = " ms",
        .first_version = 120000,
        .before = "before PostgreSQL 12 the delay stands in recovery.conf, where no session sees it: look there"},
    SettingRule{
        .name = CheckName::standby_delay,
        .about = About::candidate,
        .setting = "max_standby_streaming_delay",
        .good = is_short_delay,
        .otherwise = CheckOutcome::debt,
        .meaning = "a query there may hold replay up that long (-1: for ever), and a promotion waits for replay",
        .remedy = "max_standby_streaming_delay = 30s or less on servers that may be promoted; reload",
        .unit = " ms"},
};

}  // namespace

std::span<const SettingRule> setting_rules() { return rules; }

const model::SettingSeen* setting_of(const model::DatabaseInspection& database, std::string_view name) {
    const auto found = database.settings.find(name);
    return found == database.settings.end() ? nullptr : &found->second;
}

std::string value_of(const model::DatabaseInspection& database, std::string_view name) {
    const auto* const seen = setting_of(database, name);
    return seen == nullptr ? std::string{} : seen->value;
}

std::optional<std::int64_t> whole_number(std::string_view text) {
    std::int64_t value = 0;
    const auto* const last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, value);
    if (text.empty() || error != std::errc{} || end != last) return std::nullopt;
    return value;
}

std::optional<std::int64_t> number_of(const model::DatabaseInspection& database, std::string_view name) {
    const auto* const seen = setting_of(database, name);
    return seen == nullptr ? std::nullopt : whole_number(seen->value);
}

std::string version_text(model::ServerVersion version) { return fmt::format("{}.{}", version.major(), version.number % 10000); }

Verdict judge_setting(const SettingRule& rule, const model::DatabaseInspection& database) {
    if (database.version.number < rule.first_version) return {rule.on_older, std::string(rule.before)};
    const auto* const seen = setting_of(database, rule.setting);
    if (seen == nullptr) return unknown(fmt::format("{} cannot be read by the manager's role", rule.setting));
    const std::string text = fmt::format("{} is {}{}", rule.setting, seen->value, rule.unit);
    if (rule.good(seen->value)) return fine(text);
    return {rule.otherwise, fmt::format("{}: {}", text, rule.meaning)};
}

}  // namespace handyrep::decide
