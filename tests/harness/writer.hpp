// tests/harness/writer.hpp — a client that writes through everything, and remembers what was promised to it.
#pragma once

#include "base/result.hpp"
#include "tests/harness/cluster.hpp"
#include "tests/harness/moment.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace handyrep::harness {

struct Acknowledged {
    std::uint64_t id;
    Moment at;
    std::string server;
};

struct Gap {
    Acknowledged last_before;
    std::optional<Acknowledged> first_after;  // nothing: never again
    [[nodiscard]] std::optional<double> milliseconds() const;
};

/// Inserts one row after the other into whichever server is the primary, like a client with all hosts in its connection
/// string and target_session_attrs=read-write, but with limits of milliseconds and a new round every 10 ms.
class Writer {
public:
    static Result<std::unique_ptr<Writer>> start(const RealCluster& cluster, Duration pause = std::chrono::milliseconds{5});
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;
    ~Writer() { stop(); }

    void stop();

    [[nodiscard]] std::uint64_t rows() const;
    [[nodiscard]] std::uint64_t errors() const { return errors_; }
    [[nodiscard]] std::vector<Acknowledged> acknowledged() const;
    /// What the fault at `fault` did: the last row acknowledged by the old primary, the first one by another server.
    [[nodiscard]] std::optional<Gap> gap_around(Moment fault, const std::string& old_primary) const;
    /// Waits until `server` has acknowledged a row after `since`.
    Result<void> wait_for_row_on(const std::string& server, Moment since, Duration limit) const;
    Result<void> wait_for_rows(std::uint64_t count, Duration limit) const;
    /// Acknowledged rows that `server` does not have.
    Result<std::vector<std::uint64_t>> missing_on(const RealServer& server) const;

private:
    Writer(const RealCluster& cluster, Duration pause, std::uint64_t first) : servers_{cluster.servers()}, pause_{pause}, next_{first} {}
    void write_on(const RealServer& server);
    void go_round();

    std::vector<RealServer> servers_;
    Duration pause_;
    std::uint64_t next_;
    std::atomic<bool> stopping_ = false;
    std::atomic<std::uint64_t> errors_ = 0;
    mutable std::mutex guard_;
    std::vector<Acknowledged> acknowledged_;
    std::thread thread_;
};

/// Asks one server, every few milliseconds over a session that it keeps, whether it would take a write, and writes one as soon
/// as it would.
class Prober {
public:
    Prober(RealServer server, Duration pause = std::chrono::milliseconds{5});
    Prober(const Prober&) = delete;
    Prober& operator=(const Prober&) = delete;
    ~Prober();

    [[nodiscard]] const std::string& server() const { return server_.name; }
    /// When committed writes were answered.
    [[nodiscard]] std::vector<Moment> accepted() const;
    [[nodiscard]] std::optional<Moment> first_accepted_after(Moment when) const;

private:
    void probe();

    RealServer server_;
    Duration pause_;
    std::atomic<bool> stopping_ = false;
    mutable std::mutex guard_;
    std::vector<Moment> accepted_;
    std::thread thread_;
};

}  // namespace handyrep::harness
