#include "engine/watch.hpp"

#include "model/version_facts.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace handyrep::engine {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

/// Right after an alarm the replicas' receivers are just noticing: a few quick looks catch the moment, then every 50 ms.
constexpr Duration first_looks = milliseconds{150};
constexpr Duration first_interval = milliseconds{10};
constexpr Duration host_interval = seconds{10};
constexpr Duration shell_patience = milliseconds{100};
constexpr Duration host_limit = seconds{5};
constexpr Duration redial_interval = seconds{5};
constexpr Duration details_limit = seconds{2};
/// An old primary may answer at any moment; looked for as often as a living server.
constexpr Duration answer_limit = milliseconds{500};

}  // namespace

std::vector<asio::awaitable<void>> Watch::works() {
    std::vector<asio::awaitable<void>> out;
    auto news = session_news_.begin();
    for (const ServerPorts& server : state_.servers()) {
        out.push_back(hold(server, *news));
        out.push_back(listen(server, *news++));
        out.push_back(dial(server));
        out.push_back(look_at_host(server));
        out.push_back(learn_details(server));
    }
    return out;
}

void Watch::set_suspicious(bool suspicious) {
    if (!suspicious) {
        suspicious_since_.reset();
    } else if (!suspicious_since_) {
        suspicious_since_ = state_.clock().now();
        alarm_.ring();
        for (ports::Bell& it : session_news_) it.ring();
    }
}

Duration Watch::held_interval() const {
    if (!suspicious_since_) return state_.settings().poll_interval;
    return state_.clock().now() - *suspicious_since_ < first_looks ? first_interval : model::suspicious_interval;
}

asio::awaitable<void> Watch::listen(ServerPorts server, ports::Bell& news) {
    for (;;) {
        co_await server.postgres.session_ended();
        news.ring();
    }
}

asio::awaitable<void> Watch::hold(ServerPorts server, ports::Bell& news) {
    for (;;) {
        const std::uint64_t heard = news.rung();
        const Instant began = state_.clock().now();
        const Duration limit = std::max(answer_limit, state_.settings().connect_timeout);
        model::HeldSight sight = co_await server.postgres.poll(true, began + limit);
        const bool ended = std::holds_alternative<model::Lost>(sight);
        state_.absorb({server.server, state_.clock().now(), std::move(sight)});
        // The end of a session is news, not an interval: what a new one is told matters at once.
        if (ended) continue;
        co_await state_.clock().wait(news, heard, began + held_interval());
    }
}

asio::awaitable<void> Watch::dial(ServerPorts server) {
    for (;;) {
        const std::uint64_t heard = alarm_.rung();
        const Instant began = state_.clock().now();
        model::DialSight sight = co_await server.postgres.dial(began + state_.settings().connect_timeout);
        state_.absorb({server.server, state_.clock().now(), std::move(sight)});
        const bool urgent = suspicious() && server.server == state_.saved.primary;
        co_await state_.clock().wait(alarm_, heard, began + (urgent ? held_interval() : decide::dial_interval(state_.settings())));
    }
}

/// One question at a time per server; a server that does not answer the fast ones is not asked the slow ones.
asio::awaitable<void> Watch::learn_details(ServerPorts server) {
    Instant next = state_.clock().now() + decide::details_urgent_interval;
    for (;;) {
        co_await state_.clock().sleep_until(next);
        const bool urgent = details_urgent_ && server.server == state_.saved.primary;
        next = state_.clock().now() + (urgent ? decide::details_urgent_interval : decide::details_interval);
        if (details_rest_ || suspicious()) continue;
        auto details = co_await server.postgres.details(state_.clock().now() + details_limit);
        // Not answered is unknown; that it does not answer is said by the other sensors.
        if (details) state_.absorb({server.server, state_.clock().now(), *std::move(details)});
    }
}

asio::awaitable<void> Watch::sight_host(ServerPorts server) {
    const Instant asked = state_.clock().now();
    auto look = co_await server.host.look(asked + host_limit);
    const Instant now = state_.clock().now();
    auto saw = look ? std::variant<model::HostLook, Error>{*look} : std::variant<model::HostLook, Error>{look.error()};
    state_.absorb({server.server, now, model::HostSight{std::move(saw), now - asked}});
}

bool Watch::receiver_is_stale(const model::ServerName& server) const {
    const auto* const seen = state_.evidence.find(server);
    if (seen == nullptr || !seen->held || !state_.saved.primary) return false;
    const auto* const answer = std::get_if<model::Answered>(&seen->held->what);
    if (answer == nullptr || !model::facts_of(answer->version).stays_detached) return false;
    const model::StandbyAnswer* const standby = answer->standby();
    if (standby == nullptr || !standby->receiver || standby->receiver->status != "streaming") return false;
    const model::ServerDefinition& primary = state_.define(*state_.saved.primary);
    const bool from_primary = standby->receiver->sender_host == primary.hostname && standby->receiver->sender_port == primary.port;
    return from_primary && standby->receiver->message_age + (state_.clock().now() - seen->held->at) >= state_.settings().witness_freshness;
}

asio::awaitable<void> Watch::redial_stale(ServerPorts server) {
    const auto* const primary = state_.saved.primary ? state_.evidence.find(*state_.saved.primary) : nullptr;
    // Only while the primary is suspected: else the silence is the replica's own trouble, and its receiver times out by itself.
    if (details_rest_ || primary == nullptr || !primary->bad_since || !receiver_is_stale(server.server)) co_return;
    const auto done = co_await server.postgres.redial(state_.clock().now() + state_.settings().connect_timeout);
    state_.tell(
        Level::info, "redialled",
        fmt::format(
            "{} heard nothing from the suspected primary and was told to connect anew{}", server.server.text(),
            done ? "" : ": " + done.error().text()),
        {{"server", server.server.text()}});
}

asio::awaitable<void> Watch::ask_witness(ServerPorts server) {
    const auto primary = state_.saved.primary;
    if (!primary) co_return;
    const model::ServerDefinition& asked = state_.define(*primary);
    const Instant began = state_.clock().now();
    // To connect, and to get a byte. The way to the witness has its own time: a shell that has to be opened anew for every question,
    // because the last answer came late, takes longer than the silence it is asked about.
    const Duration patience = 2 * state_.settings().connect_timeout;
    const model::Reach reach = co_await server.host.reach(asked.hostname, asked.port, patience, began + patience + host_limit);
    // What it says holds for no earlier moment than that of the question.
    state_.absorb({server.server, began, model::WitnessSight{*primary, reach}});
}

asio::awaitable<void> Watch::look_at_host(ServerPorts server) {
    Instant next_look{};
    Instant next_redial{};
    for (;;) {
        const std::uint64_t heard = alarm_.rung();
        // A plain death is decided without the hosts' shells, and the fence wants that of the primary for itself.
        if (const auto since = suspicious_since_; since && state_.clock().now() - *since < shell_patience)
            co_await state_.clock().sleep_until(*since + shell_patience);
        const Instant began = state_.clock().now();
        const auto& possible = state_.saved.possible_primary;
        const bool may_write = server.server == state_.saved.primary || state_.saved.barred(server.server) != nullptr ||
                               (possible && possible->server == server.server);
        if (suspicious() && !may_write) {
            if (began >= next_redial && !state_.saved.hands_off() && receiver_is_stale(server.server)) {
                next_redial = began + redial_interval;
                co_await redial_stale(server);
            }
            co_await ask_witness(server);
        } else if (suspicious() || began >= next_look) {
            co_await sight_host(server);
            next_look = began + host_interval;
        }
        const Instant next = suspicious() ? began + decide::host_suspicious_interval : std::max(next_look, began + milliseconds{1});
        co_await state_.clock().wait(alarm_, heard, next);
    }
}

}  // namespace handyrep::engine
