#include "adapters/postgres/statements.hpp"

#include "model/version_facts.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>

namespace handyrep::adapters::postgres {

namespace {

struct Dialect {
    int from;                 // server_version_num of the first version that speaks so
    std::string_view insert;  // functions
    std::string_view flush;
    std::string_view receive;
    std::string_view replay;
    std::string_view file_name;
    std::string_view paused;
    bool heartbeat;       // pg_logical_emit_message
    bool receiver_view;   // pg_stat_wal_receiver
    bool sender_columns;  // sender_host and sender_port in it
};

constexpr std::array<Dialect, 4> dialects{{
    {90200, "pg_current_xlog_insert_location", "pg_current_xlog_location", "pg_last_xlog_receive_location", "pg_last_xlog_replay_location",
     "pg_xlogfile_name", "pg_is_xlog_replay_paused", false, false, false},
    {90600, "pg_current_xlog_insert_location", "pg_current_xlog_flush_location", "pg_last_xlog_receive_location",
     "pg_last_xlog_replay_location", "pg_xlogfile_name", "pg_is_xlog_replay_paused", true, true, false},
    {100000, "pg_current_wal_insert_lsn", "pg_current_wal_flush_lsn", "pg_last_wal_receive_lsn", "pg_last_wal_replay_lsn",
     "pg_walfile_name", "pg_is_wal_replay_paused", true, true, false},
    {110000, "pg_current_wal_insert_lsn", "pg_current_wal_flush_lsn", "pg_last_wal_receive_lsn", "pg_last_wal_replay_lsn",
     "pg_walfile_name", "pg_is_wal_replay_paused", true, true, true},
}};

const Dialect& dialect_of(model::ServerVersion version) {
    const Dialect* best = dialects.data();
    for (const Dialect& it : dialects) {
        if (version.number >= it.from) best = &it;
    }
    return *best;
}

std::string receiver_columns(const Dialect& dialect) {
    if (!dialect.receiver_view) {
        return "NULL AS receiver_pid, NULL AS receiver_status, NULL AS receiver_timeline, NULL AS receiver_age_us, NULL AS sender_host, "
               "NULL AS sender_port, NULL AS receiver_conninfo";
    }
    return fmt::format(
        "w.pid AS receiver_pid, w.status AS receiver_status, w.received_tli AS receiver_timeline, "
        "(extract(epoch FROM clock_timestamp() - w.last_msg_receipt_time) * 1000000)::bigint AS receiver_age_us, "
        "{} AS sender_host, {} AS sender_port, {} AS receiver_conninfo",
        dialect.sender_columns ? "w.sender_host" : "NULL", dialect.sender_columns ? "w.sender_port" : "NULL",
        dialect.sender_columns ? "NULL" : "w.conninfo");
}

}  // namespace

std::string poll_statement(model::ServerVersion version, bool beat) {
    const Dialect& dialect = dialect_of(version);
    // The heartbeat stands before the positions: the target list is computed from left to right, so they include it.
    const std::string heartbeat =
        beat && dialect.heartbeat ? "CASE WHEN NOT pg_is_in_recovery() THEN pg_logical_emit_message(false, 'handyrep', '') END" : "NULL";
    // Asked only of a replica that is behind. The startup process names what it waits for; the names changed with 13.
    const std::string_view waits = version.number >= 100000
                                       ? "CASE WHEN pg_is_in_recovery() AND pg_last_wal_receive_lsn() > pg_last_wal_replay_lsn() THEN "
                                         "(SELECT wait_event IN ('RecoveryWalStream', 'RecoveryWalAll', 'RecoveryRetrieveRetryInterval') "
                                         "FROM pg_stat_activity WHERE backend_type = 'startup') END"
                                       : "NULL";
    // Before 12 the delay stands in recovery.conf, where no query sees it.
    const std::string_view delay = model::facts_of(version).shows_delay ? "current_setting('recovery_min_apply_delay')" : "NULL";
    return fmt::format(
        "SELECT pg_is_in_recovery() AS in_recovery, "
        "(extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint AS started_us, "
        "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS server_time_us, "
        "{heartbeat} AS heartbeat, "
        "CASE WHEN NOT pg_is_in_recovery() THEN {insert}() END AS inserted, "
        "CASE WHEN NOT pg_is_in_recovery() THEN {flush}() END AS flushed, "
        "CASE WHEN NOT pg_is_in_recovery() THEN {file_name}({insert}()) END AS wal_file, "
        "current_setting('default_transaction_read_only') AS read_only, "
        "current_setting('synchronous_standby_names') AS synchronous_standby_names, "
        "current_setting('synchronous_commit') AS synchronous_commit, "
        "(SELECT array_to_json(array_agg(row_to_json(s))) FROM (SELECT application_name, state, sync_state, "
        "host(client_addr) AS address, {sender_flush} AS flushed FROM pg_stat_replication) s) "
        "AS senders, "
        "{receive}() AS received, {replay}() AS replayed, "
        "CASE WHEN pg_is_in_recovery() THEN {paused}() END AS replay_paused, "
        "{waits} AS replay_waits, "
        "{delay} AS apply_delay, "
        "(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) * 1000000)::bigint AS replay_delay_us, "
        "{receiver} FROM (VALUES (1)) one (row){join}",
        fmt::arg("heartbeat", heartbeat), fmt::arg("insert", dialect.insert), fmt::arg("flush", dialect.flush),
        fmt::arg("file_name", dialect.file_name), fmt::arg("receive", dialect.receive), fmt::arg("replay", dialect.replay),
        fmt::arg("paused", dialect.paused), fmt::arg("waits", waits), fmt::arg("delay", delay),
        fmt::arg("receiver", receiver_columns(dialect)),
        fmt::arg("sender_flush", version.number >= 100000 ? "flush_lsn" : "flush_location"),
        fmt::arg("join", dialect.receiver_view ? " LEFT JOIN pg_stat_wal_receiver w ON true" : ""));
}

std::string details_statement(model::ServerVersion version) {
    const auto from = [&](int number, std::string_view expression) { return version.number >= number ? expression : "NULL"; };
    // Without the right to see other roles' sessions there would always be nobody who waits.
    const std::string_view waiters = from(
        100000,
        "CASE WHEN pg_has_role('pg_read_all_stats', 'USAGE') THEN (SELECT json_build_object('backends', count(*), 'oldest_us', "
        "(extract(epoch FROM max(clock_timestamp() - query_start)) * 1000000)::bigint) FROM pg_stat_activity WHERE wait_event = 'SyncRep') END");
    const std::string_view limits = version.number >= 130000 ? ", wal_status, safe_wal_size" : "";
    return fmt::format(
        "SELECT {waiters} AS sync_wait, "
        "(SELECT array_to_json(array_agg(row_to_json(s))) FROM (SELECT slot_name, active, restart_lsn{limits} FROM pg_replication_slots) s) "
        "AS slots, "
        "CASE WHEN current_setting('archive_mode') <> 'off' AND NOT pg_is_in_recovery() THEN (SELECT coalesce(last_failed_time > "
        "coalesce(last_archived_time, '-infinity'), false) FROM pg_stat_archiver) END AS archive_failing, "
        "current_setting('data_checksums') = 'on' OR current_setting('wal_log_hints') = 'on' AS can_rewind, "
        "current_setting('archive_mode') <> 'off' OR current_setting('{keep}') <> '0' AS keeps_wal, "
        "{collation} AS collation, {built_with} AS built_with_collation, {target} AS recovery_target_timeline, {restore} AS restore_command, "
        "json_build_object('max_connections', current_setting('max_connections')::int, "
        "'max_worker_processes', current_setting('max_worker_processes')::int, "
        "'max_wal_senders', current_setting('max_wal_senders')::int, "
        "'max_prepared_transactions', current_setting('max_prepared_transactions')::int, "
        "'max_locks_per_transaction', current_setting('max_locks_per_transaction')::int) AS capacity "
        "FROM (VALUES (1)) one (row) LEFT JOIN pg_database d ON d.datname = current_database()",
        fmt::arg("waiters", waiters), fmt::arg("limits", limits),
        fmt::arg("keep", version.number >= 130000 ? "wal_keep_size" : "wal_keep_segments"),
        fmt::arg("collation", from(150000, "pg_database_collation_actual_version(d.oid)")),
        fmt::arg("built_with", from(150000, "d.datcollversion")),
        fmt::arg("target", from(120000, "current_setting('recovery_target_timeline')")),
        fmt::arg("restore", from(120000, "current_setting('restore_command')")));
}

std::string identity_statement(model::ServerVersion version) {
    return version.number >= 90600
               ? "SELECT system_identifier, (SELECT setting FROM pg_settings WHERE name = 'primary_conninfo') AS primary_conninfo "
                 "FROM pg_control_system()"
               : "";
}

std::string literal(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\'' || c == '\\') out += c;
        out += c;
    }
    // The escape form does not depend on standard_conforming_strings.
    return (text.find('\\') == std::string_view::npos ? "'" : "E'") + out + "'";
}

std::string setting_statement(std::string_view name) {
    return fmt::format("SELECT pg_is_in_recovery() AS in_recovery, setting, source, sourcefile FROM pg_settings WHERE name = '{}'", name);
}

std::string file_setting_statement(std::string_view name) {
    return fmt::format("SELECT setting FROM pg_file_settings WHERE name = '{}' ORDER BY seqno DESC LIMIT 1", name);
}

std::string receiver_gone_statement() {
    return "SELECT NOT EXISTS (SELECT 1 FROM pg_stat_wal_receiver WHERE pid IS NOT NULL) "
           "AND NOT EXISTS (SELECT 1 FROM pg_stat_activity WHERE backend_type = 'walreceiver') AS gone";
}

std::string end_backends_statement() {
    return "SELECT count(pg_terminate_backend(pid)) > 0 AS left FROM pg_stat_activity "
           "WHERE pid = ANY ($1::int[]) AND usename = current_user AND application_name = current_setting('application_name')";
}

std::string end_queries_statement() {
    // `verify` looks in sessions whose name begins with that of ours. Without HAVING there would be a row, of 0, also out of recovery.
    return "SELECT count(pg_terminate_backend(a.pid)) AS ended FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid "
           "JOIN pg_roles me ON me.rolname = current_user "
           "WHERE a.backend_type = 'client backend' AND a.pid <> pg_backend_pid() AND a.state <> 'idle' AND pg_is_in_recovery() "
           "AND (me.rolsuper OR NOT r.rolsuper) "
           "AND NOT (a.usename = current_user AND a.application_name LIKE current_setting('application_name') || '%') HAVING pg_is_in_recovery()";
}

std::string promote_statement() {
    return "SELECT pg_promote(false) AS taken WHERE pg_is_in_recovery() AND clock_timestamp() < $1::timestamptz";
}

}  // namespace handyrep::adapters::postgres
