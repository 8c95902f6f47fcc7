#include "adapters/files/file_store.hpp"
#include "adapters/postgres/postgres_server.hpp"
#include "adapters/ssh/shell_copier.hpp"
#include "adapters/ssh/shell_host.hpp"
#include "tests/contract/stage.hpp"
#include "tests/integration/adapters/loop.hpp"
#include "tests/integration/adapters/postgres_fixture.hpp"

#include <filesystem>

namespace handyrep::contract {
namespace {

/// Drives an event loop by the real clock.
class Engine {
public:
    void play(asio::awaitable<void> work) {
        bool done = false;
        std::exception_ptr thrown;
        asio::co_spawn(loop.context, std::move(work), [&](const std::exception_ptr& error) {
            thrown = error;
            done = true;
        });
        loop.turn_until([&] { return done; });
        if (thrown) std::rethrow_exception(thrown);
    }
    Loop loop;
};

class RealStage final : public Stage {
public:
    RealStage() {
        restore();
        for (const Which which : {Which::primary, Which::replica}) {
            const model::ServerDefinition definition = define(server(which));
            adapters::ssh::ShellHostSettings host{.server = definition};
            host.kept_folder = (owners_folder() / "passwords").string();
            host.debian_configuration = (owners_folder() / "etc").string();
            copiers_.push_back(std::make_unique<adapters::ssh::ShellCopier>(host, engine_.loop.executor(), engine_.loop.clock));
            hosts_.push_back(
                std::make_unique<adapters::ssh::ShellHost>(std::move(host), engine_.loop.executor(), engine_.loop.clock, engine_.loop.log));
            adapters::postgres::PostgresSettings settings{.server = definition, .password = cluster().superuser_password()};
            settings.connect_timeout = std::chrono::seconds{10};
            postgres_.push_back(std::make_unique<adapters::postgres::PostgresServer>(
                std::move(settings), engine_.loop.executor(), engine_.loop.clock, engine_.loop.log, hosts_.back().get()));
        }
    }

    ports::Clock& clock() override { return engine_.loop.clock; }
    ports::Postgres& postgres(Which which) override { return *postgres_[index(which)]; }
    ports::Host& host(Which which) override { return *hosts_[index(which)]; }
    ports::Copier& copier(Which which) override { return *copiers_[index(which)]; }
    ports::Upstream address(Which which) override { return {"127.0.0.1", server(which).port}; }

    void kill(Which which) override { server(which).kill_all(); }
    void fast_stop(Which which) override {
        const auto stopped = server(which).stop(harness::StopMode::fast);
        ensure(stopped.has_value(), stopped ? "" : stopped.error().text());
    }
    void freeze(Which which) override {
        const auto frozen = server(which).freeze();
        ensure(frozen.has_value(), frozen ? "" : frozen.error().text());
    }
    void thaw(Which which) override { server(which).thaw(); }

private:
    void play(asio::awaitable<void> work) override { engine_.play(std::move(work)); }
    static std::size_t index(Which which) { return which == Which::primary ? 0 : 1; }
    static const harness::RealServer& server(Which which) { return cluster().server(which == Which::primary ? "db1" : "db2"); }

    static model::ServerDefinition define(const harness::RealServer& of) {
        return {
            .name = *model::ServerName::parse(of.name),
            .hostname = "127.0.0.1",
            .port = of.port,
            .transport = model::Transport::local,
            .ssh_key = {},
            .ssh_config = {},
            .pgdata = of.data.string()};
    }
    /// Whatever the test before did: db1 is the primary and db2 streams from it.
    static void restore() {
        const harness::RealServer& primary = server(Which::primary);
        primary.thaw();
        if (primary.in_recovery() != std::optional{false}) {
            if (!primary.processes().empty()) primary.kill_all();
            const auto started = primary.start_as_primary();
            ensure(started.has_value(), started ? "" : started.error().text());
        }
        const bool streams = server(Which::replica).in_recovery() == std::optional{true} &&
                             cluster().wait_until_streaming({"db2"}, "db1", std::chrono::seconds{5}).has_value();
        if (streams) return;
        const auto rebuilt = cluster().rebuild_as_replica("db2", "db1");
        ensure(rebuilt.has_value(), rebuilt ? "" : rebuilt.error().text());
    }

    Engine engine_;
    std::vector<std::unique_ptr<adapters::ssh::ShellHost>> hosts_;
    std::vector<std::unique_ptr<adapters::ssh::ShellCopier>> copiers_;
    std::vector<std::unique_ptr<adapters::postgres::PostgresServer>> postgres_;
};

class RealStore final : public StoreStage {
public:
    RealStore() : folder_{std::filesystem::temp_directory_path() / ("handyrep-contract-" + harness::random_word(8))} { open_again(); }
    ~RealStore() override {
        store_.reset();
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    ports::Clock& clock() override { return engine_.loop.clock; }
    ports::Store& store() override { return *store_; }
    void open_again() override {
        store_.reset();
        adapters::files::Options options;
        options.folder = folder_.string();
        auto opened = adapters::files::open_store(engine_.loop.clock, options);
        ensure(opened.has_value(), opened ? "" : opened.error().text());
        store_ = std::move(opened->store);
    }

private:
    void play(asio::awaitable<void> work) override { engine_.play(std::move(work)); }

    Engine engine_;
    std::filesystem::path folder_;
    std::unique_ptr<adapters::files::FileStore> store_;
};

}  // namespace

std::unique_ptr<Stage> make_stage() { return std::make_unique<RealStage>(); }
std::unique_ptr<StoreStage> make_store_stage() { return std::make_unique<RealStore>(); }

}  // namespace handyrep::contract
