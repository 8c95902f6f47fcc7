#include "lab/service.hpp"

#include "tests/harness/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

namespace handyrep::lab {

using std::chrono::seconds;

namespace {

/// A router that spreads its sessions over all servers leads one of them to the primary by chance.
constexpr std::size_t sessions_to_ask = 10;

constexpr std::array kinds{
    ServiceKind{"pgbouncer", "/usr/sbin/pgbouncer", "postgres", 6432, 3, true},
    ServiceKind{"haproxy", "/usr/sbin/haproxy", "haproxy", 5000, 4, true},
    ServiceKind{"etcd", "/usr/bin/etcd", "etcd", 2379, 5, false},
};

constexpr std::string_view pgbouncer_settings = R"([databases]
postgres = host={primary} port={port} dbname=postgres

[pgbouncer]
listen_addr = *
listen_port = {own_port}
unix_socket_dir = {folder}/run
auth_type = scram-sha-256
auth_file = {folder}/userlist.txt
admin_users = {console_user}
pool_mode = transaction
default_pool_size = 20
max_client_conn = 200
server_connect_timeout = 2
server_login_retry = 1
query_timeout = 10
tcp_user_timeout = 3000
)";

// A server that is no primary any more is left at once, by those too who were connected.
constexpr std::string_view haproxy_settings = R"(global
    external-check
    insecure-fork-wanted
    stats socket {folder}/run/haproxy.sock mode 600 level admin
    log stdout format raw local0 info

defaults
    mode tcp
    log global
    timeout connect 2s
    timeout client 30m
    timeout server 30m
    timeout check 3s

listen writes
    bind *:{own_port}
    option external-check
    external-check path "/usr/bin:/bin"
    external-check command {folder}/is-primary
    default-server inter 1s fastinter 500ms downinter 1s fall 2 rise 1 on-marked-down shutdown-sessions
)";

// HAProxy gives it: its own address and port, the server's address and port.
constexpr std::string_view haproxy_check = R"(#!/bin/sh
answer=$(PGPASSFILE='{folder}/pgpass' PGCONNECT_TIMEOUT=2 PGSSLMODE=disable '{psql}' -X -At -h "$3" -p "$4" -U postgres -d postgres \
    -c 'SELECT pg_is_in_recovery()') && [ "$answer" = f ]
)";

}  // namespace

const ServiceKind* service_kind(std::string_view name) {
    const auto* const found = std::ranges::find(kinds, name, &ServiceKind::name);
    return found == kinds.end() ? nullptr : found;
}

/// For the user of the service alone: some of it is a password.
Result<void> Service::write(const std::string& file, const std::string& content) const {
    auto written = machine_.run(
        {.arguments =
             {"sh", "-c",
              fmt::format("umask 077; cat >'{0}' && chmod u+x '{0}' && chown {1}: '{0}'", (machine_.folder() / file).string(), kind_.user)},
         .input = content});
    if (!written) return written.error();
    return {};
}

Result<void> Service::configure_pgbouncer(const Server& primary) const {
    auto users = write(
        "userlist.txt",
        fmt::format("\"postgres\" \"{}\"\n\"{}\" \"{}\"\n", passwords_.superuser.reveal(), console_user, passwords_.console.reveal()));
    if (!users) return users;
    return write(
        "pgbouncer.ini",
        fmt::format(
            pgbouncer_settings, fmt::arg("primary", primary.machine().host_name()), fmt::arg("port", postgres_port),
            fmt::arg("own_port", kind_.port), fmt::arg("folder", machine_.folder().string()), fmt::arg("console_user", console_user)));
}

Result<void> Service::configure_haproxy(const std::vector<const Server*>& servers) const {
    const std::string folder = machine_.folder();
    std::string text = fmt::format(haproxy_settings, fmt::arg("folder", folder), fmt::arg("own_port", kind_.port));
    for (const Server* it : servers)
        text += fmt::format("    server {} {}:{} check\n", it->name(), it->machine().host_name(), postgres_port);
    if (auto written = write("pgpass", fmt::format("*:*:*:postgres:{}\n", passwords_.superuser.reveal())); !written) return written;
    // The program itself: Debian's wrapper around it costs more than the question.
    const std::string psql = servers.front()->programs() / "psql";
    if (auto written = write("is-primary", fmt::format(haproxy_check, fmt::arg("folder", folder), fmt::arg("psql", psql))); !written)
        return written;
    return write("haproxy.cfg", text);
}

Result<void> Service::configure(const std::vector<const Server*>& servers) const {
    if (!std::filesystem::exists(kind_.program))
        return Error{ErrorKind::unsupported, fmt::format("{} is not there; ./dev setup installs it", kind_.program)};
    auto own = machine_.shell(
        fmt::format("cd '{}' && mkdir -p store && chmod 700 store && chown -R {}: run log store", machine_.folder().string(), kind_.user));
    if (!own) return own.error();
    if (kind_.name == "pgbouncer") return configure_pgbouncer(*servers.front());
    if (kind_.name == "haproxy") return configure_haproxy(servers);
    return {};
}

std::vector<std::string> Service::command() const {
    const std::string folder = machine_.folder();
    if (kind_.name == "pgbouncer") return {std::string(kind_.program), folder + "/pgbouncer.ini"};
    if (kind_.name == "haproxy") return {std::string(kind_.program), "-db", "-f", folder + "/haproxy.cfg"};
    const std::string peers = "http://127.0.0.1:2380";
    return {
        std::string(kind_.program),
        "--name=lab",
        "--data-dir=" + folder + "/store",
        fmt::format("--listen-client-urls=http://0.0.0.0:{}", kind_.port),
        fmt::format("--advertise-client-urls=http://{}:{}", machine_.host_name(), kind_.port),
        "--listen-peer-urls=" + peers,
        "--initial-advertise-peer-urls=" + peers,
        "--initial-cluster=lab=" + peers};
}

Result<void> Service::start() const {
    const auto there = machine_.inside({.arguments = command(), .user = std::string(kind_.user)});
    if (!there) return there.error();
    auto started = harness::Background::start(*there, machine_.folder() / "log" / (name() + ".log"));
    if (!started) return started.error().during("start " + name());
    started->release();
    return {};
}

/// From the network of `from`: a table of pgbouncer that only its console has.
Result<void> Service::console_answers(const Machine& from) const {
    Result<void> outcome{};
    const auto visited = from.visit([&] {
        auto session = harness::Session::open(
            {.port = kind_.port,
             .user = console_user,
             .password = passwords_.console,
             .database = "pgbouncer",
             .host = machine_.address()});
        if (!session) return void(outcome = session.error());
        if (const auto rows = session->query("SHOW DATABASES"); !rows) outcome = rows.error();
    });
    return visited ? outcome : visited;
}

Result<void> Service::one_leads_to_primary() const {
    auto session = harness::Session::open({.port = kind_.port, .password = passwords_.superuser, .host = machine_.address()}, seconds{3});
    if (!session) return session.error();
    const auto answer = session->value("SELECT pg_is_in_recovery()", seconds{3});
    if (!answer) return answer.error();
    if (*answer != "f") return Error{ErrorKind::failed, "it leads to a standby"};
    return {};
}

Result<void> Service::leads_to_primary(const Machine& from) const {
    Result<void> outcome{};
    const auto visited = from.visit([&] {
        for (std::size_t it = 0; it < sessions_to_ask && outcome; ++it) outcome = one_leads_to_primary();
    });
    return visited ? outcome : visited;
}

Result<void> Service::healthy(const Machine& manager, const Machine& apps) const {
    if (!machine_.on()) return Error{ErrorKind::unreachable, "its host is switched off"};
    if (kind_.name == "pgbouncer") {
        if (auto answers = console_answers(manager); !answers) return answers.error().during("ask the console");
    }
    if (kind_.routes) {
        if (auto leads = leads_to_primary(apps); !leads) return leads.error().during("go through " + name());
        return {};
    }
    auto healthy = manager.run(
        {.arguments =
             {"env", "ETCDCTL_API=3", "etcdctl", fmt::format("--endpoints=http://{}:{}", machine_.host_name(), kind_.port), "endpoint",
              "health"}},
        seconds{10});
    if (!healthy) return healthy.error();
    return {};
}

}  // namespace handyrep::lab
