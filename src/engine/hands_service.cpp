// The hands' part of what is ordered of a replica's service: started and restarted, over its host.
#include "engine/hands.hpp"
#include "engine/looks.hpp"

#include <fmt/format.h>

namespace handyrep::engine {

using model::ServerName;

namespace {

/// An upstream that does not answer for so long is not waited for.
constexpr Duration upstream_patience = std::chrono::seconds{10};

}  // namespace

Async<void> Hands::start_replica(const plans::StartReplica& command, Instant deadline) {
    auto started = co_await state_.host(command.replica).start(command.system_id, ports::StartAs::standby, deadline);
    if (!started) co_return started.error().during(fmt::format("start {}", command.replica.text()));
    co_return co_await see_it_answer(command.replica, command.upstream, deadline);
}

Async<void> Hands::restart_replica(const plans::RestartReplica& command, Instant deadline) {
    auto restarted = co_await state_.host(command.replica).restart_standby(command.system_id, deadline);
    if (!restarted) co_return restarted.error().during(fmt::format("restart {}", command.replica.text()));
    co_return co_await see_it_answer(command.replica, command.upstream, deadline);
}

/// Until it answers in recovery; where its upstream is known, until it streams from there.
Async<void> Hands::see_it_answer(const ServerName& replica, const std::optional<ServerName>& upstream, Instant deadline) {
    if (upstream) co_return co_await see_it_follow(replica, *upstream, upstream_patience, deadline);
    while (state_.clock().now() + look_interval < deadline) {
        const model::HeldSight sight = co_await look(replica, deadline);
        const auto* const answer = std::get_if<model::Answered>(&sight);
        if (answer != nullptr && answer->standby() != nullptr) co_return Result<void>{};
        if (answer != nullptr) co_return Error{ErrorKind::refused, fmt::format("{} is out of recovery", replica.text())};
        co_await state_.clock().sleep_until(state_.clock().now() + 2 * look_interval);
    }
    co_return Error{ErrorKind::timed_out, fmt::format("{} was started and does not answer yet; look at its log", replica.text())};
}

}  // namespace handyrep::engine
