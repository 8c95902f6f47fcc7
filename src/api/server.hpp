// api/server.hpp — the HTTP side: a socket, and Routes behind it, on the daemon's own event loop.
#pragma once

#include "api/routes.hpp"
#include "base/log.hpp"

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace handyrep::api {

struct Listen {
    std::string host;        // an address, or "localhost"
    std::uint16_t port = 0;  // 0: any free one
};

class Server {
public:
    /// `loop` is run by one thread only. `routes` and `log` outlive the server, the server dies before the loop.
    Server(asio::io_context& loop, Listen listen, Routes& routes, Log& log);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// The port it listens on. Fails with `failed` (the port is taken, the address is not ours) and says what to do.
    Result<std::uint16_t> open();
    /// No new connections and requests; those that are being answered go on.
    void close();
    /// Answers what is left with 503: the caller knows that nobody works on it any more.
    void end_answers();
    [[nodiscard]] std::size_t being_answered() const;

private:
    class Http;
    std::unique_ptr<Http> http_;
};

}  // namespace handyrep::api
