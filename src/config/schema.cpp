#include "config/schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <type_traits>

namespace handyrep::config {

namespace {

using model::FailoverSettings;
using model::ServerDefinition;

template <auto member>
void global(Target target, const Value& value) {
    auto& field = target.configuration.*member;
    field = std::get<std::remove_cvref_t<decltype(field)>>(value);
}
template <auto member>
void secret(Target target, const Value& value) {
    target.configuration.passwords.*member = std::get<Secret>(value);
}
template <auto member>
void failover(Target target, const Value& value) {
    auto& field = target.configuration.cluster.failover.*member;
    field = std::get<std::remove_cvref_t<decltype(field)>>(value);
}
template <auto member>
void server(Target target, const Value& value) {
    auto& field = target.server->*member;
    field = std::get<std::remove_cvref_t<decltype(field)>>(value);
}
template <auto member>
void tls(Target target, const Value& value) {
    auto& field = target.tls->*member;
    field = std::get<std::remove_cvref_t<decltype(field)>>(value);
}
void cluster_name(Target target, const Value& value) { target.configuration.cluster.name = std::get<model::ClusterName>(value); }

std::optional<Derived> state_dir(const Configuration& it) {
    return Derived{fmt::format("/var/lib/handyrep/{}", it.cluster.name.text()), "handyrep.cluster_name"};
}
std::optional<Derived> silence_timeout(const Configuration& it) {
    if (it.preset != Preset::aggressive) return std::nullopt;
    return Derived{"1500ms", "failover.preset"};
}
std::optional<Derived> witness_freshness(const Configuration& it) {
    const Duration tau = std::max<Duration>(std::chrono::seconds{2}, 3 * it.cluster.failover.poll_interval);
    return Derived{text(Value{tau}), "failover.poll_interval"};
}

constexpr Key accepted(Section section, std::string_view name, Kind kind, std::string_view fallback, std::string_view meaning) {
    return {.section = section, .name = name, .kind = kind, .fallback = fallback, .meaning = meaning, .acts = false};
}

using S = Section;
using K = Kind;
using F = FailoverSettings;
using D = ServerDefinition;
using C = Configuration;

// The order is that of `config show`. `derive` looks only upwards.
constexpr std::array handyrep_keys{
    Key{.section = S::handyrep,
        .name = "cluster_name",
        .kind = K::cluster_name,
        .meaning = "name of the cluster",
        .required = true,
        .set = cluster_name},
    Key{.section = S::handyrep,
        .name = "state_dir",
        .kind = K::path,
        .fallback = "/var/lib/handyrep/<cluster_name>",
        .meaning = "folder of saved state, journal, history and tokens; made with mode 0700",
        .set = global<&C::state_dir>,
        .derive = state_dir},
    Key{.section = S::handyrep,
        .name = "listen",
        .kind = K::address,
        .fallback = "127.0.0.1:8010",
        .meaning = "address of the HTTP side",
        .set = global<&C::listen>},
    Key{.section = S::handyrep,
        .name = "log_format",
        .kind = K::log_format,
        .fallback = "human",
        .meaning = "human or json",
        .set = global<&C::log_format>},
    accepted(S::handyrep, "override_server_file", K::flag, "false", "take the servers from this file although servers.save is there"),
    accepted(S::handyrep, "server_file", K::text, "servers.save", "name of the file of saved state"),
    accepted(S::handyrep, "authentication_method", K::text, "", "plug-in that checks who asks"),
    accepted(S::handyrep, "master_check_method", K::text, "", "plug-in that says whether this HandyRep is the active one"),
    accepted(S::handyrep, "master_check_parameters", K::anything, "", "of that plug-in"),
    accepted(S::handyrep, "log_verbose", K::flag, "false", "log more"),
    accepted(S::handyrep, "log_file", K::text, "", "the log goes to standard error"),
    accepted(S::handyrep, "postgresql_version", K::text, "", "the version is read from the servers"),
    accepted(S::handyrep, "handyrep_db", K::text, "", "database of the handyrep table"),
    accepted(S::handyrep, "handyrep_schema", K::text, "", "schema of the handyrep table"),
    accepted(S::handyrep, "handyrep_table", K::text, "", "name of the handyrep table"),
    accepted(S::handyrep, "handyrep_user", K::text, "", "database user of the handyrep table"),
    accepted(S::handyrep, "templates_dir", K::text, "", "folder of templates"),
    accepted(S::handyrep, "test_ssh_command", K::text, "", "command that tests SSH"),
    accepted(S::handyrep, "push_alert_method", K::text, "", "plug-in that sends alerts"),
};

constexpr std::array passwords_keys{
    Key{.section = S::passwords,
        .name = "superuser_pass",
        .kind = K::secret,
        .meaning = "of database_user",
        .set = secret<&Passwords::superuser>},
    Key{.section = S::passwords,
        .name = "replication_pass",
        .kind = K::secret,
        .meaning = "of replication_user",
        .set = secret<&Passwords::replication>},
    Key{.section = S::passwords,
        .name = "admin_password",
        .kind = K::secret,
        .meaning = "of the HTTP side, for everything",
        .set = secret<&Passwords::admin>},
    Key{.section = S::passwords,
        .name = "read_password",
        .kind = K::secret,
        .meaning = "of the HTTP side, for questions",
        .set = secret<&Passwords::read>},
    accepted(S::passwords, "handyrep_db_pass", K::secret, "", "of handyrep_user"),
    accepted(S::passwords, "bind_password", K::secret, "", "of the LDAP directory"),
};

constexpr std::array failover_keys{
    Key{.section = S::failover,
        .name = "preset",
        .kind = K::preset,
        .fallback = "normal",
        .meaning = "aggressive: silence_timeout is 1500ms unless it is given",
        .set = global<&C::preset>},
    Key{.section = S::failover,
        .name = "auto_failover",
        .kind = K::flag,
        .fallback = "true",
        .meaning = "false: alert and propose only",
        .set = failover<&F::auto_failover>},
    Key{.section = S::failover,
        .name = "poll_interval",
        .kind = K::duration,
        .fallback = "500ms",
        .meaning = "held session and heartbeat; every 50 ms while something is suspicious",
        .least = "50ms",
        .most = "1h",
        .set = failover<&F::poll_interval>},
    Key{.section = S::failover,
        .name = "poll_tries",
        .kind = K::count,
        .fallback = "2",
        .meaning = "looks that must agree, one of them an emergency re-read",
        .least = "1",
        .most = "1000",
        .aliases = "fail_retries",
        .set = failover<&F::poll_tries>},
    Key{.section = S::failover,
        .name = "connect_timeout",
        .kind = K::duration,
        .fallback = "500ms",
        .meaning = "a dial; runs in parallel with the silence it confirms",
        .least = "10ms",
        .most = "1min",
        .set = failover<&F::connect_timeout>},
    Key{.section = S::failover,
        .name = "silence_timeout",
        .kind = K::duration,
        .fallback = "3s",
        .meaning = "how long a silent primary is waited for",
        .least = "100ms",
        .most = "1h",
        .set = failover<&F::silence_timeout>,
        .derive = silence_timeout},
    Key{.section = S::failover,
        .name = "stall_timeout",
        .kind = K::duration,
        .fallback = "5s",
        .meaning = "how long written WAL may stay unflushed",
        .least = "600ms",
        .most = "1h",
        .set = failover<&F::stall_timeout>},
    Key{.section = S::failover,
        .name = "witness_freshness",
        .kind = K::duration,
        .fallback = "max(2s, 3 x poll_interval)",
        .meaning = "how old a replica's last message from the primary may be to count as fresh",
        .least = "50ms",
        .most = "1h",
        .set = failover<&F::witness_freshness>,
        .derive = witness_freshness},
    Key{.section = S::failover,
        .name = "sync_wait_limit",
        .kind = K::duration,
        .fallback = "10s",
        .meaning = "how long commits may wait for a synchronous replica",
        .least = "100ms",
        .most = "1h",
        .set = failover<&F::sync_wait_limit>},
    Key{.section = S::failover,
        .name = "crash_grace",
        .kind = K::duration,
        .fallback = "15s",
        .meaning = "crash recovery may take this long",
        .least = "0s",
        .most = "24h",
        .set = failover<&F::crash_grace>},
    Key{.section = S::failover,
        .name = "planned_grace",
        .kind = K::duration,
        .fallback = "60s",
        .meaning = "a clean stop by a person; 0 fails over at once",
        .least = "0s",
        .most = "24h",
        .set = failover<&F::planned_grace>},
    Key{.section = S::failover,
        .name = "cooldown",
        .kind = K::duration,
        .fallback = "10min",
        .meaning = "no second automatic failover before it ends or the first is acknowledged",
        .least = "0s",
        .most = "168h",
        .set = failover<&F::cooldown>},
    Key{.section = S::failover,
        .name = "fencing",
        .kind = K::fencing,
        .fallback = "witnessed",
        .meaning = "which proof that the old primary is gone is asked for: strict, witnessed or none",
        .set = failover<&F::fencing>},
    Key{.section = S::failover,
        .name = "max_lag_on_failover",
        .kind = K::bytes,
        .fallback = "16MB",
        .meaning = "estimated loss above which no automatic failover happens",
        .set = failover<&F::max_lag_on_failover>},
    Key{.section = S::failover,
        .name = "remaster",
        .kind = K::flag,
        .fallback = "true",
        .meaning = "let the other replicas follow the new primary",
        .set = failover<&F::remaster>},
    Key{.section = S::failover,
        .name = "end_blocking_queries",
        .kind = K::flag,
        .fallback = "true",
        .meaning = "end clients' queries on the candidate that hold up its replay, and with it the promotion",
        .set = failover<&F::end_blocking_queries>},
    Key{.section = S::failover,
        .name = "auto_rejoin",
        .kind = K::flag,
        .fallback = "false",
        .meaning = "bring a server that was failed over from back without an order: it follows as it is, or is rewound",
        .set = failover<&F::auto_rejoin>},
    Key{.section = S::failover,
        .name = "salvage",
        .kind = K::flag,
        .fallback = "true",
        .meaning = "bring WAL that a fenced primary flushed and never sent to the candidate before it is promoted",
        .set = failover<&F::salvage>},
    Key{.section = S::failover,
        .name = "salvage_limit",
        .kind = K::duration,
        .fallback = "10s",
        .meaning = "how long a failover is held up by that at most",
        .least = "100ms",
        .most = "1h",
        .set = failover<&F::salvage_limit>},
    Key{.section = S::failover,
        .name = "selection_method",
        .kind = K::selection,
        .fallback = "priority_then_furthest",
        .meaning = "which replica takes over",
        .set = failover<&F::selection_method>},
    Key{.section = S::failover,
        .name = "verify_frequency",
        .kind = K::count,
        .fallback = "60",
        .meaning = "a full look at every n-th poll, at least a minute apart",
        .least = "1",
        .most = "1000000",
        .set = failover<&F::verify_frequency>},
    accepted(S::failover, "restart_master", K::flag, "false", "try a restart in place first"),
    accepted(S::failover, "poll_method", K::text, "", "every server has a held session and a fresh dial"),
    accepted(S::failover, "fail_retry_interval", K::duration, "", "wait between two tries"),
    accepted(S::failover, "recovery_retries", K::count, "", "tries of a recovery"),
    accepted(S::failover, "connection_failover_method", K::text, "", "plug-in that re-points the connection routers"),
    accepted(S::failover, "replication_status_method", K::text, "", "plug-in that measures lag"),
    accepted(S::failover, "poll_connection_proxy", K::flag, "false", "look at the connection routers too"),
};

constexpr std::array archive_keys{
    accepted(S::archive, "archiving", K::flag, "false", "look after the WAL archive"),
    accepted(S::archive, "archive_script_method", K::text, "", "plug-in that archives"),
    accepted(S::archive, "archive_delete_method", K::text, "", "plug-in that deletes expired WAL"),
};

constexpr std::array server_keys{
    Key{.section = S::server_defaults,
        .name = "hostname",
        .kind = K::host,
        .meaning = "name or address, also for SSH",
        .required = true,
        .in_defaults = false,
        .set = server<&D::hostname>},
    Key{.section = S::server_defaults,
        .name = "port",
        .kind = K::port,
        .fallback = "5432",
        .meaning = "of PostgreSQL",
        .set = server<&D::port>},
    Key{.section = S::server_defaults,
        .name = "role",
        .kind = K::role,
        .fallback = "replica",
        .meaning = "primary or replica at the first start; afterwards servers.save says who is what",
        .set = server<&D::role>},
    Key{.section = S::server_defaults,
        .name = "enabled",
        .kind = K::flag,
        .fallback = "true",
        .meaning = "false: left out of automation",
        .set = server<&D::enabled>},
    Key{.section = S::server_defaults,
        .name = "failover_priority",
        .kind = K::count,
        .fallback = "100",
        .meaning = "lower first, 0 never",
        .least = "0",
        .most = "1000000",
        .set = server<&D::failover_priority>},
    Key{.section = S::server_defaults,
        .name = "lag_limit",
        .kind = K::bytes,
        .fallback = "16MB",
        .meaning = "a replica further behind is lagged",
        .set = server<&D::lag_limit>},
    Key{.section = S::server_defaults,
        .name = "transport",
        .kind = K::transport,
        .fallback = "ssh",
        .meaning = "how commands reach the server's machine: ssh or local",
        .set = server<&D::transport>},
    Key{.section = S::server_defaults,
        .name = "ssh_user",
        .kind = K::user,
        .fallback = "handyrep",
        .meaning = "user of SSH",
        .set = server<&D::ssh_user>},
    Key{.section = S::server_defaults,
        .name = "ssh_key",
        .kind = K::path,
        .meaning = "file of the private key; none: as the SSH configuration says",
        .set = server<&D::ssh_key>},
    Key{.section = S::server_defaults,
        .name = "ssh_config",
        .kind = K::path,
        .meaning = "file for ssh -F; none: the user's own",
        .set = server<&D::ssh_config>},
    Key{.section = S::server_defaults,
        .name = "database_user",
        .kind = K::user,
        .fallback = "postgres",
        .meaning = "user of SQL",
        .aliases = "handyrep.postgres_superuser",
        .set = server<&D::database_user>},
    Key{.section = S::server_defaults,
        .name = "sslmode",
        .kind = K::ssl_mode,
        .fallback = "prefer",
        .meaning = "of the manager's own sessions, in libpq's words: verify-full also verifies that the server is the one of that hostname",
        .set = tls<&Tls::mode>},
    Key{.section = S::server_defaults,
        .name = "sslrootcert",
        .kind = K::path,
        .meaning = "file on the manager's machine: certificates of the authorities that may have signed the server's",
        .set = tls<&Tls::root_certificate>},
    Key{.section = S::server_defaults,
        .name = "sslcert",
        .kind = K::path,
        .meaning = "file on the manager's machine: the certificate that the manager shows",
        .set = tls<&Tls::certificate>},
    Key{.section = S::server_defaults,
        .name = "sslkey",
        .kind = K::path,
        .meaning = "file on the manager's machine: the private key of sslcert, without a password",
        .set = tls<&Tls::key>},
    Key{.section = S::server_defaults,
        .name = "pgdata",
        .kind = K::path,
        .meaning = "data directory",
        .required = true,
        .set = server<&D::pgdata>},
    Key{.section = S::server_defaults,
        .name = "replication_user",
        .kind = K::user,
        .meaning = "user of replication connections; none: database_user",
        .in_servers = false,
        .aliases = "handyrep.replication_user",
        .set = global<&C::replication_user>},
    accepted(S::server_defaults, "pgconf", K::text, "", "configuration file of PostgreSQL"),
    accepted(S::server_defaults, "replica_conf", K::text, "", "recovery file of a replica"),
    accepted(S::server_defaults, "recovery_template", K::text, "", "template of that file"),
    accepted(S::server_defaults, "restart_method", K::text, "", "plug-in that starts and stops PostgreSQL"),
    accepted(S::server_defaults, "promotion_method", K::text, "", "plug-in that promotes"),
    accepted(S::server_defaults, "clone_method", K::text, "", "plug-in that clones"),
};

template <class... Arrays>
constexpr auto joined(const Arrays&... arrays) {
    std::array<Key, (std::tuple_size_v<Arrays> + ...)> all{};
    std::size_t at = 0;
    const auto add = [&](const auto& keys) {
        for (const Key& key : keys) all.at(at++) = key;
    };
    (add(arrays), ...);
    return all;
}
constexpr auto all_keys = joined(handyrep_keys, passwords_keys, failover_keys, archive_keys, server_keys);

}  // namespace

std::span<const Key> schema() { return all_keys; }

}  // namespace handyrep::config
