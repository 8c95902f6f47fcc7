// engine/bell.hpp — wakes everybody who waits for news.
#pragma once

#include "ports/async.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstdint>

namespace handyrep::engine {

/// Counted, so that a ring between two waits is not lost: whoever waits says which ring was the last it heard.
class Bell {
public:
    // The timer never expires by itself: no clock is asked, so it works the same in virtual time.
    explicit Bell(const asio::any_io_executor& executor) : timer_{executor, asio::steady_timer::time_point::max()} {}

    [[nodiscard]] std::uint64_t rung() const { return rung_; }
    void ring() {
        ++rung_;
        timer_.cancel();
    }
    /// Returns once the bell has rung more often than `heard`. Told to stop first, it throws `operation_aborted`.
    asio::awaitable<void> wait_past(std::uint64_t heard) {
        if (rung_ > heard) co_return;
        const auto [error] = co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
        if (rung_ == heard) throw boost::system::system_error{error};
    }

private:
    asio::steady_timer timer_;
    std::uint64_t rung_ = 0;
};

}  // namespace handyrep::engine
