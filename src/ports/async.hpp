// ports/async.hpp — what an asynchronous function of this project returns.
#pragma once

#include "base/result.hpp"

#include <boost/asio/awaitable.hpp>

namespace handyrep {

namespace asio = boost::asio;

template <class T>
using Async = asio::awaitable<Result<T>>;

}  // namespace handyrep
