#include "adapters/postgres/inspection.hpp"

#include "adapters/postgres/conninfo.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace handyrep::adapters::postgres {

using model::DatabaseInspection;
using model::Right;

namespace {

/// What decide/readiness judges by.
constexpr std::array<std::string_view, 33> settings_read{
    "allow_alter_system",
    "cluster_name",
    "data_checksums",
    "default_transaction_read_only",
    "fsync",
    "full_page_writes",
    "hot_standby",
    "max_connections",
    "max_locks_per_transaction",
    "max_prepared_transactions",
    "max_replication_slots",
    "max_slot_wal_keep_size",
    "max_standby_streaming_delay",
    "max_wal_senders",
    "max_wal_size",
    "max_worker_processes",
    "primary_conninfo",
    "primary_slot_name",
    "recovery_min_apply_delay",
    "recovery_target_timeline",
    "reserved_connections",
    "restore_command",
    "superuser_reserved_connections",
    "synchronized_standby_slots",
    "synchronous_commit",
    "synchronous_standby_names",
    "wal_keep_segments",
    "wal_keep_size",
    "wal_level",
    "wal_log_hints",
    "wal_receiver_timeout",
    "wal_segment_size",
    "wal_sender_timeout"};

/// A restart takes these from the files, and a standby refuses to start with less than its primary has (T8).
constexpr std::string_view settings_of_files =
    "'max_connections','max_worker_processes','max_wal_senders','max_prepared_transactions','max_locks_per_transaction'";

const std::string* text_of(const Row& row, std::string_view column) {
    const auto found = row.find(column);
    return found == row.end() || !found->second ? nullptr : &*found->second;
}
std::string text_or_empty(const Row& row, std::string_view column) {
    const std::string* found = text_of(row, column);
    return found == nullptr ? std::string{} : *found;
}
bool is_true(const Row& row, std::string_view column) { return text_or_empty(row, column) == "t"; }

template <class T>
std::optional<T> number_of(const Row& row, std::string_view column) {
    const std::string* digits = text_of(row, column);
    if (digits == nullptr) return std::nullopt;
    T value{};
    const auto* const last = digits->data() + digits->size();
    const auto [end, error] = std::from_chars(digits->data(), last, value);
    if (digits->empty() || error != std::errc{} || end != last) return std::nullopt;
    return value;
}

/// Whether one may execute the function, whatever arguments this version gives it; NULL where there is none of that name.
std::string may_execute(std::string_view function) {
    return fmt::format(
        "(SELECT bool_or(has_function_privilege(oid, 'EXECUTE')) FROM pg_proc WHERE proname = '{}' AND pronamespace = "
        "'pg_catalog'::regnamespace)",
        function);
}

/// What a node calls itself at its upstream when its conninfo does not say.
std::string default_application_name(const DatabaseInspection& inspected) {
    const auto cluster = inspected.settings.find("cluster_name");
    const bool named = cluster != inspected.settings.end() && !cluster->second.value.empty();
    return named ? cluster->second.value : "walreceiver";
}

std::optional<model::UpstreamSeen> read_upstream(const std::string& setting, const DatabaseInspection& inspected) {
    if (setting.empty()) return std::nullopt;
    auto conninfo = Conninfo::parse(setting);
    if (!conninfo) return std::nullopt;
    model::UpstreamSeen out;
    if (auto password = conninfo->take_password()) {
        out.has_password = true;
        out.password = *std::move(password);
    }
    out.application_name = conninfo->get("application_name").value_or(default_application_name(inspected));
    for (const char* keyword : {"host", "hostaddr", "port", "application_name", "dbname", "replication"}) conninfo->erase(keyword);
    out.conninfo = conninfo->text();
    return out;
}

}  // namespace

std::string clock_statement() { return "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS clock_us"; }

std::string basics_statement() {
    return "SELECT pg_is_in_recovery() AS in_recovery, (SELECT system_identifier FROM pg_control_system()) AS system_identifier, "
           "CASE WHEN pg_is_in_recovery() THEN GREATEST(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) "
           "ELSE pg_current_wal_flush_lsn() END AS position, "
           "CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() END AS replay_paused, "
           "(SELECT coalesce(status, 'not readable') FROM pg_stat_wal_receiver WHERE pid IS NOT NULL LIMIT 1) AS receiver_status";
}

std::string settings_statement() {
    std::string names;
    for (const std::string_view name : settings_read) names += fmt::format("{}'{}'", names.empty() ? "" : ",", name);
    return fmt::format("SELECT name, setting, source, pending_restart FROM pg_settings WHERE name IN ({})", names);
}

std::string files_statement() {
    return fmt::format("SELECT name, setting FROM pg_file_settings WHERE name IN ({}) ORDER BY seqno", settings_of_files);
}

std::string rights_statement(model::ServerVersion version) {
    const bool grants = version.number >= 150000;
    const auto alter = [&](std::string_view setting) {
        return grants ? fmt::format("has_parameter_privilege('{}', 'ALTER SYSTEM')", setting) : std::string("rolsuper");
    };
    return fmt::format(
        "SELECT rolsuper AS superuser, pg_has_role('pg_monitor', 'USAGE') AS pg_monitor, pg_has_role('pg_signal_backend', 'USAGE') AS "
        "pg_signal_backend, (rolsuper OR rolreplication) AS replication, {} AS promote, {} AS reload, {} AS heartbeat, {} AS checkpoint, "
        "{} AS alter_conninfo, {} AS alter_sync_names, {} AS alter_restore FROM pg_roles WHERE rolname = current_user",
        may_execute("pg_promote"), may_execute("pg_reload_conf"), may_execute("pg_logical_emit_message"),
        grants ? "pg_has_role('pg_checkpoint', 'USAGE')" : "rolsuper",
        // Before 12 it is no parameter at all, and has_parameter_privilege is of 15.
        version.number >= 120000 ? alter("primary_conninfo") : std::string("NULL::boolean"), alter("synchronous_standby_names"),
        version.number >= 120000 ? alter("restore_command") : std::string("NULL::boolean"));
}

std::string slots_statement(model::ServerVersion version) {
    const std::string_view survives = version.number >= 170000 ? "(failover OR synced)" : "false";
    return fmt::format(
        "SELECT slot_name, slot_type = 'logical' AS logical, active, {} AS survives FROM pg_replication_slots ORDER BY slot_name",
        survives);
}

std::string senders_statement() { return "SELECT application_name, state FROM pg_stat_replication"; }
std::string prepared_statement() { return "SELECT count(*) AS prepared FROM pg_prepared_xacts"; }

std::string role_settings_statement() {
    return "SELECT d.datname AS database, r.rolname AS role, split_part(c.entry, '=', 2) AS value FROM pg_db_role_setting s "
           "CROSS JOIN LATERAL unnest(s.setconfig) AS c(entry) LEFT JOIN pg_database d ON d.oid = s.setdatabase "
           "LEFT JOIN pg_roles r ON r.oid = s.setrole WHERE c.entry LIKE 'synchronous_commit=%' ORDER BY 1, 2";
}

std::string collations_statement(model::ServerVersion version) {
    if (version.number < 150000) return {};
    return "SELECT datname, datcollversion AS recorded, pg_database_collation_actual_version(oid) AS actual FROM pg_database "
           "WHERE datcollversion IS NOT NULL ORDER BY datname";
}

/// A few collations that nearly every system has: asking all of them opens hundreds of collators.
std::string libraries_statement() {
    return "SELECT max(pg_collation_actual_version(oid)) FILTER (WHERE collprovider = 'c') AS libc, "
           "max(pg_collation_actual_version(oid)) FILTER (WHERE collprovider = 'i') AS icu FROM pg_collation "
           "WHERE collname IN ('en_US', 'en_US.utf8', 'de_DE.utf8', 'und-x-icu')";
}

std::string size_statement() { return "SELECT sum(pg_database_size(oid))::bigint AS size FROM pg_database"; }

void read_basics(const Rows& rows, DatabaseInspection& out) {
    if (rows.size() != 1) return;
    const Row& row = rows.front();
    out.in_recovery = is_true(row, "in_recovery");
    if (const auto id = number_of<std::uint64_t>(row, "system_identifier")) out.system_id = model::SystemId{*id};
    if (const auto lsn = model::Lsn::parse(text_or_empty(row, "position"))) out.position = *lsn;
    out.replay_paused = is_true(row, "replay_paused");
    if (const std::string* status = text_of(row, "receiver_status")) out.receiver_status = *status;
}

void read_settings(const Rows& rows, DatabaseInspection& out) {
    for (const Row& row : rows) {
        out.settings[text_or_empty(row, "name")] = {
            .value = text_or_empty(row, "setting"),
            .source = text_or_empty(row, "source"),
            .pending_restart = is_true(row, "pending_restart")};
    }
    for (const char* secret : {"primary_conninfo", "restore_command"}) {
        const auto found = out.settings.find(secret);
        if (found == out.settings.end()) continue;
        if (found->first == "primary_conninfo") out.upstream = read_upstream(found->second.value, out);
        found->second.value = found->second.value.empty() ? "" : "set";
    }
}

void read_files(const Rows& rows, DatabaseInspection& out) {
    out.files_read = true;
    for (const Row& row : rows) {
        const auto found = out.settings.find(text_or_empty(row, "name"));
        if (found != out.settings.end()) found->second.in_file = text_or_empty(row, "setting");
    }
}

void read_rights(const Rows& rows, DatabaseInspection& out) {
    if (rows.size() != 1) return;
    constexpr std::array<std::pair<std::string_view, Right>, 11> columns{{
        {"superuser", Right::superuser},
        {"pg_monitor", Right::pg_monitor},
        {"pg_signal_backend", Right::pg_signal_backend},
        {"replication", Right::replication},
        {"promote", Right::promote},
        {"reload", Right::reload},
        {"heartbeat", Right::heartbeat},
        {"checkpoint", Right::checkpoint},
        {"alter_conninfo", Right::alter_conninfo},
        {"alter_sync_names", Right::alter_sync_names},
        {"alter_restore", Right::alter_restore},
    }};
    for (const auto& [column, right] : columns) {
        if (text_of(rows.front(), column) != nullptr) out.rights[right] = is_true(rows.front(), column);
    }
}

void read_slots(const Rows& rows, DatabaseInspection& out) {
    out.slots.emplace();
    for (const Row& row : rows)
        out.slots->push_back(
            {.name = text_or_empty(row, "slot_name"),
             .logical = is_true(row, "logical"),
             .active = is_true(row, "active"),
             .survives_promotion = is_true(row, "survives")});
}

void read_senders(const Rows& rows, DatabaseInspection& out) {
    out.senders.emplace();
    for (const Row& row : rows)
        out.senders->push_back({.application_name = text_or_empty(row, "application_name"), .state = text_or_empty(row, "state")});
}

void read_prepared(const Rows& rows, DatabaseInspection& out) {
    if (rows.size() == 1) out.prepared_transactions = number_of<std::uint32_t>(rows.front(), "prepared");
}

void read_role_settings(const Rows& rows, DatabaseInspection& out) {
    out.synchronous_commit_settings.emplace();
    for (const Row& row : rows)
        out.synchronous_commit_settings->push_back(
            {.database = text_or_empty(row, "database"), .role = text_or_empty(row, "role"), .value = text_or_empty(row, "value")});
}

void read_collations(const Rows& rows, DatabaseInspection& out) {
    out.collations.emplace();
    for (const Row& row : rows)
        out.collations->push_back(
            {.database = text_or_empty(row, "datname"),
             .recorded = text_or_empty(row, "recorded"),
             .actual = text_or_empty(row, "actual")});
}

void read_libraries(const Rows& rows, DatabaseInspection& out) {
    if (rows.size() != 1) return;
    if (const std::string* libc = text_of(rows.front(), "libc")) out.libc_version = *libc;
    if (const std::string* icu = text_of(rows.front(), "icu")) out.icu_version = *icu;
}

void read_size(const Rows& rows, DatabaseInspection& out) {
    if (rows.size() != 1) return;
    if (const auto size = number_of<std::uint64_t>(rows.front(), "size")) out.size = model::Bytes{*size};
}

}  // namespace handyrep::adapters::postgres
