#include "scenarios/player.hpp"

#include "base/text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace handyrep::scenarios {

namespace {

class Player {
public:
    Player(const Scenario& scenario, Stage& stage) : scenario_{scenario}, stage_{stage} {}

    Told play();

private:
    void take(const Step& step);
    void take_deed(const Deed& deed, int line);
    void take_order(const Order& order, int line);
    void look();
    bool pass_until(const Question& question, Duration limit);
    [[nodiscard]] bool holds(const Question& question);
    [[nodiscard]] bool holds_for_writers(const Question& question);
    [[nodiscard]] std::optional<std::string> only_writer();
    void judge_end();
    void judge_count(std::string_view what, const std::optional<std::size_t>& wanted, std::size_t seen);
    void judge_seen(std::string_view what, const std::vector<std::string>& wanted, const std::set<std::string>& seen);
    void judge_writer();
    [[nodiscard]] std::string now();
    void failed(std::string what) {
        failures_.push_back(std::move(what));
        stage_.failing();
    }

    const Scenario& scenario_;
    Stage& stage_;
    std::vector<std::string> failures_;
    Reached reached_;
};

Told Player::play() {
    for (const Step& step : scenario_.steps) {
        stage_.note(text(step));
        take(step);
        if (!failures_.empty()) break;
    }
    if (failures_.empty()) judge_end();
    for (std::string& it : stage_.violations()) failed(std::move(it));
    return {
        failures_, fmt::format("{} promotion(s), {} failover(s) begun; {}", stage_.promotions(), stage_.failovers_begun(), now()),
        reached_};
}

void Player::take(const Step& step) {
    if (const auto* deed = std::get_if<Deed>(&step.what)) {
        take_deed(*deed, step.line);
    } else if (const auto* end = std::get_if<End>(&step.what)) {
        if (!stage_.end(end->kind)) failed(fmt::format("line {}: nothing of the kind {} has begun", step.line, word_for(end->kind)));
    } else if (const auto* run = std::get_if<Run>(&step.what)) {
        const auto never = [this] {
            look();
            return false;
        };
        static_cast<void>(stage_.pass(never, run->length));
    } else if (const auto* order = std::get_if<Order>(&step.what)) {
        take_order(*order, step.line);
    } else {
        const auto& until = std::get<Until>(step.what);
        if (!pass_until(until.question, until.within)) failed(fmt::format("{}: it was not so; {}", text(step), now()));
    }
}

void Player::take_deed(const Deed& deed, int line) {
    const auto begun = stage_.begin(deed);
    if (deed.refused.empty()) {
        if (!begun) failed(fmt::format("line {}: {}", line, begun.error().text()));
    } else if (begun) {
        failed(fmt::format("line {}: it was done, and '{}' was expected", line, deed.refused));
    } else if (begun.error().text().find(deed.refused) == std::string::npos) {
        failed(fmt::format("line {}: the refusal does not say '{}': {}", line, deed.refused, begun.error().text()));
    }
}

bool Player::pass_until(const Question& question, Duration limit) {
    return stage_.pass(
        [&] {
            look();
            return holds(question);
        },
        limit);
}

void Player::take_order(const Order& order, int line) {
    const auto refusal = stage_.order(order);
    look();
    if (!refusal) return failed(fmt::format("line {}: the order was not answered", line));
    const bool refused = !refusal->empty();
    if (refused != order.must_be_refused)
        return failed(fmt::format("line {}: the order was {}", line, refused ? "refused: " + *refusal : "carried out"));
    if (refused && refusal->find(order.refusal) == std::string::npos)
        failed(fmt::format("line {}: the refusal does not say '{}': {}", line, order.refusal, *refusal));
}

void Player::look() {
    reached_.reasons.merge(stage_.reasons_of_operations());
    auto report = stage_.report();
    if (!report) return;
    reached_.situations.insert(report->situation);
    reached_.reasons.insert(report->reason);
    reached_.findings.merge(report->findings);
}

std::optional<std::string> Player::only_writer() {
    const std::vector<std::string> writers = stage_.writers();
    if (writers.size() != 1) return std::nullopt;
    return writers.front();
}

bool Player::holds_for_writers(const Question& question) {
    if (!question.takes_writes && question.replicas_of_it.empty() && question.writes_through.empty()) return true;
    const auto writer = only_writer();
    if (!writer || (question.takes_writes && writer != question.takes_writes)) return false;
    return std::ranges::all_of(question.replicas_of_it, [&](const std::string& name) { return stage_.streams(name, *writer); }) &&
           std::ranges::all_of(question.writes_through, [&](const std::string& name) { return stage_.writes_through(name, *writer); });
}

bool Player::holds(const Question& question) {
    if (!holds_for_writers(question)) return false;
    if (!std::ranges::all_of(question.follows, [this](const auto& it) { return stage_.streams(it.first, it.second); })) return false;
    if (question.promoted && *question.promoted != (stage_.promotions() > 0)) return false;
    if (question.event && !stage_.told(*question.event)) return false;
    if (!std::ranges::all_of(question.facts, [this](const Fact& it) { return stage_.is_so(it); })) return false;
    if (!question.situation && !question.finding && !question.reason && !question.must_be_down) return true;
    const auto report = stage_.report();
    if (!report) return false;
    // A manager that would not act on a fault yet is not what a story means by Healthy.
    if (question.situation == "Healthy" && report->provisional) return false;
    return (!question.situation || report->situation == *question.situation) && (!question.reason || report->reason == *question.reason) &&
           (!question.finding || report->findings.contains(*question.finding)) &&
           (!question.must_be_down || report->must_be_down.contains(*question.must_be_down));
}

void Player::judge_seen(std::string_view what, const std::vector<std::string>& wanted, const std::set<std::string>& seen) {
    for (const std::string& it : wanted) {
        if (!seen.contains(it)) failed(fmt::format("{} {} was never seen; seen: {}", what, it, fmt::join(seen, ", ")));
    }
}

void Player::judge_count(std::string_view what, const std::optional<std::size_t>& wanted, std::size_t seen) {
    if (wanted && *wanted != seen) failed(fmt::format("{}: {} expected, {} seen", what, *wanted, seen));
}

void Player::judge_writer() {
    const Expected& expect = scenario_.expect;
    const auto writer = only_writer();
    if (!expect.takes_writes.empty()) {
        const std::string who = writer.value_or("nobody");
        if (std::ranges::count(expect.takes_writes, who) == 0)
            failed(fmt::format("takes writes at the end: {} expected, {} does", join(expect.takes_writes, " or "), who));
    }
    if (!expect.lost_commits) return;
    if (!writer) return failed("lost commits cannot be counted: not exactly one server takes writes");
    judge_count("lost commits", expect.lost_commits, stage_.lost_on(*writer));
}

void Player::judge_end() {
    look();
    const Expected& expect = scenario_.expect;
    judge_count("promotions", expect.promotions, stage_.promotions());
    judge_count("failovers begun", expect.failovers_begun, stage_.failovers_begun());
    judge_seen("situation", expect.situations_seen, reached_.situations);
    judge_seen("finding", expect.findings_seen, reached_.findings);
    judge_seen("reason", expect.reasons_seen, reached_.reasons);
    judge_seen("event", expect.events_seen, stage_.events());
    for (const std::string& it : expect.situations_never) {
        if (reached_.situations.contains(it)) failed(fmt::format("situation {} was seen", it));
    }
    const auto proof = stage_.last_proof();
    if (expect.proof && expect.proof != proof) failed(fmt::format("proof: {} expected, {} seen", *expect.proof, proof.value_or("none")));
    judge_writer();
    if (!holds(expect.at_end)) failed(fmt::format("at the end: {}; {}", text(expect.at_end), now()));
}

std::string Player::now() {
    const auto report = stage_.report();
    return fmt::format("{}; {}", stage_.servers_text(), report ? fmt::format("{} ({})", report->situation, report->reason) : "no manager");
}

}  // namespace

Told play(const Scenario& scenario, Stage& stage) { return Player{scenario, stage}.play(); }

}  // namespace handyrep::scenarios
