// adapters/ssh/shell_host.hpp — the port `Host` (and `NodeFiles`) for one server, over a held shell: by SSH, or on this machine.
#pragma once

#include "adapters/ssh/scripts.hpp"
#include "adapters/ssh/shell.hpp"
#include "base/log.hpp"
#include "model/server.hpp"
#include "ports/host.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <string>

namespace handyrep::adapters::ssh {

struct ShellHostSettings {
    model::ServerDefinition server;
    std::string kept_folder{};                         // on the node; empty: .handyrep in the home of the data directory's owner
    std::string debian_configuration = Node{}.debian;  // on the node
    std::string systemd = Node{}.systemd;              // on the node
    [[nodiscard]] Node node() const {
        return {.pgdata = server.pgdata, .debian = debian_configuration, .systemd = systemd, .kept = kept_folder};
    }
};

class ShellHost final : public ports::Host, public ports::NodeFiles {
public:
    ShellHost(ShellHostSettings settings, const asio::any_io_executor& executor, ports::Clock& clock, Log& log);

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
    Async<std::string> keep_password(const Secret& line, Instant deadline) override;
    Async<std::string> read_upstream(Instant deadline) override;
    Async<void> write_upstream(model::SystemId expected, const std::string& conninfo, Instant deadline) override;

private:
    Async<std::string> text_of(std::string script, std::string activity, When when, Instant deadline);
    Async<void> change(std::string script, std::string activity, Instant deadline);

    ShellHostSettings settings_;
    ports::Clock& clock_;
    Log& log_;
    Shell shell_;
    bool was_reachable_ = true;
};

}  // namespace handyrep::adapters::ssh
