// api/routes.hpp — one request in, one response out: who asks, what is asked, and the service's answer as JSON.
//
// Knows no socket. Every path but the API's own description needs a login.
#pragma once

#include "api/authentication.hpp"
#include "api/message.hpp"
#include "control/service.hpp"

#include <optional>
#include <string_view>

namespace handyrep::api {

/// Longer bodies are answered with 413. No order of this API needs a hundredth of it.
inline constexpr std::size_t longest_body = 64 << 10;

class Routes {
public:
    /// All three outlive the routes.
    Routes(control::Service& service, Authentication& authentication, Log& log);

    /// Takes as long as the order takes. Throws nothing but `operation_aborted`.
    asio::awaitable<Response> answer(Request request);

private:
    using Handler = asio::awaitable<Response> (Routes::*)(Request, control::Caller);
    struct Route {
        std::string_view method;
        std::string_view path;
        Handler handler;
    };
    static const std::vector<Route>& table();

    asio::awaitable<Response> dispatch(Request request);
    asio::awaitable<Response> status(Request request, control::Caller caller);
    asio::awaitable<Response> check(Request request, control::Caller caller);
    asio::awaitable<Response> events(Request request, control::Caller caller);
    asio::awaitable<Response> operations(Request request, control::Caller caller);
    asio::awaitable<Response> explain(Request request, control::Caller caller);
    asio::awaitable<Response> recording(Request request, control::Caller caller);
    asio::awaitable<Response> version(Request request, control::Caller caller);
    asio::awaitable<Response> order(Request request, control::Caller caller);
    asio::awaitable<Response> cancel(Request request, control::Caller caller);
    asio::awaitable<Response> acknowledge(Request request, control::Caller caller);
    asio::awaitable<Response> standing_order(Request request, control::Caller caller);
    asio::awaitable<Response> verify(Request request, control::Caller caller);
    asio::awaitable<Response> readiness(Request request, control::Caller caller);

    control::Service& service_;
    Authentication& authentication_;
    Log& log_;
};

}  // namespace handyrep::api
