// adapters/ssh/shell_copier.hpp — the port `Copier` for one server, over a shell of its own: no look and no fence over the held one waits
// for it, and it opens also where there is no data directory yet.
#pragma once

#include "adapters/ssh/shell.hpp"
#include "adapters/ssh/shell_host.hpp"
#include "ports/copier.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <string>

namespace handyrep::adapters::ssh {

class ShellCopier final : public ports::Copier {
public:
    ShellCopier(ShellHostSettings settings, const asio::any_io_executor& executor, ports::Clock& clock);

    Async<model::TargetLook> look(model::ServerVersion version, Instant deadline) override;
    Async<void> make_directory(Instant deadline) override;
    Async<Secret> own_conninfo(Instant deadline) override;
    Async<void> begin(const ports::CopyOrder& order, Instant deadline) override;
    Async<model::CopyProgress> progress(std::uint64_t operation, Instant deadline) override;
    Async<void> abandon(std::uint64_t operation, Instant deadline) override;
    Async<void> put_in_place(const ports::Placing& placing, Instant deadline) override;
    Async<void> discard_old(std::uint64_t operation, Instant deadline) override;

private:
    Async<std::string> text_of(std::string script, std::string activity, When when, Instant deadline);
    Async<void> change(std::string script, std::string activity, Instant deadline);

    ShellHostSettings settings_;
    Shell shell_;
};

}  // namespace handyrep::adapters::ssh
