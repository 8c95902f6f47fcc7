// adapters/ssh/shell_inspector.hpp — the port `HostInspector` for one server, over a shell of its own, so that no look and no fence
// over the held one waits for it.
#pragma once

#include "adapters/ssh/shell.hpp"
#include "adapters/ssh/shell_host.hpp"
#include "ports/inspector.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <optional>
#include <string>

namespace handyrep::adapters::ssh {

class ShellInspector final : public ports::HostInspector {
public:
    ShellInspector(ShellHostSettings settings, const asio::any_io_executor& executor, ports::Clock& clock);

    Async<model::HostInspection> inspect(Instant deadline) override;
    Async<model::LeaseDrill> drill_lease(Instant deadline) override;
    Async<model::FenceDrill> drill(model::SystemId expected, Instant deadline) override;
    asio::awaitable<model::LoginAttempt> try_login(const ports::LoginQuestion& question, Instant deadline) override;
    void done() override { shell_.reset(); }

private:
    Async<std::string> text_of(std::string script, std::string activity, Instant deadline);

    ShellHostSettings settings_;
    asio::any_io_executor executor_;
    ports::Clock& clock_;
    std::shared_ptr<Shell> shell_;
};

}  // namespace handyrep::adapters::ssh
