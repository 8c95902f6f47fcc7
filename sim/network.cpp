#include "sim/network.hpp"

#include <algorithm>
#include <utility>

namespace handyrep::sim {

namespace {
/// A kernel gives up retransmitting at about this time; later the message is lost.
constexpr Duration retransmission_ends = std::chrono::minutes{2};
/// The first retransmission comes after this, each further one after twice as long.
constexpr Duration first_retransmission = std::chrono::milliseconds{200};
constexpr Duration longest_retransmission = std::chrono::milliseconds{1600};
constexpr Duration to_itself = std::chrono::microseconds{20};
}  // namespace

Network::Network(Agenda& agenda, Random& random, std::size_t nodes)
    : agenda_{agenda}, random_{random}, nodes_{nodes}, links_(nodes * nodes) {}

Network::Sent Network::send(Node from, Node to, Task deliver) {
    Link& way = link(from, to);
    if (from == to || way.state == Link::State::up) {
        way.last_arrival = std::max(way.last_arrival, agenda_.now() + delay(from, to));
        agenda_.at(way.last_arrival, std::move(deliver));
        return Sent::under_way;
    }
    if (way.state == Link::State::refusing) return Sent::refused;
    way.held.push_back({agenda_.now() + retransmission_ends, std::move(deliver)});
    return Sent::held;
}

bool Network::up(Node from, Node to) const { return from == to || link(from, to).state == Link::State::up; }
bool Network::refusing(Node from, Node to) const { return from != to && link(from, to).state == Link::State::refusing; }

Duration Network::delay(Node from, Node to) {
    if (from == to) return to_itself;
    const Link& way = link(from, to);
    Duration out = way.delay;
    if (way.loss_percent == 0) return out;
    for (Duration again = first_retransmission; again <= longest_retransmission && random_.chance(way.loss_percent); again *= 2)
        out += again;
    return out;
}

void Network::set_delay(Node one, Node other, Duration delay) {
    link(one, other).delay = delay;
    link(other, one).delay = delay;
}

void Network::set_loss(Node one, Node other, unsigned percent) {
    link(one, other).loss_percent = percent;
    link(other, one).loss_percent = percent;
}

void Network::drop(Node from, Node to) {
    link(from, to).state = Link::State::dropping;
    if (on_change_) on_change_();
}

void Network::refuse(Node from, Node to) {
    link(from, to).state = Link::State::refusing;
    if (on_change_) on_change_();
}

void Network::heal(Node from, Node to) {
    Link& way = link(from, to);
    if (way.state == Link::State::up) return;
    way.state = Link::State::up;
    // The retransmission timer has backed off while the link was down: what was held arrives only when it fires.
    const Duration backoff = random_.between(std::chrono::milliseconds{1}, std::chrono::milliseconds{1500});
    for (Held& it : std::exchange(way.held, {})) {
        if (it.expires > agenda_.now()) agenda_.after(backoff, std::move(it.deliver));
    }
    agenda_.after(backoff, [this, from, to] {
        if (on_heal_ && up(from, to)) on_heal_(from, to);
    });
    if (on_change_) on_change_();
}

void Network::heal_all() {
    for (Node from = 0; from < nodes_; ++from) {
        for (Node to = 0; to < nodes_; ++to) {
            set_delay(from, to, usual_delay);
            set_loss(from, to, 0);
            heal(from, to);
        }
    }
}

}  // namespace handyrep::sim
