// engine/orders.cpp — operations that a person wants: decided afresh when their turn comes, refused by name.
#include "base/overloaded.hpp"
#include "engine/loop.hpp"
#include "plans/follow.hpp"
#include "plans/switchover.hpp"

#include <fmt/format.h>

namespace handyrep::engine {

Result<Cluster::Loop::Decided> Cluster::Loop::decide_wanted(const FailoverWanted& wanted) const {
    if (wanted.to && state_.definition().find(*wanted.to) == nullptr)
        return Error{ErrorKind::invalid, fmt::format("there is no server called {}", wanted.to->text())};
    const decide::AnalysisInput input = state_.input();
    auto decision = decide::decide_order(input, decide::analyse(input), wanted.to, wanted.overrides);
    if (!decision) return decision.error();
    return Decided{*std::move(decision)};
}

Result<Cluster::Loop::Decided> Cluster::Loop::decide_wanted(const decide::SwitchoverWanted& wanted) const {
    const auto& readiness = verifier_.last();
    if (!readiness || !readiness->hosts_at) return Error{ErrorKind::refused, "NotReady: the hosts were not looked into yet"};
    const decide::AnalysisInput input = state_.input();
    auto decision = decide::decide_switchover(input, decide::analyse(input), readiness->checks, wanted);
    if (!decision) return decision.error();
    return Decided{*std::move(decision)};
}

Result<Cluster::Loop::Decided> Cluster::Loop::decide_wanted(const decide::FollowWanted& wanted) const {
    const decide::AnalysisInput input = state_.input();
    auto decision = decide::decide_follow(input, decide::analyse(input), wanted);
    if (!decision) return decision.error();
    return Decided{Upkeep{plans::follow(*decision, state_.saved), decision->text}};
}

Result<Cluster::Loop::Decided> Cluster::Loop::decide_ordered(const Order& order) const {
    auto out = std::visit([this](const auto& wanted) { return decide_wanted(wanted); }, order.what);
    if (out && !journal_available_)
        return Error{ErrorKind::refused, "the journal cannot be written, and without it no action is taken; check the manager's disk"};
    return out;
}

plans::Plan Cluster::Loop::plan_for(const decide::SwitchOver& decision) const {
    return plans::switchover(
        {.decision = decision, .settings = state_.settings(), .saved = state_.saved, .synchronous_standby_names = synchronous_names()});
}

Async<OrderAnswer> Cluster::Loop::order(Order order) {
    if (!ready_) co_return Error{ErrorKind::refused, "still starting: ask again in a moment"};
    if (stopped_) co_return Error{ErrorKind::refused, "HandyRep is stopping"};
    const auto busy = [this] { return operating_ || !waiting_.empty(); };
    const Error conflict{ErrorKind::conflict, "another operation is running: wait until it has ended"};
    if (busy()) co_return conflict;
    // A planned change is tried with the real rights first, while nothing is touched yet. Not beside an operation, whose hosts it would
    // keep busy, and one may have begun meanwhile.
    if (std::holds_alternative<decide::SwitchoverWanted>(order.what)) {
        const auto verified = co_await verifier_.verify();
        if (!verified) co_return verified.error();
    }
    if (const auto* const copy = std::get_if<decide::CopyWanted>(&order.what)) {
        const auto read = co_await read_copy_ground(*copy);
        if (!read) co_return read.error();
    }
    if (busy()) co_return conflict;
    if (order.dry_run) {
        const auto decision = decide_ordered(order);
        if (!decision) co_return decision.error();
        const plans::Plan plan =
            std::visit(Overloaded{[](const Upkeep& it) { return it.plan; }, [this](const auto& it) { return plan_for(it); }}, *decision);
        const std::string text = std::visit([](const auto& it) { return it.text; }, *decision);
        co_return OrderAnswer{std::nullopt, plan, text + " (dry run: nothing was changed)"};
    }
    const auto ordered = std::make_shared<Ordered>(Ordered{.order = std::move(order), .answer = {}});
    submit(ordered);
    while (!ordered->answer && !stopped_) co_await state_.clock().wait(done_bell_, done_bell_.rung());
    if (!ordered->answer)
        co_return Error{
            ErrorKind::failed, "HandyRep stopped meanwhile: its next start undoes or finishes what was begun; look at the events then"};
    co_return *ordered->answer;
}

asio::awaitable<void> Cluster::Loop::carry_out_order(std::shared_ptr<Ordered> ordered) {
    const auto decision = decide_ordered(ordered->order);
    if (!decision) {
        state_.tell(Level::warning, "order_refused", decision.error().text(), {{"by", ordered->order.by}});
        ordered->answer = decision.error();
    } else if (const auto* const failover = std::get_if<decide::FailOver>(&*decision)) {
        co_await fail_over(*failover, ordered->order.by, false, ordered);
    } else if (const auto* const switchover = std::get_if<decide::SwitchOver>(&*decision)) {
        co_await switch_over(*switchover, ordered);
    } else if (const auto* const copy = std::get_if<decide::CopyServer>(&*decision)) {
        co_await make_copy(*copy, ordered);
    } else {
        co_await keep_up(std::get<Upkeep>(*decision), ordered);
    }
}

asio::awaitable<void> Cluster::Loop::switch_over(decide::SwitchOver decision, std::shared_ptr<Ordered> ordered) {
    const plans::Plan plan = plan_for(decision);
    tried_on_.clear();
    Findings findings;
    findings.automatic = false;
    const Change change{decision.old_primary, decision.candidate, decide::Reason::ordered_by_person, ordered->order.by, decision.text};
    const Outcome outcome = co_await change_primary(plan, change, findings);
    answer(*ordered, findings.operation, plan, change, outcome);
}

asio::awaitable<void> Cluster::Loop::keep_up(Upkeep upkeep, std::shared_ptr<Ordered> ordered) {
    const plans::Plan& plan = upkeep.plan;
    tried_on_.clear();
    Findings findings;
    findings.automatic = false;
    begin_operation(findings, plan.kind, ordered->order.by, upkeep.text);
    Conductor conductor = conductor_for(findings);
    const saved::OperationBegun begun = begun_record(plan, ordered->order.by, decide::Reason::ordered_by_person, false);
    makes_way_ = true;
    Outcome outcome = co_await conduct(conductor, plan, begun);
    // No step of these makes a second primary: whatever became of it is seen afresh, and the order can be given again.
    if (outcome.end == End::unknown) outcome = {End::refused, "may have been done: " + outcome.text, std::move(outcome.failures)};
    co_await conclude(conductor, findings, outcome);
    makes_way_ = false;
    if (outcome.end == End::done && outcome.failures.empty())
        ordered->answer = OrderAnswer{findings.operation, plan, upkeep.text + ": done"};
    else
        ordered->answer = Error{outcome.end == End::refused ? ErrorKind::refused : ErrorKind::failed, outcome.text};
}

}  // namespace handyrep::engine
