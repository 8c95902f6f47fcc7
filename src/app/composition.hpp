// app/composition.hpp — the parts of a daemon, put together: the only place that names concrete adapters.
//
// Members stand in the order in which they are made; they end in the reverse, so that nobody outlives what it uses.
#pragma once

#include "adapters/files/file_store.hpp"
#include "adapters/postgres/postgres_inspector.hpp"
#include "adapters/postgres/postgres_server.hpp"
#include "adapters/ssh/shell_copier.hpp"
#include "adapters/ssh/shell_host.hpp"
#include "adapters/ssh/shell_inspector.hpp"
#include "api/authentication.hpp"
#include "api/routes.hpp"
#include "api/server.hpp"
#include "base/log.hpp"
#include "config/configuration.hpp"
#include "control/service.hpp"
#include "control/source.hpp"
#include "engine/cluster.hpp"
#include "ports/clock.hpp"

#include <boost/asio/io_context.hpp>

#include <memory>
#include <string>
#include <vector>

namespace handyrep::app {

class Composition {
public:
    /// Blocks (files, hashing), and listens at the end; nothing runs yet. Fails with `conflict` when another daemon has the
    /// state_dir, with `failed` when it cannot be used or the port is taken. `loop`, `clock` and `log` outlive it.
    static Result<std::unique_ptr<Composition>> make(
        const config::Configuration& configuration, const control::Versions& versions, asio::io_context& loop, ports::Clock& clock,
        Log& log);

    [[nodiscard]] engine::Cluster& cluster() { return *cluster_; }
    [[nodiscard]] api::Server& server() { return *server_; }
    [[nodiscard]] const api::TokenLogin& cli_login() const { return cli_login_; }

    void replace_credentials(api::Credentials credentials);

private:
    struct Node {
        std::unique_ptr<adapters::ssh::ShellHost> host;
        std::unique_ptr<adapters::postgres::PostgresServer> postgres;
        std::unique_ptr<adapters::postgres::PostgresInspector> database_inspector;
        std::unique_ptr<adapters::ssh::ShellInspector> host_inspector;
        std::unique_ptr<adapters::ssh::ShellCopier> copier;
    };

    Composition(api::TokenLogin cli_login, std::unique_ptr<ports::Store> store)
        : cli_login_{std::move(cli_login)}, store_{std::move(store)} {}
    void add_nodes(const config::Configuration& configuration, asio::io_context& loop, ports::Clock& clock, Log& log);

    api::TokenLogin cli_login_;
    std::unique_ptr<ports::Store> store_;
    std::vector<Node> nodes_;
    std::unique_ptr<engine::Cluster> cluster_;
    std::unique_ptr<control::EngineSource> source_;
    std::unique_ptr<control::Service> service_;
    std::unique_ptr<api::Authentication> authentication_;
    std::unique_ptr<api::Routes> routes_;
    std::unique_ptr<api::Server> server_;
};

[[nodiscard]] api::ConfiguredPasswords login_passwords(const config::Configuration& configuration);

}  // namespace handyrep::app
