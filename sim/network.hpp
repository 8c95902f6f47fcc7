// sim/network.hpp — links between machines, each direction by itself: up, dropping, or refused by a firewall.
//
// A message that meets a dropping link stays in its sender's kernel and arrives after the link heals, also when the
// sender has given up meanwhile: that is how a promotion arrives late (S8). Order within a link is kept. A link may also
// lose a part of what it carries: TCP sends that again, so a loss is a delay, and what follows waits behind it.
#pragma once

#include "sim/agenda.hpp"
#include "sim/random.hpp"

#include <cstddef>
#include <functional>
#include <vector>

namespace handyrep::sim {

/// A machine: 0 is the manager's, then one per server, then those of applications.
using Node = std::size_t;

class Network {
public:
    Network(Agenda& agenda, Random& random, std::size_t nodes);

    enum class Sent { under_way, held, refused };
    Sent send(Node from, Node to, Task deliver);

    [[nodiscard]] bool up(Node from, Node to) const;
    [[nodiscard]] bool up_both(Node one, Node other) const { return up(one, other) && up(other, one); }
    [[nodiscard]] bool refusing(Node from, Node to) const;
    /// How long the next message takes: not the same twice where some are lost.
    [[nodiscard]] Duration delay(Node from, Node to);
    [[nodiscard]] std::size_t nodes() const { return nodes_; }

    void set_delay(Node one, Node other, Duration delay);
    void set_loss(Node one, Node other, unsigned percent);
    void drop(Node from, Node to);
    void refuse(Node from, Node to);
    void heal(Node from, Node to);
    void heal_all();
    /// Told after every change of a link.
    void on_change(std::function<void()> told) { on_change_ = std::move(told); }
    /// Told when a link that dropped is up again, after the time a retransmission takes.
    void on_heal(std::function<void(Node, Node)> told) { on_heal_ = std::move(told); }

    static constexpr Duration usual_delay = std::chrono::microseconds{200};

private:
    struct Held {
        Instant expires;
        Task deliver;
    };
    struct Link {
        enum class State { up, dropping, refusing } state = State::up;
        Duration delay = usual_delay;
        unsigned loss_percent = 0;
        Instant last_arrival{};
        std::vector<Held> held;
    };
    Link& link(Node from, Node to) { return links_[from * nodes_ + to]; }
    [[nodiscard]] const Link& link(Node from, Node to) const { return links_[from * nodes_ + to]; }

    Agenda& agenda_;
    Random& random_;
    std::size_t nodes_;
    std::vector<Link> links_;
    std::function<void()> on_change_;
    std::function<void(Node, Node)> on_heal_;
};

}  // namespace handyrep::sim
