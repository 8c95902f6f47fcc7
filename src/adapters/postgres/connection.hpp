// adapters/postgres/connection.hpp — one libpq connection on the event loop: opened, asked, listened to, closed.
//
// Nothing here blocks, every wait has a deadline by our own clock. One question at a time; an answer that is late stays
// with the connection and is read by the next `answer`. The last words of a dying server reach an idle connection only
// through the notice receiver, which is why one is installed on every connection.
#pragma once

#include "adapters/postgres/row.hpp"
#include "adapters/postgres/target.hpp"
#include "model/sighting.hpp"
#include "ports/clock.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <libpq-fe.h>

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace handyrep::adapters::postgres {

/// The question is not answered yet and stays with the connection.
struct Pending {};
struct Ended {
    model::LastWords words;
    std::string message;
};
using Outcome = std::variant<Reply, Pending, Ended>;

class Connection;
using Opened = std::variant<std::shared_ptr<Connection>, model::DialSight>;

class Connection {
public:
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() { close(); }

    /// Tells apart a network that is silent and a server that is (`connect_timeout`, `startup_timeout`). Whoever wants to go on waiting for
    /// a server that is only slow gives a place for the `unfinished` connection.
    static asio::awaitable<Opened> open(
        const Target& target, ports::Clock& clock, Instant deadline, std::shared_ptr<Connection>* unfinished = nullptr);
    static asio::awaitable<Opened> go_on(std::shared_ptr<Connection> unfinished, ports::Clock& clock, Instant deadline);

    /// Sends one statement; whether that went well is told by `answer`. Without parameters the simple protocol is used,
    /// the only one that replication connections know.
    void ask(const std::string& statement, const std::vector<std::string>& parameters = {});
    asio::awaitable<Outcome> answer(ports::Clock& clock, Instant deadline);

    /// Returns when there is something to read, or the connection was closed meanwhile. Told to stop first, it throws `operation_aborted`.
    asio::awaitable<void> readable();
    /// Reads what came unasked (or an answer that is late, which stays for `answer`). Not during `answer`. Nothing while the connection lives.
    [[nodiscard]] std::optional<Ended> hear();

    void close();
    [[nodiscard]] bool closed() const { return handle_ == nullptr; }
    [[nodiscard]] model::ServerVersion version() const { return version_; }
    /// The process at the server.
    [[nodiscard]] int backend() const { return handle_ == nullptr ? 0 : PQbackendPID(handle_); }

private:
    explicit Connection(const asio::any_io_executor& executor) : socket_{executor} {}

    asio::awaitable<std::optional<model::DialSight>> establish(ports::Clock& clock, Instant deadline);
    /// What was so right before libpq gave up.
    struct Before {
        bool connected = false;
        bool cut = false;
        std::string verdict{};  // on the server's certificate
    };
    [[nodiscard]] model::DialSight failure(const Before& before) const;
    asio::awaitable<bool> ready(asio::posix::descriptor_base::wait_type what, ports::Clock& clock, Instant deadline);
    asio::awaitable<bool> flushed(ports::Clock& clock, Instant deadline);
    [[nodiscard]] Ended ended();
    void note(const PGresult* result);
    static void on_notice(void* self, const PGresult* result);

    asio::posix::stream_descriptor socket_;  // lent by libpq, which closes it
    PGconn* handle_ = nullptr;
    PostgresPollingStatusType next_ = PGRES_POLLING_WRITING;  // what libpq waits for while it opens
    bool established_ = false;
    model::ServerVersion version_{0};
    std::optional<model::LastWords> words_;
    std::string words_message_;
};

/// Forgets libpq's environment variables, so that only the configuration says where and how to connect. Before any thread.
void clear_libpq_environment();

}  // namespace handyrep::adapters::postgres
