// tests/harness/session.hpp — one connection to PostgreSQL, with our own millisecond limits (libpq's own begin at two seconds).
#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"
#include "base/time.hpp"
#include "tests/harness/moment.hpp"

#include <libpq-fe.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace handyrep::harness {

struct Target {
    std::uint16_t port;
    std::string user = "postgres";
    Secret password{};
    std::string database = "postgres";
    std::string application_name = "harness";
    std::string host = "127.0.0.1";  // an address, or the folder of a socket
    bool replication = false;        // a session of a WAL sender
};

using Rows = std::vector<std::vector<std::string>>;  // NULL is the empty text

/// Errors begin with the SQLSTATE where the server gave one ("25006: cannot execute INSERT in a read-only transaction").
class Session {
public:
    static Result<Session> open(const Target& target, Duration limit = std::chrono::seconds{5});

    /// After `timed_out` the statement may still be carried out; the session is of no use then.
    Result<Rows> query(const std::string& sql, Duration limit = std::chrono::seconds{10});
    /// The first column of the only row.
    Result<std::string> value(const std::string& sql, Duration limit = std::chrono::seconds{10});
    /// Sends and does not wait.
    Result<void> send(const std::string& sql);

    [[nodiscard]] int backend() const { return PQbackendPID(connection_.get()); }

private:
    struct Finish {
        void operator()(PGconn* connection) const { PQfinish(connection); }
    };
    explicit Session(PGconn* connection) : connection_{connection} {}
    [[nodiscard]] Error broken(const std::string& doing) const;
    Result<void> wait_for_answer(Moment deadline);

    std::unique_ptr<PGconn, Finish> connection_;
};

/// Texts of SQL; everything else that the harness puts into a statement is a number.
std::string sql_literal(const std::string& text);

}  // namespace handyrep::harness
