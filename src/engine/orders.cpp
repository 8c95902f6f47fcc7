// engine/orders.cpp — operations that a person wants: decided afresh when their turn comes, refused by name.
#include "base/overloaded.hpp"
#include "engine/loop.hpp"
#include "plans/follow.hpp"
#include "plans/rejoin.hpp"
#include "plans/service.hpp"
#include "plans/switchover.hpp"

#include <fmt/format.h>

#include <utility>

namespace handyrep::engine {

Result<Cluster::Loop::Decided> Cluster::Loop::decide_wanted(const FailoverWanted& wanted) const {
    if (wanted.to && state_.definition().find(*wanted.to) == nullptr)
        return Error{ErrorKind::invalid, fmt::format("there is no server called {}", wanted.to->text())};
    const decide::AnalysisInput input = state_.input();
    auto decision = wanted.alone && wanted.to ? decide::decide_promotion(input, decide::analyse(input), *wanted.to, wanted.overrides)
                                              : decide::decide_order(input, decide::analyse(input), wanted.to, wanted.overrides);
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

Result<Cluster::Loop::Decided> Cluster::Loop::decide_wanted(const decide::ServiceWanted& wanted) const {
    const auto& readiness = verifier_.last();
    if (needs_verify(wanted) && (!readiness || !readiness->hosts_at))
        return Error{ErrorKind::refused, "NotReady: the hosts were not looked into yet"};
    const decide::AnalysisInput input = state_.input();
    const auto checks = readiness ? std::span<const decide::Check>{readiness->checks} : std::span<const decide::Check>{};
    const auto order = decide::decide_service(input, decide::analyse(input), checks, wanted);
    if (!order) return order.error();
    return Decided{Upkeep{plans::service(*order, state_.saved), order->text, !order->holds_role}};
}

/// What takes the primary down is tried with the real rights first, while nothing is touched yet.
bool Cluster::Loop::needs_verify(const Wanted& wanted) const {
    const auto* const service = std::get_if<decide::ServiceWanted>(&wanted);
    const bool restarts_primary =
        service != nullptr && service->deed == decide::ServiceDeed::restart && service->server == state_.saved.primary;
    return restarts_primary || std::holds_alternative<decide::SwitchoverWanted>(wanted);
}

Result<Cluster::Loop::Decided> Cluster::Loop::decide_wanted(const decide::RejoinWanted& wanted) const {
    const decide::AnalysisInput input = state_.input();
    const decide::RejoinSurvey nothing{.server = wanted.server};
    const bool asked = survey_ && survey_->server == wanted.server;
    auto decision = decide::decide_rejoin(input, decide::analyse(input), asked ? *survey_ : nothing, wanted);
    if (!decision) return decision.error();
    return Decided{Upkeep{plans::rejoin(*decision, state_.saved), decision->text}};
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

/// What an order is decided on and the polls do not see.
Async<void> Cluster::Loop::ask_around(const Wanted& what) {
    if (needs_verify(what)) {
        const auto verified = co_await verifier_.verify();
        if (!verified) co_return verified.error();
    }
    if (const auto* const rejoin = std::get_if<decide::RejoinWanted>(&what)) {
        auto found = co_await survey(rejoin->server);
        survey_ = std::move(found);
    }
    if (const auto* const copy = std::get_if<decide::CopyWanted>(&what)) {
        const auto read = co_await read_copy_ground(*copy);
        if (!read) co_return read.error();
    }
    co_return Result<void>{};
}

/// Of the primary: right after a promotion it comes with one of the next polls.
asio::awaitable<void> Cluster::Loop::wait_for_history() const {
    constexpr Duration patience = std::chrono::seconds{5};
    constexpr Duration between_looks = std::chrono::milliseconds{50};
    const Instant until = state_.clock().now() + patience;
    const auto known = [this] {
        const auto* const seen = state_.saved.primary ? state_.evidence.find(*state_.saved.primary) : nullptr;
        const auto* const primary = seen != nullptr && seen->last_answer ? seen->last_answer->what.primary() : nullptr;
        return primary != nullptr && primary->history;
    };
    while (!known() && state_.clock().now() < until) co_await state_.clock().sleep_until(state_.clock().now() + between_looks);
}

/// The disk of a server that does not answer, or has gone its own way: asked of its host.
asio::awaitable<decide::RejoinSurvey> Cluster::Loop::survey(model::ServerName server) {
    constexpr auto look_limit = std::chrono::seconds{20};
    constexpr auto read_limit = std::chrono::seconds{40};
    decide::RejoinSurvey out{.server = server};
    if (state_.definition().find(server) == nullptr || !decide::needs_survey(state_.input(), server)) co_return out;
    co_await wait_for_history();
    ports::Host& host = state_.host(server);
    const auto look = co_await host.look_for_rewind(state_.clock().now() + look_limit);
    out.look = look;
    if (!look) co_return out;
    const auto behind = decide::divergence_of(state_.input(), *look);
    if (!behind) co_return out;
    const model::WalEndQuestion question{behind->system_id, behind->fork};
    if (look->processes == 0 && behind->last == behind->fork.timeline) {
        const auto end = co_await host.read_wal_end(question, state_.clock().now() + read_limit);
        out.wal_end = end;
    }
    const auto divergence = co_await host.measure_divergence(*behind, state_.clock().now() + read_limit);
    out.divergence = divergence;
    co_return out;
}

Async<OrderAnswer> Cluster::Loop::order(Order order) {
    if (!ready_) co_return Error{ErrorKind::refused, "still starting: ask again in a moment"};
    if (stopped_) co_return Error{ErrorKind::refused, "HandyRep is stopping"};
    const auto busy = [this] { return operating_ || !waiting_.empty(); };
    const Error conflict{ErrorKind::conflict, "another operation is running: wait until it has ended"};
    if (busy()) co_return conflict;
    // Not beside an operation, whose hosts it would keep busy, and one may have begun meanwhile.
    if (const auto asked = co_await ask_around(order.what); !asked) co_return asked.error();
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
    findings.automatic = ordered->order.by == automation;
    findings.upkeep = true;
    begin_operation(findings, plan.kind, ordered->order.by, upkeep.text);
    Conductor conductor = conductor_for(findings);
    const auto reason = findings.automatic ? decide::Reason::primary_answers : decide::Reason::ordered_by_person;
    const saved::OperationBegun begun = begun_record(plan, ordered->order.by, reason, findings.automatic);
    makes_way_ = upkeep.makes_way;
    Outcome outcome = co_await conduct(conductor, plan, begun);
    // No step of these makes a second primary: whatever became of it is seen afresh, and the order can be given again.
    const bool in_doubt = outcome.end == End::unknown;
    if (in_doubt) outcome = {End::refused, "may have been done: " + outcome.text, std::move(outcome.failures)};
    co_await conclude(conductor, findings, outcome);
    makes_way_ = false;
    if (outcome.end == End::done && outcome.failures.empty())
        ordered->answer = OrderAnswer{findings.operation, plan, upkeep.text + ": done"};
    else
        ordered->answer = Error{outcome.end == End::refused && !in_doubt ? ErrorKind::refused : ErrorKind::failed, outcome.text};
}

}  // namespace handyrep::engine
