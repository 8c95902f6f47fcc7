// engine/looks.hpp — how the steps of an operation look at a server, and what they take for held up. Internal to engine/.
#pragma once

#include "base/time.hpp"
#include "model/sighting.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace handyrep::engine {

inline constexpr Duration look_interval = std::chrono::milliseconds{10};
inline constexpr Duration look_limit = std::chrono::milliseconds{500};
/// Wakes a startup process that sleeps in wal_retrieve_retry_interval (failure analysis, T10).
inline constexpr Duration nudge_interval = std::chrono::milliseconds{20};
/// So long a replay that does not wait for WAL stands still before something is taken to hold it up.
inline constexpr Duration held_up = std::chrono::milliseconds{200};

/// How long the replay of one standby has not moved.
class ReplayWatch {
public:
    /// True when it moved, or is looked at for the first time.
    bool note(model::Lsn replayed, Instant now);
    void begin_again(Instant now) { since_ = now; }
    [[nodiscard]] Duration still(Instant now) const { return now - since_; }
    /// By queries, as far as the standby itself can tell: whatever a person ordered (a pause, a delay) ends with a promotion.
    [[nodiscard]] bool is_held_up(const model::StandbyAnswer& standby, Instant now) const;

private:
    std::optional<model::Lsn> reached_;
    Instant since_{};
};

[[nodiscard]] std::string words_of(const model::HeldSight& sight);

}  // namespace handyrep::engine
