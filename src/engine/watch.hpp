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
    /// While an operation runs the slower questions rest, and no receiver is touched. `urgent`: what they tell of the primary is wanted soon.
    void set_details(bool resting, bool urgent) {
        details_rest_ = resting;
        details_urgent_ = urgent;
    }
    [[nodiscard]] bool suspicious() const { return suspicious_since_.has_value(); }

private:
    asio::awaitable<void> hold(ServerPorts server, ports::Bell& news);
    static asio::awaitable<void> listen(ServerPorts server, ports::Bell& news);
    asio::awaitable<void> dial(ServerPorts server);
    asio::awaitable<void> learn_details(ServerPorts server);
    asio::awaitable<void> look_at_host(ServerPorts server);
    asio::awaitable<void> sight_host(ServerPorts server);
    /// A receiver that says 'streaming' and hears nothing is made to connect anew: if it gets through, the primary lives.
    asio::awaitable<void> redial_stale(ServerPorts server);
    [[nodiscard]] bool receiver_is_stale(const model::ServerName& server) const;
    asio::awaitable<void> ask_witness(ServerPorts server);

    [[nodiscard]] Duration held_interval() const;
    State& state_;
    ports::Bell alarm_;
    /// Per server: rings with the alarm, and at the end of its held session.
    std::deque<ports::Bell> session_news_;
    std::optional<Instant> suspicious_since_;
    bool details_rest_ = false;
    bool details_urgent_ = false;
};

}  // namespace handyrep::engine
