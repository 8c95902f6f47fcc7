// sim/faults.hpp — everything that goes wrong: each kind with a beginning, a length and an end.
#pragma once

#include "sim/invariants.hpp"
#include "sim/store.hpp"
#include "sim/world.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace handyrep::sim {

enum class FaultKind {
    kill_primary,     // every process of it
    kill_postmaster,  // orphan backends go on writing
    fast_restart,     // of the primary, by a person
    clean_stop,       // of the primary, by a person who starts it again at the end
    backend_crash,    // on the primary: crash recovery
    freeze_primary,   // SIGSTOP to every process, SIGCONT at the end
    freeze_replica,
    power_loss,  // of the primary's machine, which boots at the end
    replica_power_loss,
    manager_cut_off,      // the manager reaches nothing
    cut_manager_primary,  // only these two do not reach each other
    cut_one_way,          // what the primary says does not arrive at the manager
    cut_any_way,          // between any two machines, in one direction
    cut_replica,          // a replica and the primary do not reach each other, the manager reaches both
    split,                // manager and one replica | primary, the other replicas and the clients
    isolate_primary,      // the primary and whoever sits on its machine | everybody else
    firewall,             // a reset to whatever the manager sends to the primary
    resets,               // every connection of the primary is reset, once
    loss,                 // a part of what is sent between any two machines must be sent again
    slow_link,            // to and from the manager, or the primary
    sshd_stopped,         // on the primary's machine
    connections_full,
    password_broken,
    replica_dies,
    replica_detached,        // somebody emptied its primary_conninfo
    long_query,              // blocks the replay of a replica
    storage_stalled,         // the primary inserts WAL and flushes none
    storage_slow,            // a flush of the primary takes long
    disk_full,               // of the primary: PANIC, and no recovery until it is emptied at the end
    checkpointer_busy,       // on every server: a reload takes effect for committers when it has time
    old_primary_by_hand,     // a server that is down and is not the primary is started as one
    manager_killed,          // a new one is started at the end
    manager_killed_at_step,  // when its journal gets the n-th record from now, before or after it hears so
    manager_stopped,         // SIGSTOP, SIGCONT at the end
    manager_suspended,       // its machine sleeps: the monotonic clock stands still
    manager_clock_set,       // somebody sets its wall clock
    promotion_refused,       // whichever replica is asked
    promotion_hangs,
    store_fails,
    store_hangs,
    switchover,  // no fault: a person orders it, to whom the manager likes best
};
/// But the switchover, which is drawn apart.
inline constexpr std::array all_faults{
    FaultKind::kill_primary,
    FaultKind::kill_postmaster,
    FaultKind::fast_restart,
    FaultKind::clean_stop,
    FaultKind::backend_crash,
    FaultKind::freeze_primary,
    FaultKind::freeze_replica,
    FaultKind::power_loss,
    FaultKind::replica_power_loss,
    FaultKind::manager_cut_off,
    FaultKind::cut_manager_primary,
    FaultKind::cut_one_way,
    FaultKind::cut_any_way,
    FaultKind::cut_replica,
    FaultKind::split,
    FaultKind::isolate_primary,
    FaultKind::firewall,
    FaultKind::resets,
    FaultKind::loss,
    FaultKind::slow_link,
    FaultKind::sshd_stopped,
    FaultKind::connections_full,
    FaultKind::password_broken,
    FaultKind::replica_dies,
    FaultKind::replica_detached,
    FaultKind::long_query,
    FaultKind::storage_stalled,
    FaultKind::storage_slow,
    FaultKind::disk_full,
    FaultKind::checkpointer_busy,
    FaultKind::old_primary_by_hand,
    FaultKind::manager_killed,
    FaultKind::manager_killed_at_step,
    FaultKind::manager_stopped,
    FaultKind::manager_suspended,
    FaultKind::manager_clock_set,
    FaultKind::promotion_refused,
    FaultKind::promotion_hangs,
    FaultKind::store_fails,
    FaultKind::store_hangs};
[[nodiscard]] std::string_view word_for(FaultKind kind);
/// The kind of that word; nothing when there is none.
[[nodiscard]] std::optional<FaultKind> fault_named(std::string_view word);
/// Needs machines of their own: means nothing where everything runs on the manager's.
[[nodiscard]] bool needs_machines(FaultKind kind);

struct Fault {
    FaultKind kind;
    Duration begins;  // after the run's begin
    Duration lasts;
    std::uint64_t choice;  // which replica, how many orphans, which step, how much
    [[nodiscard]] std::string text() const;
};

/// What the faults act on besides the world.
struct Stage {
    World& world;
    StoreDisk& disk;
    Invariants& invariants;
    std::function<void(bool)> set_manager_stopped;
    std::function<void()> kill_manager;
    std::function<void()> start_manager;
    std::function<void()> order_switchover;  // where there is a manager
};

void put_on_agenda(const Stage& stage, const Fault& fault);
/// Nothing is broken any more, and a person starts what is down and was not fenced.
void end_all_faults(const Stage& stage);
/// The server that is the primary in truth, or was the last to be it.
[[nodiscard]] ServerIndex true_primary(const World& world);

}  // namespace handyrep::sim
