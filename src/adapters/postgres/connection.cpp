#include "adapters/postgres/connection.hpp"

#include "adapters/postgres/classify.hpp"
#include "adapters/postgres/tls.hpp"
#include "base/ensure.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace handyrep::adapters::postgres {

using model::DialOutcome;
using model::DialSight;

namespace {

using Wait = asio::posix::descriptor_base;

struct ResultFree {
    void operator()(PGresult* result) const { PQclear(result); }
};
using ResultHandle = std::unique_ptr<PGresult, ResultFree>;

std::string field(const PGresult* result, int code) {
    const char* text = PQresultErrorField(result, code);
    return text == nullptr ? std::string{} : std::string{text};
}

bool is_connecting(const PGconn* handle) {
    const ConnStatusType status = PQstatus(handle);
    return status == CONNECTION_STARTED || status == CONNECTION_NEEDED;
}

int pending_error(int socket) {
    int number = 0;
    socklen_t size = sizeof number;
    if (getsockopt(socket, SOL_SOCKET, SO_ERROR, &number, &size) != 0) return errno;
    return number;
}

bool has_peer(int socket) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    void* const where = &address;
    return getpeername(socket, static_cast<sockaddr*>(where), &size) == 0;
}

/// Whether the other side has closed or reset, looked at without taking anything away from libpq.
bool is_cut(int socket) {
    char byte = 0;
    const ssize_t got = recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

/// connect() can fail inside libpq before there is a socket to ask; then only the system's words are left, in the C locale of this process.
std::optional<int> errno_in(std::string_view message) {
    constexpr std::array<int, 8> numbers{ECONNREFUSED, ENOENT, EHOSTUNREACH, ENETUNREACH, EADDRNOTAVAIL, ECONNRESET, ETIMEDOUT, EACCES};
    for (const int number : numbers) {
        if (message.find(std::strerror(number)) != std::string_view::npos) return number;
    }
    return std::nullopt;
}

PGconn* start(const Target& target) {
    std::vector<const char*> keywords;
    std::vector<const char*> values;
    const auto give = [&](const char* keyword, const char* value) {
        if (*value == '\0') return;
        keywords.push_back(keyword);
        values.push_back(value);
    };
    give("host", target.host.c_str());
    give("hostaddr", target.address.c_str());
    give("port", target.port.c_str());
    give("user", target.user.c_str());
    give("dbname", target.database.c_str());
    give("password", target.password.reveal().c_str());
    give("application_name", target.application_name.c_str());
    give("client_encoding", "UTF8");
    give("gssencmode", "disable");
    give("keepalives_idle", "5");
    give("keepalives_interval", "2");
    give("keepalives_count", "3");
    give("tcp_user_timeout", "15000");
    // A question that was given up must not work on for ever at the server's side.
    give("options", "-c statement_timeout=30s -c search_path=pg_catalog");
    if (target.replication) give("replication", "true");
    // Later ones win in libpq, so what the configuration says stands last.
    for (const auto& [keyword, value] : target.options) give(keyword.c_str(), value.c_str());
    keywords.push_back(nullptr);
    values.push_back(nullptr);
    return PQconnectStartParams(keywords.data(), values.data(), 0);
}

Reply rows_of(const PGresult* result) {
    Reply out;
    const int columns = PQnfields(result);
    for (int row = 0; row < PQntuples(result); ++row) {
        Row& values = out.rows.emplace_back();
        for (int column = 0; column < columns; ++column) {
            auto& value = values[PQfname(result, column)];
            if (PQgetisnull(result, row, column) != 0) continue;
            value = std::string(PQgetvalue(result, row, column), static_cast<std::size_t>(PQgetlength(result, row, column)));
        }
    }
    return out;
}

}  // namespace

asio::awaitable<Opened> Connection::open(
    const Target& target, ports::Clock& clock, Instant deadline, std::shared_ptr<Connection>* unfinished) {
    const std::shared_ptr<Connection> connection{new Connection(co_await asio::this_coro::executor)};
    connection->handle_ = start(target);
    ensure(connection->handle_ != nullptr, "there is memory for a connection");
    PQsetErrorVerbosity(connection->handle_, PQERRORS_VERBOSE);
    PQsetNoticeReceiver(connection->handle_, &Connection::on_notice, connection.get());
    Opened opened = co_await go_on(connection, clock, deadline);
    const auto* const failed = std::get_if<DialSight>(&opened);
    if (unfinished != nullptr) *unfinished = failed != nullptr && failed->outcome == DialOutcome::startup_timeout ? connection : nullptr;
    co_return opened;
}

asio::awaitable<Opened> Connection::go_on(std::shared_ptr<Connection> unfinished, ports::Clock& clock, Instant deadline) {
    Connection& it = *unfinished;
    if (!it.established_) {
        auto failed = co_await it.establish(clock, deadline);
        if (failed) co_return std::move(*failed);
        it.established_ = true;
        PQsetnonblocking(it.handle_, 1);
        it.version_ = model::ServerVersion{PQserverVersion(it.handle_)};
        it.socket_.assign(PQsocket(it.handle_));
    }
    co_return unfinished;
}

asio::awaitable<std::optional<DialSight>> Connection::establish(ports::Clock& clock, Instant deadline) {
    if (PQstatus(handle_) == CONNECTION_BAD) co_return failure({});
    while (next_ != PGRES_POLLING_OK) {
        const int socket = PQsocket(handle_);
        if (socket < 0) co_return failure({});
        // libpq may close the socket and open another one in each call, so Asio has it only while it waits.
        socket_.assign(socket);
        const bool in_time = co_await ready(next_ == PGRES_POLLING_READING ? Wait::wait_read : Wait::wait_write, clock, deadline);
        if (socket_.is_open()) socket_.release();
        if (!in_time) {
            const bool answered = !is_connecting(handle_) || has_peer(socket);
            co_return answered ? DialSight{DialOutcome::startup_timeout, "connected, but the server said nothing in time"}
                               : DialSight{DialOutcome::connect_timeout, "no answer to the connect in time"};
        }
        Before before{.connected = !is_connecting(handle_)};
        if (!before.connected) {
            if (const int number = pending_error(socket); number != 0) co_return DialSight{outcome_of_errno(number), std::strerror(number)};
        } else {
            before.cut = is_cut(socket);
        }
        forget_tls_verdict();
        next_ = PQconnectPoll(handle_);
        if (next_ == PGRES_POLLING_FAILED) {
            before.verdict = tls_verdict();
            co_return failure(before);
        }
    }
    co_return std::nullopt;
}

/// TLS is spoken only with somebody who answered, so that what goes wrong in it is no sign of death, and is asked for before the
/// system's errors: "certificate file: Permission denied" is our own trouble, not that of the network.
DialSight Connection::failure(const Before& before) const {
    const std::string_view message = PQerrorMessage(handle_);
    if (const auto said = server_said(message)) return {outcome_of_sqlstate(said->sqlstate, said->message), said->message};
    if (before.cut) return {DialOutcome::reset, "the connection was cut before the server accepted it"};
    if (PQconnectionNeedsPassword(handle_) != 0)
        return {DialOutcome::authentication_failed, "the server wants a password and there is none"};
    if (auto trouble = before.connected ? tls_trouble(message, before.verdict) : std::nullopt)
        return {DialOutcome::tls_failed, *std::move(trouble)};
    const std::string words = first_line(message);
    if (const auto number = errno_in(message)) return {outcome_of_errno(*number), words};
    if (message.find("could not translate host name") != std::string_view::npos) return {DialOutcome::name_not_resolved, words};
    return {DialOutcome::other_refusal, words};
}

namespace {

/// A wait whose end is seen by looking at the socket, so that closing it elsewhere ends the race, too.
asio::awaitable<void> wait_for(asio::posix::stream_descriptor& socket, Wait::wait_type what) {
    boost::system::error_code ignored;
    co_await socket.async_wait(what, asio::redirect_error(asio::use_awaitable, ignored));
}

asio::awaitable<void> throw_if_stopped() {
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) throw boost::system::system_error{asio::error::operation_aborted};
}

}  // namespace

asio::awaitable<bool> Connection::ready(Wait::wait_type what, ports::Clock& clock, Instant deadline) {
    using namespace asio::experimental::awaitable_operators;
    const auto first = co_await (wait_for(socket_, what) || clock.sleep_until(deadline));
    co_await throw_if_stopped();
    co_return first.index() == 0;
}

asio::awaitable<void> Connection::readable() {
    co_await wait_for(socket_, Wait::wait_read);
    co_await throw_if_stopped();
}

void Connection::ask(const std::string& statement, const std::vector<std::string>& parameters) {
    if (closed()) return;
    if (parameters.empty()) {
        PQsendQuery(handle_, statement.c_str());
        return;
    }
    std::vector<const char*> values;
    values.reserve(parameters.size());
    for (const std::string& parameter : parameters) values.push_back(parameter.c_str());
    PQsendQueryParams(handle_, statement.c_str(), static_cast<int>(values.size()), nullptr, values.data(), nullptr, nullptr, 0);
}

asio::awaitable<bool> Connection::flushed(ports::Clock& clock, Instant deadline) {
    while (!closed() && PQflush(handle_) == 1) {
        if (!co_await ready(Wait::wait_write, clock, deadline)) co_return false;
    }
    co_return true;
}

asio::awaitable<Outcome> Connection::answer(ports::Clock& clock, Instant deadline) {
    const bool sent = co_await flushed(clock, deadline);
    if (!sent) co_return Pending{};
    Reply reply;
    for (;;) {
        while (!closed() && PQisBusy(handle_) != 0) {
            const bool in_time = co_await ready(Wait::wait_read, clock, deadline);
            if (!in_time) co_return Pending{};
            if (closed() || PQconsumeInput(handle_) == 0) co_return ended();
        }
        if (closed()) co_return ended();
        const ResultHandle result{PQgetResult(handle_)};
        if (!result) break;
        const ExecStatusType status = PQresultStatus(result.get());
        if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
            reply = rows_of(result.get());
            continue;
        }
        note(result.get());
        reply.refusal = Refusal{
            field(result.get(), PG_DIAG_SQLSTATE), field(result.get(), PG_DIAG_MESSAGE_PRIMARY),
            field(result.get(), PG_DIAG_SEVERITY_NONLOCALIZED)};
        // A session that is being ended says nothing more; the end of its socket need not be waited for.
        if (reply.refusal->ends_session() || PQstatus(handle_) == CONNECTION_BAD) co_return ended();
    }
    if (PQstatus(handle_) == CONNECTION_BAD) co_return ended();
    co_return reply;
}

std::optional<Ended> Connection::hear() {
    if (closed()) return ended();
    const bool alive = PQconsumeInput(handle_) != 0;
    PQisBusy(handle_);  // reads what was consumed: notices go to the receiver, a late answer stays
    if (!alive || words_ || PQstatus(handle_) == CONNECTION_BAD) return ended();
    while (PGnotify* notification = PQnotifies(handle_)) PQfreemem(notification);
    return std::nullopt;
}

Ended Connection::ended() {
    // A question was under way: what the server said last is then an answer, not a notice. The socket is gone, so nothing waits here.
    if (!closed() && PQstatus(handle_) == CONNECTION_BAD) {
        while (const ResultHandle result{PQgetResult(handle_)}) note(result.get());
    }
    return {words_.value_or(model::LastWords::none), words_message_};
}

void Connection::note(const PGresult* result) {
    const std::string sqlstate = field(result, PG_DIAG_SQLSTATE);
    const std::string severity = field(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    const auto words = words_of(sqlstate, field(result, PG_DIAG_SOURCE_FUNCTION));
    // 57014 and its like are ordinary errors; a dying backend warns (quickdie) or ends with FATAL.
    const bool dying = severity == "FATAL" || severity == "PANIC" || (words && severity != "ERROR");
    if (!dying) return;
    words_ = words.value_or(model::LastWords::other);
    words_message_ = field(result, PG_DIAG_MESSAGE_PRIMARY);
}

void Connection::on_notice(void* self, const PGresult* result) { static_cast<Connection*>(self)->note(result); }

void Connection::close() {
    // Released first: the number of the socket may belong to somebody else as soon as libpq has closed it.
    if (socket_.is_open()) socket_.release();
    if (handle_ != nullptr) PQfinish(std::exchange(handle_, nullptr));
}

void clear_libpq_environment() {
    PQconninfoOption* const defaults = PQconndefaults();
    for (const PQconninfoOption* it = defaults; it != nullptr && it->keyword != nullptr; ++it) {
        if (it->envvar != nullptr) unsetenv(it->envvar);
    }
    if (defaults != nullptr) PQconninfoFree(defaults);
    for (const char* name :
         {"PGSERVICEFILE", "PGSYSCONFDIR", "PGLOCALEDIR", "PGTZ", "PGDATESTYLE", "PGGEQO", "PGSERVICE", "PGREQUIRESSL"}) {
        unsetenv(name);
    }
}

}  // namespace handyrep::adapters::postgres
