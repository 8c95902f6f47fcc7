// engine/bring_back.cpp — by policy, a server that was failed over from is made a replica again: as by order, one at a time, while all is well.
#include "engine/loop.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace handyrep::engine {

namespace {

constexpr Duration look_interval = std::chrono::seconds{10};
/// What is refused is tried again ever more seldom, as long as it is refused.
constexpr Duration first_pause = std::chrono::minutes{2};
constexpr Duration longest_pause = std::chrono::hours{1};

}  // namespace

/// Never beside anything else, and never where a person, or a doubt, holds HandyRep back.
std::optional<model::ServerName> Cluster::Loop::to_be_brought_back() const {
    const model::SavedState& saved = state_.saved;
    if (!state_.settings().auto_rejoin || !ready_ || stopped_ || operating_ || !waiting_.empty() || !journal_available_)
        return std::nullopt;
    if (saved.hands_off() || saved.provisional || saved.possible_primary || unsettled_) return std::nullopt;
    if (analysis_.situation != decide::Situation::healthy || analysis_.primary_suspected || analysis_.writable != saved.primary)
        return std::nullopt;
    for (const model::MustBeDown& it : saved.must_be_down) {
        const auto postponed = std::ranges::find(postponed_, it.server, &Postponed::server);
        const bool due = postponed == postponed_.end() || state_.clock().now() >= postponed->until;
        if (due && it.server != saved.primary && state_.define(it.server).enabled) return it.server;
    }
    return std::nullopt;
}

asio::awaitable<void> Cluster::Loop::bring_back() {
    for (;;) {
        co_await state_.clock().sleep_until(state_.clock().now() + look_interval);
        const auto server = to_be_brought_back();
        if (!server) continue;
        Order wanted{.what = decide::RejoinWanted{.server = *server}, .dry_run = false, .by = std::string(automation)};
        const auto answer = co_await order(std::move(wanted));
        const auto before = std::ranges::find(postponed_, *server, &Postponed::server);
        const Postponed last = before == postponed_.end() ? Postponed{*server, {}, first_pause / 2, {}} : *before;
        std::erase_if(postponed_, [&](const Postponed& it) { return it.server == *server; });
        // A conflict is only somebody who was faster.
        if (answer || answer.error().kind == ErrorKind::conflict) continue;
        const Duration pause = std::min(2 * last.pause, longest_pause);
        postponed_.push_back({*server, state_.clock().now() + pause, pause, answer.error().what});
        if (answer.error().what != last.why)
            state_.tell(
                Level::warning, "not_brought_back", fmt::format("{} was not brought back: {}", server->text(), answer.error().text()),
                {{"server", server->text()}});
    }
}

}  // namespace handyrep::engine
