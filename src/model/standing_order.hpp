// model/standing_order.hpp — what a person orders that holds until it is ended: maintenance, the pause of automation, and a server that is
// taken out; and a switchover at a time.
//
// Pure. While one of the first two holds, HandyRep watches and explains and does nothing by itself; a person's orders are carried out.
// Maintenance always has an end, so that a forgotten one does not leave a cluster alone for ever; a pause lasts until resumed. A server that
// is disabled is watched and takes no part in any decision: it is no candidate, and nobody waits for it or asks it.
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
inline constexpr Duration furthest_appointment = std::chrono::days{30};
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
/// In place of an order that holds already. Neither a length nor an end: until it is enabled.
struct DisableServer {
    ServerName server;
    std::optional<Duration> lasts{};
    std::optional<WallTime> until{};
    std::string reason{};
};
struct EnableServer {
    ServerName server;
};
/// In place of one that is scheduled already.
struct ScheduleSwitchover {
    WallTime at;
    std::optional<ServerName> to{};
    bool drop_logical = false;
};
struct Unschedule {};

struct StandingOrder {
    std::variant<
        BeginMaintenance, EndMaintenance, PauseAutomation, ResumeAutomation, DisableServer, EnableServer, ScheduleSwitchover, Unschedule>
        what;
    std::string by;
};

struct StandingAnswer {
    std::string event;  // the name of the event to be told; empty: nothing was changed
    std::string text;   // one sentence: what holds now
};

/// Changes what holds; whether a server is enabled is then to be said anew. Ending what does not hold, and pausing what is paused, changes
/// nothing and is no mistake. `invalid` for an end that is past or too far away, for a length and an end at once, for a reason that is no
/// line of text, and for a name that nobody has; `refused` for a server that cannot be taken out.
[[nodiscard]] Result<StandingAnswer> obey(SavedState& saved, const StandingOrder& order, WallTime now);

/// Ends one order whose time has come; what is to be told then. Nothing: there is no more.
[[nodiscard]] std::optional<StandingAnswer> expire(SavedState& saved, WallTime now);

}  // namespace handyrep::model
