// engine/watch.hpp — the sensors of every server, each in a loop of its own, so that one that hangs delays no other.
#pragma once

#include "engine/state.hpp"

#include <vector>

namespace handyrep::engine {

class Watch {
public:
    Watch(State& state, Bell& alarm) : state_{state}, alarm_{alarm} {}

    /// One endless work per sensor; run them together.
    [[nodiscard]] std::vector<asio::awaitable<void>> works();

    /// While something is suspicious the sensors look again at once, then every 50 ms. Tell every tick.
    void set_suspicious(bool suspicious);
    [[nodiscard]] bool suspicious() const { return suspicious_since_.has_value(); }

private:
    asio::awaitable<void> hold(ServerPorts server);
    asio::awaitable<void> dial(ServerPorts server);
    asio::awaitable<void> look_at_host(ServerPorts server);
    asio::awaitable<void> sight_host(ServerPorts server);
    asio::awaitable<void> ask_witness(ServerPorts server);

    [[nodiscard]] Duration held_interval() const;
    /// Until `when`, or until the alarm rings.
    asio::awaitable<void> rest(Instant when, std::uint64_t heard);

    State& state_;
    Bell& alarm_;
    std::optional<Instant> suspicious_since_;
};

}  // namespace handyrep::engine
