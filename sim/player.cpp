#include "sim/player.hpp"

#include "base/text.hpp"
#include "config/configuration.hpp"
#include "saved/operation.hpp"
#include "sim/deeds.hpp"
#include "sim/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace handyrep::sim {

using namespace std::chrono_literals;
using scenarios::Question;
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

class Player {
public:
    Player(const Scenario& scenario, const Draw& draw) : scenario_{scenario}, run_{draw}, deeds_{run_} {}

    Result<void> set_up() { return deeds_.set_up(scenario_.cluster); }
    Told tell();

private:
    void take(const scenarios::Step& step);
    void take_order(const scenarios::Order& order, int line);
    void look();
    void look_at_operations();
    [[nodiscard]] bool holds(const Question& question);
    [[nodiscard]] std::optional<ServerIndex> only_writer();
    void judge_end();
    void judge_seen(std::string_view what, const std::vector<std::string>& wanted, const std::set<std::string>& seen);
    [[nodiscard]] std::size_t lost_on(ServerIndex server);
    [[nodiscard]] std::string now();
    void failed(std::string what) { failures_.push_back(std::move(what)); }
    bool play_until(const Question& question, Duration limit);

    const Scenario& scenario_;
    Run run_;
    Deeds deeds_;
    std::vector<std::string> failures_;
    Reached reached_;
    std::uint64_t last_operation_ = 0;
};

Told Player::tell() {
    for (const scenarios::Step& step : scenario_.steps) {
        run_.world().note("story", text(step));
        take(step);
        if (!failures_.empty()) break;
    }
    if (failures_.empty()) judge_end();
    run_.invariants().judge_end();
    for (const Violation& it : run_.invariants().violations()) failed(fmt::format("{}: {}", it.claim, it.text));
    return {
        failures_, run_.world().trace.lines(),
        fmt::format(
            "{} promotion(s), {} failover(s) begun; {}", run_.invariants().promotions(), run_.invariants().failovers_begun(), now()),
        reached_};
}

void Player::take(const scenarios::Step& step) {
    if (const auto* fault = std::get_if<scenarios::Deed>(&step.what)) {
        if (const auto begun = deeds_.begin(*fault); !begun) failed(fmt::format("line {}: {}", step.line, begun.error().text()));
    } else if (const auto* end = std::get_if<scenarios::End>(&step.what)) {
        if (!deeds_.end(end->kind)) failed(fmt::format("line {}: nothing of the kind {} has begun", step.line, word_for(end->kind)));
    } else if (const auto* run = std::get_if<scenarios::Run>(&step.what)) {
        static_cast<void>(play_until(Question{.takes_writes = "never true"}, run->length));
    } else if (const auto* order = std::get_if<scenarios::Order>(&step.what)) {
        take_order(*order, step.line);
    } else {
        const auto& until = std::get<scenarios::Until>(step.what);
        if (!play_until(until.question, until.within)) failed(fmt::format("{}: it was not so; {}", text(step), now()));
    }
}

bool Player::play_until(const Question& question, Duration limit) {
    return run_.run_until(
        [&] {
            look();
            return holds(question);
        },
        limit);
}

void Player::take_order(const scenarios::Order& order, int line) {
    if (run_.manager() == nullptr) return failed(fmt::format("line {}: there is no manager to order", line));
    const auto answer = std::make_shared<std::optional<std::string>>();  // empty text: done
    run_.order_failover(order.to, [answer](std::string refusal) { *answer = std::move(refusal); });
    static_cast<void>(run_.run_until(
        [&] {
            look();
            return answer->has_value();
        },
        5min));
    if (!answer->has_value()) return failed(fmt::format("line {}: the order was not answered", line));
    const bool refused = !(*answer)->empty();
    if (refused != order.must_be_refused)
        return failed(fmt::format("line {}: the order was {}", line, refused ? "refused: " + **answer : "carried out"));
    if (refused && (*answer)->find(order.refusal) == std::string::npos)
        failed(fmt::format("line {}: the refusal does not say '{}': {}", line, order.refusal, **answer));
}

void Player::look() {
    look_at_operations();
    if (run_.manager() == nullptr) return;
    const engine::ClusterReport report = run_.manager()->report();
    reached_.situations.insert(std::string(word_for(report.situation)));
    reached_.reasons.insert(std::string(word_for(report.reason)));
    for (const decide::Finding& it : report.findings) reached_.findings.insert(std::string(word_for(it.kind)));
}

/// A decision that is acted on at once is seen nowhere else.
void Player::look_at_operations() {
    for (const saved::JournalRecord& it : run_.disk().records) {
        if (it.operation <= last_operation_ || it.entry != saved::JournalEntry::begun) continue;
        last_operation_ = it.operation;
        if (const auto begun = saved::operation_begun_from_text(it.detail)) reached_.reasons.insert(begun->reason);
    }
}

std::optional<ServerIndex> Player::only_writer() {
    std::optional<ServerIndex> found;
    for (ServerIndex it = 0; it < run_.world().servers.size(); ++it) {
        if (!run_.world().accepts_writes(it)) continue;
        if (found) return std::nullopt;
        found = it;
    }
    return found;
}

bool Player::holds(const Question& question) {
    const World& world = run_.world();
    if (question.takes_writes || !question.replicas_of_it.empty()) {
        const auto writer = only_writer();
        if (!writer || (question.takes_writes && world.at(*writer).name.text() != *question.takes_writes)) return false;
        for (const std::string& name : question.replicas_of_it) {
            const bool streams = std::ranges::any_of(world.at(*writer).senders, [&](const Sender& it) {
                const Server& replica = world.at(it.replica);
                return replica.name.text() == name && replica.receiver && replica.receiver->state == Receiver::State::streaming;
            });
            if (!streams) return false;
        }
    }
    if (question.promoted && *question.promoted != (run_.invariants().promotions() > 0)) return false;
    const auto told = [&](const std::string& name) { return std::ranges::count(run_.disk().events, name, &saved::Event::name) > 0; };
    if (question.event && !told(*question.event)) return false;
    if (!question.situation && !question.finding && !question.reason && !question.must_be_down) return true;
    if (run_.manager() == nullptr) return false;
    const engine::ClusterReport report = run_.manager()->report();
    if (question.situation && word_for(report.situation) != *question.situation) return false;
    if (question.reason && word_for(report.reason) != *question.reason) return false;
    const auto is_found = [&](const decide::Finding& it) { return word_for(it.kind) == *question.finding; };
    if (question.finding && std::ranges::none_of(report.findings, is_found)) return false;
    const auto is_barred = [&](const engine::ServerReport& it) { return it.must_be_down && it.name.text() == *question.must_be_down; };
    return !question.must_be_down || std::ranges::any_of(report.servers, is_barred);
}

std::size_t Player::lost_on(ServerIndex server) {
    const Disk& disk = run_.world().at(server).disk;
    return static_cast<std::size_t>(std::ranges::count_if(run_.world().acknowledged, [&](const Acknowledged& it) {
        return !run_.world().branches.holds(disk.branch, disk.end, it.branch, it.end);
    }));
}

void Player::judge_seen(std::string_view what, const std::vector<std::string>& wanted, const std::set<std::string>& seen) {
    for (const std::string& it : wanted) {
        if (!seen.contains(it)) failed(fmt::format("{} {} was never seen; seen: {}", what, it, fmt::join(seen, ", ")));
    }
}

void Player::judge_end() {
    look();
    const scenarios::Expected& expect = scenario_.expect;
    const auto count = [&](std::string_view what, const std::optional<std::size_t>& wanted, std::size_t seen) {
        if (wanted && *wanted != seen) failed(fmt::format("{}: {} expected, {} seen", what, *wanted, seen));
    };
    count("promotions", expect.promotions, run_.invariants().promotions());
    count("failovers begun", expect.failovers_begun, run_.invariants().failovers_begun());
    judge_seen("situation", expect.situations_seen, reached_.situations);
    judge_seen("finding", expect.findings_seen, reached_.findings);
    judge_seen("reason", expect.reasons_seen, reached_.reasons);
    for (const std::string& it : expect.situations_never) {
        if (reached_.situations.contains(it)) failed(fmt::format("situation {} was seen", it));
    }
    std::set<std::string> events;
    std::optional<std::string> proof;
    for (const saved::Event& it : run_.disk().events) {
        events.insert(it.name);
        const auto field = std::ranges::find(it.fields, "proof", &Field::name);
        if (it.name == "promoted" && field != it.fields.end()) proof = field->value;
    }
    judge_seen("event", expect.events_seen, events);
    if (expect.proof && expect.proof != proof) failed(fmt::format("proof: {} expected, {} seen", *expect.proof, proof.value_or("none")));
    const auto writer = only_writer();
    if (!expect.takes_writes.empty()) {
        const std::string who = writer ? run_.world().at(*writer).name.text() : "nobody";
        if (std::ranges::count(expect.takes_writes, who) == 0)
            failed(fmt::format("takes writes at the end: {} expected, {} does", join(expect.takes_writes, " or "), who));
    }
    if (expect.lost_commits && !writer) failed("lost commits cannot be counted: not exactly one server takes writes");
    if (writer) count("lost commits", expect.lost_commits, lost_on(*writer));
    if (!holds(expect.at_end)) failed(fmt::format("at the end: {}; {}", text(expect.at_end), now()));
}

std::string Player::now() {
    std::string out;
    for (ServerIndex it = 0; it < run_.world().servers.size(); ++it) {
        const World& world = run_.world();
        out += fmt::format(
            "{}{} {}", it == 0 ? "" : ", ", world.at(it).name.text(),
            world.accepts_writes(it) ? "takes writes" : (world.at(it).has_processes() ? "runs" : "is down"));
    }
    if (run_.manager() == nullptr) return out + "; no manager";
    const engine::ClusterReport report = run_.manager()->report();
    return fmt::format("{}; {} ({})", out, word_for(report.situation), word_for(report.reason));
}

}  // namespace

Result<Told> play(const Scenario& scenario, std::uint64_t seed) {
    const auto definition = define(scenario.cluster);
    if (!definition) return definition.error().during(fmt::format("read the cluster of {}", scenario.file));
    Player player{scenario, draw_of(scenario.cluster, *definition, seed)};
    if (auto done = player.set_up(); !done) return done.error();
    return player.tell();
}

}  // namespace handyrep::sim
