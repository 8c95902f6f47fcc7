// ports/inspector.hpp — what `verify` asks of one server, over SQL and on its host.
//
// Changes nothing that stays. Sessions and shells of its own, opened for one look and closed after it: a look that hangs
// delays neither a poll nor a fence. Error kinds as in ports/postgres.hpp.
#pragma once

#include "base/secret.hpp"
#include "base/time.hpp"
#include "model/readiness.hpp"
#include "ports/async.hpp"

#include <cstdint>
#include <string>

namespace handyrep::ports {

/// How far a look goes: `brief` leaves out what costs the server more than reading memory.
enum class Depth { brief, full };

class DatabaseInspector {
public:
    DatabaseInspector() = default;
    DatabaseInspector(const DatabaseInspector&) = delete;
    DatabaseInspector& operator=(const DatabaseInspector&) = delete;
    virtual ~DatabaseInspector() = default;

    virtual Async<model::DatabaseInspection> inspect(Depth depth, Instant deadline) = 0;
};

/// Where and how one host shall try to open a replication connection.
struct LoginQuestion {
    model::ServerName to;
    std::string hostname;
    std::uint16_t port;
    std::string conninfo;  // the rest, without host, port and password
    Secret password;       // empty: what the node's own passfile says
    model::SystemId expected;
};

class HostInspector {
public:
    HostInspector() = default;
    HostInspector(const HostInspector&) = delete;
    HostInspector& operator=(const HostInspector&) = delete;
    virtual ~HostInspector() = default;

    /// Files and folders that it makes to see whether it may are gone when it answers.
    virtual Async<model::HostInspection> inspect(Instant deadline) = 0;

    /// The fence of ports/host.hpp with every deed replaced by the question whether it could be done.
    virtual Async<model::FenceDrill> drill(model::SystemId expected, Instant deadline) = 0;

    /// What a lease would need there; arms none.
    virtual Async<model::LeaseDrill> drill_lease(Instant deadline) = 0;

    /// IDENTIFY_SYSTEM over a replication connection from this host, as the data directory's owner. Never an error.
    virtual asio::awaitable<model::LoginAttempt> try_login(const LoginQuestion& question, Instant deadline) = 0;

    /// Closes what the calls before have left open.
    virtual void done() = 0;
};

}  // namespace handyrep::ports
