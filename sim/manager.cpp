#include "sim/manager.hpp"

#include "base/ensure.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include <exception>
#include <tuple>

namespace handyrep::sim {

/// The daemon's own log becomes part of the trace, so that it is covered by the hash.
class Manager::TraceLog final : public Log {
public:
    TraceLog(World& world, const Waits& waits) : world_{world}, waits_{waits} {}
    void write(Level /*level*/, std::string_view event, const std::vector<Field>& fields) override {
        if (waits_.closed()) return;
        std::string line{event};
        for (const Field& field : fields) {
            if (field.name != "cluster") line += fmt::format(" {}={}", field.name, field.value);
        }
        world_.note("manager", line);
    }

private:
    World& world_;
    const Waits& waits_;
};

Manager::Manager(World& world, StoreDisk& disk, const model::ClusterDefinition& definition)
    : world_{world},
      born_{world.agenda.now()},
      waits_{std::make_shared<Waits>(io_.get_executor(), world.agenda, world.manager_clock)},
      clock_{world.agenda, world.manager_clock, waits_},
      store_{world, waits_, disk},
      log_{std::make_unique<TraceLog>(world, *waits_)} {
    std::vector<engine::ServerPorts> ports;
    for (ServerIndex it = 0; it < definition.servers.size(); ++it) {
        postgres_.push_back(std::make_unique<SimPostgres>(world, waits_, it));
        hosts_.push_back(std::make_unique<SimHost>(world, waits_, it, definition.servers[it].transport));
        database_inspectors_.push_back(std::make_unique<SimDatabaseInspector>(world, waits_, it));
        host_inspectors_.push_back(std::make_unique<SimHostInspector>(world, waits_, it, definition.servers[it].transport));
        copiers_.push_back(std::make_unique<SimCopier>(world, waits_, it, definition.servers[it].transport));
        ports.push_back(
            {definition.servers[it].name, *postgres_.back(), *hosts_.back(), *database_inspectors_.back(), *host_inspectors_.back(),
             *copiers_.back()});
    }
    cluster_ = std::make_unique<engine::Cluster>(definition, engine::Surroundings{clock_, store_, *log_, std::move(ports)});
    world.note("manager", "starts");
    asio::co_spawn(io_, cluster_->run(), asio::bind_cancellation_slot(stop_.slot(), [this](const std::exception_ptr& error) {
                       over_ = true;
                       if (waits_->closed()) return;
                       try {
                           if (error) std::rethrow_exception(error);
                           ended_ = "it returned";
                       } catch (const std::exception& it) {
                           ended_ = it.what();
                       }
                   }));
}

Manager::~Manager() {
    world_.note("manager", "is killed");
    for (const auto& it : postgres_) it->abandon();
    waits_->close();
    stop_.emit(asio::cancellation_type::terminal);
    for (asio::cancellation_signal& it : order_stops_) it.emit(asio::cancellation_type::terminal);
    // No port answers any more and nothing reaches the world: this only unwinds the coroutines, as the end of a process does.
    io_.restart();
    io_.poll();
    ensure(over_, "every coroutine of a killed manager ends");
}

namespace {

asio::awaitable<void> carry_out(
    engine::Cluster& cluster, engine::Order order, std::shared_ptr<Waits> waits, std::function<void(std::string)> told) {
    const auto answer = co_await cluster.order(std::move(order));
    if (!waits->closed()) told(answer ? std::string{} : answer.error().text());
}

asio::awaitable<void> carry_out_standing(engine::Cluster& cluster, model::StandingOrder order) {
    // Refused by a manager whose disk is lost: a person would see that, a story sees that nothing came of it.
    std::ignore = co_await cluster.obey(std::move(order));
}

}  // namespace

void Manager::order(engine::Order order, std::function<void(std::string)> told) {
    asio::co_spawn(
        io_, carry_out(*cluster_, std::move(order), waits_, std::move(told)),
        asio::bind_cancellation_slot(order_stops_.emplace_back().slot(), [](const std::exception_ptr& /*killed*/) {}));
    waits_->wake();
}

void Manager::order(model::StandingOrder order) {
    asio::co_spawn(
        io_, carry_out_standing(*cluster_, std::move(order)),
        asio::bind_cancellation_slot(order_stops_.emplace_back().slot(), [](const std::exception_ptr& /*killed*/) {}));
    waits_->wake();
}

Result<void> Manager::cancel(std::uint64_t operation) {
    auto done = cluster_->cancel(operation, "person");
    waits_->wake();
    return done;
}

void Manager::poll() {
    if (stopped_ || !waits_->take_woken()) return;
    io_.restart();
    io_.poll();
}

}  // namespace handyrep::sim
