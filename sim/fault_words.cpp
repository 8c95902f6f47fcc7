// The words of the faults.
#include "sim/faults.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace handyrep::sim {

std::string_view word_for(FaultKind kind) {
    switch (kind) {
        case FaultKind::kill_primary: return "kill_primary";
        case FaultKind::kill_postmaster: return "kill_postmaster";
        case FaultKind::fast_restart: return "fast_restart";
        case FaultKind::clean_stop: return "clean_stop";
        case FaultKind::backend_crash: return "backend_crash";
        case FaultKind::freeze_primary: return "freeze_primary";
        case FaultKind::freeze_replica: return "freeze_replica";
        case FaultKind::power_loss: return "power_loss";
        case FaultKind::replica_power_loss: return "replica_power_loss";
        case FaultKind::manager_cut_off: return "manager_cut_off";
        case FaultKind::cut_manager_primary: return "cut_manager_primary";
        case FaultKind::cut_one_way: return "cut_one_way";
        case FaultKind::cut_any_way: return "cut_any_way";
        case FaultKind::cut_replica: return "cut_replica";
        case FaultKind::split: return "split";
        case FaultKind::isolate_primary: return "isolate_primary";
        case FaultKind::firewall: return "firewall";
        case FaultKind::resets: return "resets";
        case FaultKind::loss: return "loss";
        case FaultKind::slow_link: return "slow_link";
        case FaultKind::sshd_stopped: return "sshd_stopped";
        case FaultKind::connections_full: return "connections_full";
        case FaultKind::password_broken: return "password_broken";
        case FaultKind::replica_dies: return "replica_dies";
        case FaultKind::replica_detached: return "replica_detached";
        case FaultKind::long_query: return "long_query";
        case FaultKind::storage_stalled: return "storage_stalled";
        case FaultKind::storage_slow: return "storage_slow";
        case FaultKind::disk_full: return "disk_full";
        case FaultKind::checkpointer_busy: return "checkpointer_busy";
        case FaultKind::old_primary_by_hand: return "old_primary_by_hand";
        case FaultKind::manager_killed: return "manager_killed";
        case FaultKind::manager_killed_at_step: return "manager_killed_at_step";
        case FaultKind::manager_stopped: return "manager_stopped";
        case FaultKind::manager_suspended: return "manager_suspended";
        case FaultKind::manager_clock_set: return "manager_clock_set";
        case FaultKind::promotion_refused: return "promotion_refused";
        case FaultKind::promotion_hangs: return "promotion_hangs";
        case FaultKind::store_fails: return "store_fails";
        case FaultKind::store_hangs: return "store_hangs";
        case FaultKind::switchover: return "switchover";
    }
    return "";
}

std::optional<FaultKind> fault_named(std::string_view word) {
    const auto found = std::ranges::find_if(all_faults, [&](FaultKind kind) { return word_for(kind) == word; });
    if (found == all_faults.end()) return std::nullopt;
    return *found;
}

bool needs_machines(FaultKind kind) {
    constexpr std::array kinds{FaultKind::power_loss,
                               FaultKind::replica_power_loss,
                               FaultKind::manager_cut_off,
                               FaultKind::cut_manager_primary,
                               FaultKind::cut_one_way,
                               FaultKind::cut_any_way,
                               FaultKind::cut_replica,
                               FaultKind::split,
                               FaultKind::isolate_primary,
                               FaultKind::firewall,
                               FaultKind::loss,
                               FaultKind::slow_link,
                               FaultKind::sshd_stopped};
    return std::ranges::find(kinds, kind) != kinds.end();
}

std::string Fault::text() const {
    return fmt::format("{} at {} for {} (choice {})", word_for(kind), handyrep::text(begins), handyrep::text(lasts), choice);
}

}  // namespace handyrep::sim
