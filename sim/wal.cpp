#include "sim/wal.hpp"

#include <algorithm>

namespace handyrep::sim {

BranchId Branches::fork(BranchId parent, model::Lsn at, model::Timeline number) {
    all_.push_back({number, parent, at});
    return all_.size() - 1;
}

model::TimelineHistory Branches::history(BranchId branch) const {
    std::vector<model::TimelineSwitch> switches;
    for (const Branch* it = &all_[branch]; it->parent; it = &all_[*it->parent]) switches.push_back({all_[*it->parent].timeline, it->fork});
    std::ranges::reverse(switches);
    return {all_[branch].timeline, std::move(switches)};
}

std::optional<model::Lsn> Branches::left(BranchId branch, BranchId ancestor) const {
    std::optional<model::Lsn> lowest;  // a later fork below an earlier one would cut it off
    for (BranchId id = branch; id != ancestor;) {
        const Branch& it = all_[id];
        if (!it.parent) return std::nullopt;
        lowest = lowest ? std::min(*lowest, it.fork) : it.fork;
        id = *it.parent;
    }
    return lowest;
}

bool Branches::holds(BranchId branch, model::Lsn end, BranchId written_on, model::Lsn lsn) const {
    if (branch == written_on) return lsn <= end;
    const auto fork = left(branch, written_on);
    return fork && lsn <= *fork && lsn <= end;
}

}  // namespace handyrep::sim
