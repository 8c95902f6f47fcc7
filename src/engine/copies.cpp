// engine/copies.cpp — operations that make a data directory anew.
//
// A copy takes hours and goes on by itself on its node, so nothing waits for it that is not about it: whoever ordered it is told its
// number at once, and where automation has to act, where the manager is killed, or where nobody knows whether the copy was put in its
// place, the operation is set aside and goes on once the cluster is well: decided afresh by what is seen then (S14), by the same steps,
// each of which finds what is there already.
#include "engine/loop.hpp"
#include "engine/parallel.hpp"
#include "plans/copying.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace handyrep::engine {

using std::chrono::seconds;

namespace {

constexpr Duration ground_limit = seconds{30};
/// Before what nobody knows is asked again.
constexpr Duration set_aside_pause = seconds{5};

}  // namespace

plans::Plan Cluster::Loop::plan_for(const decide::CopyServer& decision) const { return plans::copying(decision, state_.saved); }

/// How the place looks and how much there is to copy; decided is by what is known then.
Async<void> Cluster::Loop::read_copy_ground(decide::CopyWanted wanted) {
    const decide::AnalysisInput input = state_.input();
    const auto source = decide::source_of_copy(input, decide::analyse(input), wanted);
    if (!source) co_return source.error();
    const auto found = std::ranges::find(state_.servers(), *source, &ServerPorts::server);
    const Instant deadline = state_.clock().now() + ground_limit;
    const auto inside = co_await found->database_inspector.inspect(ports::Depth::full, deadline);
    if (!inside)
        co_return decide::obstacle(
            decide::Obstacle::source_unfit, fmt::format("{} could not be looked into: {}", source->text(), inside.error().text()));
    auto target = co_await state_.copier(wanted.server).look(inside->version, deadline);
    copy_ground_.emplace(decide::CopyGround{std::move(target), inside->size});
    co_return Result<void>{};
}

Result<Cluster::Loop::Decided> Cluster::Loop::decide_wanted(const decide::CopyWanted& wanted) const {
    if (set_aside_)
        return Error{
            ErrorKind::conflict,
            fmt::format("operation {} is set aside and goes on: wait for it, or cancel it", set_aside_->open.record.id)};
    if (!copy_ground_) return Error{ErrorKind::failed, "the place of its data was not looked at"};
    const decide::AnalysisInput input = state_.input();
    auto decision = decide::decide_copy(input, decide::analyse(input), *copy_ground_, wanted);
    if (!decision) return decision.error();
    return Decided{*std::move(decision)};
}

asio::awaitable<void> Cluster::Loop::make_copy(decide::CopyServer decision, std::shared_ptr<Ordered> ordered) {
    const plans::Plan plan = plan_for(decision);
    tried_on_.clear();
    Findings findings;
    findings.automatic = false;
    begin_operation(findings, plan.kind, ordered->order.by, decision.text);
    Conductor conductor = conductor_for(findings);
    saved::OperationBegun begun = begun_record(plan, ordered->order.by, decide::Reason::ordered_by_person, false);
    begun.work = plans::copy_text(decision);
    ordered->answer = OrderAnswer{
        findings.operation, plan,
        fmt::format("{0}: begun; 'handyrep operation {1} --follow' shows how far it is", decision.text, findings.operation)};
    done_bell_.ring();
    // Bound to a name: a coroutine must not be begun with what ends with this statement.
    auto work = conductor.conduct(plan, begun);
    co_await conduct_copy(conductor, findings, begun, std::move(work));
}

asio::awaitable<void> Cluster::Loop::conduct_copy(
    Conductor& conductor, Findings& findings, saved::OperationBegun begun, asio::awaitable<Outcome> work) {
    findings.on_progress = [this, number = findings.operation](const saved::ProgressRecord& progress) {
        if (operation_ && operation_->id == number) operation_->progress = progress;
    };
    call_off_.leave = true;  // also when HandyRep itself is stopped; only a person who cancels it wants it undone
    makes_way_ = true;
    auto ended = co_await unless(std::move(work), called_off());
    const Outcome outcome = ended ? *std::move(ended) : Outcome{End::refused, call_off_.why.value_or(""), conductor.failures()};
    const bool goes_on = outcome.end == End::unknown || (outcome.end == End::refused && call_off_.why && call_off_.leave);
    if (!goes_on) co_await conclude(conductor, findings, outcome);
    makes_way_ = false;
    if (!goes_on) co_return;
    set_aside_ = SetAside{
        {std::move(begun), operation_.value_or(OperationReport{.id = findings.operation}), conductor.sequence()},
        state_.clock().now() + set_aside_pause,
        false};
    state_.tell(
        Level::warning, "copy_set_aside", fmt::format("the copy goes on by itself, and the operation later: {}", outcome.text), {},
        findings.operation);
}

/// Once the cluster is well, and nothing else is under way.
void Cluster::Loop::review_set_aside() {
    if (!set_aside_ || operating_ || !waiting_.empty() || !loaded_ || state_.clock().now() < set_aside_->not_before) return;
    if (analysis_.situation != decide::Situation::healthy || analysis_.primary_suspected || state_.saved.provisional) return;
    submit(GoOnCopying{*std::exchange(set_aside_, std::nullopt)});
}

asio::awaitable<void> Cluster::Loop::go_on_copying(GoOnCopying work) {
    const OpenOperation& open = work.what.open;
    Findings findings;
    findings.automatic = false;
    findings.operation = open.record.id;
    operation_ = open.record;
    call_off_ = {};
    Conductor conductor = conductor_for(findings);
    conductor.resume_at(open.last_sequence);
    auto decision = plans::parse_copy(open.begun.work);
    if (!decision) co_return co_await close(conductor, findings, decision.error().text());
    if (state_.definition().find(decision->wanted.server) == nullptr || state_.definition().find(decision->source) == nullptr)
        co_return co_await close(conductor, findings, "its servers are no longer configured");
    state_.tell(
        Level::info, "copy_goes_on", fmt::format("operation {} goes on: {}", open.record.id, decision->text), {}, findings.operation);
    // Whoever is the primary now is followed; a server that has become it meanwhile is left alone.
    const decide::AnalysisInput input = state_.input();
    decision->upstream = state_.saved.primary.value_or(decision->upstream);
    const auto fit = decide::source_of_copy(input, decide::analyse(input), {.server = decision->wanted.server, .from = decision->upstream});
    if (!fit) co_return co_await take_back({open});
    const plans::Plan plan = plan_for(*decision);
    call_off_.too_late = work.what.in_place;
    auto going_on = work.what.in_place ? conductor.finish(plan.finish) : conductor.go_on(plan);
    co_await conduct_copy(conductor, findings, open.begun, std::move(going_on));
}

/// Of an earlier life: what had failed is taken back, all else goes on.
void Cluster::Loop::resume_copy(const OpenOperation& found, bool in_place) {
    const bool ended_badly = std::ranges::any_of(
        found.record.steps, [](const saved::StepRecord& it) { return it.outcome == "failed" || it.outcome == "undone"; });
    if (ended_badly && !in_place) {
        waiting_.emplace_back(TakeBack{found});
    } else {
        set_aside_ = SetAside{found, state_.clock().now(), in_place};
    }
}

}  // namespace handyrep::engine
