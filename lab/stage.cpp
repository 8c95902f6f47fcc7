#include "lab/stage.hpp"

#include "base/text.hpp"
#include "lab/deeds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace handyrep::lab {

using scenarios::DeedKind;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

class LabStage : public scenarios::Stage {
public:
    LabStage(Site& site, const scenarios::Scenario& scenario, Pace pace);
    ~LabStage() override { stop_clients(); }

    Result<void> set_up(const scenarios::ClusterWanted& wanted) { return deeds_.set_up(wanted); }
    /// Waits until the manager knows all that a story's first fault is judged by. Not for ever: a cluster may begin as one that it never does.
    void let_manager_look();
    [[nodiscard]] std::vector<Line> lines();
    void stop_clients() {
        for (const auto& it : clients_) it->stop();
    }
    /// Each way's rows, and what is proved of them. The clients have stopped.
    [[nodiscard]] std::vector<ClientReport> ways();
    [[nodiscard]] std::vector<TookWrites> took_writes();
    [[nodiscard]] double looks_per_second();
    [[nodiscard]] std::vector<Announced> failovers() { return announced(site_.manager().tellings()); }
    /// Waits until the cluster is well or stands still: in a word, how it is. Nothing: it never was.
    [[nodiscard]] std::optional<std::string> come_to_rest();
    /// Rows that the primary of the end lacks; an error when it could not be asked.
    [[nodiscard]] Result<std::vector<Acknowledged>> lost();
    /// What it was told to do and this machine, or a real server, cannot.
    [[nodiscard]] const std::string& unsupported() const { return unsupported_; }

    Result<void> begin(const scenarios::Deed& deed) override;
    bool end(DeedKind kind) override;
    bool pass(const std::function<bool()>& reached, Duration limit) override;
    std::optional<std::string> order(const scenarios::Order& order) override;

    std::vector<std::string> writers() override;
    bool is_so(const scenarios::Fact& fact) override;
    bool streams(const std::string& replica, const std::string& from) override;
    bool writes_through(const std::string& router, const std::string& server) override;
    std::optional<scenarios::Report> report() override;
    std::set<std::string> reasons_of_operations() override;
    std::set<std::string> events() override;
    bool told(const std::string& event) override { return events().contains(event); }
    std::size_t promotions() override { return count("promoted"); }
    std::size_t failovers_begun() override;
    std::optional<std::string> last_proof() override;
    std::size_t lost_on(const std::string& server) override;
    std::vector<std::string> violations() override;
    std::string servers_text() override;
    void note(std::string_view line) override;
    void failing() override;

private:
    [[nodiscard]] std::size_t count(const std::string& event);
    void hold_writers(bool held);
    [[nodiscard]] bool is_in_step(const std::string& name, const std::string& writer);
    [[nodiscard]] std::string primary_of_the_end();
    [[nodiscard]] std::optional<std::string> rest();
    void restart_what_died();
    void say(std::string who, std::string text);

    Site& site_;
    bool may_fail_;
    Pace pace_;
    harness::Moment began_ = harness::now();
    WallTime began_at_ = std::chrono::time_point_cast<WallTime::duration>(std::chrono::system_clock::now());
    std::optional<Duration> restarted_after_;
    std::map<std::string, harness::Moment> down_since_;
    std::mutex guard_;
    std::vector<Line> lines_;
    std::string unsupported_;
    bool explained_ = false;
    Deeds deeds_;
    std::vector<std::unique_ptr<Watcher>> watchers_;
    std::vector<std::unique_ptr<Client>> clients_;
};

LabStage::LabStage(Site& site, const scenarios::Scenario& scenario, Pace pace)
    : site_{site},
      may_fail_{scenario.seed.has_value()},
      pace_{pace},
      restarted_after_{scenario.cluster.restarted_after},
      deeds_{site, [this](const std::string& line) { say("story", line); }} {
    const auto add = [&](Way way) { clients_.push_back(std::make_unique<Client>(site.apps(), std::move(way), site.passwords(), pace)); };
    add({"hosts", site.server_addresses(), postgres_port, true});
    for (const auto& it : site.services()) {
        if (it->routes()) add({it->name(), {it->machine().address()}, it->port(), false});
    }
    for (const auto& it : site.servers()) watchers_.push_back(std::make_unique<Watcher>(*it, pace));
    site_.manager().watch();
}

void LabStage::let_manager_look() {
    const auto knows_all = [this] {
        const auto status = site_.manager().status();
        if (!status || status->value("situation", "") != "Healthy" || status->value("provisional", true)) return false;
        const auto findings = status->value("findings", nlohmann::json::array());
        return status->value("fence_outlook", "").starts_with("processes_gone") &&
               std::ranges::none_of(findings, [](const auto& it) { return it.value("kind", "") == "HostUnreachable"; });
    };
    static_cast<void>(harness::wait_until(knows_all, seconds{20}, "the manager knows the cluster", pace_.between_questions));
}

void LabStage::hold_writers(bool held) {
    for (const auto& it : clients_) it->hold(held);
    for (const auto& it : watchers_) it->hold(held);
}

bool LabStage::end(DeedKind kind) {
    if (kind != DeedKind::quiet) return deeds_.end(kind);
    hold_writers(false);
    return true;
}

/// The manager's own words for why it does what it does, at the first failure: afterwards it sees something else.
void LabStage::failing() {
    if (std::exchange(explained_, true)) return;
    const auto words = site_.manager().explain();
    const std::string text = words ? *words : words.error().text();
    for (const std::string_view line : split(text, '\n')) say("explain", std::string(line));
}

/// Not by the word "streaming": a replica that got stuck at the fork says it too.
bool LabStage::is_in_step(const std::string& name, const std::string& writer) {
    if (name == writer) return true;
    const auto above = site_.server(writer);
    const auto below = site_.server(name);
    if (!above || !below) return false;
    const auto written = (*above)->ask("SELECT pg_current_wal_flush_lsn()::text", seconds{2});
    if (!written) return false;
    std::this_thread::sleep_for(milliseconds{300});
    const auto there = (*below)->ask(
        fmt::format("SELECT (pg_is_in_recovery() AND pg_last_wal_replay_lsn() >= {}::pg_lsn)::text", harness::sql_literal(*written)),
        seconds{2});
    return there && *there == "true";
}

bool LabStage::is_so(const scenarios::Fact& fact) {
    const auto all = writers();
    if (fact.kind == scenarios::FactKind::accepts_writes) return std::ranges::count(all, fact.server) != 0;
    if (fact.kind == scenarios::FactKind::in_step) return all.size() == 1 && is_in_step(fact.server, all.front());
    return deeds_.is_so(fact);
}

Result<void> LabStage::begin(const scenarios::Deed& deed) {
    if (deed.kind == DeedKind::quiet) {
        hold_writers(true);
        return {};
    }
    auto begun = deeds_.begin(deed);
    if (begun) return begun;
    if (may_fail_) {
        say("story", "could not: " + begun.error().text());
        return {};
    }
    if (begun.error().kind == ErrorKind::unsupported) unsupported_ = begun.error().text();
    return begun;
}

void LabStage::say(std::string who, std::string text) {
    const std::scoped_lock lock{guard_};
    lines_.push_back({harness::now() - began_, std::move(who), std::move(text)});
}

void LabStage::note(std::string_view line) { say("story", std::string(line)); }

std::vector<Line> LabStage::lines() {
    const auto all = site_.manager().tellings();
    std::vector<Line> out;
    for (const Telling& it : all) {
        const auto at = parse_wall_time(it.field("time"));
        out.push_back(
            {at ? std::chrono::duration_cast<Duration>(*at - began_at_) : Duration{}, "manager", it.name + " " + it.field("text")});
    }
    const std::scoped_lock lock{guard_};
    out.insert(out.end(), lines_.begin(), lines_.end());
    std::ranges::stable_sort(out, {}, &Line::at);
    return out;
}

bool LabStage::pass(const std::function<bool()>& reached, Duration limit) {
    const harness::Moment end = harness::now() + limit;
    for (;;) {
        deeds_.look_at_the_clock();
        restart_what_died();
        if (reached()) return true;
        if (harness::now() >= end) return false;
        std::this_thread::sleep_for(pace_.between_questions);
    }
}

/// What a service manager would do: only where the host still starts it by itself.
void LabStage::restart_what_died() {
    if (!restarted_after_) return;
    for (const auto& it : site_.servers()) {
        if (!it->machine().on() || it->has_processes() || !it->starts_by_itself()) {
            down_since_.erase(it->name());
            continue;
        }
        const auto since = down_since_.try_emplace(it->name(), harness::now()).first->second;
        if (harness::now() - since < *restarted_after_) continue;
        down_since_.erase(it->name());
        say(it->name(), "is started again by what supervises it");
        if (auto started = it->begin_start(); !started) say(it->name(), started.error().text());
    }
}

std::optional<std::string> LabStage::order(const scenarios::Order& order) {
    nlohmann::json body = nlohmann::json::object();
    if (order.to) body[std::string(names_server_by(order.verb))] = *order.to;
    if (order.restart_all) body["restart_all"] = true;
    if (order.from) body["from"] = *order.from;
    if (!order.overrides.empty()) body["override"] = order.overrides;
    if (!order.replicas.empty()) body["replicas"] = order.replicas;
    const auto answer = site_.manager().post(fmt::format("/v1/{}", word_for(order.verb)), body.dump());
    if (!answer) return std::nullopt;
    return answer->status == 200 ? std::string{} : answer->body;
}

std::vector<std::string> LabStage::writers() {
    std::vector<std::string> out;
    for (const auto& it : watchers_) {
        if (it->takes_writes()) out.push_back(it->server());
    }
    return out;
}

bool LabStage::streams(const std::string& replica, const std::string& from) {
    const auto upstream = site_.server(from);
    if (!upstream) return false;
    const auto there = (*upstream)->ask(
        fmt::format(
            "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND application_name = {}", harness::sql_literal(replica)),
        seconds{1});
    return there && *there != "0";
}

std::optional<scenarios::Report> LabStage::report() {
    const auto status = site_.manager().status();
    if (!status) return std::nullopt;
    scenarios::Report out{status->value("situation", ""), status->value("reason", ""), status->value("provisional", false)};
    for (const auto& it : status->value("findings", nlohmann::json::array())) out.findings.insert(it.value("kind", ""));
    for (const auto& it : status->value("servers", nlohmann::json::array())) {
        if (it.value("must_be_down", false)) out.must_be_down.insert(it.value("name", ""));
    }
    return out;
}

/// Situations pass quickly; what the manager told of them stays.
std::set<std::string> LabStage::reasons_of_operations() {
    std::set<std::string> out;
    for (const Telling& it : site_.manager().tellings()) {
        if (it.name == "situation" || it.name == "decision") out.insert(it.field("reason"));
    }
    return out;
}

std::set<std::string> LabStage::events() {
    std::set<std::string> out;
    for (const Telling& it : site_.manager().tellings()) out.insert(it.name);
    return out;
}

std::size_t LabStage::count(const std::string& event) {
    const auto all = site_.manager().tellings();
    return static_cast<std::size_t>(std::ranges::count(all, event, &Telling::name));
}

std::size_t LabStage::failovers_begun() {
    const auto all = site_.manager().tellings();
    return static_cast<std::size_t>(
        std::ranges::count_if(all, [](const Telling& it) { return it.name == "operation_begun" && it.field("kind") == "failover"; }));
}

std::optional<std::string> LabStage::last_proof() {
    std::optional<std::string> out;
    for (const Telling& it : site_.manager().tellings()) {
        if (it.name == "promoted") out = it.field("proof");
    }
    return out;
}

/// Whom the manager made primary last; db1 when nobody was.
std::string LabStage::primary_of_the_end() {
    const auto all = failovers();
    return all.empty() ? "db1" : all.back().to;
}

std::size_t LabStage::lost_on(const std::string& server) {
    const auto found = site_.server(server);
    if (!found) return 0;
    std::size_t out = 0;
    for (const auto& it : clients_) {
        const auto missing = it->missing_on(**found);
        out += missing ? missing->size() : it->acknowledged().size();
    }
    return out;
}

bool LabStage::writes_through(const std::string& router, const std::string& server) {
    return std::ranges::any_of(clients_, [&](const auto& it) { return it->way() == router && it->writes_to(server); });
}

std::vector<ClientReport> LabStage::ways() {
    const auto all = writers();
    const auto writer = all.size() == 1 ? site_.server(all.front()) : Error{ErrorKind::failed, "no single server takes writes"};
    return prove(clients_, site_.servers(), intervals(watchers_), writer ? *writer : nullptr);
}

std::vector<TookWrites> LabStage::took_writes() {
    std::vector<TookWrites> out;
    for (const Interval& it : intervals(watchers_)) out.push_back({it.server, it.timeline, it.from - began_, it.to - began_, it.commits});
    return out;
}

double LabStage::looks_per_second() {
    double most = 0;  // of one that was there all the time
    for (const auto& it : watchers_) most = std::max(most, it->looks_per_second());
    return most;
}

Result<std::vector<Acknowledged>> LabStage::lost() {
    const auto primary = site_.server(primary_of_the_end());
    if (!primary) return primary.error();
    std::vector<Acknowledged> out;
    for (const auto& it : clients_) {
        auto missing = it->missing_on(**primary);
        if (!missing) return missing.error();
        out.insert(out.end(), missing->begin(), missing->end());
    }
    return out;
}

std::vector<std::string> LabStage::violations() { return judge_overlaps(overlaps(watchers_, deeds_.by_hand()), failovers()); }

/// In a word why nothing more is to be expected; nothing: something is going on.
std::optional<std::string> LabStage::rest() {
    constexpr std::array passing{"FirstLookIncomplete",  "SuspicionTooYoung",  "WaitingForGrace", "OperationRunning",       "PrimaryIsDead",
                                 "CrashRecoveryOverran", "PlannedStopOverran", "StallOverran",    "ReturnedPrimaryMustStop"};
    const auto now = report();
    const auto status = site_.manager().status();
    if (!now || !status) return std::nullopt;
    const auto& operation = (*status)["operation"];
    if (operation.is_object() && operation.value("ended", nlohmann::json{}).is_null()) return std::nullopt;
    const auto taking = writers();
    if (now->situation == "Healthy")
        return std::ranges::count(taking, primary_of_the_end()) == 1 ? std::optional{now->situation} : std::nullopt;
    if (std::ranges::count(passing, now->reason) != 0 || now->reason.empty()) return std::nullopt;
    return fmt::format("{} ({})", now->situation, now->reason);
}

std::optional<std::string> LabStage::come_to_rest() {
    constexpr Duration longest = std::chrono::minutes{4};  // on a machine that does a lot besides
    constexpr Duration still = seconds{12};  // less than the longest pause between two attempts that are refused on the same grounds
    std::optional<std::string> last;
    harness::Moment since{};
    const bool rests = pass(
        [&] {
            auto now = rest();
            if (now != last) {
                last = std::move(now);
                since = harness::now();
            }
            return last && (*last == "Healthy" ? harness::now() - since >= seconds{2} : harness::now() - since >= still);
        },
        longest);
    return rests ? last : std::nullopt;
}

std::string LabStage::servers_text() {
    std::string out;
    for (const auto& it : watchers_) {
        const auto server = site_.server(it->server());
        out += fmt::format(
            "{}{} {}", out.empty() ? "" : ", ", it->server(),
            it->takes_writes()                     ? "takes writes"
            : server && (*server)->has_processes() ? "runs"
            : server && !(*server)->machine().on() ? "is switched off"
                                                   : "is down");
    }
    return out;
}

std::vector<std::string> services_of(const scenarios::ClusterWanted& wanted) {
    std::vector<std::string> out = wanted.routers;
    if (wanted.etcd) out.emplace_back("etcd");
    return out;
}

SiteWanted site_of(const scenarios::Scenario& scenario) {
    const scenarios::ClusterWanted& wanted = scenario.cluster;
    const bool sets_the_clock = std::ranges::any_of(scenario.steps, [](const scenarios::Step& it) {
        const auto* const deed = std::get_if<scenarios::Deed>(&it.what);
        return deed != nullptr && deed->kind == DeedKind::manager_clock;
    });
    return {
        .servers = wanted.servers,
        .synchronous_standby_names = wanted.synchronous_standby_names,
        .failover = wanted.failover,
        .priorities = wanted.priorities,
        .follows = wanted.follows,
        .settings = {},
        .layouts = wanted.layout,
        .services = services_of(wanted),
        .managers_clock = sets_the_clock};
}

void judge_drawn(LabStage& stage, Report& out) {
    const auto rest = stage.come_to_rest();
    out.rest = rest.value_or("none");
    if (!rest) {
        const auto now = stage.report();
        out.told.failures.push_back(fmt::format(
            "neither healthy nor at rest long after its last fault: {}; {}", stage.servers_text(),
            now ? fmt::format("{} ({})", now->situation, now->reason) : std::string("no manager")));
    }
    for (std::string& it : stage.violations()) {
        if (std::ranges::count(out.told.failures, it) == 0) out.told.failures.push_back(std::move(it));
    }
    const auto lost = stage.lost();
    out.announced = stage.failovers();
    if (!lost) return stage.note("what is lost could not be counted: " + lost.error().text());
    out.lost = lost->size();
    for (std::string& it : judge_loss(*lost, out.announced)) out.told.failures.push_back(std::move(it));
}

}  // namespace

Report play(const scenarios::Scenario& scenario, std::size_t side_by_side) {
    Report out{.file = scenario.file, .title = scenario.title};
    if (scenario.seed) out.story = scenarios::yaml(scenario);
    const harness::Moment began = harness::now();
    out.skipped = why_not(scenario, scenarios::PlayerKind::lab).value_or("");
    if (scenario.cluster.one_machine) out.skipped = "it is about servers that share the manager's machine";
    if (!out.skipped.empty()) return out;
    // To make a lab takes all that a small machine has for some seconds: one at a time, and the other stories go on.
    static std::mutex making;
    std::unique_lock making_one{making};
    auto site = Site::make(site_of(scenario));
    if (!site) {
        out.told.failures.push_back(site.error().during("make the lab").text());
        return out;
    }
    LabStage stage{**site, scenario, Pace::of_one_of(side_by_side)};
    if (auto done = stage.set_up(scenario.cluster); !done) {
        (done.error().kind == ErrorKind::unsupported ? out.skipped : out.told.failures.emplace_back()) = done.error().text();
        return out;
    }
    stage.let_manager_look();
    making_one.unlock();
    out.told = scenarios::play(scenario, stage);
    for (std::string& it : (*site)->passwords_told()) out.told.failures.push_back(std::move(it));
    out.skipped = stage.unsupported();
    out.announced = stage.failovers();
    if (scenario.seed) {
        judge_drawn(stage, out);
    } else if (const auto lost = stage.lost()) {
        out.lost = lost->size();
    }
    stage.stop_clients();
    out.ways = stage.ways();
    out.took_writes = stage.took_writes();
    out.looks_per_second = stage.looks_per_second();
    out.lines = stage.lines();
    out.took = harness::now() - began;
    return out;
}

}  // namespace handyrep::lab
