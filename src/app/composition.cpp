#include "app/composition.hpp"

#include <fmt/format.h>

#include <utility>

namespace handyrep::app {

namespace {

/// By libpq's keywords. It reads the files anew for each connection, so that a renewed certificate needs no restart.
std::vector<std::pair<std::string, std::string>> libpq_options(const config::Tls& tls) {
    return {
        {"sslmode", std::string(word_for(tls.mode))},
        {"sslrootcert", tls.root_certificate},
        {"sslcert", tls.certificate},
        {"sslkey", tls.key}};
}

adapters::postgres::PostgresSettings postgres_settings(const config::Configuration& configuration, const model::ServerDefinition& server) {
    adapters::postgres::PostgresSettings settings{.server = server};
    settings.password = configuration.passwords.superuser;
    settings.connect_timeout = configuration.cluster.failover.connect_timeout;
    settings.replication_user = configuration.replication_user;
    settings.replication_password = configuration.passwords.replication;
    settings.options = libpq_options(configuration.tls.at(server.name));
    return settings;
}

/// Its sessions are not the polls': whoever looks at pg_stat_activity sees which is which.
adapters::postgres::PostgresSettings inspector_settings(adapters::postgres::PostgresSettings settings) {
    settings.application_name += " verify";
    return settings;
}

Result<std::unique_ptr<ports::Store>> open_files(const config::Configuration& configuration, ports::Clock& clock, Log& log) {
    adapters::files::Options options;
    options.folder = configuration.state_dir;
    auto opened = adapters::files::open_store(clock, options);
    if (!opened) return opened.error();
    for (const std::string& warning : opened->warnings) log.write(Level::warning, "state_damaged", {{"text", warning}});
    return std::unique_ptr<ports::Store>(std::move(opened->store));
}

}  // namespace

api::ConfiguredPasswords login_passwords(const config::Configuration& configuration) {
    return {.admin = configuration.passwords.admin, .read = configuration.passwords.read};
}

Result<std::unique_ptr<Composition>> Composition::make(
    const config::Configuration& configuration, const control::Versions& versions, asio::io_context& loop, ports::Clock& clock, Log& log) {
    auto store = open_files(configuration, clock, log);
    if (!store) return store.error().during(fmt::format("open the state directory {}", configuration.state_dir));
    auto credentials = api::read_credentials(configuration.state_dir, login_passwords(configuration));
    if (!credentials) return credentials.error();
    if (credentials->password_made_in)
        log.write(Level::warning, "admin_password_made", {{"file", *credentials->password_made_in}, {"user", "admin"}});
    auto cli_login = api::make_cli_token(configuration.state_dir);
    if (!cli_login) return cli_login.error();

    std::unique_ptr<Composition> it(new Composition(*cli_login, std::move(*store)));
    it->add_nodes(configuration, loop, clock, log);
    it->source_ = std::make_unique<control::EngineSource>(*it->cluster_);
    it->service_ = std::make_unique<control::Service>(clock, versions);
    it->service_->add(configuration.cluster.name, *it->source_);
    credentials->tokens.push_back(std::move(*cli_login));
    it->authentication_ = std::make_unique<api::Authentication>(loop.get_executor(), clock, log, std::move(*credentials));
    it->routes_ = std::make_unique<api::Routes>(*it->service_, *it->authentication_, log);
    api::Listen listen{.host = configuration.listen.host, .port = configuration.listen.port};
    it->server_ = std::make_unique<api::Server>(loop, std::move(listen), *it->routes_, log);
    if (auto port = it->server_->open(); !port) return port.error();
    return it;
}

/// One thread runs the loop, so its executor is the cluster's strand.
void Composition::add_nodes(const config::Configuration& configuration, asio::io_context& loop, ports::Clock& clock, Log& log) {
    engine::Surroundings surroundings{.clock = clock, .store = *store_, .log = log, .servers = {}};
    for (const model::ServerDefinition& server : configuration.cluster.servers) {
        Node node;
        const adapters::ssh::ShellHostSettings host_settings{.server = server};
        const auto database_settings = postgres_settings(configuration, server);
        node.host = std::make_unique<adapters::ssh::ShellHost>(host_settings, loop.get_executor(), clock, log);
        node.postgres =
            std::make_unique<adapters::postgres::PostgresServer>(database_settings, loop.get_executor(), clock, log, node.host.get());
        node.database_inspector =
            std::make_unique<adapters::postgres::PostgresInspector>(inspector_settings(database_settings), loop.get_executor(), clock);
        node.host_inspector = std::make_unique<adapters::ssh::ShellInspector>(host_settings, loop.get_executor(), clock);
        node.copier = std::make_unique<adapters::ssh::ShellCopier>(host_settings, loop.get_executor(), clock);
        surroundings.servers.push_back(
            {server.name, *node.postgres, *node.host, *node.database_inspector, *node.host_inspector, *node.copier});
        nodes_.push_back(std::move(node));
    }
    cluster_ = std::make_unique<engine::Cluster>(configuration.cluster, std::move(surroundings));
}

void Composition::replace_credentials(api::Credentials credentials) {
    credentials.tokens.push_back(cli_login_);
    authentication_->replace(std::move(credentials));
}

}  // namespace handyrep::app
