// lab/clients.hpp — who writes, and remembers every promise; and who watches each server for whether it takes writes.
#pragma once

#include "base/result.hpp"
#include "lab/announced.hpp"
#include "lab/server.hpp"
#include "tests/harness/moment.hpp"

#include <libpq-fe.h>

#include <atomic>
#include <chrono>
#include <cstddef>
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
    std::string way;
    std::size_t acknowledged = 0;
    std::size_t errors = 0;     // no session, or a statement refused
    std::size_t read_only = 0;  // of these, refused by a server that takes no writes: the way led to a wrong one
    std::size_t ambiguous = 0;  // the session was lost with a statement on its way: the row may be there or not
    std::size_t found = 0;      // of these, that were there when they were sent again
    Duration longest_gap{};     // between two acknowledged rows
    std::string gap_from{};     // the server before it
    std::string gap_to{};
    Duration silent{};  // from its last acknowledged row until it was told to stop

    // Proved afterwards (lab/proof.hpp).
    std::optional<std::size_t> missing{};         // promised, and not on the server that takes writes; nothing: no single one does
    std::optional<std::size_t> accepted_twice{};  // on one server as its own and on another as its own
    std::size_t late = 0;                         // promised by a server after another had taken writes on a later timeline
};

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

/// How a client gets to the server that takes writes.
struct Way {
    std::string name;  // "hosts", or a router's
    std::vector<std::string> addresses;
    std::uint16_t port;
    bool chooses;  // libpq looks for the one that takes writes (target_session_attrs=read-write); else the router does
};

/// How hard a lab's own clients and questions work: what is committed costs every server an fsync, and each question of the player a session.
struct Pace {
    Duration between_rows = std::chrono::milliseconds{10};
    Duration between_looks = std::chrono::milliseconds{5};       // of a watcher
    Duration between_questions = std::chrono::milliseconds{50};  // of the player
    /// Of one lab of so many on this machine: together they ask as much as one.
    [[nodiscard]] static Pace of_one_of(std::size_t labs) {
        Pace out;
        out.between_rows *= static_cast<int>(labs);
        out.between_looks *= static_cast<int>(labs);
        out.between_questions *= static_cast<int>(labs);
        return out;
    }
};

/// Numbered rows, one after the other, as an application would write them. What is not answered in time is no promise, and may
/// be there or not: the row is sent again, by the same number, until somebody answers for it.
class Client {
public:
    Client(const Machine& apps, Way way, const Passwords& passwords, Pace pace);
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    ~Client() { stop(); }

    void stop();
    /// From its return on nothing is written, until it is let go.
    void hold(bool held);
    [[nodiscard]] const std::string& way() const { return way_.name; }
    [[nodiscard]] std::vector<Acknowledged> acknowledged() const;
    /// Its last row was acknowledged by this server, and that is not long ago.
    [[nodiscard]] bool writes_to(const std::string& server) const;
    [[nodiscard]] ClientReport report() const;
    /// Rows that were promised and that `server` does not have. It must answer.
    [[nodiscard]] Result<std::vector<Acknowledged>> missing_on(const Server& server) const;

private:
    void write(const Machine& apps);
    void write_in_session(const std::string& connection);
    /// Whether the session can go on.
    [[nodiscard]] bool write_row(PGconn* connection);

    Way way_;
    Pace pace_;
    std::string connection_;
    std::atomic<bool> stopping_ = false;
    Rest rest_;
    std::atomic<std::size_t> errors_ = 0;
    std::atomic<std::size_t> read_only_ = 0;
    std::atomic<std::size_t> ambiguous_ = 0;
    std::atomic<std::size_t> found_ = 0;
    mutable std::mutex guard_;
    std::uint64_t next_ = 1;
    std::vector<Acknowledged> acknowledged_;
    std::thread thread_;
};

/// One server, by its own socket: whether it commits a write, every few milliseconds.
class Watcher {
public:
    /// Commits one after another on one timeline.
    struct Run {
        std::uint32_t timeline;
        Moment first_sent;
        Moment first_at;
        Moment last_sent;
        Moment last_at;
        std::size_t commits;
    };
    Watcher(const Server& server, Pace pace);
    Watcher(const Watcher&) = delete;
    Watcher& operator=(const Watcher&) = delete;
    ~Watcher();

    [[nodiscard]] const std::string& server() const { return server_.name(); }
    void hold(bool held) { rest_.hold(held); }
    /// The last answer was a commit, and it is not old.
    [[nodiscard]] bool takes_writes() const;
    [[nodiscard]] std::vector<Run> taken() const;
    /// How often it got an answer.
    [[nodiscard]] double looks_per_second() const;

private:
    void watch();
    struct Taken {
        Moment sent;
        Moment at;
        std::uint32_t timeline;
    };
    void note(std::optional<Taken> taken);

    const Server& server_;
    Pace pace_;
    std::atomic<bool> stopping_ = false;
    Rest rest_;
    mutable std::mutex guard_;
    std::optional<Moment> yes_since_;  // of the last answer, if it was a commit
    std::vector<Run> taken_;
    Moment began_ = harness::now();
    std::atomic<std::size_t> looks_ = 0;
    std::thread thread_;
};

/// `excused`: servers that a person made primaries.
[[nodiscard]] std::vector<Overlap> overlaps(const std::vector<std::unique_ptr<Watcher>>& watchers, const std::set<std::string>& excused);

}  // namespace handyrep::lab
