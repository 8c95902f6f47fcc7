// adapters/postgres/dialler.hpp — from a host name to a connection. Names are resolved beside the dials, never in front of
// them: once an address was good it is used at once, and a resolver that fails or hangs costs nothing.
#pragma once

#include "adapters/postgres/connection.hpp"
#include "adapters/postgres/target.hpp"
#include "ports/clock.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <string>
#include <vector>

namespace handyrep::adapters::postgres {

class Dialler {
public:
    Dialler(asio::any_io_executor executor, ports::Clock& clock, Target target);

    /// `unfinished`: see `Connection::open`.
    asio::awaitable<Opened> dial(Instant deadline, std::shared_ptr<Connection>* unfinished = nullptr);
    /// For a connection of another kind to the same server; its address is the last good one, empty when there is none yet.
    [[nodiscard]] Target replication_target() const;

private:
    struct Names;  // outlives this object while a look-up is under way

    asio::awaitable<std::vector<std::string>> addresses(Instant deadline);
    static asio::awaitable<void> look_up(std::shared_ptr<Names> names);

    asio::any_io_executor executor_;
    ports::Clock& clock_;
    Target target_;
    std::shared_ptr<Names> names_;  // nothing when the host is an address or a socket's directory
    std::string good_;
};

}  // namespace handyrep::adapters::postgres
