// sim/invariants.hpp — what must be true at every instant, whatever fails. Watches every change of the world, every
// journal record and every event of the manager; samples nothing.
#pragma once

#include "saved/event.hpp"
#include "saved/journal.hpp"
#include "sim/store.hpp"
#include "sim/world.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace handyrep::sim {

struct Violation {
    Instant at;
    std::string claim;
    std::string text;
};

class Invariants {
public:
    /// Watches until destroyed; both must outlive it.
    Invariants(World& world, StoreDisk& disk, const model::FailoverSettings& settings = {});
    ~Invariants();
    Invariants(const Invariants&) = delete;
    Invariants& operator=(const Invariants&) = delete;

    /// A person started this server as a primary: what it does until it is stopped is no defect of the manager's.
    void started_by_hand(ServerIndex server) { by_hand_.insert(server); }
    /// A manager began: operations that it finds open are given their time anew.
    void manager_began() {
        manager_born_ = world_.agenda.now();
        sightings_.assign(world_.servers.size(), {});
    }

    /// A person set it so before anything began.
    void restores_by(ServerIndex server, std::optional<std::string> command) { restore_commands_[server] = std::move(command); }

    /// At the end of a run, when nothing is broken any more.
    void judge_end();

    [[nodiscard]] const std::vector<Violation>& violations() const { return violations_; }
    [[nodiscard]] std::size_t promotions() const { return promotions_.size(); }
    [[nodiscard]] std::size_t failovers_begun() const { return failovers_begun_; }

private:
    /// One server became a primary; which operation did it, and what that had proved.
    struct Promotion {
        ServerIndex server;
        BranchId branch;
        Instant at;
        std::uint64_t operation;
    };
    struct Overlap {
        ServerIndex newer;
        ServerIndex older;
        std::optional<std::uint64_t> operation;  // the failover from the older one
        Instant at;
    };

    /// A server that the manager's held session showed taking writes.
    struct Sighting {
        std::optional<model::Lsn> flushed{};
        std::optional<Instant> writable_at{};
        std::optional<Instant> asked{};  // the question of its last answer as a primary
    };

    void look();
    void sighted(ServerIndex server, const model::HeldSight& sight, Instant asked);
    void judge_sightings(std::uint64_t operation);
    void judge_announcement(const saved::Event& event);
    void note_bound(const saved::Event& event);
    void judge_bounds();
    void promoted(ServerIndex server);
    void fenced(ServerIndex server);
    void appended(const saved::JournalRecord& record);
    void told(const saved::Event& event);
    void violated(std::string claim, std::string text);
    void judge_overlaps();
    void judge_loss(const Promotion& promotion);
    void judge_operations();
    void judge_salvages();
    void judge_writers();
    [[nodiscard]] bool healthy(ServerIndex server) const;
    [[nodiscard]] Duration healthy_for(ServerIndex server) const;
    [[nodiscard]] bool proof_is_weak(std::uint64_t operation) const;
    [[nodiscard]] std::optional<std::uint64_t> failover_from(ServerIndex server) const;

    World& world_;
    StoreDisk& disk_;
    model::FailoverSettings settings_;
    std::vector<Violation> violations_;
    std::vector<Promotion> promotions_;
    std::vector<Overlap> overlaps_;
    std::vector<std::optional<Instant>> healthy_since_;
    std::set<ServerIndex> by_hand_;
    std::set<ServerIndex> back_;  // failed over from, and a replica again since
    std::map<std::uint64_t, std::string> proofs_;
    std::map<std::uint64_t, Instant> begun_;
    std::map<std::uint64_t, ServerIndex> fails_over_from_;
    std::uint64_t last_failover_ = 0;
    std::size_t failovers_begun_ = 0;
    Instant manager_born_{};
    std::vector<Sighting> sightings_;
    std::vector<std::optional<std::string>> restore_commands_;  // as they were at first
    std::set<std::uint64_t> salvaged_;                          // failovers that brought the candidate all that the old primary had
    struct GatesOpened {
        Instant at;
        Instant old_primary_asked;  // the question of its last answer
    };
    std::map<std::uint64_t, GatesOpened> gates_opened_;
    std::map<std::uint64_t, std::uint64_t> most_;  // bytes that a failover may have lost, by its last word
};

}  // namespace handyrep::sim
