#include "readiness_scene.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

namespace handyrep::decide::testing {

using namespace std::chrono_literals;

namespace {

constexpr model::SystemId our_system{7000000000000000001ULL};

model::ServerName server(std::string_view name) { return *model::ServerName::parse(name); }

model::ServerDefinition definition(const std::string& name) {
    return {
        .name = server(name),
        .hostname = name + ".example",
        .role = name == "db1" ? model::Role::primary : model::Role::replica,
        .ssh_key = {},
        .ssh_config = {},
        .pgdata = "/srv/" + name};
}

model::Settings settings_of(bool is_primary) {
    model::Settings out;
    for (const auto& [name, value] : std::initializer_list<std::pair<const char*, const char*>>{
             {"allow_alter_system", "on"},
             {"data_checksums", "on"},
             {"default_transaction_read_only", "off"},
             {"fsync", "on"},
             {"full_page_writes", "on"},
             {"hot_standby", "on"},
             {"max_connections", "100"},
             {"max_locks_per_transaction", "64"},
             {"max_prepared_transactions", "0"},
             {"max_replication_slots", "10"},
             {"max_slot_wal_keep_size", "102400"},
             {"max_standby_streaming_delay", "30000"},
             {"max_wal_senders", "10"},
             {"max_wal_size", "1024"},
             {"max_worker_processes", "8"},
             {"primary_slot_name", ""},
             {"recovery_min_apply_delay", "0"},
             {"recovery_target_timeline", "latest"},
             {"restore_command", ""},
             {"reserved_connections", "2"},
             {"superuser_reserved_connections", "3"},
             {"synchronized_standby_slots", ""},
             {"synchronous_commit", "on"},
             {"synchronous_standby_names", ""},
             {"wal_keep_size", "256"},
             {"wal_level", "replica"},
             {"wal_log_hints", "off"},
             {"wal_receiver_timeout", "5000"},
             {"wal_segment_size", "16777216"},
             {"wal_sender_timeout", "5000"}})
        out[name] = {.value = value, .source = "configuration file"};
    out["primary_conninfo"] = {.value = is_primary ? "" : "set", .source = "configuration file"};
    return out;
}

model::DatabaseInspection database_of(const std::string& name) {
    const bool is_primary = name == "db1";
    model::DatabaseInspection out;
    out.version = model::ServerVersion{170002};
    out.system_id = our_system;
    out.in_recovery = !is_primary;
    out.clock_ahead = 3ms;
    out.clock_uncertainty = 1ms;
    out.position = model::Lsn{0x5000000};
    if (!is_primary) {
        out.receiver_status = "streaming";
        out.upstream = model::UpstreamSeen{.conninfo = "user=rep", .application_name = name};
    }
    out.settings = settings_of(is_primary);
    out.files_read = true;
    out.slots.emplace();
    out.senders.emplace();
    if (is_primary) out.senders = {{"db2", "streaming"}, {"db3", "streaming"}};
    out.prepared_transactions = 0;
    out.synchronous_commit_settings.emplace();
    out.collations = {{"postgres", "2.36", "2.36"}};
    out.icu_version = "153.120";
    out.rights = {{model::Right::superuser, false}};
    for (const model::Right right :
         {model::Right::pg_monitor, model::Right::pg_signal_backend, model::Right::replication, model::Right::promote, model::Right::reload,
          model::Right::heartbeat, model::Right::checkpoint, model::Right::alter_conninfo, model::Right::alter_sync_names,
          model::Right::alter_restore})
        out.rights[right] = true;
    out.size = model::Bytes{10ULL << 30};
    return out;
}

model::HostInspection host_of() {
    return {
        .owner = "postgres",
        .system_id = our_system,
        .programs = "/usr/lib/postgresql/17/bin",
        .pg_ctl = model::PgCtlStatus::running,
        .control_data_readable = true,
        .psql_found = true,
        .data_writable = true,
        .parent_writable = true,
        .data_free = model::Bytes{20ULL << 30},
        .wal_free = model::Bytes{20ULL << 30},
        .libc_version = "glibc 2.36"};
}

}  // namespace

Readied::Readied() {
    saved.system_id = our_system;
    saved.primary = server("db1");
    for (const char* name : {"db1", "db2", "db3"}) {
        saved.servers.push_back(definition(name));
        model::ServerInspection it{.server = server(name)};
        it.database.emplace(database_of(name));
        it.host.emplace(host_of());
        it.drill.emplace(model::FenceDrill{
            .autostart = "none found", .autostart_off = true, .markable = true, .processes = 8, .untouchable = 0, .took = 40ms});
        for (const char* to : {"db2", "db3"}) {
            if (it.server == server(to)) continue;
            it.logins.push_back(
                {.to = server(to), .outcome = model::LoginAttempt::Outcome::accepted, .text = {}, .with_own_settings = true});
        }
        inspections.push_back(std::move(it));
    }
}

model::ServerInspection& Readied::seen(std::string_view name) {
    const auto found = std::ranges::find(inspections, server(name), &model::ServerInspection::server);
    return *found;
}

model::ServerDefinition& Readied::define(std::string_view name) {
    return *std::ranges::find(saved.servers, server(name), &model::ServerDefinition::name);
}

Check Readied::check(CheckName name, std::string_view of) const {
    for (Check& it : judge()) {
        if (it.name == name && it.server == server(of)) return std::move(it);
    }
    ADD_FAILURE() << "no check " << word_for(name) << " of " << of;
    return {name, server(of), CheckOutcome::unknown, "", ""};
}

}  // namespace handyrep::decide::testing
