// sim/host.hpp — the port `host` to one simulated machine: over SSH, or locally when it is the manager's own.
#pragma once

#include "ports/host.hpp"
#include "sim/clock.hpp"
#include "sim/service_scripts.hpp"
#include "sim/world.hpp"

#include <functional>
#include <memory>
#include <string>

namespace handyrep::sim {

class SimHost final : public ports::Host {
public:
    SimHost(World& world, std::shared_ptr<Waits> waits, ServerIndex server, model::Transport transport);

    Async<model::HostLook> look(Instant deadline) override;
    Async<ports::FenceReport> fence(model::SystemId expected, Instant deadline) override;
    Async<ports::StopReport> stop(model::SystemId expected, Instant deadline) override;
    Async<void> start(model::SystemId expected, ports::StartAs as, Instant deadline) override;
    Async<model::WalEnd> read_wal_end(const model::WalEndQuestion& question, Instant deadline) override;
    Async<void> promote(model::SystemId expected, WallTime expires, Instant deadline) override;
    Async<void> restart_standby(model::SystemId expected, Instant deadline) override;
    Async<model::LeaseAnswer> arm_lease(model::SystemId expected, const model::LeaseTerms& terms, Instant sent, Instant deadline) override;
    Async<model::LeaseAnswer> renew_lease(const model::LeaseTerms& terms, std::uint64_t sequence, Instant sent, Instant deadline) override;
    Async<model::LeaseAnswer> disarm_lease(Instant deadline) override;
    asio::awaitable<model::Reach> reach(const std::string& hostname, std::uint16_t port, Instant deadline) override;

private:
    using Done = Said<Started>;
    using LeaseSaid = Said<model::LeaseAnswer>;
    Async<model::LeaseAnswer> ask_lease(std::string what, Instant deadline, std::function<LeaseSaid(World&, ServerIndex)> script);
    Async<void> change(
        std::string what, model::SystemId expected, Instant deadline, std::function<void(std::shared_ptr<Reply<Done>>)> script);
    /// Runs `script` on the machine unless the way there is closed or it arrives after its own expiry.
    template <class T>
    Async<T> run(std::string what, Instant deadline, std::function<void(std::shared_ptr<Reply<T>>)> script);

    World& world_;
    std::shared_ptr<Waits> waits_;
    ServerIndex server_;
    model::Transport transport_;
    bool shell_open_ = false;  // the held one: it needs no name any more
};

}  // namespace handyrep::sim
