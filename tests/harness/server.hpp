// tests/harness/server.hpp — one real PostgreSQL server on this machine, and what can be done to it.
#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"
#include "tests/harness/moment.hpp"
#include "tests/harness/session.hpp"

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace handyrep::harness {

/// The newest PostgreSQL's programs, 15 before all others; with HANDYREP_POSTGRESQL=MAJOR in the environment those of that version
/// that `./dev versions` fetched. Fails with `unsupported` when there is none.
Result<std::filesystem::path> find_programs();

/// A loopback port that nobody uses, below the range from which the system takes ports for outgoing connections, so that
/// nobody takes it while the server is down. Never 5432 or 6432.
Result<std::uint16_t> free_port();

enum class StopMode { smart, fast, immediate };

class RealServer {
public:
    std::string name;
    std::uint16_t port = 0;
    std::filesystem::path data;
    std::filesystem::path log;
    std::filesystem::path programs;
    Secret password;  // of the user postgres

    /// Of its data directory: 10, 15.
    [[nodiscard]] int major() const;
    /// The file that makes it a standby: recovery.conf before 12.
    [[nodiscard]] std::filesystem::path mark() const;
    [[nodiscard]] Target target(const std::string& application_name = "harness") const;
    [[nodiscard]] Result<Session> session(Duration limit = std::chrono::seconds{5}) const;
    /// One statement in a session of its own.
    Result<std::string> ask(const std::string& sql) const;

    /// Starts it and waits until it takes sessions. `options` are given to postgres ("-c", "x=y").
    Result<void> start(const std::vector<std::string>& options = {}) const;
    Result<void> stop(StopMode mode) const;
    /// pg_ctl restart, as a person would do it; waits until it takes sessions again.
    Result<void> restart(StopMode mode) const;
    /// Starts it as a primary again, as an autostart that knows nothing would: takes the mark away first.
    Result<void> start_as_primary() const;
    /// By hand, with pg_promote or (before 12) pg_ctl; returns when it accepts writes.
    Result<void> promote() const;

    /// Processes that hold the data directory.
    [[nodiscard]] std::vector<pid_t> processes() const;
    [[nodiscard]] std::optional<pid_t> postmaster() const;
    [[nodiscard]] bool marked_standby() const;

    /// SIGKILL to the postmaster and all children at once. Answers when the first of them was sent.
    Moment kill_all() const;
    /// SIGKILL to the postmaster alone; backends in the middle of something go on.
    Moment kill_postmaster() const;
    /// SIGSTOP to all, the postmaster first, and again until all stand.
    Result<void> freeze() const;
    void thaw() const;

    [[nodiscard]] bool accepts_sessions() const;
    /// Nothing when it cannot be asked.
    [[nodiscard]] std::optional<bool> in_recovery() const;
    Result<void> wait_for_sessions(Duration limit) const;
    /// Waits until it has replayed the WAL up to `lsn`.
    Result<void> wait_for_replay(const std::string& lsn, Duration limit) const;

    /// Changes the password of postgres in the cluster (must be the primary); `password` stays what it was.
    Result<void> set_password(const Secret& secret) const;
    /// Opens sessions until the server says 53300; they end with the vector.
    Result<std::vector<Session>> fill_connections() const;

private:
    Result<void> control(const std::string& action, const std::vector<std::string>& more) const;
};

}  // namespace handyrep::harness
