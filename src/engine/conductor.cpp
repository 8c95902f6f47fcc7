#include "engine/conductor.hpp"

#include "base/text.hpp"
#include "engine/parallel.hpp"

#include <boost/asio/cancellation_state.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace handyrep::engine {

using plans::Command;
using plans::Step;
using saved::JournalEntry;

namespace {

constexpr Duration journal_limit = std::chrono::seconds{5};

/// Of several outcomes the one that leaves most in doubt: a step is only "certainly not done" when every command of it is.
Result<void> worst(const std::vector<Result<void>>& outcomes) {
    Result<void> out{};
    for (const Result<void>& it : outcomes) {
        if (it) continue;
        if (out || (surely_not_done(out.error().kind) && !surely_not_done(it.error().kind))) out = it;
    }
    return out;
}

Async<void> bounded(State& state, Hands& hands, const Command& command, Instant deadline) {
    co_return co_await ports::within(state.clock(), deadline, "the command", hands.carry_out(command, deadline));
}

asio::awaitable<Result<void>> carry_out_all(State& state, Hands& hands, const std::vector<Command>& commands, Instant deadline) {
    if (commands.size() == 1) co_return co_await bounded(state, hands, commands.front(), deadline);
    std::vector<asio::awaitable<Result<void>>> works;
    works.reserve(commands.size());
    for (const Command& command : commands) works.push_back(bounded(state, hands, command, deadline));
    co_return worst(co_await all(std::move(works)));
}

/// A setting is written or not; a server that is given back has to stop first, and perhaps to recover.
Duration limit_of_undo(const Command& command) {
    if (std::holds_alternative<plans::AbandonCopy>(command)) return std::chrono::minutes{2};
    if (std::holds_alternative<plans::StartAgain>(command)) return std::chrono::seconds{90};
    return std::holds_alternative<plans::Repoint>(command) ? std::chrono::seconds{60} : std::chrono::seconds{10};
}

bool is_promotion(const Step& step) { return step.apply.size() == 1 && std::holds_alternative<plans::Promote>(step.apply.front()); }

}  // namespace

Async<void> Conductor::journal(JournalEntry entry, std::string step, std::string detail) {
    const saved::JournalRecord record{findings_.operation, ++sequence_, state_.clock().wall(), entry, std::move(step), std::move(detail)};
    on_record_(record);
    auto written = co_await state_.store().append(record, state_.clock().now() + journal_limit);
    if (!written) co_return written.error().during("write the journal");
    co_return Result<void>{};
}

Async<void> Conductor::attempt(const Step& step, std::string detail, bool past_commit) {
    const auto announced = co_await journal(JournalEntry::starting, step.name, std::move(detail));
    // Without the journal no action: nothing was done, whatever became of the record.
    if (!announced && !past_commit) {
        Error error{ErrorKind::refused, fmt::format("'{}' was not begun: {}", step.name, announced.error().text())};
        on_record_({findings_.operation, sequence_, state_.clock().wall(), JournalEntry::failed, step.name, error.what});
        co_return error;
    }

    const Instant began = state_.clock().now();
    auto outcome = co_await carry_out_all(state_, hands_, step.apply, began + step.limit);
    const Duration took = state_.clock().now() - began;
    const JournalEntry entry = outcome                                 ? JournalEntry::done
                               : surely_not_done(outcome.error().kind) ? JournalEntry::failed
                                                                       : JournalEntry::unknown;
    const std::string said = outcome ? "done" : outcome.error().text();
    state_.tell(
        outcome ? Level::info : Level::warning, "step", fmt::format("{}: {}", step.name, said),
        {{"step", step.name},
         {"outcome", std::string(word_for(entry))},
         {"took", text(std::chrono::floor<std::chrono::microseconds>(took))}},
        findings_.operation);
    // Already done or not: a journal that fails here is found to disagree with reality at the next start, and reality counts.
    static_cast<void>(co_await journal(entry, step.name, said));
    co_return outcome;
}

Async<void> Conductor::prepare(const std::vector<Step>& steps) {
    std::size_t begun = 0;
    Result<void> outcome{};
    std::exception_ptr stopped;
    try {
        while (outcome && begun < steps.size()) {
            const Step& step = steps[begun++];
            outcome = co_await attempt(step, {});
            if (!outcome && step.may_fail) outcome = Result<void>{};
        }
    } catch (...) {
        stopped = std::current_exception();
    }
    if (stopped) co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    if ((stopped && !call_off_.leave) || !outcome) co_await undo(steps, begun);
    if (stopped) std::rethrow_exception(stopped);
    co_return outcome;
}

asio::awaitable<void> Conductor::undo(const std::vector<Step>& steps, std::size_t begun) {
    while (begun > 0) {
        const Step& step = steps[--begun];
        if (step.undo.empty()) continue;
        auto left = co_await take_back(step.undo);
        static_cast<void>(co_await journal(JournalEntry::undone, step.name, left.empty() ? "undone" : join(left, "; ")));
        failures_.insert(failures_.end(), left.begin(), left.end());
    }
}

asio::awaitable<std::vector<std::string>> Conductor::take_back(const std::vector<Command>& undo) {
    std::vector<asio::awaitable<Result<void>>> works;
    for (const Command& command : undo) works.push_back(bounded(state_, hands_, command, state_.clock().now() + limit_of_undo(command)));
    std::vector<std::string> failures;
    for (const Result<void>& it : co_await all(std::move(works))) {
        if (!it) failures.push_back("could not be undone: " + it.error().text());
    }
    co_return failures;
}

Async<void> Conductor::commit(const Step& step) {
    std::string detail;
    if (is_promotion(step)) {
        const auto& promote = std::get<plans::Promote>(step.apply.front());
        const auto expires = hands_.expiry_for(promote.candidate, step.limit);
        if (!expires) co_return expires.error();
        findings_.expires = *expires;
        detail = saved::expiry_to_text(*expires);
    }
    co_return co_await attempt(step, std::move(detail));
}

asio::awaitable<Outcome> Conductor::conduct(const plans::Plan& plan, const saved::OperationBegun& begun) {
    const auto announced = co_await journal(JournalEntry::begun, std::string(word_for(plan.kind)), saved::to_text(begun));
    if (!announced) co_return Outcome{End::refused, fmt::format("nothing was done: {}", announced.error().text()), {}};
    co_return co_await go_on(plan);
}

asio::awaitable<Outcome> Conductor::go_on(const plans::Plan& plan) {
    auto outcome = co_await prepare(plan.reversible);
    if (!outcome) co_return Outcome{End::refused, outcome.error().text(), failures_};
    if (call_off_.why) {
        // Told so between two steps: what would be cancelled now is the undoing.
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        if (!call_off_.leave) co_await undo(plan.reversible, plan.reversible.size());
        co_return Outcome{End::refused, *call_off_.why, failures_};
    }
    call_off_.too_late = true;
    if (!plan.commit) co_return co_await finish(plan.finish);

    outcome = co_await commit(*plan.commit);
    if (!outcome) {
        // A timeout is not a "no": the server may be promoting at this moment. Undo only what was certainly not done.
        if (!surely_not_done(outcome.error().kind)) co_return Outcome{End::unknown, outcome.error().text(), {}};
        co_await undo(plan.reversible, plan.reversible.size());
        co_return Outcome{End::refused, outcome.error().text(), failures_};
    }
    co_return co_await finish(plan.finish);
}

asio::awaitable<Outcome> Conductor::finish(const std::vector<plans::Group>& groups) {
    std::vector<std::string> failures;
    for (const plans::Group& group : groups) {
        std::vector<asio::awaitable<Result<void>>> works;
        works.reserve(group.steps.size());
        for (const Step& step : group.steps) works.push_back(attempt(step, {}, true));
        const auto outcomes = co_await all(std::move(works));
        for (std::size_t i = 0; i < outcomes.size(); ++i) {
            if (!outcomes[i]) failures.push_back(fmt::format("{}: {}", group.steps[i].name, outcomes[i].error().text()));
        }
    }
    co_return Outcome{End::done, failures.empty() ? "done" : fmt::format("done, but: {}", join(failures, "; ")), std::move(failures)};
}

Async<void> Conductor::end(const std::string& text) { co_return co_await journal(JournalEntry::ended, "operation", text); }

}  // namespace handyrep::engine
