#include "tests/integration/daemon/stage.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace handyrep::integration {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {
constexpr Duration generous = seconds{120};
}

Stage::Stage(Over transport, harness::DaemonOptions options) : options_{std::move(options)}, cluster_{must(harness::RealCluster::make())} {
    if (transport == Over::ssh) sshd_ = must(harness::PrivateSshd::make(cluster_->folder()));
    options_.sshd = sshd_.get();
    start_daemon("db1");
}

void Stage::start_daemon(const std::string& primary) {
    options_.primary = primary;
    daemon_ = must(harness::Daemon::make(*cluster_, options_));
    daemon_->forget();
    must(daemon_->start());
    must(daemon_->wait_for_status(0));
    // Well is not yet written down: a daemon that is killed before it is begins anew, and waits for every server.
    must(harness::wait_until(
        [&] { return first_look_is_saved(); }, generous, "servers.save says that every server was read", milliseconds{20}));
}

bool Stage::first_look_is_saved() const {
    std::ifstream file{daemon_->state_folder() / "servers.save"};
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    return !text.empty() && text.find("provisional: true") == std::string::npos;
}

nlohmann::json Stage::status() const { return must(daemon_->cli_json({"status"})); }

nlohmann::json Stage::row(const std::string& server) const {
    const auto all = status();
    for (const auto& one : all.at("servers")) {
        if (one.at("name") == server) return one;
    }
    throw std::runtime_error("the status has no server " + server);
}

std::string Stage::finding(const std::string& kind) const {
    std::string lines;
    const auto all = status();
    for (const auto& one : all.at("findings")) {
        if (one.at("kind") == kind) lines += one.at("text").get<std::string>() + "\n";
    }
    return lines;
}

void Stage::wait_for_situation(const std::string& word) const {
    must(harness::wait_until([&] { return situation() == word; }, generous, "the situation is " + word, milliseconds{50}));
}

void Stage::wait_for_finding(const std::string& kind) const {
    must(harness::wait_until([&] { return !finding(kind).empty(); }, generous, "the status has a finding " + kind, milliseconds{50}));
}

void Stage::wait_until_healthy() { must(daemon_->wait_for_status(0, generous)); }

std::vector<std::string> Stage::events() const {
    std::vector<std::string> names;
    const auto answer = must(daemon_->cli_json({"events", "--count", "1000"}));
    for (const auto& event : answer.at("events")) names.push_back(event.at("name"));
    return names;
}

std::string Stage::the_one_writable_server() const {
    std::vector<std::string> writable;
    harness::Moment since = harness::now();
    const auto outcome = harness::wait_until(
        [&] {
            auto seen = cluster_->writable_servers();
            if (seen.size() != 1 || seen != writable) since = harness::now();
            writable = std::move(seen);
            return harness::now() - since > seconds{1};
        },
        seconds{60}, "exactly one server takes writes", milliseconds{50});
    if (!outcome) throw std::runtime_error(outcome.error().text() + "\n" + must(daemon_->cli({"status"})).output);
    return writable.front();
}

void Stage::start_over(const std::string& primary) {
    daemon_->kill();
    std::vector<std::string> replicas;
    for (const auto& one : cluster_->servers()) {
        if (one.name == primary) continue;
        replicas.push_back(one.name);
        if (!cluster_->wait_until_streaming({one.name}, primary, Duration::zero())) must(cluster_->rebuild_as_replica(one.name, primary));
    }
    must(cluster_->wait_until_streaming(replicas, primary, generous));
    start_daemon(primary);
}

}  // namespace handyrep::integration
