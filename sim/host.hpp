// sim/host.hpp — the port `host` to one simulated machine: over SSH, or locally when it is the manager's own.
#pragma once

#include "ports/host.hpp"
#include "sim/errand.hpp"
#include "sim/service_scripts.hpp"

#include <functional>
#include <memory>
#include <string>

namespace handyrep::sim {

class SimHost final : public ports::Host, private Errands {
public:
    SimHost(World& world, std::shared_ptr<Waits> waits, ServerIndex server, model::Transport transport);

    Async<model::HostLook> look(Instant deadline) override;
    Async<ports::FenceReport> fence(model::SystemId expected, Instant deadline) override;
    Async<ports::StopReport> stop(model::SystemId expected, Instant deadline) override;
    Async<void> start(model::SystemId expected, ports::StartAs as, Instant deadline) override;
    Async<model::WalEnd> read_wal_end(const model::WalEndQuestion& question, Instant deadline) override;
    Async<model::RewindLook> look_for_rewind(Instant deadline) override;
    Async<model::Divergence> measure_divergence(const model::DivergenceQuestion& question, Instant deadline) override;
    Async<model::RewindProgress> rewind(const ports::RewindWanted& wanted, Instant deadline) override;
    Async<void> end_rewind(model::SystemId expected, Instant deadline) override;
    Async<model::PackedWal> read_wal(const model::WalStretch& stretch, Instant deadline) override;
    Async<model::WalPlace> make_wal_place(const model::WalStretch& stretch, Instant deadline) override;
    Async<void> put_wal(const model::WalStretch& stretch, const model::PackedWal& wal, Instant deadline) override;
    Async<void> remove_wal_place(Instant deadline) override;
    Async<void> promote(model::SystemId expected, WallTime expires, Instant deadline) override;
    Async<void> restart_standby(model::SystemId expected, Instant deadline) override;
    asio::awaitable<model::Reach> reach(const std::string& hostname, std::uint16_t port, Duration patience, Instant deadline) override;

private:
    using Done = Said<Started>;
    Async<void> change(
        std::string what, model::SystemId expected, Instant deadline, std::function<void(std::shared_ptr<Reply<Done>>)> script);
    /// Done on the machine a while after it arrived, as its owner.
    template <class T>
    Async<T> work_there(std::string what, Instant deadline, std::function<Said<T>()> work);
    /// What `deed` comes to on the machine, a moment after it got there.
    template <class T>
    Async<T> do_there(std::string what, Instant deadline, std::function<Result<T>()> deed);
};

}  // namespace handyrep::sim
