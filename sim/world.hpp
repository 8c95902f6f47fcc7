// sim/world.hpp — the machines, servers, links and clients of one run, and everything that happens to them.
//
// The world is the truth: ports look at it through links and delays, faults change it, invariants watch every change.
#pragma once

#include "sim/agenda.hpp"
#include "sim/network.hpp"
#include "sim/random.hpp"
#include "sim/server.hpp"
#include "sim/trace.hpp"
#include "sim/wal.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace handyrep::sim {

struct Client {
    Node node;
    Duration period;
    bool local_commit = false;  // synchronous_commit = local: does not wait for standbys
    std::optional<ServerIndex> server{};
    std::uint64_t life = 0;  // of the server when it connected
    std::uint64_t request = 0;
    bool outstanding = false;
    Instant sent_at{};
    std::size_t next_try = 0;
};

/// What a client was told is committed.
struct Acknowledged {
    ServerIndex server;
    BranchId branch;
    model::Lsn end;
    Instant at;        // when the server had it committed
    bool synchronous;  // and a synchronous standby had confirmed it
};

struct WorldOptions {
    std::size_t servers = 3;
    std::size_t application_nodes = 1;
    unsigned stall_percent = 6;  // T10
    unsigned half_record_percent = 30;
    Duration longest_crash_recovery = std::chrono::seconds{4};
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
    void block_replay(ServerIndex server, Duration length);
    [[nodiscard]] std::size_t confirming(ServerIndex server, model::Lsn end) const;
    [[nodiscard]] bool can_confirm(ServerIndex server) const;
    void release_waiting(ServerIndex server);

    // sim/promotion.cpp
    void begin_promotion(ServerIndex server);
    void nudge(ServerIndex server);
    /// A promotion that hung goes on.
    void end_hang(ServerIndex server);

    // sim/clients.cpp
    void add_client(Client client);
    void write_wal(ServerIndex server, std::uint64_t bytes);
    void acknowledge(std::size_t client, std::uint64_t request, const Acknowledged& what);

    // what is true now
    [[nodiscard]] bool accepts_writes(ServerIndex server) const;
    [[nodiscard]] bool clients_reach(ServerIndex server) const;
    [[nodiscard]] model::Lsn available(ServerIndex server) const { return at(server).disk.end; }
    [[nodiscard]] Server& at(ServerIndex server) { return servers[server]; }
    [[nodiscard]] const Server& at(ServerIndex server) const { return servers[server]; }
    [[nodiscard]] const model::SyncStandbys* sync_rule(ServerIndex server) const;
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
    std::vector<Server> servers{};
    std::vector<Client> clients{};
    std::vector<Acknowledged> acknowledged{};
    std::function<void()> on_change{};
    std::function<void(ServerIndex)> on_promoted{};
    std::function<void(ServerIndex)> on_fenced{};  // just before the kill
    std::function<void(ServerIndex)> on_promotion_begun{};

private:
    void die(ServerIndex server);
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
    void client_tick(std::size_t client);
    void client_connects(std::size_t client);
    void execute_write(std::size_t client, ServerIndex server, std::uint64_t life, std::uint64_t request);
    void client_lost(std::size_t client, std::uint64_t request);

    mutable std::map<std::string, std::optional<model::SyncStandbys>> parsed_rules_{};
};

}  // namespace handyrep::sim
