// engine/lease.hpp — keeps the primary's lease (S6): arms it, renews it, and takes it away where it is no longer wanted.
//
// What the node answered and when a renewal was sent last goes into the evidence; what follows from it is decided elsewhere. While
// the primary is being replaced nothing is renewed: its time shall run out.
#pragma once

#include "engine/state.hpp"
#include "model/lease.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace handyrep::engine {

/// Takes the lease of that server away, for instance before this program stops it. Success means that none is armed there.
Async<void> disarm_lease(State& state, model::ServerName server, Instant deadline);

class LeaseKeeper {
public:
    /// `rests`: no lease is armed or renewed now.
    LeaseKeeper(State& state, std::function<bool()> rests) : state_{state}, rests_{std::move(rests)} {}

    /// Endless. Told to stop, which is the orderly end of the daemon, it takes the lease away first, for a moment's time.
    asio::awaitable<void> work();

    /// The setting, the role or an operation has changed.
    void look_again() { bell_.ring(); }

private:
    asio::awaitable<void> keep();
    asio::awaitable<void> tidy();
    [[nodiscard]] std::optional<model::ServerName> next_to_tidy() const;
    [[nodiscard]] bool wanted() const;
    asio::awaitable<void> arm();
    asio::awaitable<void> renew();
    void note(const model::ServerName& server, const model::LeaseAnswer& answer, Instant sent, const model::LeaseTerms& terms);
    void not_armed(const std::string& why);
    void lost(const Error& error);
    [[nodiscard]] Duration limit() const;

    State& state_;
    std::function<bool()> rests_;
    ports::Bell bell_;
    std::vector<model::ListedReplica> listed_;  // as of the last answer
    std::optional<std::string> told_not_armed_;
    bool told_unanswered_ = false;
    Instant next_{};
    Instant next_tidy_{};
    std::uint64_t sequence_ = 0;  // of the last renewal, answered or not
};

}  // namespace handyrep::engine
