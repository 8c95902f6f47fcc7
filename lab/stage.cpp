#include "lab/stage.hpp"

#include "lab/deeds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <thread>

namespace handyrep::lab {

using scenarios::DeedKind;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr Duration between_looks = milliseconds{50};

class LabStage : public scenarios::Stage {
public:
    LabStage(Site& site, const scenarios::ClusterWanted& wanted, Strictness strictness);
    ~LabStage() override { client_.stop(); }

    Result<void> set_up(const scenarios::ClusterWanted& wanted) { return deeds_.set_up(wanted); }
    [[nodiscard]] std::vector<Line> lines();
    [[nodiscard]] ClientReport client() const { return client_.report(); }
    [[nodiscard]] std::size_t lost();
    [[nodiscard]] std::string announced();
    /// What it was told to do and this machine, or a real server, cannot.
    [[nodiscard]] const std::string& unsupported() const { return unsupported_; }

    Result<void> begin(const scenarios::Deed& deed) override;
    bool end(DeedKind kind) override { return deeds_.end(kind); }
    bool pass(const std::function<bool()>& reached, Duration limit) override;
    std::optional<std::string> order(const scenarios::Order& order) override;

    std::vector<std::string> writers() override;
    bool streams(const std::string& replica, const std::string& from) override;
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

private:
    [[nodiscard]] std::size_t count(const std::string& event);
    [[nodiscard]] bool proof_is_weak();
    void restart_what_died();
    void say(std::string who, std::string text);

    Site& site_;
    bool may_fail_;
    harness::Moment began_ = harness::now();
    WallTime began_at_ = std::chrono::time_point_cast<WallTime::duration>(std::chrono::system_clock::now());
    std::optional<Duration> restarted_after_;
    std::map<std::string, harness::Moment> down_since_;
    std::mutex guard_;
    std::vector<Line> lines_;
    std::string unsupported_;
    Deeds deeds_;
    std::vector<std::unique_ptr<Watcher>> watchers_;
    Client client_;
};

LabStage::LabStage(Site& site, const scenarios::ClusterWanted& wanted, Strictness strictness)
    : site_{site},
      may_fail_{strictness == Strictness::lenient},
      restarted_after_{wanted.restarted_after},
      deeds_{site, [this](const std::string& line) { say("story", line); }},
      client_{site.apps(), site.server_addresses(), site.passwords()} {
    for (const auto& it : site.servers()) watchers_.push_back(std::make_unique<Watcher>(*it));
    site_.manager().watch();
}

Result<void> LabStage::begin(const scenarios::Deed& deed) {
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
        std::this_thread::sleep_for(between_looks);
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
    const std::string body = order.to ? fmt::format(R"({{"to": "{}"}})", *order.to) : "{}";
    const auto answer = site_.manager().post("/v1/failover", body);
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
    scenarios::Report out{status->value("situation", ""), status->value("reason", "")};
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

bool LabStage::proof_is_weak() {
    const auto all = site_.manager().tellings();
    return std::ranges::any_of(all, [](const Telling& it) {
        return it.name == "promoted" && (it.field("proof") == "witnessed" || it.field("proof") == "nothing");
    });
}

std::string LabStage::announced() {
    std::string out;
    for (const Telling& it : site_.manager().tellings()) {
        if (it.name == "promoted") out = it.field("loss_at_least_bytes");
    }
    return out;
}

std::size_t LabStage::lost_on(const std::string& server) {
    const auto found = site_.server(server);
    if (!found) return 0;
    const auto missing = client_.missing_on(**found);
    return missing ? missing->size() : client_.acknowledged().size();
}

std::size_t LabStage::lost() {
    const auto all = writers();
    return all.size() == 1 ? lost_on(all.front()) : 0;
}

std::vector<std::string> LabStage::violations() {
    // The invariant's own exception: a failover that said that nothing was proved.
    if (proof_is_weak()) return {};
    return overlaps(watchers_, deeds_.by_hand());
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
        .managers_clock = sets_the_clock};
}

}  // namespace

Report play(const scenarios::Scenario& scenario, Strictness strictness) {
    Report out{.file = scenario.file, .title = scenario.title};
    const harness::Moment began = harness::now();
    out.skipped = why_not(scenario, scenarios::PlayerKind::lab).value_or("");
    if (scenario.cluster.one_machine) out.skipped = "it is about servers that share the manager's machine";
    if (!out.skipped.empty()) return out;
    auto site = Site::make(site_of(scenario));
    if (!site) {
        out.told.failures.push_back(site.error().during("make the lab").text());
        return out;
    }
    LabStage stage{**site, scenario.cluster, strictness};
    if (auto done = stage.set_up(scenario.cluster); !done) {
        (done.error().kind == ErrorKind::unsupported ? out.skipped : out.told.failures.emplace_back()) = done.error().text();
        return out;
    }
    out.told = scenarios::play(scenario, stage);
    for (std::string& it : (*site)->passwords_told()) out.told.failures.push_back(std::move(it));
    out.skipped = stage.unsupported();
    out.lost = stage.lost();
    out.announced = stage.announced();
    out.client = stage.client();
    out.lines = stage.lines();
    out.took = harness::now() - began;
    return out;
}

}  // namespace handyrep::lab
