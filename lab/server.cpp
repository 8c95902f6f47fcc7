#include "lab/server.hpp"

#include "base/text.hpp"
#include "tests/harness/moment.hpp"
#include "tests/harness/temporary_folder.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <set>

namespace handyrep::lab {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr Duration copy_limit = seconds{60};
constexpr Duration start_limit = seconds{60};
/// For a session that a whole lab depends on, on a machine that does a lot besides.
constexpr Duration patient = seconds{30};
constexpr const char* owner = "postgres";

constexpr std::string_view common_settings = R"(
listen_addresses = '*'
port = 5432
max_connections = 60
shared_buffers = 16MB
dynamic_shared_memory_type = sysv
wal_level = replica
hot_standby = on
wal_log_hints = on
max_wal_senders = 10
max_replication_slots = 10
wal_keep_size = 128MB
max_wal_size = 512MB
min_wal_size = 80MB
logging_collector = off
log_line_prefix = '%m [%p] '
log_timezone = 'UTC'
lc_messages = 'C'
huge_pages = off
)";

constexpr std::string_view host_rules = R"(
local all all scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
host all all samenet scram-sha-256
host replication all samenet scram-sha-256
)";

/// The manager gets in by its certificate; the clients by their passwords, as ever.
std::string certificate_rules() { return fmt::format("hostssl all,replication postgres {}/32 cert\n", managers_address); }

}  // namespace

Result<void> Server::make_disk() const {
    // Sparse: only what is written takes room.
    std::set<std::string> disks{disk(), wal_disk()};
    if (has("tablespace_apart")) disks.insert(space());
    for (const std::string& it : disks) {
        auto made = harness::run_well(
            {.arguments =
                 {"sh", "-c",
                  fmt::format("truncate -s 1500M '{0}.img' && mkfs.ext4 -q -m 0 -E lazy_itable_init=1,lazy_journal_init=1 '{0}.img'", it)}},
            copy_limit);
        if (!made) return made.error().during("make the disk of " + name());
    }
    return {};
}

Result<std::string> Server::program(const std::vector<std::string>& words, Duration limit) const {
    std::vector<std::string> all = words;
    all.front() = programs_ / all.front();
    return machine_.run({.arguments = std::move(all), .user = owner}, limit);
}

Result<std::string> Server::as_owner(const std::string& script, Duration limit, std::string input) const {
    return machine_.run({.arguments = {"sh", "-c", script}, .user = owner, .input = std::move(input)}, limit);
}

Result<void> Server::write_pgpass() const {
    const std::string line = fmt::format("*:*:*:{}:{}", replication_user, passwords_.replication.reveal());
    auto written = machine_.run(
        {.arguments = {"sh", "-c", fmt::format("umask 077; cat >'{}'", (disk() / "replication.pgpass").string())},
         .user = owner,
         .input = line + "\n"});
    if (!written) return written.error();
    return {};
}

/// What Debian's tools know of it, and the fence switches off: whether a boot starts it.
Result<void> Server::write_debian_cluster() const {
    const auto etc = machine_.folder() / "etc" / "postgresql" / "15" / "main";
    std::error_code error;
    std::filesystem::create_directories(etc, error);
    auto written = machine_.run(
        {.arguments = {
             "sh", "-c",
             fmt::format(
                 "[ -e '{0}/postgresql.conf' ] || printf \"data_directory = '%s'\\n\" '{1}' >'{0}/postgresql.conf'; echo auto >'{0}/start.conf'; chown -R {2}: '{0}/../..'",
                 etc.string(), data().string(), owner)}});
    if (!written) return written.error();
    return {};
}

std::string Server::replication_tls() const {
    return has("tls") ? fmt::format("sslmode=verify-full sslrootcert={}", authority().string()) : "sslmode=disable";
}

Result<void> Server::write_settings(const std::vector<std::pair<std::string, std::string>>& settings) const {
    std::string text{common_settings};
    text += fmt::format("unix_socket_directories = '{}'\ncluster_name = '{}'\n", (machine_.folder() / "run").string(), name());
    if (has("tls")) {
        text += fmt::format(
            "ssl = on\nssl_cert_file = '{}'\nssl_key_file = '{}'\nssl_ca_file = '{}'\n", certificate().string(), key().string(),
            authority().string());
    }
    // How it would follow somebody: also the primary says it, for the day it hands the role over. Replicas have their own line besides.
    text += fmt::format(
        "primary_conninfo = 'user={} passfile={} application_name={} {} gssencmode=disable'\n", replication_user,
        (disk() / "replication.pgpass").string(), name(), replication_tls());
    for (const auto& [key, value] : settings) text += fmt::format("{} = '{}'\n", key, value);
    const std::string rules = (has("certificate_logins") ? certificate_rules() : std::string{}) + std::string{host_rules};
    const std::string folder = config_folder();
    if (has("config_apart")) {
        auto moved = machine_.shell(fmt::format(
            "mkdir -p '{0}' && printf \"data_directory = '%s'\\nhba_file = '%s/pg_hba.conf'\\nident_file = '%s/pg_ident.conf'\\n\" '{1}' "
            "'{0}' '{0}' >'{0}/postgresql.conf' && : >'{0}/pg_ident.conf' && rm -f '{1}/postgresql.conf' '{1}/pg_hba.conf' "
            "'{1}/pg_ident.conf' && chown -R {2}: '{0}/../..'",
            folder, data().string(), owner));
        if (!moved) return moved.error();
    }
    for (const auto& [file, content] : {std::pair{"lab.conf", text}, std::pair{"pg_hba.conf", rules}}) {
        auto written = as_owner(fmt::format("cat >'{}/{}'", folder, file), seconds{30}, content);
        if (!written) return written.error();
    }
    auto included =
        as_owner(fmt::format("grep -qs lab.conf '{0}/postgresql.conf' || echo \"include 'lab.conf'\" >>'{0}/postgresql.conf'", folder));
    if (!included) return included.error();
    return {};
}

/// Its disks are its own to write on.
Result<void> Server::own_disks() const {
    for (const auto& it : {disk(), wal_disk(), space()}) {
        auto owned = machine_.shell(fmt::format("[ ! -d '{0}' ] || chown {1}: '{0}'", it.string(), owner));
        if (!owned) return owned.error();
    }
    return {};
}

Result<void> Server::make_primary(const std::vector<std::pair<std::string, std::string>>& settings) {
    if (auto owned = own_disks(); !owned) return owned.error();
    auto made = machine_.run(
        {.arguments =
             {"sh", "-c",
              fmt::format(
                  "umask 077; cat >'{0}/first'; '{1}/initdb' -D '{2}' -U postgres --auth=scram-sha-256 --pwfile='{0}/first' --data-checksums --no-sync "
                  "--encoding=UTF8 --locale=C {3} && rm '{0}/first'",
                  disk().string(), programs_.string(), data().string(),
                  has("wal_apart") ? fmt::format("--waldir='{}/pg_wal'", wal_disk().string()) : "")},
         .user = owner,
         .input = passwords_.superuser.reveal() + "\n"},
        copy_limit);
    if (!made) return made.error();
    if (auto written = write_pgpass(); !written) return written;
    if (auto written = write_settings(settings); !written) return written;
    if (auto written = write_debian_cluster(); !written) return written;
    if (auto started = start(); !started) return started;
    auto opened = session(patient);
    if (!opened) return opened.error();
    const bool apart = has("tablespace_apart");
    if (apart) {
        const std::string place = (space() / "data").string();
        if (auto made_place = as_owner(fmt::format("mkdir -m 700 '{}'", place)); !made_place) return made_place.error();
        if (auto done = opened->query(fmt::format("CREATE TABLESPACE space LOCATION {}", harness::sql_literal(place))); !done)
            return done.error();
    }
    for (
        const std::string& sql :
        {fmt::format(
             "CREATE ROLE {} LOGIN REPLICATION PASSWORD {}", replication_user, harness::sql_literal(passwords_.replication.reveal())),
         fmt::format(
             "CREATE TABLE lab_rows (way text, id bigint, server text NOT NULL DEFAULT current_setting('cluster_name'), "
             "at timestamptz NOT NULL DEFAULT clock_timestamp(), PRIMARY KEY (way, id)){}",
             apart ? " TABLESPACE space" : ""),
         std::string{"CREATE TABLE lab_watch (server text PRIMARY KEY, count bigint NOT NULL)"},
         std::string{"CREATE TABLE lab_orphans (id bigserial, at timestamptz NOT NULL DEFAULT clock_timestamp())"},
         std::string{
             "CREATE PROCEDURE lab_write_forever() LANGUAGE plpgsql AS $$ BEGIN LOOP INSERT INTO lab_orphans DEFAULT VALUES; COMMIT; END LOOP; "
             "END $$"}}) {
        if (auto done = opened->query(sql); !done) return done.error();
    }
    return {};
}

Result<void> Server::make_replica(const Server& upstream, const std::vector<std::pair<std::string, std::string>>& settings) {
    if (auto owned = own_disks(); !owned) return owned.error();
    if (auto written = write_pgpass(); !written) return written;
    const std::string source = fmt::format(
        "host={} port={} user={} passfile={} application_name={} {} gssencmode=disable", upstream.machine().host_name(), postgres_port,
        replication_user, (disk() / "replication.pgpass").string(), name(), replication_tls());
    std::vector<std::string> words{"pg_basebackup", "-D",        data(),          "-R", "-X",  "stream", "-c",
                                   "fast",          "--no-sync", "--no-manifest", "-d", source};
    if (has("wal_apart")) words.insert(words.end(), {"--waldir", wal_disk() / "pg_wal"});
    if (has("tablespace_apart"))
        words.insert(words.end(), {"-T", fmt::format("{}={}", (upstream.space() / "data").string(), (space() / "data").string())});
    auto copied = program(words, copy_limit);
    if (!copied) return copied.error().during("copy " + name());
    if (auto written = write_settings(settings); !written) return written;
    if (auto written = write_debian_cluster(); !written) return written;
    return start();
}

Result<void> Server::begin_start() const {
    std::vector<std::string> words{"pg_ctl", "start", "-W", "-D", data(), "-l", log()};
    if (has("config_apart")) words.insert(words.end(), {"-o", fmt::format("-c config_file={}/postgresql.conf", config_folder().string())});
    auto started = program(words);
    if (!started) return started.error().during("start " + name());
    return {};
}

Result<void> Server::start() const {
    if (auto begun = begin_start(); !begun) return begun;
    std::string refusal;
    auto ready = harness::wait_until(
        [&] {
            const auto opened = session();
            if (!opened) refusal = opened.error().text();
            return static_cast<bool>(opened);
        },
        start_limit, name() + " takes sessions", milliseconds{20});
    if (!ready) return ready.error().during(refusal).during("its log ends with: " + end_of_log());
    return ready;
}

std::string Server::end_of_log() const {
    constexpr std::size_t enough = 1000;
    const auto said = harness::read_file(log());
    if (!said) return said.error().text();
    return said->substr(said->size() - std::min(said->size(), enough));
}

Result<void> Server::stop(const std::string& mode) const {
    auto stopped = program({"pg_ctl", "stop", "-m", mode, "-D", data()});
    if (!stopped) return stopped.error().during("stop " + name());
    return {};
}

bool Server::marked_standby() const {
    return static_cast<bool>(machine_.shell(fmt::format("test -e '{}/standby.signal'", data().string())));
}

Result<void> Server::mark_standby(bool marked) const {
    auto done = as_owner(fmt::format("{} '{}/standby.signal'", marked ? "touch" : "rm -f", data().string()));
    if (!done) return done.error();
    return {};
}

bool Server::starts_by_itself() const {
    const auto mode = harness::read_file(machine_.folder() / "etc" / "postgresql" / "15" / "main" / "start.conf");
    return mode && trim(*mode) == "auto";
}

Result<void> Server::set_autostart(bool on) const {
    auto done = machine_.shell(fmt::format(
        "cd '{}/etc/postgresql/15/main' && {{ [ -e start.conf.handyrep ] || echo {} >start.conf; }}", machine_.folder().string(),
        on ? "auto" : "manual"));
    if (!done) return done.error();
    return {};
}

Result<harness::Session> Server::replication_session() const {
    Result<harness::Session> out = Error{ErrorKind::unreachable, name() + " is off"};
    const auto visited = machine_.visit([&] {
        out = harness::Session::open(
            {.port = postgres_port,
             .user = replication_user,
             .password = passwords_.replication,
             .application_name = "crowd",
             .replication = true},
            seconds{2});
    });
    if (!visited) return visited.error();
    return out;
}

Result<harness::Session> Server::session(Duration limit, const std::string& application) const {
    return harness::Session::open(
        {.port = postgres_port, .password = passwords_.superuser, .application_name = application, .host = machine_.folder() / "run"},
        limit);
}

Result<std::string> Server::ask(const std::string& sql, Duration limit) const {
    auto opened = session(limit);
    if (!opened) return opened.error().during("ask " + name());
    auto answer = opened->value(sql, limit);
    if (!answer) return answer.error().during("ask " + name());
    return answer;
}

Result<void> Server::set(const std::string& name, const std::string& value) const {
    auto opened = session();
    if (!opened) return opened.error();
    if (auto done = opened->query(fmt::format("ALTER SYSTEM SET {} = {}", name, harness::sql_literal(value))); !done) return done.error();
    if (auto done = opened->query("SELECT pg_reload_conf()"); !done) return done.error();
    return {};
}

Result<void> Server::reset(const std::string& name) const {
    auto opened = session();
    if (!opened) return opened.error();
    if (auto done = opened->query(fmt::format("ALTER SYSTEM RESET {}", name)); !done) return done.error();
    if (auto done = opened->query("SELECT pg_reload_conf()"); !done) return done.error();
    return {};
}

std::optional<pid_t> Server::postmaster() const {
    // The only one that is not called "postgres: something".
    for (const pid_t process : machine_.processes("postgres")) {
        if (command_line_of(process).find("postgres:") == std::string::npos) return process;
    }
    return std::nullopt;
}

std::vector<pid_t> Server::processes(const std::string& title) const {
    std::vector<pid_t> out = machine_.processes(title.empty() ? "" : "postgres");
    if (title.empty()) {
        // Also the commands that it has begun: what holds the directory, not what is called postgres.
        const auto home = machine_.from_outside(data());
        std::erase_if(out, [&](pid_t it) {
            std::error_code error;
            return !std::filesystem::equivalent(fmt::format("/proc/{}/cwd", it), home, error);
        });
        if (const auto first = postmaster()) std::ranges::stable_partition(out, [&](pid_t it) { return it == *first; });
        return out;
    }
    // With a cluster_name the title is "postgres: db1: walreceiver ...".
    const std::string wanted = fmt::format("postgres: {}: {}", name(), title);
    std::erase_if(out, [&](pid_t it) { return !command_line_of(it).starts_with(wanted); });
    return out;
}

void Server::signal_all(int number) const {
    for (const pid_t process : processes()) ::kill(process, number);
}

}  // namespace handyrep::lab
