// lab/clients.hpp — who writes, and remembers every promise; and who watches each server for whether it takes writes.
#pragma once

#include "base/result.hpp"
#include "lab/announced.hpp"
#include "lab/server.hpp"
#include "tests/harness/moment.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace handyrep::lab {

struct ClientReport {
    std::size_t acknowledged = 0;
    std::size_t errors = 0;
    Duration longest_gap{};  // between two acknowledged rows
    std::string gap_from{};  // the server before it
    std::string gap_to{};
};

/// Numbered rows, one after the other, through libpq's own list of hosts with target_session_attrs=read-write: as an
/// application would. What is not answered in time is no promise, and may be there or not.
/// Lets a thread that writes be held without ending it.
class Rest {
public:
    /// Returns when the thread rests, or when it has had much longer than a write takes.
    void hold(bool held);
    /// By the thread, before each write: whether to leave it.
    [[nodiscard]] bool wanted() {
        resting_ = held_.load();
        return resting_;
    }

private:
    std::atomic<bool> held_ = false;
    std::atomic<bool> resting_ = false;
};

class Client {
public:
    Client(const Machine& apps, std::vector<std::string> addresses, const Passwords& passwords);
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    ~Client() { stop(); }

    void stop();
    /// From its return on nothing is written, until it is let go.
    void hold(bool held);
    [[nodiscard]] std::vector<Acknowledged> acknowledged() const;
    [[nodiscard]] ClientReport report() const;
    /// Rows that were promised and that `server` does not have. It must answer.
    [[nodiscard]] Result<std::vector<Acknowledged>> missing_on(const Server& server) const;

private:
    void write(const Machine& apps);
    void write_in_session(const std::string& connection);

    std::string connection_;
    std::atomic<bool> stopping_ = false;
    Rest rest_;
    std::atomic<std::size_t> errors_ = 0;
    mutable std::mutex guard_;
    std::uint64_t next_ = 1;
    std::vector<Acknowledged> acknowledged_;
    std::thread thread_;
};

/// One server, by its own socket: whether it commits a write, every few milliseconds.
class Watcher {
public:
    struct Taken {
        Moment sent;
        Moment at;
        std::uint32_t timeline;
    };
    explicit Watcher(const Server& server);
    Watcher(const Watcher&) = delete;
    Watcher& operator=(const Watcher&) = delete;
    ~Watcher();

    [[nodiscard]] const std::string& server() const { return server_.name(); }
    void hold(bool held) { rest_.hold(held); }
    /// The last answer was a commit, and it is not old.
    [[nodiscard]] bool takes_writes() const;
    [[nodiscard]] std::vector<Taken> taken() const;

private:
    void watch();
    void note(std::optional<Taken> taken);

    const Server& server_;
    std::atomic<bool> stopping_ = false;
    Rest rest_;
    mutable std::mutex guard_;
    std::optional<Moment> yes_since_;  // of the last answer, if it was a commit
    std::vector<Taken> taken_;         // only the first and the last of a run of one timeline
    std::thread thread_;
};

/// `excused`: servers that a person made primaries.
[[nodiscard]] std::vector<Overlap> overlaps(const std::vector<std::unique_ptr<Watcher>>& watchers, const std::set<std::string>& excused);

}  // namespace handyrep::lab
