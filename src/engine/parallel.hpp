// engine/parallel.hpp — several pieces of work at once; ends when all have ended.
#pragma once

#include "ports/async.hpp"
#include "ports/bell.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/multiple_exceptions.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <optional>
#include <utility>
#include <vector>

namespace handyrep::engine {

/// The results in the order of `works`. Told to stop, it tells all of them and rethrows once the last has ended.
template <class T>
asio::awaitable<std::vector<T>> all(std::vector<asio::awaitable<T>> works) {
    if (works.empty()) co_return std::vector<T>{};
    const auto executor = co_await asio::this_coro::executor;
    using Begun = decltype(asio::co_spawn(executor, std::declval<asio::awaitable<T>>(), asio::deferred));
    std::vector<Begun> begun;
    begun.reserve(works.size());
    for (auto& work : works) begun.push_back(asio::co_spawn(executor, std::move(work), asio::deferred));
    auto [order, errors, values] = co_await asio::experimental::make_parallel_group(std::move(begun))
                                       .async_wait(asio::experimental::wait_for_all(), asio::use_awaitable);
    for (const std::exception_ptr& error : errors) {
        if (error) std::rethrow_exception(error);
    }
    co_return std::move(values);
}

inline asio::awaitable<void> all(std::vector<asio::awaitable<void>> works) {
    if (works.empty()) co_return;
    const auto executor = co_await asio::this_coro::executor;
    using Begun = decltype(asio::co_spawn(executor, std::declval<asio::awaitable<void>>(), asio::deferred));
    std::vector<Begun> begun;
    begun.reserve(works.size());
    for (auto& work : works) begun.push_back(asio::co_spawn(executor, std::move(work), asio::deferred));
    auto [order, errors] = co_await asio::experimental::make_parallel_group(std::move(begun))
                               .async_wait(asio::experimental::wait_for_all(), asio::use_awaitable);
    for (const std::exception_ptr& error : errors) {
        if (error) std::rethrow_exception(error);
    }
}

/// What `work` comes to; nothing when `end` ended first: then `work` was told to stop, and has ended.
template <class T>
asio::awaitable<std::optional<T>> unless(asio::awaitable<T> work, asio::awaitable<void> end) {
    using namespace asio::experimental::awaitable_operators;
    try {
        auto first = co_await (std::move(work) || std::move(end));
        if (first.index() == 0) co_return std::get<0>(std::move(first));
    } catch (const asio::multiple_exceptions& both) {
        std::rethrow_exception(both.first_exception());  // told to stop, both throw, and Asio packs them into one
    }
    co_return std::nullopt;
}

/// However the work ends in whose scope it stands: whoever waits for its bell is told that it is over.
class StopNotice {
public:
    StopNotice(bool& stopped, ports::Bell& bell) : stopped_{stopped}, bell_{bell} {}
    ~StopNotice() {
        stopped_ = true;
        bell_.ring();
    }
    StopNotice(const StopNotice&) = delete;
    StopNotice& operator=(const StopNotice&) = delete;

private:
    bool& stopped_;
    ports::Bell& bell_;
};

/// Runs endless works until told to stop, or until one of them throws: then the others are stopped and its exception flies on.
inline asio::awaitable<void> forever(std::vector<asio::awaitable<void>> works) {
    const auto executor = co_await asio::this_coro::executor;
    using Begun = decltype(asio::co_spawn(executor, std::declval<asio::awaitable<void>>(), asio::deferred));
    std::vector<Begun> begun;
    begun.reserve(works.size());
    for (auto& work : works) begun.push_back(asio::co_spawn(executor, std::move(work), asio::deferred));
    auto [order, errors] = co_await asio::experimental::make_parallel_group(std::move(begun))
                               .async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
    for (const std::size_t index : order) {
        if (errors[index]) std::rethrow_exception(errors[index]);
    }
}

}  // namespace handyrep::engine
