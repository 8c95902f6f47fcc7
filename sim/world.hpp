// sim/world.hpp — the machines, servers, links and clients of one run, and everything that happens to them.
//
// The world is the truth: ports look at it through links and delays, faults change it, invariants watch every change.
#pragma once

#include "sim/agenda.hpp"
#include "sim/clock.hpp"
#include "sim/network.hpp"
#include "sim/random.hpp"
#include "sim/server.hpp"
#include "sim/trace.hpp"
#include "sim/wal.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace handyrep::sim {

/// synchronous_commit of a client: whether it waits for standbys, and whether even for its own server's disk (S4).
enum class CommitMode { on, local, off };
[[nodiscard]] std::string_view word_for(CommitMode mode);

struct Client {
    Node node;
    Duration period;
    CommitMode commit = CommitMode::on;
    std::optional<Node> router{};             // writes go through the router on that machine
    std::optional<Duration> cancels_after{};  // cancels a COMMIT that waits for so long: it is told success, with a warning (S4)
    std::optional<ServerIndex> server{};
    std::uint64_t life = 0;  // of the server when it connected
    std::uint64_t request = 0;
    bool outstanding = false;
    Instant sent_at{};
    std::size_t next_try = 0;
};

/// Asks every server now and then whether it is the primary, as HAProxy's checks do, and sends its clients to the one it found.
/// Once that one fails its check the sessions through it are cut.
struct Router {
    Node node;
    std::optional<ServerIndex> points_to{};
};

/// What a client was told is committed.
struct Acknowledged {
    ServerIndex server;
    BranchId branch;
    model::Lsn end;
    Instant at;           // when the server had it committed
    bool synchronous;     // and enough synchronous standbys had confirmed it
    bool flushed = true;  // on the server's own disk
};

/// A record that commits a transaction, inserted somewhere.
struct CommitRecord {
    BranchId branch;
    model::Lsn end;
};

/// What is left of a record that its sender did not live to send whole.
inline constexpr std::uint64_t longest_half_record = 8000;

struct WorldOptions {
    std::size_t servers = 3;
    std::size_t application_nodes = 1;
    unsigned stall_percent = 6;  // T10
    unsigned half_record_percent = 30;
    Duration longest_crash_recovery = std::chrono::seconds{4};
    /// WAL that is kept for a replica that is away; nothing: whatever it needs, in a slot.
    std::optional<std::uint64_t> wal_keep_bytes{};
    Duration tcp_user_timeout = std::chrono::seconds{10};  // undelivered data ends the manager's connection after this
};

class World {
public:
    World(WorldOptions options, std::uint64_t seed);
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    // sim/world.cpp: machines and processes
    void start(ServerIndex server, bool after_crash);
    void fast_stop(ServerIndex server, std::function<void()> then);
    void immediate_stop(ServerIndex server);
    void kill_all(ServerIndex server);
    /// Only the postmaster; `orphans` backends go on writing for `length`.
    void kill_postmaster(ServerIndex server, std::uint32_t orphans, Duration length);
    void crash_backend(ServerIndex server);
    void freeze(ServerIndex server);
    void thaw(ServerIndex server);
    void power_off(ServerIndex server);
    void power_on(ServerIndex server);
    /// As a person would: the mark removed, then started.
    void start_by_hand(ServerIndex server);
    /// No room for WAL: the server dies of the next record, and every recovery until `free_disk`.
    void fill_disk(ServerIndex server);
    void free_disk(ServerIndex server);
    /// A reset reaches both ends of every connection of this server.
    void reset_connections(ServerIndex server);
    void end_sessions(ServerIndex server, model::LastWords words);
    void end_session(ServerIndex server, const std::shared_ptr<Session>& session, model::LastWords words);
    /// Now, or when the server's processes run again.
    template <class Work>
    void when_running(ServerIndex server, Work&& what) {
        Server& it = at(server);
        if (!it.powered) return;
        if (it.frozen) {
            it.when_thawed.emplace_back(std::forward<Work>(what));
        } else {
            what();
        }
    }

    // sim/replication.cpp
    void reload_receiver(ServerIndex replica);
    void end_receiver(ServerIndex replica, bool retry);
    void end_senders(ServerIndex server);
    void push(ServerIndex upstream);
    void settle_replay(ServerIndex server);
    void replay_later(ServerIndex server);
    /// A startup process that is woken asks restore_command for what comes next.
    void restore_brought(ServerIndex server);
    void block_replay(ServerIndex server, Duration length);
    [[nodiscard]] std::size_t confirming(ServerIndex server, model::Lsn end) const;
    [[nodiscard]] bool can_confirm(ServerIndex server) const;
    void release_waiting(ServerIndex server);

    // sim/promotion.cpp
    void begin_promotion(ServerIndex server);
    void nudge(ServerIndex server);
    /// Of clients on a hot standby; how many there were.
    std::size_t end_queries(ServerIndex server);
    /// A promotion that hung goes on.
    void end_hang(ServerIndex server);

    // sim/clients.cpp
    void add_client(Client client);
    void acknowledge(std::size_t client, std::uint64_t request, const Acknowledged& what);
    [[nodiscard]] const Router* router_of(const Client& client) const;

    // sim/storage.cpp
    /// Inserted, and flushed by itself a little later (walwriter).
    void insert_wal(ServerIndex server, std::uint64_t bytes);
    /// Inserted, and flushed as soon as the storage can.
    void write_wal(ServerIndex server, std::uint64_t bytes);
    void stall_storage(ServerIndex server, bool stalled);
    void slow_storage(ServerIndex server, Duration flush_takes);
    /// pg_reload_conf: what the checkpointer has to hear takes effect when it has time (S4).
    void reload_settings(ServerIndex server);
    void occupy_checkpointer(ServerIndex server, Duration length);

    // what is true now
    [[nodiscard]] bool accepts_writes(ServerIndex server) const;
    [[nodiscard]] bool clients_reach(ServerIndex server) const;
    [[nodiscard]] model::Lsn available(ServerIndex server) const { return at(server).disk.end; }
    [[nodiscard]] model::SystemId system_of(ServerIndex server) const { return at(server).foreign.value_or(system_id); }
    /// Whose host has that name; nothing when nobody's has.
    [[nodiscard]] std::optional<ServerIndex> named(std::string_view hostname) const;
    [[nodiscard]] Server& at(ServerIndex server) { return servers[server]; }
    [[nodiscard]] const Server& at(ServerIndex server) const { return servers[server]; }
    [[nodiscard]] const model::SyncStandbys* sync_rule(ServerIndex server) const { return at(server).rule; }
    [[nodiscard]] bool is_sync_member(ServerIndex primary, ServerIndex replica) const;

    void note(std::string_view who, std::string_view what) { trace.note(agenda.now(), who, what); }
    /// Every change that could make a server accept writes or stop it; invariants watch here.
    void changed() const {
        if (on_change) on_change();
    }

    WorldOptions options;
    Agenda agenda{};
    Random random;
    Trace trace{};
    Network network;
    Branches branches{};
    model::SystemId system_id;
    MachineClock manager_clock{};
    bool names_hang = false;     // nobody answers the manager's questions for names
    bool quiet = false;          // no client begins a write
    bool login_expired = false;  // the manager's certificate, which every server verifies
    std::vector<Server> servers{};
    std::vector<Client> clients{};
    std::vector<Router> routers{};
    std::vector<Acknowledged> acknowledged{};
    std::vector<CommitRecord> commits{};
    std::function<void()> on_change{};
    std::function<void(ServerIndex)> on_promoted{};
    std::function<void(ServerIndex)> on_fenced{};  // just before the kill
    std::function<void(ServerIndex)> on_promotion_begun{};
    std::function<void()> on_promotion_asked{};  // the manager decided to send it
    /// By the manager's held session, and when it asked.
    std::function<void(ServerIndex, const model::HeldSight&, Instant)> on_sighted{};

private:
    void die(ServerIndex server);
    void keep_alive(ServerIndex server, const std::shared_ptr<Session>& session, int probes);
    void finish_stop(ServerIndex server, std::uint64_t life, const std::function<void()>& then);
    void leave_half_record(ServerIndex server);
    void came_up(ServerIndex server, std::uint64_t life);
    void supervise(ServerIndex server);
    void write_as_orphan(ServerIndex server, std::uint64_t life, Instant until);
    void tick_replication(ServerIndex server);
    void dial_upstream(ServerIndex replica, std::uint64_t number);
    void accept_receiver(ServerIndex upstream, ServerIndex replica, std::uint64_t number);
    void deliver(ServerIndex upstream, ServerIndex replica, std::uint64_t number, BranchId branch, model::Lsn end);
    void confirmed(ServerIndex upstream, ServerIndex replica, std::uint64_t number, model::Lsn end);
    [[nodiscard]] bool fits(ServerIndex replica, BranchId branch, model::Lsn end) const;
    void finish_promotion(ServerIndex server, std::uint64_t promotion);
    void router_tick(std::size_t router);
    [[nodiscard]] bool answers_as_primary(Node from, ServerIndex server) const;
    /// There and back over the client's router, where it has one.
    Network::Sent to_server(std::size_t client, ServerIndex server, Task deliver);
    void to_client(ServerIndex server, std::size_t client, Task deliver);
    void client_tick(std::size_t client);
    void client_connects(std::size_t client);
    void execute_write(std::size_t client, ServerIndex server, std::uint64_t life, std::uint64_t request);
    void client_lost(std::size_t client, std::uint64_t request);
    void client_cancels(std::size_t client, ServerIndex server, std::uint64_t request);
    [[nodiscard]] bool takes_wal(ServerIndex server);
    void flush(ServerIndex server);
    void flush_after(ServerIndex server, Duration wait);
    void apply_settings(ServerIndex server);

    std::map<std::string, std::optional<model::SyncStandbys>> parsed_rules_{};
};

}  // namespace handyrep::sim
