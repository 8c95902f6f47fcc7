#include "postgres_fixture.hpp"

#include "base/overloaded.hpp"

#include <fmt/format.h>

namespace handyrep {

harness::RealCluster& cluster() {
    static const std::unique_ptr<harness::RealCluster> made = [] {
        adapters::postgres::clear_libpq_environment();
        auto cluster = harness::RealCluster::make({.servers = 2, .settings = {"wal_retrieve_retry_interval = 100ms", "fsync = off"}});
        ensure(cluster.has_value(), cluster ? "" : cluster.error().text());
        return std::move(*cluster);
    }();
    return *made;
}

std::filesystem::path owners_folder() {
    const auto folder = cluster().folder() / "owners";
    if (std::filesystem::create_directory(folder)) ensure(harness::give_to_server_user(folder).has_value(), "a folder can be given away");
    return folder;
}

testing::AssertionResult did(const harness::RealServer& server, const std::string& statement) {
    auto session = server.session();
    if (!session) return testing::AssertionFailure() << session.error().text();
    const auto done = session->query(statement);
    if (!done) return testing::AssertionFailure() << done.error().text();
    return testing::AssertionSuccess();
}

void RealPostgres::SetUp() {
    if (primary().in_recovery() != std::optional{false}) {
        if (!primary().processes().empty()) primary().kill_all();
        const auto started = primary().start_as_primary();
        ASSERT_TRUE(started) << started.error().text();
    }
    if (replica().in_recovery() == std::optional{true} && cluster().wait_until_streaming({"db2"}, "db1", std::chrono::seconds{5})) return;
    const auto rebuilt = cluster().rebuild_as_replica("db2", "db1");
    ASSERT_TRUE(rebuilt) << rebuilt.error().text();
}

model::ServerDefinition RealPostgres::definition(const harness::RealServer& of) const {
    return {
        .name = *model::ServerName::parse(of.name),
        .hostname = "127.0.0.1",
        .port = of.port,
        .transport = model::Transport::local,
        .ssh_key = {},
        .ssh_config = {},
        .pgdata = of.data.string()};
}

PostgresSettings RealPostgres::settings(const harness::RealServer& of) const {
    PostgresSettings out{.server = definition(of), .password = cluster().superuser_password()};
    out.connect_timeout = std::chrono::seconds{10};
    return out;
}

std::unique_ptr<PostgresServer> RealPostgres::connect(const harness::RealServer& of, ports::NodeFiles* node_files) {
    return connect(settings(of), node_files);
}

std::unique_ptr<PostgresServer> RealPostgres::connect(PostgresSettings settings, ports::NodeFiles* node_files) {
    return std::make_unique<PostgresServer>(std::move(settings), loop.executor(), loop.clock, loop.log, node_files);
}

model::HeldSight RealPostgres::poll(PostgresServer& server, Duration limit, bool beat) {
    return loop.run(server.poll(beat, loop.in(limit)));
}

pid_t RealPostgres::backend_of_ours(const harness::RealServer& server) {
    const auto found =
        server.ask("SELECT pid FROM pg_stat_activity WHERE application_name = 'handyrep' AND backend_type = 'client backend'");
    ensure(found.has_value() && !found->empty(), "our held session is there");
    return static_cast<pid_t>(std::stol(*found));
}

std::string describe(const model::HeldSight& sight) {
    return std::visit(
        Overloaded{
            [](const model::Answered& it) { return std::string(it.primary() != nullptr ? "primary" : "standby"); },
            [](const model::Silent&) { return std::string("silent"); },
            [](const model::Lost& it) { return fmt::format("lost: {}", model::word_for(it.words)); },
            [](const model::NotOpen& it) { return fmt::format("not open: {} ({})", model::word_for(it.why), it.message); },
            [](const model::Complained& it) { return fmt::format("complained: {} {}", it.sqlstate, it.message); },
        },
        sight);
}

}  // namespace handyrep
