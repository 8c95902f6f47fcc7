// adapters/ssh/shell.hpp — one /bin/sh held open as the owner of a data directory, over the user's OpenSSH client or locally.
//
// Scripts are sent to its standard input and never stand on a command line. Each answer ends with a mark of its own on both
// outputs; a shell that is late, ends, or says something else is killed and opened anew by the next call.
#pragma once

#include "adapters/ssh/child.hpp"
#include "base/time.hpp"
#include "model/server.hpp"
#include "ports/async.hpp"
#include "ports/clock.hpp"
#include "ports/turn.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace handyrep::adapters::ssh {

struct Output {
    std::string text;
    int status;              // of the script
    std::string complaints;  // its standard error, shortened
};

/// `anytime` changes nothing. `before_deadline` is refused by the node itself once its own clock has passed the deadline (S8);
/// such a script can ask `in_time` between its steps.
enum class When { anytime, before_deadline };

/// Whose the shell is: the owner's of the data directory, or, where there is none yet, of the nearest folder above it. Never root's then.
enum class OwnerOf { directory, nearest };

class Shell {
public:
    Shell(model::ServerDefinition server, asio::any_io_executor executor, ports::Clock& clock, OwnerOf owner_of = OwnerOf::directory);
    ~Shell();
    Shell(const Shell&) = delete;
    Shell& operator=(const Shell&) = delete;

    /// Runs `script` in a subshell with `/` as its directory and no input. Any exit status is an answer; `refused`: too late for
    /// `before_deadline`, nothing was done; `unreachable`: there is no shell; `denied`: the login, the host key or sudo said no.
    Async<Output> run(std::string script, When when, Instant deadline);

    /// The command that opens the shell, for a test to look at: it holds no secret.
    [[nodiscard]] std::vector<std::string> command() const;

private:
    struct Unfinished;

    Async<void> open(Instant deadline);
    [[nodiscard]] std::string become_owner_script(const std::string& mark) const;
    Async<void> become_owner(Instant deadline);
    Async<Output> exchange(std::string script, Instant deadline);
    asio::awaitable<Error> ended_error(std::string_view activity, Instant deadline);
    [[nodiscard]] std::string expiry_of(Instant deadline) const;
    std::string new_mark();
    void close();

    [[nodiscard]] std::string find_place() const;

    model::ServerDefinition server_;
    asio::any_io_executor executor_;
    ports::Clock& clock_;
    OwnerOf owner_of_;
    ports::Turn turn_;
    std::unique_ptr<Child> child_;
    /// Begun, and not let in yet. A host that needs longer for a login than one call waits would never be entered, if each login were given
    /// up and begun anew.
    struct Opening {
        std::string mark;
        std::string text;  // that came before the mark
        Instant began;
        bool ended = false;  // there is nothing more to wait for
    };
    std::unique_ptr<Opening> opening_;
    std::string nonce_;
    std::uint64_t commands_ = 0;
    // The node's uptime in hundredths of a second, and when we knew it: a little later than it was read there.
    std::uint64_t node_uptime_ = 0;
    Instant node_uptime_known_{};
    Duration back_off_{};
    Instant not_before_{};
    std::optional<Error> last_failure_;
};

}  // namespace handyrep::adapters::ssh
