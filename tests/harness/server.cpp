#include "tests/harness/server.hpp"

#include "tests/harness/process.hpp"
#include "tests/harness/temporary_folder.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <random>
#include <set>

namespace handyrep::harness {
namespace {

constexpr Duration start_limit = std::chrono::seconds{60};

bool port_is_free(std::uint16_t port) {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0) return false;
    const int on = 1;
    ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool free = ::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 && ::listen(listener, 1) == 0;
    ::close(listener);
    return free;
}

std::string word_for(StopMode mode) {
    switch (mode) {
        case StopMode::smart: return "smart";
        case StopMode::fast: return "fast";
        case StopMode::immediate: return "immediate";
    }
    return {};
}

/// What `./dev versions` fetched (tests/versions/fetch says where to).
Result<std::filesystem::path> fetched_programs(const std::string& major) {
    const char* const cache = std::getenv("XDG_CACHE_HOME");
    const char* const home = std::getenv("HOME");
    const std::filesystem::path base =
        cache != nullptr && *cache != '\0' ? std::filesystem::path{cache} : std::filesystem::path{home == nullptr ? "/" : home} / ".cache";
    const auto programs = base / "handyrep" / "postgresql" / major / "bin";
    if (std::filesystem::exists(programs / "initdb")) return programs;
    return Error{
        ErrorKind::unsupported,
        fmt::format("PostgreSQL {} is not in {}: `./dev versions {}` fetches it", major, programs.parent_path().string(), major)};
}

}  // namespace

Result<std::filesystem::path> find_programs() {
    if (const char* const wanted = std::getenv("HANDYREP_POSTGRESQL"); wanted != nullptr && *wanted != '\0')
        return fetched_programs(wanted);
    std::vector<std::pair<int, std::filesystem::path>> found;
    std::error_code error;
    for (auto entry = std::filesystem::directory_iterator("/usr/lib/postgresql", error);
         !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
        const auto programs = entry->path() / "bin";
        const int version = std::atoi(entry->path().filename().c_str());
        if (std::filesystem::exists(programs / "initdb")) found.emplace_back(version == 15 ? 1000 : version, programs);
    }
    if (found.empty()) return Error{ErrorKind::unsupported, "no PostgreSQL server is installed below /usr/lib/postgresql"};
    return std::max_element(found.begin(), found.end())->second;
}

Result<std::uint16_t> free_port() {
    static std::mutex guard;
    static std::set<std::uint16_t> given;
    static std::mt19937 random{std::random_device{}()};
    const std::scoped_lock lock{guard};
    std::uniform_int_distribution<int> draw{20000, 31999};
    for (int attempt = 0; attempt < 1000; ++attempt) {
        const auto port = static_cast<std::uint16_t>(draw(random));
        if (port_is_free(port) && given.insert(port).second) return port;
    }
    return Error{ErrorKind::failed, "no free port from 20000 to 31999"};
}

int RealServer::major() const {
    int number = 0;
    std::ifstream{data / "PG_VERSION"} >> number;
    return number;
}

std::filesystem::path RealServer::mark() const { return data / (major() < 12 ? "recovery.conf" : "standby.signal"); }

Target RealServer::target(const std::string& application_name) const {
    return Target{.port = port, .password = password, .application_name = application_name};
}

Result<Session> RealServer::session(Duration limit) const { return Session::open(target(), limit); }

Result<std::string> RealServer::ask(const std::string& sql) const {
    auto opened = session();
    if (!opened) return opened.error().during("ask " + name);
    auto answer = opened->value(sql);
    if (!answer) return answer.error().during("ask " + name);
    return std::move(*answer);
}

Result<void> RealServer::control(const std::string& action, const std::vector<std::string>& more) const {
    Command command{.arguments = {programs / "pg_ctl", action, "-D", data}, .user = server_user(), .folder = data.parent_path()};
    command.arguments.insert(command.arguments.end(), more.begin(), more.end());
    if (auto done = run_well(command, start_limit); !done) return done.error().during(fmt::format("pg_ctl {} {}", action, name));
    return {};
}

Result<void> RealServer::start(const std::vector<std::string>& options) const {
    // A postmaster that was killed can stay a zombie where nobody reaps orphans; PostgreSQL then takes its lock file for a living one's.
    std::error_code ignored;
    if (processes().empty()) std::filesystem::remove(data / "postmaster.pid", ignored);
    // pg_ctl's own wait looks ten times a second only.
    std::vector<std::string> more{"-W", "-l", log};
    if (!options.empty()) {
        std::string joined;
        for (const auto& option : options) joined += option + " ";
        more.insert(more.end(), {"-o", joined});
    }
    if (auto started = control("start", more); !started) return started.error();
    if (!options.empty()) return {};  // it may listen somewhere else
    return wait_for_sessions(start_limit);
}

Result<void> RealServer::stop(StopMode mode) const { return control("stop", {"-m", word_for(mode)}); }

Result<void> RealServer::restart(StopMode mode) const {
    if (auto done = control("restart", {"-m", word_for(mode), "-l", log}); !done) return done.error();
    return wait_for_sessions(start_limit);
}

Result<void> RealServer::start_as_primary() const {
    std::error_code error;
    std::filesystem::remove(mark(), error);
    return start();
}

Result<void> RealServer::promote() const {
    auto opened = session();
    if (!opened) return opened.error();
    if (major() < 12) {
        if (auto asked = control("promote", {"-W"}); !asked) return asked;
    } else if (auto asked = opened->value("SELECT pg_promote(false)"); !asked) {
        return asked.error();
    }
    return wait_until(
        [&] {
            // A promotion asked just after the primary's death may sleep for wal_retrieve_retry_interval unless it is woken.
            auto still = opened->value("SELECT pg_is_in_recovery(), pg_reload_conf()");
            return still && *still == "f";
        },
        start_limit, name + " is promoted", std::chrono::milliseconds{20});
}

std::vector<pid_t> RealServer::processes() const { return processes_living_in(data); }

std::optional<pid_t> RealServer::postmaster() const {
    std::ifstream file(data / "postmaster.pid");
    pid_t process = 0;
    if (!(file >> process) || !state_of(process)) return std::nullopt;
    return process;
}

bool RealServer::marked_standby() const { return std::filesystem::exists(mark()); }

Moment RealServer::kill_all() const {
    auto victims = processes();
    if (const auto first = postmaster()) std::partition(victims.begin(), victims.end(), [&](pid_t one) { return one == *first; });
    const Moment sent = now();
    for (; !victims.empty(); victims = processes()) {
        for (const pid_t process : victims) ::kill(process, SIGKILL);
    }
    return sent;
}

Moment RealServer::kill_postmaster() const {
    const auto process = postmaster();
    const Moment sent = now();
    if (process) ::kill(*process, SIGKILL);
    return sent;
}

Result<void> RealServer::freeze() const {
    return wait_until(
        [&] {
            auto all = processes();
            if (const auto first = postmaster()) std::partition(all.begin(), all.end(), [&](pid_t one) { return one == *first; });
            for (const pid_t process : all) ::kill(process, SIGSTOP);
            return std::ranges::all_of(processes(), [](pid_t process) { return state_of(process) == 'T'; });
        },
        std::chrono::seconds{5}, "all processes of " + name + " stand");
}

void RealServer::thaw() const {
    for (const pid_t process : processes()) ::kill(process, SIGCONT);
}

bool RealServer::accepts_sessions() const { return static_cast<bool>(session(std::chrono::seconds{1})); }

std::optional<bool> RealServer::in_recovery() const {
    auto opened = session(std::chrono::seconds{1});
    if (!opened) return std::nullopt;
    const auto answer = opened->value("SELECT pg_is_in_recovery()", std::chrono::seconds{1});
    if (!answer) return std::nullopt;
    return *answer == "t";
}

Result<void> RealServer::wait_for_sessions(Duration limit) const {
    std::string refusal;
    auto outcome = wait_until(
        [&] {
            const auto opened = session(std::chrono::seconds{1});
            if (!opened) refusal = opened.error().text();
            return static_cast<bool>(opened);
        },
        limit, name + " takes sessions", std::chrono::milliseconds{20});
    if (!outcome) return outcome.error().during(refusal);
    return outcome;
}

Result<void> RealServer::wait_for_replay(const std::string& lsn, Duration limit) const {
    return wait_until(
        [&] {
            const auto there = ask("SELECT pg_last_wal_replay_lsn() >= " + sql_literal(lsn) + "::pg_lsn");
            return there && *there == "t";
        },
        limit, name + " has replayed " + lsn, std::chrono::milliseconds{20});
}

Result<void> RealServer::set_password(const Secret& secret) const {
    auto opened = session();
    if (!opened) return opened.error();
    auto done = opened->query("ALTER ROLE postgres PASSWORD " + sql_literal(secret.reveal()));
    if (!done) return done.error();
    return {};
}

Result<std::vector<Session>> RealServer::fill_connections() const {
    std::vector<Session> sessions;
    while (sessions.size() < 10000) {
        auto opened = session();
        if (!opened && opened.error().kind == ErrorKind::refused) return sessions;
        if (!opened) return opened.error();
        sessions.push_back(std::move(*opened));
    }
    return Error{ErrorKind::failed, name + " never said that it has too many connections"};
}

}  // namespace handyrep::harness
