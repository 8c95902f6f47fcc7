// The one file that includes Boost.Beast.
#include "cli/client.hpp"

#include "base/text.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

#include <charconv>

namespace handyrep::cli {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr std::uint64_t longest_answer = std::uint64_t{16} << 20;

http::request<http::string_body> request_for(const Target& target, const Question& question) {
    http::request<http::string_body> request{http::string_to_verb(question.method), question.path, 11};
    request.set(http::field::host, target.text());
    request.set(http::field::user_agent, "handyrep");
    request.set(http::field::accept, "application/json");
    request.keep_alive(false);
    if (!target.token.empty()) request.set(http::field::authorization, "Bearer " + target.token.reveal());
    if (question.method == "POST") {
        request.set(http::field::content_type, "application/json");
        request.body() = question.body;
    }
    request.prepare_payload();
    return request;
}

asio::awaitable<Reply> exchange(const Target& target, const Question& question) {
    const auto executor = co_await asio::this_coro::executor;
    asio::ip::tcp::resolver resolver{executor};
    const auto addresses = co_await resolver.async_resolve(target.host, std::to_string(target.port), asio::use_awaitable);
    beast::tcp_stream stream{executor};
    stream.expires_never();  // the one deadline is the loop's
    co_await stream.async_connect(addresses, asio::use_awaitable);
    const auto request = request_for(target, question);
    co_await http::async_write(stream, request, asio::use_awaitable);
    beast::flat_buffer buffer;
    http::response_parser<http::string_body> parser;
    parser.body_limit(longest_answer);
    co_await http::async_read(stream, buffer, parser, asio::use_awaitable);
    co_return Reply{static_cast<int>(parser.get().result_int()), std::move(parser.get().body())};
}

Error failure(const Target& target, const std::exception_ptr& thrown) {
    std::string why;
    try {
        std::rethrow_exception(thrown);
    } catch (const boost::system::system_error& error) {
        why = error.code().message();
    }
    return Error{
        ErrorKind::unreachable,
        fmt::format(
            "the daemon does not answer at {} ({}): is it running (systemctl status handyrep), and does it listen there (handyrep.listen)?",
            target.text(), why)};
}

}  // namespace

std::string Target::text() const {
    return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port) : fmt::format("[{}]:{}", host, port);
}

Result<Reply> ask(const Target& target, const Question& question, Duration limit) {
    asio::io_context loop{1};
    std::exception_ptr thrown;
    std::optional<Reply> reply;
    asio::co_spawn(loop, exchange(target, question), [&](const std::exception_ptr& error, Reply answer) {
        thrown = error;
        if (!error) reply = std::move(answer);
    });
    loop.run_for(limit);
    if (thrown) return failure(target, thrown);
    if (!reply) {
        return Error{
            ErrorKind::timed_out,
            fmt::format(
                "the daemon at {} did not answer within {}: an order may still be carried out, look at `handyrep status` first",
                target.text(), handyrep::text(limit))};
    }
    return std::move(*reply);
}

Result<Target> parse_url(std::string_view url) {
    const auto refusal = [&](std::string_view why) { return Error{ErrorKind::invalid, fmt::format("--url: '{}' {}", url, why)}; };
    constexpr std::string_view scheme = "http://";
    if (lower(url).starts_with("https://"))
        return refusal("is https, which this version does not speak; use a tunnel to the daemon's address");
    if (!lower(url).starts_with(scheme)) return refusal("does not begin with http://");
    std::string_view rest = url.substr(scheme.size());
    if (rest.ends_with('/')) rest.remove_suffix(1);
    if (rest.find_first_of("/?#@") != std::string_view::npos) return refusal("has more than a host and a port");
    Target target;
    const auto bracket = rest.starts_with('[') ? rest.find(']') : std::string_view::npos;
    const auto colon = rest.find(':', bracket == std::string_view::npos ? 0 : bracket);
    target.host = std::string(bracket == std::string_view::npos ? rest.substr(0, colon) : rest.substr(1, bracket - 1));
    if (target.host.empty()) return refusal("has no host");
    if (colon == std::string_view::npos) return target;
    const std::string_view digits = rest.substr(colon + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), target.port);
    if (error != std::errc{} || end != digits.data() + digits.size() || target.port == 0)
        return refusal("has no port from 1 to 65535 behind the colon");
    return target;
}

std::string percent_encoded(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool plain =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
        out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
}

}  // namespace handyrep::cli
