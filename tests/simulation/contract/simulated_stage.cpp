#include "sim/copier.hpp"
#include "sim/host.hpp"
#include "sim/postgres.hpp"
#include "sim/store.hpp"
#include "tests/contract/stage.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

namespace handyrep::contract {
namespace {

using namespace std::chrono_literals;
using sim::ServerIndex;

/// Virtual time that goes on while something is waited for.
struct Engine {
    sim::World world{sim::WorldOptions{.servers = 2, .half_record_percent = 0}, 1};
    asio::io_context io{1};
    std::shared_ptr<sim::Waits> waits = std::make_shared<sim::Waits>(io.get_executor(), world.agenda, world.manager_clock);
    sim::SimClock clock{world.agenda, world.manager_clock, waits};

    void settle() {
        io.restart();
        io.poll();
    }
    void advance(Duration length) {
        const Instant end = world.agenda.now() + length;
        world.agenda.at(end, [] {});
        while (world.agenda.now() < end) {
            settle();
            world.agenda.run_next();
        }
        settle();
    }
    void play(asio::awaitable<void> work) {
        bool done = false;
        std::exception_ptr thrown;
        asio::co_spawn(io, std::move(work), [&](const std::exception_ptr& error) {
            thrown = error;
            done = true;
        });
        settle();
        while (!done) {
            world.agenda.run_next();
            settle();
        }
        if (thrown) std::rethrow_exception(thrown);
    }
};

class SimulatedStage final : public Stage {
public:
    SimulatedStage() {
        for (ServerIndex it = 0; it < 2; ++it) engine_.world.start(it, false);
        engine_.advance(8s);
    }
    ~SimulatedStage() override {
        engine_.waits->close();
        engine_.settle();
    }

    ports::Clock& clock() override { return engine_.clock; }
    ports::Postgres& postgres(Which which) override { return which == Which::primary ? primary_ : replica_; }
    ports::Host& host(Which which) override { return which == Which::primary ? primary_host_ : replica_host_; }
    ports::Copier& copier(Which which) override { return which == Which::primary ? primary_copier_ : replica_copier_; }
    ports::Upstream address(Which which) override { return {engine_.world.at(index(which)).name.text() + ".example", 5432}; }

    void kill(Which which) override { engine_.world.kill_all(index(which)); }
    void fast_stop(Which which) override {
        engine_.world.fast_stop(index(which), {});
        while (engine_.world.at(index(which)).has_processes()) engine_.advance(10ms);
    }
    void freeze(Which which) override { engine_.world.freeze(index(which)); }
    void thaw(Which which) override { engine_.world.thaw(index(which)); }

private:
    void play(asio::awaitable<void> work) override { engine_.play(std::move(work)); }
    static ServerIndex index(Which which) { return which == Which::primary ? 0 : 1; }

    Engine engine_;
    sim::SimPostgres primary_{engine_.world, engine_.waits, 0};
    sim::SimPostgres replica_{engine_.world, engine_.waits, 1};
    sim::SimHost primary_host_{engine_.world, engine_.waits, 0, model::Transport::ssh};
    sim::SimHost replica_host_{engine_.world, engine_.waits, 1, model::Transport::ssh};
    sim::SimCopier primary_copier_{engine_.world, engine_.waits, 0, model::Transport::ssh};
    sim::SimCopier replica_copier_{engine_.world, engine_.waits, 1, model::Transport::ssh};
};

class SimulatedStore final : public StoreStage {
public:
    ports::Clock& clock() override { return engine_.clock; }
    ports::Store& store() override { return *store_; }
    void open_again() override { store_ = std::make_unique<sim::SimStore>(engine_.world, engine_.waits, disk_); }

private:
    void play(asio::awaitable<void> work) override { engine_.play(std::move(work)); }

    Engine engine_;
    sim::StoreDisk disk_;
    std::unique_ptr<sim::SimStore> store_ = std::make_unique<sim::SimStore>(engine_.world, engine_.waits, disk_);
};

}  // namespace

std::unique_ptr<Stage> make_stage() { return std::make_unique<SimulatedStage>(); }
std::unique_ptr<StoreStage> make_store_stage() { return std::make_unique<SimulatedStore>(); }

}  // namespace handyrep::contract
