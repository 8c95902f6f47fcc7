// sim/copier.hpp — the port `copier` to one simulated machine. What is begun goes on there, whoever waits for it.
#pragma once

#include "ports/copier.hpp"
#include "sim/errand.hpp"
#include "sim/service_scripts.hpp"

#include <functional>
#include <string>

namespace handyrep::sim {

class SimCopier final : public ports::Copier, private Errands {
public:
    SimCopier(World& world, std::shared_ptr<Waits> waits, ServerIndex server, model::Transport transport);

    Async<model::TargetLook> look(model::ServerVersion version, Instant deadline) override;
    Async<void> make_directory(Instant deadline) override;
    Async<Secret> own_conninfo(Instant deadline) override;
    Async<void> begin(const ports::CopyOrder& order, Instant deadline) override;
    Async<model::CopyProgress> progress(std::uint64_t operation, Instant deadline) override;
    Async<void> abandon(std::uint64_t operation, Instant deadline) override;
    Async<void> put_in_place(const ports::Placing& placing, Instant deadline) override;
    Async<void> discard_old(std::uint64_t operation, Instant deadline) override;

private:
    /// `deed` runs on the machine, and says how it went.
    Async<void> change(std::string what, Instant deadline, std::function<Result<void>(World&, ServerIndex)> deed);
};

}  // namespace handyrep::sim
