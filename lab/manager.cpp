#include "lab/manager.hpp"

#include "base/text.hpp"
#include "tests/harness/daemon.hpp"
#include "tests/harness/moment.hpp"
#include "tests/harness/temporary_folder.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <fstream>

namespace handyrep::lab {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr std::uint16_t http_port = 8010;
constexpr Duration between_looks = milliseconds{50};
constexpr Duration longest_order = std::chrono::minutes{5};

std::optional<Telling> telling_of(const std::string& line) {
    const auto json = nlohmann::json::parse(line, nullptr, false);
    if (!json.is_object() || !json.contains("event")) return std::nullopt;
    Telling out{.name = json.value("event", ""), .fields = {}};
    for (const auto& [key, value] : json.items()) out.fields[key] = value.is_string() ? value.get<std::string>() : value.dump();
    return out;
}

}  // namespace

Manager::~Manager() {
    stopping_ = true;
    if (poller_.joinable()) poller_.join();
}

Result<void> Manager::make_disk() const {
    const std::string image = machine_.folder() / "state.img";
    auto made =
        harness::run_well({.arguments = {"sh", "-c", fmt::format("truncate -s 64M '{0}' && mkfs.ext4 -q -m 0 '{0}'", image)}}, seconds{30});
    if (!made) return made.error().during("make the manager's disk");
    return {};
}

Result<void> Manager::configure(const std::vector<Server*>& servers, const ManagerOptions& options) const {
    std::string text = fmt::format(
        "handyrep:\n  cluster_name: lab\n  state_dir: {}\n  listen: 127.0.0.1:{}\n  log_format: json\n"
        "passwords:\n  replication_pass: {}\n",
        state_folder().string(), http_port, passwords_.replication.reveal());
    if (options.has_password) text += fmt::format("  superuser_pass: {}\n", passwords_.superuser.reveal());
    if (!options.failover.empty()) text += "failover:\n";
    for (const auto& [key, value] : options.failover) text += fmt::format("  {}: {}\n", key, value);
    text += fmt::format(
        "server_defaults:\n  database_user: postgres\n  replication_user: {}\n  transport: ssh\n  ssh_user: handyrep\n  ssh_config: {}\n{}servers:\n",
        replication_user, options.ssh_config.string(), options.tls);
    for (const Server* it : servers) {
        text += fmt::format(
            "  {}:\n    hostname: {}\n    port: {}\n    pgdata: {}\n    role: {}\n", it->name(), it->machine().host_name(), postgres_port,
            it->data().string(), it == servers.front() ? "primary" : "replica");
        const auto priority = std::ranges::find(options.priorities, it->name(), &std::pair<std::string, std::string>::first);
        if (priority != options.priorities.end()) text += fmt::format("    failover_priority: {}\n", priority->second);
    }
    return harness::write_private(configuration(), text);
}

Result<void> Manager::start() const {
    std::vector<std::string> words{harness::program(), "--config", configuration(), "daemon"};
    if (std::filesystem::exists(clock_file()))
        words.insert(words.begin(), {"env", "LD_PRELOAD=" HANDYREP_LAB_CLOCK, "HANDYREP_LAB_CLOCK=" + clock_file().string()});
    const auto command = machine_.inside({.arguments = words});
    if (!command) return command.error();
    auto started = harness::Background::start(*command, log());
    if (!started) return started.error();
    started->release();
    auto there = harness::wait_until([&] { return runs(); }, seconds{10}, "the daemon runs", milliseconds{5});
    if (there) return there;
    const auto said = harness::read_file(log());
    return there.error().during(said ? *said : "start the daemon");
}

Result<std::string> Manager::explain() const {
    return machine_.run({.arguments = {harness::program(), "--config", configuration(), "explain"}}, seconds{10});
}

/// Renamed into its place: it is read at every look at the clock.
Result<void> Manager::set_clock(Duration ahead) const {
    const auto fresh = clock_file().string() + ".new";
    const auto seconds_ahead = std::chrono::duration_cast<seconds>(ahead).count();
    if (auto written = harness::write_private(fresh, fmt::format("{:+}\n", seconds_ahead)); !written) return written;
    std::error_code error;
    std::filesystem::rename(fresh, clock_file(), error);
    if (error) return Error{ErrorKind::failed, error.message()};
    return {};
}

void Manager::signal(int number) const {
    for (const pid_t process : machine_.processes("handyrep")) ::kill(process, number);
    if (number == SIGKILL)
        static_cast<void>(harness::wait_until([&] { return !runs(); }, seconds{5}, "the daemon is gone", milliseconds{2}));
}

std::vector<std::string> Manager::headers() const {
    const auto token = harness::read_file(machine_.from_outside(state_folder() / "cli.token"));
    if (!token) return {"Content-Type: application/json"};
    return {"Content-Type: application/json", fmt::format("Authorization: Bearer {}", trim(*token))};
}

void Manager::watch() {
    poller_ = std::thread{[this] { poll(); }};
}

/// A daemon that is stopped keeps its port open and says nothing: its last word stays its word.
void Manager::poll() {
    while (!stopping_) {
        std::optional<nlohmann::json> seen;
        bool there = false;
        // A host that was switched off and on has another network.
        if (const auto init = machine_.init(); init && *init != visited_ && machine_.enter()) visited_ = *init;
        const auto answer = harness::http_request(http_port, {.path = "/v1/status", .headers = headers(), .patience = seconds{1}});
        if (answer && answer->status == 200) {
            auto json = nlohmann::json::parse(answer->body, nullptr, false);
            if (json.is_object()) seen = std::move(json);
        }
        there = seen.has_value() || runs();
        {
            const std::scoped_lock lock{guard_};
            if (seen || !there) status_ = std::move(seen);
        }
        std::this_thread::sleep_for(between_looks);
    }
}

std::optional<nlohmann::json> Manager::status() const {
    const std::scoped_lock lock{guard_};
    return status_;
}

std::vector<Telling> Manager::tellings() {
    const std::scoped_lock lock{guard_};
    std::ifstream file(log());
    file.seekg(read_);
    for (std::string line; std::getline(file, line);) {
        if (file.eof()) break;  // not written to its end yet
        read_ += static_cast<std::streamoff>(line.size()) + 1;
        if (auto telling = telling_of(line)) tellings_.push_back(*std::move(telling));
    }
    return tellings_;
}

Result<harness::HttpAnswer> Manager::post(const std::string& path, const std::string& body) const {
    Result<harness::HttpAnswer> answer = Error{ErrorKind::unreachable, "the manager's host is off"};
    const auto visited = machine_.visit([&] {
        answer = harness::http_request(
            http_port, {.method = "POST", .path = path, .headers = headers(), .body = body, .patience = longest_order});
    });
    if (!visited) return visited.error();
    return answer;
}

Result<harness::Outcome> Manager::cli(const std::vector<std::string>& words) const {
    harness::Command command{.arguments = {harness::program(), "--config", configuration()}};
    command.arguments.insert(command.arguments.end(), words.begin(), words.end());
    const auto there = machine_.inside(command);
    if (!there) return there.error();
    return harness::run(*there, std::chrono::minutes{5});
}

}  // namespace handyrep::lab
