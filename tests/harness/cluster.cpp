#include "tests/harness/cluster.hpp"

#include "base/ensure.hpp"
#include "tests/harness/process.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <future>

namespace handyrep::harness {
namespace {

constexpr Duration copy_limit = std::chrono::seconds{60};

/// No socket in a folder: its lock file names a postmaster, and one that was killed and that nobody reaps would seem to hold it.
std::string settings_of(const RealServer& server, const ClusterOptions& options) {
    // In segments of 16 MB before 13.
    std::string lines = fmt::format(
        R"(
# The harness's own. In the copies that pg_basebackup makes, `port` and `cluster_name` are given again at the end.
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 40
shared_buffers = 16MB
dynamic_shared_memory_type = mmap
wal_level = replica
hot_standby = on
fsync = on
max_wal_senders = 10
{}
max_wal_size = 512MB
logging_collector = off
log_line_prefix = '%m [%p] '
log_timezone = 'UTC'
lc_messages = 'C'
huge_pages = off
)",
        server.major() < 13 ? "wal_keep_segments = 16" : "wal_keep_size = 256MB");
    for (const auto& line : options.settings) lines += line + "\n";
    return lines + fmt::format("port = {}\ncluster_name = '{}'\n", server.port, server.name);
}

bool has_basebackup(const RealServer& server) { return std::filesystem::exists(server.programs / "pg_basebackup"); }

Result<void> append(const std::filesystem::path& path, const std::string& content) {
    std::ofstream file(path, std::ios::app);
    file << content;
    file.flush();
    if (!file) return Error{ErrorKind::failed, fmt::format("{} cannot be written", path.string())};
    return {};
}

}  // namespace

const RealServer& RealCluster::server(const std::string& name) const {
    const auto found = std::ranges::find(servers_, name, &RealServer::name);
    ensure(found != servers_.end(), "a test names a server of its cluster");
    return *found;
}

Result<std::unique_ptr<RealCluster>> RealCluster::make(const ClusterOptions& options) {
    auto programs = find_programs();
    if (!programs) return programs.error();
    auto folder = TemporaryFolder::make();
    if (!folder) return folder.error();
    std::unique_ptr<RealCluster> cluster{new RealCluster(std::move(*folder))};
    cluster->password_ = Secret{random_word(24)};
    cluster->replication_password_ = Secret{random_word(24)};
    for (std::size_t number = 1; number <= options.servers; ++number) {
        auto port = free_port();
        if (!port) return port.error();
        RealServer server;
        server.name = fmt::format("db{}", number);
        server.port = *port;
        server.data = cluster->folder() / server.name;
        server.log = cluster->folder() / (server.name + ".log");
        server.programs = *programs;  // may be replaced by a copy
        server.password = cluster->password_;
        cluster->servers_.push_back(std::move(server));
    }
    if (auto copied = cluster->prepare_programs(); !copied) return copied.error();
    if (auto made = cluster->make_primary(options); !made) return made.error().during("make db1");
    std::vector<const RealServer*> replicas;
    std::vector<std::string> names;
    for (auto replica = cluster->servers_.begin() + 1; replica != cluster->servers_.end(); ++replica) {
        replicas.push_back(&*replica);
        names.push_back(replica->name);
    }
    if (auto made = cluster->make_replicas_of(cluster->servers_.front(), replicas); !made) return made.error();
    if (auto streaming = cluster->wait_until_streaming(names, "db1", std::chrono::seconds{30}); !streaming) return streaming.error();
    if (!options.synchronous_standby_names.empty()) {
        auto session = cluster->servers_.front().session();
        if (!session) return session.error();
        auto set = session->query("ALTER SYSTEM SET synchronous_standby_names = " + sql_literal(options.synchronous_standby_names));
        if (!set) return set.error();
        if (auto reloaded = session->query("SELECT pg_reload_conf()"); !reloaded) return reloaded.error();
    }
    return cluster;
}

/// As root the servers run as another user, who may not be let into our cache.
Result<void> RealCluster::prepare_programs() {
    const auto fetched = servers_.front().programs.parent_path();
    if (server_user() != "postgres" ||
        run_well({.arguments = {"test", "-x", fetched / "bin" / "initdb"}, .user = server_user()}, copy_limit))
        return {};
    const auto place = folder() / "programs";
    auto copied = run_well({.arguments = {"cp", "-a", fetched, place}}, copy_limit);
    if (!copied) return copied.error();
    for (RealServer& server : servers_) server.programs = place / "bin";
    return {};
}

Result<void> RealCluster::make_primary(const ClusterOptions& options) {
    const RealServer& primary = servers_.front();
    const auto password_file = folder() / "initdb.password";
    if (auto written = write_private(password_file, password_.reveal() + "\n", true); !written) return written;
    const std::string entry = fmt::format("127.0.0.1:*:*:{}:{}\n", replication_user(), replication_password_.reveal());
    if (auto written = write_private(folder() / "replication.pgpass", entry, true); !written) return written;

    auto made = run_well(
        {.arguments =
             {primary.programs / "initdb", "-D", primary.data, "-U", "postgres", "--auth=scram-sha-256",
              "--pwfile=" + password_file.string(), "--data-checksums", "--no-sync", "--encoding=UTF8", "--locale=C"},
         .user = server_user(),
         .folder = folder()},
        copy_limit);
    std::filesystem::remove(password_file);
    if (!made) return made.error();
    if (auto written = append(primary.data / "postgresql.conf", settings_of(primary, options)); !written) return written;
    if (auto started = primary.start(); !started) return started;
    return prepare_database();
}

Result<void> RealCluster::prepare_database() const {
    auto session = servers_.front().session();
    if (!session) return session.error();
    const std::string role =
        fmt::format("CREATE ROLE {} LOGIN REPLICATION PASSWORD {}", replication_user(), sql_literal(replication_password_.reveal()));
    std::vector<std::string> statements{
        role, std::string{"CREATE TABLE harness_rows (id bigint PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp())"},
        std::string{"CREATE TABLE harness_probes (id bigserial, prober text NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp())"},
        std::string{"CREATE TABLE harness_orphan (id bigserial, at timestamptz NOT NULL DEFAULT clock_timestamp())"}};
    if (servers_.front().major() >= 11)
        statements.emplace_back(
            "CREATE PROCEDURE harness_write_forever() LANGUAGE plpgsql AS $$ BEGIN LOOP INSERT INTO harness_orphan DEFAULT VALUES; "
            "COMMIT; END LOOP; END $$");
    for (const auto& statement : statements) {
        if (auto done = session->query(statement); !done) return done.error();
    }
    return {};
}

std::string RealCluster::conninfo_of(const RealServer& replica, const RealServer& upstream) const {
    return fmt::format(
        "host=127.0.0.1 port={} user={} passfile={} application_name={} sslmode=disable{}", upstream.port, replication_user(),
        (folder() / "replication.pgpass").string(), replica.name, upstream.major() < 12 ? "" : " gssencmode=disable");
}

Result<void> RealCluster::write_upstream(const std::string& name, const std::string& upstream) const {
    auto session = server(name).session();
    if (!session) return session.error();
    const std::string conninfo = sql_literal(conninfo_of(server(name), server(upstream)));
    if (auto done = session->query("ALTER SYSTEM SET primary_conninfo TO " + conninfo); !done) return done.error();
    if (auto done = session->query("SELECT pg_reload_conf()"); !done) return done.error();
    return {};
}

/// By pg_basebackup from the running upstream; by hand from the stopped one where the programs came without it.
Result<void> RealCluster::copy(const RealServer& replica, const RealServer& upstream) const {
    const bool cold = !has_basebackup(replica);
    const std::vector<std::string> by_hand{"cp", "-a", upstream.data, replica.data};
    const std::vector<std::string> by_program{
        replica.programs / "pg_basebackup", "-D", replica.data, "-X", "stream", "-c", "fast", "--no-sync", "--no-manifest", "-d",
        conninfo_of(replica, upstream)};
    auto copied = run_well({.arguments = cold ? by_hand : by_program, .user = server_user(), .folder = folder()}, copy_limit);
    if (!copied) return copied.error().during("copy " + replica.name);
    return {};
}

Result<void> RealCluster::start_replica(const RealServer& replica, const RealServer& upstream) const {
    const std::string own = fmt::format("port = {}\ncluster_name = '{}'\n", replica.port, replica.name);
    if (auto written = append(replica.data / "postgresql.conf", own); !written) return written;
    const std::string from = fmt::format("primary_conninfo = '{}'\n", conninfo_of(replica, upstream));
    const bool old = replica.major() < 12;
    if (!old) {
        if (auto written = append(replica.data / "postgresql.auto.conf", from); !written) return written;
    }
    const std::string mark = old ? "standby_mode = 'on'\nrecovery_target_timeline = 'latest'\n" + from : "";
    if (auto written = write_private(replica.mark(), mark, true); !written) return written;
    return replica.start();
}

Result<void> RealCluster::make_replicas_of(const RealServer& upstream, const std::vector<const RealServer*>& replicas) const {
    const auto all = [&](auto work) {
        std::vector<std::future<Result<void>>> running;
        for (const RealServer* const replica : replicas)
            running.push_back(std::async(std::launch::async, [work, replica, &upstream] { return work(*replica, upstream); }));
        Result<void> outcome{};
        for (auto& one : running) {
            if (auto made = one.get(); !made && outcome) outcome = made;
        }
        return outcome;
    };
    const bool cold = !has_basebackup(upstream);
    if (cold) {
        if (auto stopped = upstream.stop(StopMode::fast); !stopped) return stopped;
    }
    auto copied = all([this](const RealServer& replica, const RealServer& from) { return copy(replica, from); });
    if (cold) {
        if (auto started = upstream.start(); !started) return started;
    }
    if (!copied) return copied;
    return all([this](const RealServer& replica, const RealServer& from) { return start_replica(replica, from); });
}

std::vector<std::string> RealCluster::writable_servers() const {
    std::vector<std::string> names;
    for (const auto& server : servers_) {
        if (server.in_recovery() == false) names.push_back(server.name);
    }
    return names;
}

Result<void> RealCluster::rebuild_as_replica(const std::string& name, const std::string& upstream) {
    const RealServer& replica = server(name);
    replica.kill_all();
    std::error_code error;
    std::filesystem::remove_all(replica.data, error);
    if (error) return Error{ErrorKind::failed, fmt::format("{} cannot be emptied: {}", replica.data.string(), error.message())};
    if (auto made = make_replicas_of(server(upstream), {&replica}); !made) return made;
    return wait_until_streaming({name}, upstream, std::chrono::seconds{30});
}

Result<void> RealCluster::wait_until_streaming(const std::vector<std::string>& names, const std::string& upstream, Duration limit) const {
    std::string missing;
    auto outcome = wait_until(
        [&] {
            auto session = server(upstream).session(std::chrono::seconds{1});
            if (!session) return false;
            const auto rows = session->query("SELECT application_name FROM pg_stat_replication WHERE state = 'streaming'");
            if (!rows) return false;
            missing.clear();
            for (const auto& name : names) {
                if (std::ranges::find(*rows, std::vector<std::string>{name}) == rows->end()) missing += " " + name;
            }
            return missing.empty();
        },
        limit, fmt::format("{} stream from {}", fmt::join(names, ", "), upstream), std::chrono::milliseconds{20});
    if (!outcome && !missing.empty()) return outcome.error().during("missing:" + missing);
    return outcome;
}

}  // namespace handyrep::harness
