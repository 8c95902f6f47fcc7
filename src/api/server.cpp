// One of the few files that include RESTinio: it costs some eleven seconds to compile.
#include "api/server.hpp"

#include "api/problem.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <restinio/all.hpp>

#include <list>
#include <set>
#include <utility>

namespace handyrep::api {

namespace {

constexpr std::size_t most_connections = 64;
constexpr std::size_t longest_url = 2048;
constexpr std::size_t longest_header = 8192;
constexpr std::size_t most_headers = 64;
// Between this and Routes' limit a client gets 413; beyond it the connection ends, so that nobody fills the memory.
constexpr std::uint64_t longest_body_read = 1 << 20;
constexpr std::chrono::seconds read_limit{15};  // of a whole request, and of an idle kept-alive connection
constexpr std::chrono::seconds write_limit{15};
// Every step of an operation has a limit of its own; this only frees a connection whose answer never comes.
constexpr std::chrono::minutes answer_limit{15};

/// Turns away whom there is no room for. Not RESTinio's own limiter: that one belongs to the acceptor, and a connection that is
/// still open at the end tells it so after it is gone.
class Room {
public:
    void state_changed(const restinio::connection_state::notice_t& notice) noexcept {
        const auto cause = notice.cause();
        if (restinio::holds_alternative<restinio::connection_state::accepted_t>(cause)) open_.insert(notice.connection_id());
        if (restinio::holds_alternative<restinio::connection_state::closed_t>(cause)) open_.erase(notice.connection_id());
    }
    [[nodiscard]] restinio::ip_blocker::inspection_result_t inspect(const restinio::ip_blocker::incoming_info_t& /*from*/) const noexcept {
        return open_.size() < most_connections ? restinio::ip_blocker::allow() : restinio::ip_blocker::deny();
    }

private:
    std::set<restinio::connection_id_t> open_;
};

struct Traits : restinio::default_single_thread_traits_t {
    // RESTinio asks for these names.
    using connection_state_listener_t = Room;  // NOLINT(readability-identifier-naming)
    using ip_blocker_t = Room;                 // NOLINT(readability-identifier-naming)
};
using HttpServer = restinio::http_server_t<Traits>;
using Handle = restinio::request_handle_t;

std::optional<asio::ip::address> address_of(const std::string& host) {
    if (host == "localhost") return asio::ip::address_v4::loopback();
    boost::system::error_code bad;
    const auto address = asio::ip::make_address(host, bad);
    if (bad) return std::nullopt;
    return address;
}

std::string remedy_for(const boost::system::error_code& code) {
    if (code == asio::error::address_in_use) return "another program listens there: stop it, or set handyrep.listen to a free port";
    if (code == asio::error::access_denied) return "ports below 1024 need a privilege: set handyrep.listen to a higher one";
    return "set handyrep.listen to an address of this machine";
}

Request request_of(const Handle& handle) {
    const auto& header = handle->header();
    Request request{
        .method = header.method().c_str(),
        .path = std::string(header.path()),
        .query = std::string(header.query()),
        .content_type = header.get_field_or(restinio::http_field::content_type, std::string{}),
        .body = handle->body(),
        .from = handle->remote_endpoint().address().to_string(),
    };
    if (header.has_field(restinio::http_field::authorization))
        request.authorization = header.get_field(restinio::http_field::authorization);
    return request;
}

void send(const Handle& handle, Response response) {
    const auto code = static_cast<std::uint16_t>(response.status);
    auto out =
        handle->create_response(restinio::http_status_line_t{restinio::http_status_code_t{code}, std::string(title_of(response.status))});
    out.append_header(restinio::http_field::content_type, std::move(response.content_type));
    out.append_header(restinio::http_field::cache_control, "no-store");
    out.append_header("X-Content-Type-Options", "nosniff");
    for (auto& [name, value] : response.headers) out.append_header(std::move(name), std::move(value));
    out.set_body(std::move(response.body));
    out.done();
}

Response stopping() {
    return answer(Problem{
        503, "stopping", "the daemon is stopping; an order may have been carried out, or be undone",
        "look at /v1/status after the next start"});
}

}  // namespace

class Server::Http {
public:
    Http(asio::io_context& loop, Listen listen, Routes& routes, Log& log)
        : loop_{loop}, listen_{std::move(listen)}, routes_{routes}, log_{log} {}

    Result<std::uint16_t> open() {
        const auto address = address_of(listen_.host);
        if (!address) return Error{ErrorKind::invalid, fmt::format("handyrep.listen: '{}' is not an IP address", listen_.host)};
        try {
            start(*address);
        } catch (const boost::system::system_error& error) {
            const std::string where =
                address->is_v6() ? fmt::format("[{}]:{}", listen_.host, listen_.port) : fmt::format("{}:{}", listen_.host, listen_.port);
            return Error{
                ErrorKind::failed, fmt::format("cannot listen on {}: {}; {}", where, error.code().message(), remedy_for(error.code()))};
        }
        return port_;
    }

    void close() {
        closed_ = true;
        if (server_) server_->close_sync();
    }

    void end_answers() {
        for (auto it = answers_->begin(); it != answers_->end();) {
            const auto answer = it++;  // it may end, and leave the list, within this call
            answer->emit(asio::cancellation_type::terminal);
        }
    }

    [[nodiscard]] std::size_t being_answered() const { return answers_->size(); }

private:
    void start(const asio::ip::address& address) {
        const auto room = std::make_shared<Room>();
        restinio::server_settings_t<Traits> settings;
        settings.port(listen_.port)
            .protocol(address.is_v6() ? asio::ip::tcp::v6() : asio::ip::tcp::v4())
            .address(address)
            .acceptor_post_bind_hook([this](asio::ip::tcp::acceptor& acceptor) {
                port_ = acceptor.local_endpoint().port();
                ::fcntl(acceptor.native_handle(), F_SETFD, FD_CLOEXEC);  // a program that we start must not keep our port
            })
            .connection_state_listener(room)
            .ip_blocker(room)
            .incoming_http_msg_limits(restinio::incoming_http_msg_limits_t{}
                                          .max_url_size(longest_url)
                                          .max_field_name_size(256)
                                          .max_field_value_size(longest_header)
                                          .max_field_count(most_headers)
                                          .max_body_size(longest_body_read))
            .read_next_http_message_timelimit(read_limit)
            .write_http_response_timelimit(write_limit)
            .handle_request_timeout(answer_limit)
            .request_handler([this](const Handle& handle) { return accept(handle); });
        server_ = std::make_unique<HttpServer>(restinio::external_io_context(loop_), std::move(settings));
        server_->open_sync();
    }

    restinio::request_handling_status_t accept(const Handle& handle) {
        if (closed_) {  // on a connection that was kept alive
            send(handle, stopping());
            return restinio::request_accepted();
        }
        const auto answer = answers_->emplace(answers_->end());
        const auto ended = [answers = answers_, answer](const std::exception_ptr& /*stopped*/) { answers->erase(answer); };
        asio::co_spawn(loop_, serve(routes_, log_, handle), asio::bind_cancellation_slot(answer->slot(), ended));
        return restinio::request_accepted();
    }

    /// By value and reference to what outlives it: the server object itself may be gone when a long answer comes.
    static asio::awaitable<void> serve(Routes& routes, Log& log, Handle handle) {
        std::string failed;
        try {
            Response response = co_await routes.answer(request_of(handle));
            send(handle, std::move(response));
        } catch (const boost::system::system_error&) {
            send(handle, stopping());  // Routes lets nothing out but operation_aborted
        } catch (const restinio::exception_t& error) {
            failed = error.what();
        }
        if (!failed.empty()) log.write(Level::warning, "answer_not_sent", {{"error", failed}});
    }

    asio::io_context& loop_;
    Listen listen_;
    Routes& routes_;
    Log& log_;
    std::uint16_t port_ = 0;
    bool closed_ = false;
    std::shared_ptr<std::list<asio::cancellation_signal>> answers_ = std::make_shared<std::list<asio::cancellation_signal>>();
    std::unique_ptr<HttpServer> server_;
};

Server::Server(asio::io_context& loop, Listen listen, Routes& routes, Log& log)
    : http_{std::make_unique<Http>(loop, std::move(listen), routes, log)} {}

Server::~Server() = default;

Result<std::uint16_t> Server::open() { return http_->open(); }

void Server::close() { http_->close(); }

void Server::end_answers() { http_->end_answers(); }

std::size_t Server::being_answered() const { return http_->being_answered(); }

}  // namespace handyrep::api
