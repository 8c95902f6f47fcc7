// model/standing_order.hpp — what a person orders that holds until it is ended: maintenance, and the pause of automation.
//
// Pure. While one of them holds, HandyRep watches and explains and does nothing by itself; a person's orders are carried out.
// Maintenance always has an end, so that a forgotten one does not leave a cluster alone for ever; a pause lasts until resumed.
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"
#include "model/saved_state.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <variant>

namespace handyrep::model {

inline constexpr Duration usual_maintenance = std::chrono::hours{1};
inline constexpr Duration longest_maintenance = std::chrono::days{7};
inline constexpr std::size_t longest_reason = 500;  // bytes

/// In place of one that holds already. Neither a length nor an end: `usual_maintenance`.
struct BeginMaintenance {
    std::optional<Duration> lasts{};
    std::optional<WallTime> until{};
    std::string reason{};
};
struct EndMaintenance {};
struct PauseAutomation {
    std::string reason{};
};
struct ResumeAutomation {};

struct StandingOrder {
    std::variant<BeginMaintenance, EndMaintenance, PauseAutomation, ResumeAutomation> what;
    std::string by;
};

struct StandingAnswer {
    std::string event;  // the name of the event to be told; empty: nothing was changed
    std::string text;   // one sentence: what holds now
};

/// Changes what holds. Ending what does not hold, and pausing what is paused, changes nothing and is no mistake. `invalid` for an
/// end that is past or too far away, for a length and an end at once, and for a reason that is no line of text.
[[nodiscard]] Result<StandingAnswer> obey(SavedState& saved, const StandingOrder& order, WallTime now);

/// Ends a maintenance whose time has come; what is to be told then.
[[nodiscard]] std::optional<StandingAnswer> expire(SavedState& saved, WallTime now);

}  // namespace handyrep::model
