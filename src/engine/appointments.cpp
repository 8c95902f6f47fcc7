// engine/appointments.cpp — a switchover that a person ordered for a time: given as an order then, once.
#include "engine/loop.hpp"

#include <fmt/format.h>

#include <utility>

namespace handyrep::engine {

namespace {

/// A daemon that was down at the time does not make up for it: whoever chose the time did not choose this one.
constexpr Duration longest_delay = std::chrono::minutes{1};

}  // namespace

asio::awaitable<void> Cluster::Loop::keep_appointments() {
    for (;;) {
        const std::uint64_t heard = appointment_bell_.rung();
        const auto& wanted = state_.saved.scheduled;
        if (!wanted || !ready_ || !loaded_ || state_.clock().wall() < wanted->at) {
            co_await state_.clock().wait(appointment_bell_, heard);
            continue;
        }
        co_await hold_switchover(*std::exchange(state_.saved.scheduled, std::nullopt));
    }
}

/// It is written down first that it is not to come any more, so that no later life carries it out again.
asio::awaitable<void> Cluster::Loop::hold_switchover(model::ScheduledSwitchover due) {
    const auto missed = [&](std::string_view why) {
        state_.tell(Level::error, "switchover_missed", fmt::format("{} does not take place: {}", text(due), why), {{"by", due.by}});
    };
    const auto late = state_.clock().wall() - due.at;
    const auto written = co_await state_.save();
    if (!written) co_return missed(written.error().text());
    if (late > longest_delay)
        co_return missed(
            fmt::format("HandyRep did not run at that time, and it is {} later now", text(std::chrono::floor<std::chrono::seconds>(late))));
    Order wanted{
        .what = decide::SwitchoverWanted{.to = due.to, .drop_logical = due.drop_logical},
        .dry_run = false,
        .by = fmt::format("{}, scheduled", due.by)};
    const auto answer = co_await order(std::move(wanted));
    if (!answer) missed(answer.error().text());
}

}  // namespace handyrep::engine
