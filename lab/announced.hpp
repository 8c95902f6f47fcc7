// lab/announced.hpp — what each failover announced, by the manager's log, and whether what the clients lost keeps to it.
#pragma once

#include "model/timeline.hpp"
#include "tests/harness/moment.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace handyrep::lab {

using harness::Moment;

/// Something that was promised.
struct Acknowledged {
    std::uint64_t id;
    Moment sent;
    Moment at;
    std::string server;
    /// Where its server stood when the row was in its WAL and its commit was not yet: the loss of the row is a loss up to here.
    model::WalPosition position;
    bool synchronous;  // its server waited for a standby
};

/// Two servers that took writes at one time: what was committed on `server` after another had committed on the same or a later
/// timeline.
struct Overlap {
    std::string server;
    std::uint32_t timeline;
    std::string other;
};
[[nodiscard]] std::string text(const Overlap& overlap);
/// One event of its log.
struct Telling {
    std::string name;
    std::map<std::string, std::string> fields;
    [[nodiscard]] std::string field(const std::string& name) const;
};

/// One failover as it was told.
struct Announced {
    std::string from;
    std::string to;
    std::string proof;
    std::optional<model::WalPosition> fork{};
    std::optional<std::uint64_t> at_most{};  // bytes, by its last word: what was read, else what was estimated
    std::string how{};                       // "read", "estimated", or why there is no bound
    /// By policy: nothing proved that the old primary takes no more writes.
    [[nodiscard]] bool weak() const { return proof == "witnessed" || proof == "nothing"; }
};
[[nodiscard]] std::vector<Announced> announced(const std::vector<Telling>& tellings);
[[nodiscard]] std::string text(const Announced& it);

/// What no story says, because it holds of all: a sentence for each claim that is broken by `lost`, rows that were acknowledged
/// and are missing on the primary of the end.
[[nodiscard]] std::vector<std::string> judge_loss(const std::vector<Acknowledged>& lost, const std::vector<Announced>& failovers);
/// Two servers that took writes at one time, and no failover from the older one said that nothing was proved of it.
[[nodiscard]] std::vector<std::string> judge_overlaps(const std::vector<Overlap>& overlaps, const std::vector<Announced>& failovers);

}  // namespace handyrep::lab
