// sim/errand.hpp — what the manager has done on one machine by a shell: over SSH, or locally when it is the manager's own.
#pragma once

#include "model/server.hpp"
#include "ports/async.hpp"
#include "sim/clock.hpp"
#include "sim/world.hpp"

#include <fmt/format.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace handyrep::sim {

template <class T>
void answer(World& world, Node from, const std::shared_ptr<Reply<T>>& reply, T value) {
    world.network.send(from, 0, [reply, value = std::move(value)] { reply->give(value); });
}

class Errands {
public:
    Errands(const Errands&) = delete;
    Errands& operator=(const Errands&) = delete;

protected:
    Errands(World& world, std::shared_ptr<Waits> waits, ServerIndex server, model::Transport transport)
        : world_{world}, waits_{std::move(waits)}, server_{server}, transport_{transport} {}
    ~Errands() = default;

    /// Runs `script` on the machine unless the way there is closed or it arrives after its own expiry.
    template <class T>
    Async<T> run(std::string what, Instant deadline, std::function<void(std::shared_ptr<Reply<T>>)> script) {
        waits_->ensure_alive();
        const Server& it = world_.at(server_);
        const bool local = transport_ == model::Transport::local;
        if (!local && !shell_open_ && world_.names_hang) {
            const auto nobody = std::make_shared<Reply<T>>();
            static_cast<void>(co_await answer_by(world_.agenda, waits_, nobody, deadline));
            co_return Error{ErrorKind::timed_out, fmt::format("{} was not answered in time", what)};
        }
        if (!local && !shell_open_ && it.name_unknown)
            co_return Error{ErrorKind::unreachable, fmt::format("{}: ssh: Could not resolve hostname", what)};
        if (!local && (world_.network.refusing(0, it.node) || (it.powered && !it.ssh_answers && world_.network.up_both(0, it.node)))) {
            shell_open_ = false;
            co_return Error{ErrorKind::unreachable, fmt::format("{}: ssh: connection refused", what)};
        }
        const Duration login = local || shell_open_ || !it.slow_logins ? Duration{} : std::chrono::milliseconds{1500};
        const auto reply = std::make_shared<Reply<T>>();
        const auto arrive = [&world = world_, server = server_, local, expires = waits_->truly(deadline), reply,
                             script = std::move(script)] {
            const Server& there = world.at(server);
            if (!there.powered || (!local && !there.ssh_answers) || world.agenda.now() >= expires) return;
            script(reply);
        };
        world_.network.send(0, local ? 0 : it.node, [&world = world_, login, arrive] {
            world.agenda.after(login + world.random.between(Duration{std::chrono::milliseconds{2}}, std::chrono::milliseconds{5}), arrive);
        });
        const auto value = co_await answer_by(world_.agenda, waits_, reply, deadline);
        shell_open_ = value.has_value();
        if (!value) co_return Error{ErrorKind::timed_out, fmt::format("{} was not answered in time", what)};
        co_return *value;
    }

    /// Whose word is answered with.
    [[nodiscard]] Node node() const { return transport_ == model::Transport::local ? 0 : world_.at(server_).node; }

    World& world_;
    std::shared_ptr<Waits> waits_;
    ServerIndex server_;
    model::Transport transport_;
    bool shell_open_ = false;  // the held one: it needs no name any more
};

}  // namespace handyrep::sim
