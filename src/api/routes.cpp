#include "api/routes.hpp"

#include "api/fields.hpp"
#include "api/openapi.hpp"
#include "api/orders.hpp"
#include "api/problem.hpp"
#include "base/ensure.hpp"
#include "base/text.hpp"
#include "control/explain.hpp"
#include "control/json.hpp"

#include <boost/system/system_error.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

namespace handyrep::api {

namespace {

constexpr std::size_t usual_events = 20;
constexpr std::size_t usual_operations = 20;

Response json(const control::Json& body) {
    return Response{.status = 200, .content_type = "application/json", .body = control::document(body)};
}

Response failure(const Error& error) { return answer(problem_of(error)); }

template <class T>
Response json_or_problem(const Result<T>& result) {
    return result ? json(control::to_json(*result)) : failure(result.error());
}

Response not_logged_in(const NotLoggedIn& refusal) {
    const auto challenge = [](std::string_view kind, std::string_view detail) {
        Response response = answer(Problem{
            401, std::string(kind), std::string(detail),
            "log in as admin or read (Basic), or send a token (Bearer); the local command line reads cli.token in the state_dir"});
        response.headers.emplace_back("WWW-Authenticate", R"(Basic realm="HandyRep", charset="UTF-8", Bearer realm="HandyRep")");
        return response;
    };
    switch (refusal.why) {
        case NotLoggedIn::Why::no_credentials: return challenge("no credentials", "this needs a login");
        case NotLoggedIn::Why::malformed:
            return challenge("malformed credentials", "the header Authorization is neither Basic nor Bearer as it should be");
        case NotLoggedIn::Why::wrong: return challenge("wrong credentials", "the name, password or token is wrong");
        case NotLoggedIn::Why::too_many_failures: break;
        case NotLoggedIn::Why::overloaded:
            return answer(Problem{
                503, "overloaded", "too many passwords are being checked at this moment", "try again in a few seconds, or use a token"});
    }
    const auto wait = std::chrono::ceil<std::chrono::seconds>(refusal.retry_after.value_or(std::chrono::seconds{1}));
    Response response = answer(Problem{
        429, "too many failures", fmt::format("too many wrong passwords came from this address; wait {} s", wait.count()),
        "use a token, or wait"});
    response.headers.emplace_back("Retry-After", std::to_string(wait.count()));
    return response;
}

/// Only JSON: a page of another site can make a browser send a form without asking, but not this.
std::optional<Response> unfit(const Request& request) {
    if (request.body.size() > longest_body) {
        return answer(Problem{
            413, "too large", fmt::format("the body has {} bytes; at most {} are read", request.body.size(), longest_body), "send less"});
    }
    if (request.method != "POST") return std::nullopt;
    const std::string type = lower(trim(std::string_view(request.content_type).substr(0, request.content_type.find(';'))));
    if (type == "application/json") return std::nullopt;
    return answer(Problem{415, "not JSON", "a POST must say Content-Type: application/json", "send the header, and a JSON object"});
}

}  // namespace

Routes::Routes(control::Service& service, Authentication& authentication, Log& log)
    : service_{service}, authentication_{authentication}, log_{log} {}

const std::vector<Routes::Route>& Routes::table() {
    static const std::vector<Route> all = [] {
        std::vector<Route> routes{
            {"GET", "/v1/status", &Routes::status},
            {"GET", "/v1/check", &Routes::check},
            {"GET", "/v1/explain", &Routes::explain},
            {"GET", "/v1/recording", &Routes::recording},
            {"GET", "/v1/events", &Routes::events},
            {"GET", "/v1/operations", &Routes::operations},
            {"GET", "/v1/version", &Routes::version},
            {"POST", "/v1/cancel", &Routes::cancel},
            {"POST", "/v1/acknowledge", &Routes::acknowledge},
            {"GET", "/v1/verify", &Routes::readiness},
            {"POST", "/v1/verify", &Routes::verify},
        };
        for (const OrderPath& it : order_paths()) routes.push_back({"POST", it.path, &Routes::order});
        for (const StandingPath& it : standing_paths()) routes.push_back({"POST", it.path, &Routes::standing_order});
        return routes;
    }();
    return all;
}

asio::awaitable<Response> Routes::answer(Request request) {
    std::string failed;
    try {
        co_return co_await dispatch(std::move(request));
    } catch (const boost::system::system_error& error) {
        if (error.code() == asio::error::operation_aborted) throw;
        failed = error.what();
    } catch (const std::exception& error) {
        failed = error.what();
    }
    log_.write(Level::error, "request_failed", {{"error", failed}});  // a defect of ours: the client gets no inner words
    co_return api::answer(Problem{500, "failed", "the request failed inside the daemon", "look at the daemon's log"});
}

asio::awaitable<Response> Routes::dispatch(Request request) {
    if (request.method == "GET" && request.path == "/openapi.yaml") {
        co_return Response{.status = 200, .content_type = "application/yaml", .body = std::string(openapi_text())};
    }
    Login login = co_await authentication_.log_in(request.authorization, request.from);
    if (const auto* refusal = std::get_if<NotLoggedIn>(&login)) co_return not_logged_in(*refusal);

    std::string allowed;
    for (const Route& route : table()) {
        if (route.path != request.path) continue;
        if (route.method == request.method) {
            if (auto response = unfit(request)) co_return std::move(*response);
            const Handler handler = route.handler;
            co_return co_await (this->*handler)(std::move(request), std::get<control::Caller>(std::move(login)));
        }
        allowed += (allowed.empty() ? "" : ", ") + std::string(route.method);
    }
    if (request.path == "/openapi.yaml") allowed = "GET";
    if (allowed.empty())
        co_return api::answer(Problem{404, "not found", "there is nothing at this path", "the paths are in /openapi.yaml"});
    Response response = api::answer(
        Problem{405, "method not allowed", fmt::format("this path answers {} only", allowed), "the methods are in /openapi.yaml"});
    response.headers.emplace_back("Allow", allowed);
    co_return response;
}

asio::awaitable<Response> Routes::status(Request request, control::Caller caller) {
    const auto query = Query::parse(request.query, {"cluster"});
    if (!query) co_return failure(query.error());
    co_return json_or_problem(service_.status(caller, query->text("cluster")));
}

asio::awaitable<Response> Routes::check(Request request, control::Caller caller) {
    const auto query = Query::parse(request.query, {"cluster"});
    if (!query) co_return failure(query.error());
    co_return json_or_problem(service_.check(caller, query->text("cluster")));
}

asio::awaitable<Response> Routes::events(Request request, control::Caller caller) {
    const auto query = Query::parse(request.query, {"cluster", "count"});
    if (!query) co_return failure(query.error());
    const auto count = query->count("count", usual_events, control::most_events);
    if (!count) co_return failure(count.error());
    const auto found = co_await service_.events(std::move(caller), query->text("cluster"), *count);
    if (!found) co_return failure(found.error());
    control::Json rows = control::Json::array();
    for (const saved::Event& event : *found) rows.push_back(control::to_json(event));
    co_return json(control::Json{{"events", std::move(rows)}});
}

/// The last ones, or one by its number.
asio::awaitable<Response> Routes::operations(Request request, control::Caller caller) {
    constexpr std::size_t highest = std::numeric_limits<std::int64_t>::max();
    const auto query = Query::parse(request.query, {"cluster", "count", "id"});
    if (!query) co_return failure(query.error());
    const auto count = query->count("count", usual_operations, control::most_operations);
    if (!count) co_return failure(count.error());
    if (query->text("id")) {
        const auto id = query->count("id", 1, highest);
        if (!id) co_return failure(id.error());
        co_return json_or_problem(co_await service_.operation(std::move(caller), query->text("cluster"), *id));
    }
    const auto found = co_await service_.operations(std::move(caller), query->text("cluster"), *count);
    if (!found) co_return failure(found.error());
    control::Json rows = control::Json::array();
    for (const engine::OperationReport& it : *found) rows.push_back(control::to_json(it));
    co_return json(control::Json{{"operations", std::move(rows)}});
}

asio::awaitable<Response> Routes::explain(Request request, control::Caller caller) {
    const auto query = Query::parse(request.query, {"cluster", "if", "back"});
    if (!query) co_return failure(query.error());
    const auto condition = query->text("if");
    if (condition && *condition != "primary-died")
        co_return failure(Error{ErrorKind::invalid, "if: the only thing that can be assumed is primary-died"});
    const auto back = query->count("back", 0, control::most_events);
    if (!back) co_return failure(back.error());
    const auto recording = service_.recording(caller, query->text("cluster"));
    if (!recording) co_return failure(recording.error());
    const auto explained = control::explain(*recording, {.if_primary_died = condition.has_value(), .back = *back});
    co_return explained ? json(explained->json) : failure(explained.error());
}

asio::awaitable<Response> Routes::recording(Request request, control::Caller caller) {
    const auto query = Query::parse(request.query, {"cluster"});
    if (!query) co_return failure(query.error());
    const auto recording = service_.recording(caller, query->text("cluster"));
    if (!recording) co_return failure(recording.error());
    co_return Response{.status = 200, .content_type = "application/json", .body = saved::to_text(*recording)};
}

asio::awaitable<Response> Routes::version(Request request, control::Caller caller) {
    const auto query = Query::parse(request.query, {});
    if (!query) co_return failure(query.error());
    co_return json_or_problem(service_.version(caller));
}

asio::awaitable<Response> Routes::order(Request request, control::Caller caller) {
    const auto query = Query::parse(request.query, {"cluster"});
    if (!query) co_return failure(query.error());
    const auto path = std::ranges::find(order_paths(), request.path, &OrderPath::path);
    ensure(path != order_paths().end(), "only the paths of orders lead here");
    auto body = path->parse(request.body);
    if (!body) co_return failure(body.error());
    const auto done = co_await service_.order(std::move(caller), query->text("cluster"), std::move(body->what), body->dry_run);
    co_return json_or_problem(done);
}

asio::awaitable<Response> Routes::cancel(Request request, control::Caller caller) {
    const auto query = Query::parse(request.query, {"cluster"});
    if (!query) co_return failure(query.error());
    const auto operation = parse_cancel_body(request.body);
    if (!operation) co_return failure(operation.error());
    const auto done = service_.cancel(caller, query->text("cluster"), *operation);
    if (!done) co_return failure(done.error());
    co_return json(control::Json{{"called_off", *operation}});
}

asio::awaitable<Response> Routes::acknowledge(Request request, control::Caller caller) {
    const auto query = Query::parse(request.query, {"cluster"});
    if (!query) co_return failure(query.error());
    if (const auto body = parse_empty_body(request.body); !body) co_return failure(body.error());
    const auto done = co_await service_.acknowledge(std::move(caller), query->text("cluster"));
    if (!done) co_return failure(done.error());
    co_return json(control::Json{{"acknowledged", true}});
}

asio::awaitable<Response> Routes::standing_order(Request request, control::Caller caller) {
    const auto query = Query::parse(request.query, {"cluster"});
    if (!query) co_return failure(query.error());
    const auto known = std::ranges::find(standing_paths(), request.path, &StandingPath::path);
    ensure(known != standing_paths().end(), "only the paths of standing orders lead here");
    auto order = known->parse(request.body);
    if (!order) co_return failure(order.error());
    co_return json_or_problem(co_await service_.obey(std::move(caller), query->text("cluster"), std::move(order->what)));
}

asio::awaitable<Response> Routes::verify(Request request, control::Caller caller) {
    const auto query = Query::parse(request.query, {"cluster", "server"});
    if (!query) co_return failure(query.error());
    if (const auto body = parse_empty_body(request.body); !body) co_return failure(body.error());
    co_return json_or_problem(co_await service_.verify(std::move(caller), query->text("cluster"), query->text("server")));
}

asio::awaitable<Response> Routes::readiness(Request request, control::Caller caller) {
    const auto query = Query::parse(request.query, {"cluster", "server"});
    if (!query) co_return failure(query.error());
    co_return json_or_problem(service_.readiness(caller, query->text("cluster"), query->text("server")));
}

}  // namespace handyrep::api
