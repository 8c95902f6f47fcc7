// sim/wal.hpp — what a server's write-ahead log truly is. A timeline's number does not identify its content (two servers
// can both promote to the same number), so every promotion makes a branch of its own here; numbers are what servers say.
#pragma once

#include "model/timeline.hpp"

#include <cstddef>
#include <optional>
#include <vector>

namespace handyrep::sim {

using BranchId = std::size_t;

class Branches {
public:
    Branches() : all_{{model::Timeline{1}, std::nullopt, model::Lsn{0}}} {}

    [[nodiscard]] BranchId fork(BranchId parent, model::Lsn at, model::Timeline number);
    [[nodiscard]] model::Timeline timeline(BranchId branch) const { return all_[branch].timeline; }
    /// What the server itself would say.
    [[nodiscard]] model::TimelineHistory history(BranchId branch) const;
    /// Where `branch` left `ancestor`; nothing when it is not one.
    [[nodiscard]] std::optional<model::Lsn> left(BranchId branch, BranchId ancestor) const;
    /// True when WAL that ends at `end` of `branch` holds the record that ends at `lsn` of `written_on`.
    [[nodiscard]] bool holds(BranchId branch, model::Lsn end, BranchId written_on, model::Lsn lsn) const;

private:
    struct Branch {
        model::Timeline timeline;
        std::optional<BranchId> parent;
        model::Lsn fork;
    };
    std::vector<Branch> all_;
};

}  // namespace handyrep::sim
