#include "tests/harness/daemon.hpp"

#include "base/text.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <cstdlib>

namespace handyrep::harness {
namespace {

std::string configuration_text(
    const RealCluster& cluster, const DaemonOptions& options, const std::filesystem::path& state, std::uint16_t port) {
    const std::string password = options.superuser_password ? options.superuser_password->reveal() : cluster.superuser_password().reveal();
    std::string text = fmt::format(
        "handyrep:\n  cluster_name: harness\n  state_dir: {}\n  listen: 127.0.0.1:{}\n"
        "passwords:\n  superuser_pass: {}\n  replication_pass: {}\n",
        state.string(), port, password, cluster.replication_password().reveal());
    if (!options.failover.empty()) text += "failover:\n";
    for (const auto& [key, value] : options.failover) text += fmt::format("  {}: {}\n", key, value);
    text += fmt::format("server_defaults:\n  database_user: postgres\n  replication_user: {}\n", RealCluster::replication_user());
    if (options.sshd == nullptr) text += "  transport: local\n";
    if (options.sshd != nullptr) {
        text += fmt::format(
            "  transport: ssh\n  ssh_user: {}\n  ssh_config: {}\n", options.sshd->login(), options.sshd->client_configuration().string());
    }
    for (const auto& [key, value] : options.server_defaults) text += fmt::format("  {}: {}\n", key, value);
    text += "servers:\n";
    for (const auto& server : cluster.servers()) {
        text += fmt::format(
            "  {}:\n    hostname: 127.0.0.1\n    port: {}\n    pgdata: {}\n    role: {}\n", server.name, server.port, server.data.string(),
            server.name == options.primary ? "primary" : "replica");
    }
    return text;
}

std::string last_line(const std::filesystem::path& file) {
    const auto content = read_file(file);
    if (!content) return content.error().text();
    const auto text = trim(*content);
    return std::string{text.substr(text.rfind('\n') + 1)};
}

}  // namespace

std::filesystem::path program() {
    const char* named = std::getenv("HANDYREP_BINARY");
    return named != nullptr ? std::filesystem::path{named} : std::filesystem::path{HANDYREP_PROGRAM};
}

Daemon::Daemon(std::filesystem::path folder, const DaemonOptions& options, std::uint16_t port)
    : folder_{std::move(folder)},
      configuration_{folder_ / (options.name + ".conf")},
      state_{folder_ / (options.name + ".state")},
      log_{folder_ / (options.name + ".log")},
      port_{port} {}

Result<std::unique_ptr<Daemon>> Daemon::make(const RealCluster& cluster, const DaemonOptions& options) {
    if (!std::filesystem::exists(program()))
        return Error{ErrorKind::unsupported, fmt::format("there is no program {}", program().string())};
    auto port = free_port();
    if (!port) return port.error();
    std::unique_ptr<Daemon> daemon{new Daemon(cluster.folder(), options, *port)};
    const std::string text = configuration_text(cluster, options, daemon->state_, *port);
    if (auto written = write_private(daemon->configuration_, text); !written) return written.error();
    return daemon;
}

Result<void> Daemon::start() {
    auto started = Background::start({.arguments = {program(), "--config", configuration_, "daemon"}, .folder = folder_}, log_);
    if (!started) return started.error();
    process_ = std::move(*started);
    return {};
}

Result<void> Daemon::wait_for_status(int exit_code, Duration limit) {
    std::string last;
    auto outcome = wait_until(
        [&] {
            const auto status = cli({"status"}, std::chrono::seconds{10});
            if (status) last = fmt::format("exit code {}: {}{}", status->exit_code, status->output, status->errors);
            return (status && status->exit_code == exit_code) || !process_.running();
        },
        limit, fmt::format("status ends with {}", exit_code), std::chrono::milliseconds{50});
    if (!process_.running()) return Error{ErrorKind::failed, "the daemon ended; its log says: " + last_line(log_)};
    if (!outcome) return outcome.error().during("last seen: " + last);
    return outcome;
}

Result<void> Daemon::wait_for_operation(Duration limit) const {
    std::string outcome;
    auto ended = wait_for(
        [&](const nlohmann::json& status) {
            const auto operation = status.find("operation");
            if (operation == status.end() || !operation->is_object() || (*operation)["ended"].is_null()) return false;
            outcome = operation->value("outcome", "");
            return true;
        },
        limit, "the operation has ended");
    if (!ended) return ended;
    if (outcome != "done") return Error{ErrorKind::failed, "the operation ended with: " + outcome};
    return {};
}

std::optional<std::string> Daemon::announced_loss() const {
    const auto answer = cli_json({"events"});
    if (!answer) return std::nullopt;
    std::optional<std::string> newest;
    for (const auto& event : answer->value("events", nlohmann::json::array())) {
        const auto fields = event.value("fields", nlohmann::json::object());
        if (!fields.contains("loss_at_least_bytes")) continue;
        newest =
            fmt::format("at least {} bytes, read {} before", fields.value("loss_at_least_bytes", ""), fields.value("loss_seen_before", ""));
    }
    return newest;
}

std::string Daemon::steps() const {
    const auto answer = cli_json({"events"});
    if (!answer) return {};
    std::string out;
    for (const auto& event : answer->value("events", nlohmann::json::array())) {
        const auto fields = event.value("fields", nlohmann::json::object());
        const std::string name = event.value("name", "");
        if (name == "operation_begun") out = "begun " + event.value("at", "");
        if (name == "step") out += fmt::format(", {} {}", fields.value("step", ""), fields.value("took", ""));
    }
    return out;
}

void Daemon::kill() { process_ = Background{}; }

std::optional<int> Daemon::stop(Duration limit) {
    process_.signal(SIGTERM);
    return process_.wait(limit);
}

void Daemon::forget() const {
    std::error_code error;
    std::filesystem::remove_all(state_, error);
}

Result<Outcome> Daemon::cli(const std::vector<std::string>& arguments, Duration limit) const {
    Command command{.arguments = {program(), "--config", configuration_}, .folder = folder_};
    command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
    return run(command, limit);
}

Result<nlohmann::json> Daemon::cli_json(const std::vector<std::string>& arguments) const {
    std::vector<std::string> all{"--output", "json"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    auto outcome = cli(all);
    if (!outcome) return outcome.error();
    auto json = nlohmann::json::parse(outcome->output, nullptr, false);
    if (json.is_discarded()) return Error{ErrorKind::failed, fmt::format("not JSON: {}{}", outcome->output, outcome->errors)};
    return Result<nlohmann::json>{boost::system::in_place_value, std::move(json)};
}

Result<HttpAnswer> Daemon::http(
    const std::string& method, const std::string& path, const std::vector<std::string>& headers, const std::string& body) const {
    return http_request(port_, {.method = method, .path = path, .headers = headers, .body = body});
}

}  // namespace handyrep::harness
