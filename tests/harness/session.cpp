#include "tests/harness/session.hpp"

#include "base/text.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <array>
#include <cerrno>

namespace handyrep::harness {
namespace {

/// False at the deadline.
bool wait_for_socket(int socket, short events, Moment deadline) {
    while (true) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - now()).count();
        if (left < 0) return false;
        pollfd watched{socket, events, 0};
        const int ready = ::poll(&watched, 1, static_cast<int>(left) + 1);
        if (ready > 0) return true;
        if (ready == 0 || errno != EINTR) return false;
    }
}

ErrorKind kind_of_refusal(std::string_view message) {
    for (const std::string_view sign : {"authentication failed", "no password supplied", "no pg_hba.conf entry", "password retrieved"}) {
        if (message.find(sign) != std::string_view::npos) return ErrorKind::denied;
    }
    for (const std::string_view sign : {"too many clients", "remaining connection slots", "the database system is"}) {
        if (message.find(sign) != std::string_view::npos) return ErrorKind::refused;
    }
    return ErrorKind::unreachable;
}

}  // namespace

Error Session::broken(const std::string& doing) const {
    const std::string message{trim(PQerrorMessage(connection_.get()))};
    return Error{kind_of_refusal(message), doing + ": " + (message.empty() ? "the connection ended" : message)};
}

Result<Session> Session::open(const Target& target, Duration limit) {
    const std::string port = std::to_string(target.port);
    const std::array<const char*, 12> keys{"host",     "hostaddr",         "port",       "user",    "password",       "dbname",
                                           "passfile", "application_name", "gssencmode", "sslmode", "client_encoding", "replication"};
    std::array<const char*, 13> words{};
    for (std::size_t at = 0; at < keys.size(); ++at) words.at(at) = keys.at(at);
    const std::array<const char*, 13> values{
        target.host.c_str(),
        target.host.starts_with('/') ? "" : target.host.c_str(),
        port.c_str(),
        target.user.c_str(),
        target.password.reveal().c_str(),
        target.database.c_str(),
        "/dev/null",
        target.application_name.c_str(),
        "disable",
        "disable",
        "UTF8",
        target.replication ? "true" : "",
        nullptr};
    const Moment deadline = now() + limit;
    Session session{PQconnectStartParams(words.data(), values.data(), 0)};
    PGconn* const connection = session.connection_.get();
    const std::string doing = fmt::format("connect to {}:{}", target.host, port);
    // libpq prints what a dying server says; here that is expected.
    PQsetNoticeProcessor(connection, [](void*, const char*) {}, nullptr);
    if (connection == nullptr || PQstatus(connection) == CONNECTION_BAD) return session.broken(doing);
    for (auto state = PGRES_POLLING_WRITING; state != PGRES_POLLING_OK; state = PQconnectPoll(connection)) {
        if (state == PGRES_POLLING_FAILED) return session.broken(doing);
        const short events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        if (!wait_for_socket(PQsocket(connection), events, deadline)) {
            return Error{ErrorKind::timed_out, fmt::format("{}: no session within {}", doing, text(limit))};
        }
    }
    return session;
}

Result<void> Session::send(const std::string& sql) {
    if (PQsendQuery(connection_.get(), sql.c_str()) != 1) return broken("send");
    return {};
}

Result<void> Session::wait_for_answer(Moment deadline) {
    PGconn* const connection = connection_.get();
    while (PQisBusy(connection) == 1) {
        if (!wait_for_socket(PQsocket(connection), POLLIN, deadline)) return Error{ErrorKind::timed_out, "no answer in time"};
        if (PQconsumeInput(connection) != 1) return broken("read");
    }
    return {};
}

Result<Rows> Session::query(const std::string& sql, Duration limit) {
    const Moment deadline = now() + limit;
    if (auto sent = send(sql); !sent) return sent.error();
    Rows rows;
    std::optional<Error> complaint;
    while (true) {
        if (auto there = wait_for_answer(deadline); !there) return there.error();
        const std::unique_ptr<PGresult, void (*)(PGresult*)> result{PQgetResult(connection_.get()), PQclear};
        if (result == nullptr) break;
        const auto status = PQresultStatus(result.get());
        if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY) {
            const char* const state = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
            const char* const message = PQresultErrorField(result.get(), PG_DIAG_MESSAGE_PRIMARY);
            if (state != nullptr) complaint = Error{ErrorKind::failed, fmt::format("{}: {}", state, message == nullptr ? "" : message)};
            if (!complaint) complaint = broken("query");
            continue;
        }
        rows.clear();
        for (int row = 0; row < PQntuples(result.get()); ++row) {
            auto& fields = rows.emplace_back();
            for (int column = 0; column < PQnfields(result.get()); ++column) fields.emplace_back(PQgetvalue(result.get(), row, column));
        }
    }
    if (complaint) return *complaint;
    return rows;
}

Result<std::string> Session::value(const std::string& sql, Duration limit) {
    auto rows = query(sql, limit);
    if (!rows) return rows.error();
    if (rows->size() != 1 || rows->front().empty())
        return Error{ErrorKind::failed, fmt::format("{} rows instead of one: {}", rows->size(), sql)};
    return rows->front().front();
}

std::string sql_literal(const std::string& text) {
    std::string quoted = "'";
    for (const char letter : text) quoted += letter == '\'' ? std::string{"''"} : std::string{letter};
    return quoted + "'";
}

}  // namespace handyrep::harness
