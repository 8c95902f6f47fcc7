// api/turnstile.hpp — lets a few through at a time, the others wait their turn, in order and not for ever.
#pragma once

#include "ports/async.hpp"

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>

namespace handyrep::api {

/// For one executor that is not shared between threads.
class Turnstile {
public:
    Turnstile(asio::any_io_executor executor, std::size_t places, std::size_t most_waiting);

    /// False when too many wait already, or the turn did not come within `limit`. After true call `leave`.
    asio::awaitable<bool> enter(std::chrono::milliseconds limit);
    void leave();

private:
    struct Waiting {
        asio::steady_timer timer;
        bool let_in = false;
    };

    asio::any_io_executor executor_;
    std::size_t free_;
    std::size_t most_waiting_;
    std::deque<std::shared_ptr<Waiting>> queue_;
};

}  // namespace handyrep::api
