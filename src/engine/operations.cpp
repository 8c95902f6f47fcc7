// engine/operations.cpp — what is done about a decision: one operation at a time, each with its record.
#include "engine/loop.hpp"
#include "engine/parallel.hpp"
#include "plans/describe.hpp"
#include "plans/failover.hpp"
#include "plans/undo_text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace handyrep::engine {

using plans::OperationKind;
using std::chrono::seconds;

namespace {

/// After a refusal nothing changes by asking again at once; the evidence may. Refused again on the same grounds, it is worth
/// less and less.
constexpr Duration refusal_pause = seconds{2};
constexpr Duration longest_refusal_pause = seconds{15};
/// Each attempt of one failover is for another candidate; there are never many.
constexpr int max_attempts = 3;

/// Of a primary that is down and could not be given back.
std::string way_out(const State& state) {
    if (!state.saved.primary) return {};
    const model::ServerDefinition& old_primary = state.define(*state.saved.primary);
    return fmt::format(
        "; {} is stopped and marked standby: to give it back, remove standby.signal in {} and start it, or order a failover",
        old_primary.name.text(), old_primary.pgdata);
}

saved::LossRecord loss_of(const Findings& findings) {
    saved::LossRecord out{.at_least = findings.loss.at_least, .at_most = findings.loss.at_most, .unbounded = findings.loss.unbounded};
    const auto fork = findings.fork();
    if (!findings.lost || !fork) return out;
    out.read = gap(fork->at, findings.lost->end);
    if (findings.lost->all_counted) out.transactions = findings.lost->commits;
    return out;
}

}  // namespace

/// Of the primary, as last read.
std::string Cluster::Loop::synchronous_names() const {
    const auto* const seen = state_.saved.primary ? state_.evidence.find(*state_.saved.primary) : nullptr;
    if (seen != nullptr && seen->last_answer && seen->last_answer->what.primary() != nullptr)
        return seen->last_answer->what.primary()->synchronous_standby_names;
    return state_.saved.synchronous_standby_names.value_or("");
}

asio::awaitable<void> Cluster::Loop::operate() {
    for (;;) {
        const std::uint64_t heard = work_bell_.rung();
        if (waiting_.empty()) {
            co_await state_.clock().wait(work_bell_, heard);
            continue;
        }
        Work work = std::move(waiting_.front());
        waiting_.erase(waiting_.begin());
        operating_ = true;
        co_await carry_out(std::move(work));
        operating_ = false;
        done_bell_.ring();
    }
}

asio::awaitable<void> Cluster::Loop::carry_out(Work work) {
    if (auto* it = std::get_if<decide::FailOver>(&work)) {
        co_await fail_over(*it, std::string(automation), true, nullptr);
    } else if (auto* stop = std::get_if<decide::StopReturned>(&work)) {
        co_await stop_returned(*stop);
    } else if (auto* finish = std::get_if<FinishPromotion>(&work)) {
        co_await finish_promotion(*finish);
    } else if (auto* back = std::get_if<TakeBack>(&work)) {
        co_await take_back(*back);
    } else if (auto* left = std::get_if<PutBack>(&work)) {
        co_await put_back(*left);
    } else if (auto* copy = std::get_if<GoOnCopying>(&work)) {
        co_await go_on_copying(*copy);
    } else {
        co_await carry_out_order(std::get<std::shared_ptr<Ordered>>(work));
    }
}

plans::Plan Cluster::Loop::plan_for(const decide::FailOver& decision) const {
    const decide::Analysis now = decide::analyse(state_.input());
    return plans::failover(
        {.decision = decision,
         .settings = state_.settings(),
         .saved = state_.saved,
         .analysis = now,
         .synchronous_standby_names = synchronous_names()});
}

void Cluster::Loop::begin_operation(Findings& findings, OperationKind kind, const std::string& by, const std::string& reason) {
    findings.operation = ++last_operation_;
    call_off_ = {};
    operation_ = OperationReport{
        .id = findings.operation, .kind = std::string(word_for(kind)), .by = by, .reason = reason, .began = state_.clock().wall()};
    state_.tell(
        Level::warning, "operation_begun", fmt::format("{}: {} (by {})", word_for(kind), reason, by),
        {{"kind", std::string(word_for(kind))}, {"by", by}}, findings.operation);
}

void Cluster::Loop::note_record(const saved::JournalRecord& record) {
    if (!operation_ || operation_->id != record.operation) return;
    saved::note(*operation_, record);
    state_.store().remember(*operation_);
}

Conductor Cluster::Loop::conductor_for(Findings& findings) {
    return Conductor{state_, findings, call_off_, [this](const saved::JournalRecord& record) { note_record(record); }};
}

/// Ends when what runs was called off in time.
asio::awaitable<void> Cluster::Loop::called_off() {
    for (;;) {
        const std::uint64_t heard = call_off_bell_.rung();
        if (call_off_.why && !call_off_.too_late) co_return;
        co_await state_.clock().wait(call_off_bell_, heard);
    }
}

asio::awaitable<Outcome> Cluster::Loop::conduct(Conductor& conductor, const plans::Plan& plan, const saved::OperationBegun& begun) {
    auto outcome = co_await unless(conductor.conduct(plan, begun), called_off());
    if (outcome) co_return *std::move(outcome);
    co_return Outcome{End::refused, call_off_.why.value_or(""), conductor.failures()};
}

Result<void> Cluster::Loop::cancel(std::uint64_t operation, const std::string& by) {
    if (set_aside_ && set_aside_->open.record.id == operation && !set_aside_->in_place) {
        submit(TakeBack{std::exchange(set_aside_, std::nullopt)->open});
        return {};
    }
    if (!operating_ || !operation_ || operation_->id != operation || operation_->ended)
        return Error{ErrorKind::conflict, fmt::format("operation {} does not run", operation)};
    if (call_off_.too_late)
        return Error{ErrorKind::conflict, fmt::format("operation {} is past its point of no return: it is carried to its end", operation)};
    if (!call_off_.why) call_off_.why = fmt::format("called off by {}", by);
    call_off_.leave = false;
    call_off_bell_.ring();
    return {};
}

/// What is undone takes its time, and a failover begins with what is there.
void Cluster::Loop::make_way() {
    if (call_off_.why || call_off_.too_late) return;
    call_off_.why = "called off: automation has to act";
    call_off_.leave = true;
    call_off_bell_.ring();
}

void Cluster::Loop::note_refusal(const Outcome& outcome, const std::string& text) {
    if (outcome.end == End::done) refused_.reset();
    if (outcome.end != End::refused) return;
    want_save();  // if it was the journal that failed, the house-keeping finds that out
    const bool again = refused_ && !tried_on_.empty() && tried_on_ == refused_on_;
    const int in_a_row = again ? refused_->in_a_row + 1 : 1;
    Duration pause = refusal_pause;
    for (int i = 1; i < in_a_row && pause < longest_refusal_pause; ++i) pause = std::min(2 * pause, longest_refusal_pause);
    refused_at_ = state_.clock().now();
    refused_ = model::Refusal{.until = refused_at_ + pause, .in_a_row = in_a_row, .why = text.substr(std::string_view{"refused: "}.size())};
    refused_on_ = tried_on_;
}

/// The pause ends when what was refused is no longer what would be tried, and is forgotten when the cluster is well.
void Cluster::Loop::review_refusal() {
    if (!refused_ || operating_) return;
    const Instant now = state_.clock().now();
    if (now < refused_at_ + refusal_pause) return;
    if (analysis_.situation == decide::Situation::healthy && now >= refused_->until) return refused_.reset();
    if (now < refused_->until && decide::grounds(state_.input(), analysis_) != refused_on_) refused_->until = now;
}

asio::awaitable<void> Cluster::Loop::conclude(Conductor& conductor, Findings& findings, const Outcome& outcome) {
    const std::string word = outcome.end == End::done ? "done" : outcome.end == End::refused ? "refused" : "unknown";
    std::string text = outcome.end == End::done ? outcome.text : fmt::format("{}: {}", word, outcome.text);
    for (const std::string& failure : outcome.failures) {
        if (text.find(failure) == std::string::npos) text += "; " + failure;
    }
    if (outcome.end == End::refused && findings.fence.processes_gone) text += way_out(state_);
    // An upkeep that was refused says nothing against a failover.
    if (findings.upkeep)
        want_save();
    else
        note_refusal(outcome, text);
    if (operation_ && operation_->id == findings.operation) {
        if (findings.history) operation_->loss = loss_of(findings);
        if (outcome.end == End::unknown) operation_->outcome = text;
        state_.store().remember(*operation_);
    }
    const bool clean = outcome.end == End::done && outcome.failures.empty();
    state_.tell(clean ? Level::info : Level::error, "operation_ended", text, {{"outcome", word}}, findings.operation);
    // An unknown outcome stays open in the journal until it was seen what became of it.
    if (outcome.end != End::unknown) co_await close(conductor, findings, text);
}

asio::awaitable<void> Cluster::Loop::close(Conductor& conductor, const Findings& findings, std::string text) {
    const auto told = co_await conductor.end(text);
    if (told) co_return;
    unended_.push_back(
        {findings.operation, conductor.sequence(), state_.clock().wall(), saved::JournalEntry::ended, "operation", std::move(text)});
}

asio::awaitable<void> Cluster::Loop::close_unended() {
    while (!unended_.empty()) {
        const saved::JournalRecord record = unended_.front();
        const auto told = co_await state_.store().append(record, state_.clock().now() + seconds{5});
        if (!told) co_return;
        unended_.erase(unended_.begin());
    }
}

/// The promotion may have happened: until it was seen, the candidate counts as a possible primary and the operation stays open.
asio::awaitable<void> Cluster::Loop::leave_open(const saved::OperationBegun& begun, const Conductor& conductor, const Findings& findings) {
    if (!findings.expires || !begun.candidate || !begun.old_primary) co_return;
    unsettled_ = OpenPromotion{
        {begun, operation_.value_or(OperationReport{.id = findings.operation}), conductor.sequence()},
        *begun.candidate,
        *begun.old_primary};
    state_.saved.possible_primary = model::PossiblePrimary{*begun.candidate, *findings.expires, findings.taken};
    if (findings.taken)
        state_.tell(
            Level::error, "promotion_pending",
            fmt::format(
                "{0} took the request to promote and is not promoted: it may be at any moment, so no other server will be; look at its log, and "
                "restart {0} to take the request back",
                begun.candidate->text()),
            {{"server", begun.candidate->text()}}, findings.operation);
    const auto written = co_await state_.save();
    if (!written) state_.tell(Level::error, "saved_state_unwritable", written.error().text(), {}, findings.operation);
}

saved::OperationBegun Cluster::Loop::begun_record(
    const plans::Plan& plan, const std::string& by, decide::Reason reason, bool automatic) const {
    saved::OperationBegun begun{
        .kind = std::string(word_for(plan.kind)),
        .by = by,
        .reason = std::string(word_for(reason)),
        .automatic = automatic,
        .old_primary = {},
        .candidate = {},
        .epoch = state_.saved.epoch,
        .commit_step = plan.commit ? plan.commit->name : "",
        .plan = plans::describe(plan)};
    for (const plans::Step& step : plan.reversible) {
        if (!step.undo.empty()) begun.undo.push_back({step.name, plans::undo_text(step.undo)});
    }
    return begun;
}

asio::awaitable<Outcome> Cluster::Loop::change_primary(const plans::Plan& plan, const Change& change, Findings& findings) {
    begin_operation(findings, plan.kind, change.by, change.text);
    Conductor conductor = conductor_for(findings);
    saved::OperationBegun begun = begun_record(plan, change.by, change.reason, findings.automatic);
    begun.old_primary = change.old_primary;
    begun.candidate = change.candidate;
    const Outcome outcome = co_await conduct(conductor, plan, begun);
    if (outcome.end == End::unknown) co_await leave_open(begun, conductor, findings);
    co_await conclude(conductor, findings, outcome);
    co_return outcome;
}

void Cluster::Loop::answer(Ordered& ordered, std::uint64_t number, const plans::Plan& plan, const Change& change, const Outcome& outcome) {
    if (outcome.end != End::done) {
        ordered.answer = Error{outcome.end == End::refused ? ErrorKind::refused : ErrorKind::failed, outcome.text};
        return;
    }
    ordered.answer = OrderAnswer{
        number, plan,
        fmt::format(
            "{} is the primary in place of {}{}{}", change.candidate.text(), change.old_primary.text(),
            outcome.failures.empty() ? "" : "; left to do: ", fmt::join(outcome.failures, "; "))};
}

asio::awaitable<void> Cluster::Loop::fail_over(
    decide::FailOver decision, std::string by, bool automatic, std::shared_ptr<Ordered> ordered) {
    const plans::Plan shown = plan_for(decision);
    tried_on_ = automatic ? decide::grounds(state_.input(), decide::analyse(state_.input())) : "";
    Outcome outcome{End::refused, {}, {}};
    Change change{decision.old_primary, decision.candidate, decision.reason, std::move(by), decision.text};
    std::uint64_t number = 0;
    for (int attempt = 0; attempt < max_attempts; ++attempt) {
        Findings findings;
        findings.automatic = automatic;
        outcome = co_await change_primary(plan_for(decision), change, findings);
        number = findings.operation;
        if (outcome.end != End::refused || !findings.better || decision.alone) break;
        // Another replica turned out to hold more: the next plan is for that one.
        change.candidate = decision.candidate = *findings.better;
        change.text = decision.text = fmt::format("fails over from {} to {}", decision.old_primary.text(), decision.candidate.text());
    }
    if (ordered) answer(*ordered, number, shown, change, outcome);
}

asio::awaitable<void> Cluster::Loop::stop_returned(decide::StopReturned decision) {
    const model::MustBeDown* const entry = state_.saved.barred(decision.server);
    if (entry == nullptr) co_return;
    const plans::Plan plan = plans::stop_returned_primary(state_.saved, *entry);
    Findings findings;
    tried_on_.clear();
    begin_operation(findings, plan.kind, std::string(automation), decision.text);
    Conductor conductor = conductor_for(findings);
    saved::OperationBegun begun = begun_record(plan, std::string(automation), decision.reason, true);
    begun.old_primary = decision.server;
    Outcome outcome = co_await conductor.conduct(plan, begun);
    if (outcome.end == End::unknown) {
        // Stopping twice does no harm: it is looked at again, and tried again when it still runs.
        outcome.end = End::refused;
        outcome.text = "may have been stopped: " + outcome.text;
    }
    co_await conclude(conductor, findings, outcome);
}

asio::awaitable<void> Cluster::Loop::finish_promotion(FinishPromotion work) {
    const model::ServerName promoted = work.open.candidate;
    Findings findings;
    findings.automatic = work.open.operation.begun.automatic;
    findings.operation = work.open.operation.record.id;
    operation_ = work.open.operation.record;
    state_.tell(
        Level::warning, "promotion_seen", fmt::format("{} was promoted: what follows a promotion is done now", promoted.text()),
        {{"server", promoted.text()}}, findings.operation);
    Conductor conductor = conductor_for(findings);
    conductor.resume_at(work.open.operation.last_sequence);
    const auto highest = std::ranges::find(state_.saved.highest, promoted, &model::HighestSeen::server);
    if (highest != state_.saved.highest.end()) findings.old_position = highest->position;
    const Outcome outcome = co_await conductor.finish(plans::after_promotion(
        state_.saved, state_.settings(),
        {.promoted = promoted,
         .old_primary = work.open.old_primary,
         .old_end = work.open.operation.begun.kind == word_for(OperationKind::switchover) ? plans::OldEnd::stopped_cleanly
                    : decide::analyse(state_.input()).primary_host_answers                ? plans::OldEnd::host_answers
                                                                                          : plans::OldEnd::out_of_reach}));
    co_await conclude(conductor, findings, outcome);
}

/// Without what is about servers that are no longer configured, or that have become primary meanwhile.
std::vector<plans::Command> Cluster::Loop::still_ours(std::vector<plans::Command> undo) const {
    std::erase_if(undo, [&](const plans::Command& command) {
        const auto* const again = std::get_if<plans::StartAgain>(&command);
        if (again != nullptr) return state_.definition().find(again->server) == nullptr;
        const auto* const salvage = std::get_if<plans::EndSalvage>(&command);
        if (salvage != nullptr) return state_.definition().find(salvage->candidate) == nullptr;
        const auto* const abandoned = std::get_if<plans::AbandonCopy>(&command);
        if (abandoned != nullptr) return state_.definition().find(abandoned->server) == nullptr;
        const auto not_ours = [&](const model::ServerName& replica, const model::ServerName& upstream) {
            return state_.definition().find(replica) == nullptr || replica == state_.saved.primary ||
                   state_.definition().find(upstream) == nullptr;
        };
        if (const auto* const it = std::get_if<plans::Reattach>(&command)) return not_ours(it->replica, it->upstream);
        if (const auto* const it = std::get_if<plans::Repoint>(&command)) return not_ours(it->replica, it->upstream);
        return false;
    });
    return undo;
}

/// While nothing else is going on (S14); a plan ends its own salvage.
std::optional<Cluster::Loop::PutBack> Cluster::Loop::left_of_a_salvage() const {
    const bool held_back = state_.saved.maintenance || state_.saved.paused || state_.saved.provisional;
    if (held_back || analysis_.primary_suspected || unsettled_) return std::nullopt;
    for (const model::ServerDefinition& it : state_.saved.servers) {
        const auto* const seen = state_.evidence.find(it.name);
        if (seen != nullptr && seen->details && seen->details->what.offers_wal == true && seen->details->at > state_.offer_changed)
            return PutBack{it.name};
    }
    return std::nullopt;
}

asio::awaitable<void> Cluster::Loop::put_back(PutBack work) {
    Findings findings;
    Conductor conductor = conductor_for(findings);
    const std::vector<plans::Command> undo{plans::EndSalvage{work.server}};
    const auto failures = co_await conductor.take_back(undo);
    state_.tell(
        failures.empty() ? Level::info : Level::warning, "salvage_put_back",
        failures.empty()
            ? fmt::format("restore_command of {} is what it was before a salvage that could not be ended", work.server.text())
            : fmt::format("restore_command of {} still leads to what a salvage brought; {}", work.server.text(), fmt::join(failures, "; ")),
        {{"server", work.server.text()}});
}

asio::awaitable<void> Cluster::Loop::take_back(TakeBack work) {
    Findings findings;
    findings.operation = work.open.record.id;
    operation_ = work.open.record;
    Conductor conductor = conductor_for(findings);
    conductor.resume_at(work.open.last_sequence);
    std::vector<std::string> failures;
    for (auto step = work.open.begun.undo.rbegin(); step != work.open.begun.undo.rend(); ++step) {
        if (std::ranges::find(work.open.record.steps, step->step, &saved::StepRecord::name) == work.open.record.steps.end()) continue;
        const auto undo = plans::parse_undo(step->commands);
        const auto left = undo ? co_await conductor.take_back(still_ours(*undo)) : std::vector{undo.error().text()};
        failures.insert(failures.end(), left.begin(), left.end());
    }
    std::string text = failures.empty() ? "taken back: its point of no return was not reached"
                                        : fmt::format("taken back, but: {}", fmt::join(failures, "; "));
    const bool was_stopped = work.open.begun.kind == word_for(OperationKind::switchover);
    if (was_stopped && !failures.empty()) text += way_out(state_);
    state_.tell(failures.empty() ? Level::info : Level::warning, "operation_ended", text, {{"outcome", "undone"}}, findings.operation);
    co_await close(conductor, findings, text);
}

}  // namespace handyrep::engine
