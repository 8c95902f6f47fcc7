#include "api/turnstile.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <utility>

namespace handyrep::api {

Turnstile::Turnstile(asio::any_io_executor executor, std::size_t places, std::size_t most_waiting)
    : executor_{std::move(executor)}, free_{places}, most_waiting_{most_waiting} {}

asio::awaitable<bool> Turnstile::enter(std::chrono::milliseconds limit) {
    if (free_ > 0) {
        --free_;
        co_return true;
    }
    if (queue_.size() >= most_waiting_) co_return false;
    const auto mine = std::make_shared<Waiting>(Waiting{asio::steady_timer{executor_, limit}});
    queue_.push_back(mine);
    boost::system::error_code ended;
    co_await mine->timer.async_wait(asio::redirect_error(asio::use_awaitable, ended));
    if (mine->let_in) co_return true;
    std::erase(queue_, mine);
    // Only `leave` and a stop cut the wait short.
    if (ended) throw boost::system::system_error(asio::error::operation_aborted);
    co_return false;
}

void Turnstile::leave() {
    if (queue_.empty()) {
        ++free_;
        return;
    }
    queue_.front()->let_in = true;
    queue_.front()->timer.cancel();
    queue_.pop_front();
}

}  // namespace handyrep::api
