// model/readiness.hpp — what `verify` read of one server: over SQL, on its host, and by trying. What was read, never what it
// means (decide/readiness.hpp); what could not be known is no value, never a zero.
#pragma once

#include "base/secret.hpp"
#include "base/time.hpp"
#include "model/lsn.hpp"
#include "model/names.hpp"
#include "model/server.hpp"
#include "model/sighting.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace handyrep::model {

/// One row of pg_settings; `value` is in that view's base unit. Settings that may hold a secret are here only as "set" or "".
struct SettingSeen {
    std::string value;
    std::string source;                       // "default", "configuration file", "command line", …
    bool pending_restart = false;             // as of the last reload
    std::optional<std::string> in_file = {};  // the last word of the configuration files; nothing where there is none or it may not be read
};
using Settings = std::map<std::string, SettingSeen, std::less<>>;

/// Rights of the manager's role that not every role has; what each is for stands in decide/readiness.
enum class Right {
    superuser,
    pg_monitor,
    pg_signal_backend,
    replication,
    promote,           // EXECUTE on pg_promote (12+)
    reload,            // EXECUTE on pg_reload_conf
    heartbeat,         // EXECUTE on pg_logical_emit_message
    checkpoint,        // CHECKPOINT: superuser, pg_checkpoint from 15
    alter_conninfo,    // ALTER SYSTEM SET primary_conninfo: superuser, from 15 by grant
    alter_sync_names,  // ALTER SYSTEM SET synchronous_standby_names: the same
    alter_restore,     // ALTER SYSTEM SET restore_command: the same
};

/// primary_conninfo without its password, host and port.
struct UpstreamSeen {
    std::string conninfo{};
    Secret password{};  // where the setting itself holds one
    bool has_password = false;
    std::string application_name;  // as its upstream sees it, also where it comes from cluster_name or libpq's default
};

struct SlotSeen {
    std::string name;
    bool logical = false;
    bool active = false;
    bool survives_promotion = false;  // 17+: failover or synced
};

struct SenderSeen {
    std::string application_name;
    std::string state;
};

/// One row of pg_db_role_setting; an empty name is "every".
struct RoleSetting {
    std::string database;
    std::string role;
    std::string value;
};

/// 15+: pg_database.datcollversion and what the server's libraries say now.
struct DatabaseCollation {
    std::string database;
    std::string recorded;
    std::string actual;
};

/// What a session of its own answered.
struct DatabaseInspection {
    ServerVersion version{};
    std::optional<SystemId> system_id{};
    bool in_recovery = false;
    Duration clock_ahead{};         // of the manager's clock, at the middle of the round trip
    Duration clock_uncertainty{};   // half of that round trip
    std::optional<Lsn> position{};  // flushed on a primary, received on a standby
    bool replay_paused = false;
    std::optional<std::string> receiver_status{};  // of pg_stat_wal_receiver; nothing: there is none
    Settings settings{};
    bool files_read = false;                 // pg_file_settings
    std::optional<UpstreamSeen> upstream{};  // nothing: empty, not readable, or before 12
    std::string made_conninfo{};             // what HandyRep would write where there is none and none is remembered
    std::optional<std::vector<SlotSeen>> slots{};
    std::optional<std::vector<SenderSeen>> senders{};
    std::optional<std::uint32_t> prepared_transactions{};
    std::optional<std::vector<RoleSetting>> synchronous_commit_settings{};
    std::optional<std::vector<DatabaseCollation>> collations{};
    std::optional<std::string> libc_version{};
    std::optional<std::string> icu_version{};
    std::map<Right, bool> rights{};  // absent: this version has no such right, or it could not be asked
    std::optional<Bytes> size{};     // of all databases
};

/// How `pg_ctl status` ended.
enum class PgCtlStatus { not_found, running, not_running, no_access, failed };
[[nodiscard]] std::string_view word_for(PgCtlStatus status);

/// What the owner of the data directory finds on its host.
struct HostInspection {
    std::string owner;  // who the commands run as
    SystemId system_id{};
    std::optional<std::string> programs{};  // the folder of pg_ctl
    PgCtlStatus pg_ctl = PgCtlStatus::not_found;
    bool control_data_readable = false;  // by pg_controldata
    bool psql_found = false;
    bool data_writable = false;  // a file was made, synced and removed
    bool parent_writable = false;
    std::optional<Bytes> data_free{};
    std::optional<Bytes> wal_free{};
    std::optional<std::string> libc_version{};
    std::optional<std::string> recovery_target_timeline{};  // of recovery.conf, before 12
};

/// The fence, up to and without its deeds.
struct FenceDrill {
    std::string autostart;          // what would be disabled, or "none found"
    bool autostart_off = false;     // nothing would start it, or what would could be disabled
    bool markable = false;          // the standby mark could be written and synced
    std::uint32_t processes = 0;    // that hold the directory and could be ended
    std::uint32_t untouchable = 0;  // that hold it and could not
    Duration took{};
};

/// A replication connection from one host to a candidate, as the node itself would open it.
struct LoginAttempt {
    ServerName to;
    enum class Outcome { accepted, refused, not_tried } outcome;
    std::string text;  // the server's or the system's own words, or why it was not tried
    /// The node has a primary_conninfo of its own; otherwise what HandyRep would write was tried.
    bool with_own_settings = false;
};

/// What was read of one server; nothing: not looked at yet.
struct ServerInspection {
    ServerName server;
    std::optional<Result<DatabaseInspection>> database{};
    std::optional<Result<HostInspection>> host{};
    std::optional<Result<FenceDrill>> drill{};
    std::vector<LoginAttempt> logins{};  // from this server's host
};

}  // namespace handyrep::model
