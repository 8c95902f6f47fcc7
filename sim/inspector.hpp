// sim/inspector.hpp — what `verify` finds on a simulated server: what the world is, as far as the world has it; the rest is as on a
// server that somebody set up well.
#pragma once

#include "ports/inspector.hpp"
#include "sim/clock.hpp"
#include "sim/world.hpp"

#include <functional>
#include <memory>
#include <string>

namespace handyrep::sim {

class SimDatabaseInspector final : public ports::DatabaseInspector {
public:
    SimDatabaseInspector(World& world, std::shared_ptr<Waits> waits, ServerIndex server);
    Async<model::DatabaseInspection> inspect(ports::Depth depth, Instant deadline) override;

private:
    World& world_;
    std::shared_ptr<Waits> waits_;
    ServerIndex server_;
};

class SimHostInspector final : public ports::HostInspector {
public:
    SimHostInspector(World& world, std::shared_ptr<Waits> waits, ServerIndex server, model::Transport transport);
    Async<model::HostInspection> inspect(Instant deadline) override;
    Async<model::LeaseDrill> drill_lease(Instant deadline) override;
    Async<model::FenceDrill> drill(model::SystemId expected, Instant deadline) override;
    asio::awaitable<model::LoginAttempt> try_login(const ports::LoginQuestion& question, Instant deadline) override;
    void done() override {}

private:
    template <class T>
    Async<T> run(std::string what, Instant deadline, std::function<T(const World&)> script);

    World& world_;
    std::shared_ptr<Waits> waits_;
    ServerIndex server_;
    model::Transport transport_;
};

}  // namespace handyrep::sim
