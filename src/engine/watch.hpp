// engine/watch.hpp — the sensors of every server, each in a loop of its own, so that one that hangs delays no other.
#pragma once

#include "engine/state.hpp"

#include <deque>
#include <optional>
#include <vector>

namespace handyrep::engine {

class Watch {
public:
    explicit Watch(State& state) : state_{state}, session_news_(state.servers().size()) {}

    /// One endless work per sensor; run them together.
    [[nodiscard]] std::vector<asio::awaitable<void>> works();

    /// While something is suspicious the sensors look again at once, then every 50 ms. Tell every tick.
    void set_suspicious(bool suspicious);
    [[nodiscard]] bool suspicious() const { return suspicious_since_.has_value(); }

private:
    asio::awaitable<void> hold(ServerPorts server, ports::Bell& news);
    static asio::awaitable<void> listen(ServerPorts server, ports::Bell& news);
    asio::awaitable<void> dial(ServerPorts server);
    asio::awaitable<void> look_at_host(ServerPorts server);
    asio::awaitable<void> sight_host(ServerPorts server);
    asio::awaitable<void> ask_witness(ServerPorts server);

    [[nodiscard]] Duration held_interval() const;
    State& state_;
    ports::Bell alarm_;
    /// Per server: rings with the alarm, and at the end of its held session.
    std::deque<ports::Bell> session_news_;
    std::optional<Instant> suspicious_since_;
};

}  // namespace handyrep::engine
