#include "sim/player.hpp"

#include "base/ensure.hpp"
#include "config/configuration.hpp"
#include "saved/operation.hpp"
#include "sim/deeds.hpp"
#include "sim/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace handyrep::sim {

using namespace std::chrono_literals;
using scenarios::Scenario;

namespace {

/// The same keys as in handyrep.conf, by the same reader.
Result<model::ClusterDefinition> define(const scenarios::ClusterWanted& wanted) {
    std::string text = "handyrep:\n  cluster_name: story\n";
    if (!wanted.failover.empty()) text += "failover:\n";
    for (const auto& [key, value] : wanted.failover) text += fmt::format("  {}: {}\n", key, value);
    text += fmt::format("server_defaults:\n  transport: {}\n  pgdata: /data\nservers:\n", wanted.one_machine ? "local" : "ssh");
    for (std::size_t it = 1; it <= wanted.servers; ++it) {
        text += fmt::format("  db{0}:\n    hostname: db{0}.example\n    role: {1}\n", it, it == 1 ? "primary" : "replica");
        for (const auto& [server, priority] : wanted.priorities) {
            if (server == fmt::format("db{}", it)) text += fmt::format("    failover_priority: {}\n", priority);
        }
    }
    const config::Parsed parsed = config::parse(text, "cluster");
    if (parsed.configuration) return parsed.configuration->cluster;
    std::string problems;
    for (const config::Problem& it : parsed.problems) problems += config::text(it) + "\n";
    return Error{ErrorKind::invalid, problems};
}

Draw draw_of(const scenarios::ClusterWanted& wanted, const model::ClusterDefinition& definition, std::uint64_t seed) {
    Draw it = plain(seed);
    it.world.servers = wanted.servers;
    it.settings = definition.failover;
    it.local = wanted.one_machine;
    it.synchronous_standby_names = wanted.synchronous_standby_names;
    it.servers.clear();
    for (const model::ServerDefinition& server : definition.servers)
        it.servers.push_back({.priority = server.failover_priority, .restarted_after = wanted.restarted_after.value_or(Duration{})});
    it.clients.front().node = wanted.servers + 1;
    return it;
}

class SimStage : public scenarios::Stage {
public:
    explicit SimStage(const Draw& draw) : run_{draw}, deeds_{run_} {}

    Result<void> set_up(const scenarios::ClusterWanted& wanted) { return deeds_.set_up(wanted); }
    [[nodiscard]] const std::vector<Trace::Line>& lines() { return run_.world().trace.lines(); }

    Result<void> begin(const scenarios::Deed& deed) override { return deeds_.begin(deed); }
    bool end(scenarios::DeedKind kind) override { return deeds_.end(kind); }
    bool pass(const std::function<bool()>& reached, Duration limit) override { return run_.run_until(reached, limit); }
    std::optional<std::string> order(const scenarios::Order& order) override;

    std::vector<std::string> writers() override;
    bool is_so(const scenarios::Fact& fact) override;
    bool streams(const std::string& replica, const std::string& from) override;
    bool writes_through(const std::string&, const std::string&) override { return false; }  // `play` refuses stories with routers
    std::optional<scenarios::Report> report() override;
    std::set<std::string> reasons_of_operations() override;
    std::set<std::string> events() override;
    bool told(const std::string& event) override { return std::ranges::count(run_.disk().events, event, &saved::Event::name) > 0; }
    std::size_t promotions() override { return run_.invariants().promotions(); }
    std::size_t failovers_begun() override { return run_.invariants().failovers_begun(); }
    std::optional<std::string> last_proof() override;
    std::size_t lost_on(const std::string& server) override;
    std::vector<std::string> violations() override;
    std::string servers_text() override;
    void note(std::string_view line) override { run_.world().note("story", std::string(line)); }

private:
    [[nodiscard]] const Server* find(const std::string& name);

    Run run_;
    Deeds deeds_;
    std::uint64_t last_operation_ = 0;
};

const Server* SimStage::find(const std::string& name) {
    const auto& servers = run_.world().servers;
    const auto found = std::ranges::find_if(servers, [&](const Server& it) { return it.name.text() == name; });
    return found == servers.end() ? nullptr : &*found;
}

std::optional<std::string> SimStage::order(const scenarios::Order& order) {
    if (run_.manager() == nullptr) return "there is no manager to order";
    const auto answer = std::make_shared<std::optional<std::string>>();
    run_.order(order, [answer](std::string refusal) { *answer = std::move(refusal); });
    static_cast<void>(run_.run_until([&] { return answer->has_value(); }, 5min));
    return *answer;
}

std::vector<std::string> SimStage::writers() {
    std::vector<std::string> out;
    for (ServerIndex it = 0; it < run_.world().servers.size(); ++it) {
        if (run_.world().accepts_writes(it)) out.push_back(run_.world().at(it).name.text());
    }
    return out;
}

/// Of what PostgreSQL shows, as much as its model knows.
bool SimStage::is_so(const scenarios::Fact& fact) {
    const World& world = run_.world();
    const Server* const it = find(fact.server);
    if (it == nullptr) return false;
    if (fact.kind == scenarios::FactKind::accepts_writes) return world.accepts_writes(static_cast<ServerIndex>(it - world.servers.data()));
    if (fact.kind == scenarios::FactKind::in_step) {
        const auto all = writers();
        return all.size() == 1 && (all.front() == fact.server || streams(fact.server, all.front()));
    }
    if (fact.kind != scenarios::FactKind::still_says_streaming) return false;
    return std::ranges::any_of(world.servers, [&](const Server& above) {
        return std::ranges::any_of(above.senders, [&](const Sender& sender) {
            return &world.at(sender.replica) == it && world.agenda.now() - sender.last_reply >= 10s;
        });
    });
}

bool SimStage::streams(const std::string& replica, const std::string& from) {
    const Server* const above = find(from);
    return above != nullptr && std::ranges::any_of(above->senders, [&](const Sender& it) {
               const Server& below = run_.world().at(it.replica);
               return below.name.text() == replica && below.receiver && below.receiver->state == Receiver::State::streaming;
           });
}

std::optional<scenarios::Report> SimStage::report() {
    if (run_.manager() == nullptr) return std::nullopt;
    const engine::ClusterReport report = run_.manager()->report();
    scenarios::Report out{std::string(word_for(report.situation)), std::string(word_for(report.reason)), report.provisional};
    for (const decide::Finding& it : report.findings) out.findings.insert(std::string(word_for(it.kind)));
    for (const engine::ServerReport& it : report.servers) {
        if (it.must_be_down) out.must_be_down.insert(it.name.text());
    }
    return out;
}

std::set<std::string> SimStage::reasons_of_operations() {
    std::set<std::string> out;
    for (const saved::JournalRecord& it : run_.disk().records) {
        if (it.operation <= last_operation_ || it.entry != saved::JournalEntry::begun) continue;
        last_operation_ = it.operation;
        if (const auto begun = saved::operation_begun_from_text(it.detail)) out.insert(begun->reason);
    }
    return out;
}

std::set<std::string> SimStage::events() {
    std::set<std::string> out;
    for (const saved::Event& it : run_.disk().events) out.insert(it.name);
    return out;
}

std::optional<std::string> SimStage::last_proof() {
    std::optional<std::string> out;
    for (const saved::Event& it : run_.disk().events) {
        const auto field = std::ranges::find(it.fields, "proof", &Field::name);
        if (it.name == "promoted" && field != it.fields.end()) out = field->value;
    }
    return out;
}

std::size_t SimStage::lost_on(const std::string& server) {
    const Server* const it = find(server);
    ensure(it != nullptr, "commits are looked for on a server of the cluster");
    return static_cast<std::size_t>(std::ranges::count_if(run_.world().acknowledged, [&](const Acknowledged& row) {
        return !run_.world().branches.holds(it->disk.branch, it->disk.end, row.branch, row.end);
    }));
}

std::vector<std::string> SimStage::violations() {
    run_.invariants().judge_end();
    std::vector<std::string> out;
    for (const Violation& it : run_.invariants().violations()) out.push_back(fmt::format("{}: {}", it.claim, it.text));
    return out;
}

std::string SimStage::servers_text() {
    std::string out;
    for (ServerIndex it = 0; it < run_.world().servers.size(); ++it) {
        const World& world = run_.world();
        out += fmt::format(
            "{}{} {}", it == 0 ? "" : ", ", world.at(it).name.text(),
            world.accepts_writes(it) ? "takes writes" : (world.at(it).has_processes() ? "runs" : "is down"));
    }
    return out;
}

}  // namespace

Result<Told> play(const Scenario& scenario, std::uint64_t seed) {
    if (!scenario.cluster.routers.empty() || scenario.cluster.etcd)
        return Error{
            ErrorKind::unsupported,
            fmt::format("{}: the simulator has no hosts beside the servers; only: {{lab: …}} says so", scenario.file)};
    const auto definition = define(scenario.cluster);
    if (!definition) return definition.error().during(fmt::format("read the cluster of {}", scenario.file));
    SimStage stage{draw_of(scenario.cluster, *definition, seed)};
    if (auto done = stage.set_up(scenario.cluster); !done) return done.error();
    scenarios::Told told = scenarios::play(scenario, stage);
    return Told{std::move(told), stage.lines()};
}

}  // namespace handyrep::sim
