// engine/orders.cpp — operations that a person wants: decided afresh when their turn comes, refused by name.
#include "engine/loop.hpp"
#include "plans/switchover.hpp"

#include <fmt/format.h>

namespace handyrep::engine {

Result<Cluster::Loop::Decided> Cluster::Loop::decide_ordered(const Order& order) const {
    const decide::AnalysisInput input = state_.input();
    const decide::Analysis analysis = decide::analyse(input);
    Result<Decided> out = Error{ErrorKind::failed, "nothing was ordered"};
    if (const auto* const failover = std::get_if<FailoverWanted>(&order.what)) {
        if (failover->to && state_.definition().find(*failover->to) == nullptr)
            return Error{ErrorKind::invalid, fmt::format("there is no server called {}", failover->to->text())};
        auto decision = decide::decide_order(input, analysis, failover->to, failover->overrides);
        if (!decision) return decision.error();
        out = Decided{*std::move(decision)};
    } else {
        const auto& readiness = verifier_.last();
        if (!readiness || !readiness->hosts_at) return Error{ErrorKind::refused, "NotReady: the hosts were not looked into yet"};
        auto decision = decide::decide_switchover(input, analysis, readiness->checks, std::get<decide::SwitchoverWanted>(order.what));
        if (!decision) return decision.error();
        out = Decided{*std::move(decision)};
    }
    if (!journal_available_)
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
    if (busy()) co_return conflict;
    if (order.dry_run) {
        const auto decision = decide_ordered(order);
        if (!decision) co_return decision.error();
        co_return std::visit(
            [this](const auto& it) { return OrderAnswer{std::nullopt, plan_for(it), it.text + " (dry run: nothing was changed)"}; },
            *decision);
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
    } else {
        co_await switch_over(std::get<decide::SwitchOver>(*decision), ordered);
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

}  // namespace handyrep::engine
