#include "model/standing_order.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace handyrep::model {

namespace {

Result<void> check_reason(const std::string& reason) {
    if (reason.size() > longest_reason)
        return Error{ErrorKind::invalid, fmt::format("reason: it has {} bytes; at most {} are kept", reason.size(), longest_reason)};
    const bool control = std::ranges::any_of(reason, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
    if (control) return Error{ErrorKind::invalid, "reason: it must be one line of text, without control characters"};
    return {};
}

/// `without`: what lasts without an end.
template <class Order>
Result<WallTime> end_of(const Order& order, WallTime now, std::string_view without) {
    if (order.lasts && order.until) return Error{ErrorKind::invalid, "say how long the maintenance lasts, or until when, not both"};
    const auto most = std::chrono::duration_cast<std::chrono::hours>(longest_maintenance).count() / 24;
    if (order.lasts && *order.lasts > longest_maintenance)
        return Error{ErrorKind::invalid, fmt::format("{} is longer than {} days; {}", handyrep::text(*order.lasts), most, without)};
    if (order.until && *order.until > now + longest_maintenance)
        return Error{ErrorKind::invalid, fmt::format("{} is more than {} days away; {}", handyrep::text(*order.until), most, without)};
    const WallTime end =
        order.until.value_or(now + std::chrono::duration_cast<std::chrono::microseconds>(order.lasts.value_or(usual_maintenance)));
    if (end <= now)
        return Error{
            ErrorKind::invalid, order.until ? fmt::format("{} is past: it is {} now", handyrep::text(end), handyrep::text(now))
                                            : "a maintenance must last longer than nothing"};
    return end;
}

Result<StandingAnswer> take(SavedState& saved, const BeginMaintenance& order, const std::string& by, WallTime now) {
    if (auto fit = check_reason(order.reason); !fit) return fit.error();
    const auto end = end_of(order, now, "a pause lasts until it is resumed");
    if (!end) return end.error();
    saved.maintenance = Maintenance{.since = now, .until = *end, .by = by, .reason = order.reason};
    return StandingAnswer{
        "maintenance_begun", saved.cluster.text() + " is " + text(*saved.maintenance) + "; nothing is done by itself until then"};
}

Result<StandingAnswer> take(SavedState& saved, const EndMaintenance& /*order*/, const std::string& by, WallTime /*now*/) {
    if (!saved.maintenance) return StandingAnswer{"", "the cluster is not in maintenance: nothing to end"};
    const Maintenance ended = *saved.maintenance;
    saved.maintenance.reset();
    return StandingAnswer{"maintenance_ended", fmt::format("{} ended the maintenance; the cluster was {}", by, text(ended))};
}

Result<StandingAnswer> take(SavedState& saved, const PauseAutomation& order, const std::string& by, WallTime now) {
    if (auto fit = check_reason(order.reason); !fit) return fit.error();
    if (saved.paused) return StandingAnswer{"", "automation is already " + text(*saved.paused)};
    saved.paused = Pause{.since = now, .by = by, .reason = order.reason};
    return StandingAnswer{
        "automation_paused", "automation is " + text(*saved.paused) + "; nothing is done by itself until 'handyrep resume'"};
}

Result<StandingAnswer> take(SavedState& saved, const ResumeAutomation& /*order*/, const std::string& by, WallTime /*now*/) {
    if (!saved.paused) return StandingAnswer{"", "automation is not paused: nothing to resume"};
    const Pause ended = *saved.paused;
    saved.paused.reset();
    return StandingAnswer{"automation_resumed", fmt::format("{} resumed automation, which was {}", by, text(ended))};
}

std::string_view nobody_left(const SavedState& saved, const ServerName& without) {
    const bool any = std::ranges::any_of(saved.servers, [&](const ServerDefinition& it) {
        return it.enabled && it.name != without && it.name != saved.primary && it.failover_priority > 0 && saved.barred(it.name) == nullptr;
    });
    return any ? "" : "; no server is left that could take over";
}

Result<StandingAnswer> take(SavedState& saved, const DisableServer& order, const std::string& by, WallTime now) {
    const std::string& name = order.server.text();
    if (std::ranges::find(saved.servers, order.server, &ServerDefinition::name) == saved.servers.end())
        return Error{ErrorKind::invalid, fmt::format("there is no server called {}", name)};
    if (saved.primary == order.server)
        return Error{
            ErrorKind::refused,
            fmt::format("{} holds the role of primary: hand it over first, or put the whole cluster in maintenance", name)};
    if (saved.possible_primary && saved.possible_primary->server == order.server)
        return Error{ErrorKind::refused, fmt::format("{} was told to promote and may have: it must be seen or stopped first", name)};
    if (auto fit = check_reason(order.reason); !fit) return fit.error();
    std::optional<WallTime> until;
    if (order.lasts || order.until) {
        const auto end = end_of(order, now, "without an end it lasts until it is enabled");
        if (!end) return end.error();
        until = *end;
    }
    std::erase_if(saved.disabled, [&](const Disabled& it) { return it.server == order.server; });
    saved.disabled.push_back({.server = order.server, .since = now, .until = until, .by = by, .reason = order.reason});
    return StandingAnswer{
        "server_disabled", fmt::format(
                               "{} is {}; it is watched and takes no part in any decision{}", name, text(saved.disabled.back()),
                               nobody_left(saved, order.server))};
}

Result<StandingAnswer> take(SavedState& saved, const EnableServer& order, const std::string& by, WallTime /*now*/) {
    const std::string& name = order.server.text();
    if (std::ranges::find(saved.servers, order.server, &ServerDefinition::name) == saved.servers.end())
        return Error{ErrorKind::invalid, fmt::format("there is no server called {}", name)};
    const Disabled* const found = saved.disabled_by_person(order.server);
    if (found == nullptr) return StandingAnswer{"", fmt::format("nobody disabled {}: nothing to end", name)};
    const std::string was = text(*found);
    std::erase_if(saved.disabled, [&](const Disabled& it) { return it.server == order.server; });
    return StandingAnswer{"server_enabled", fmt::format("{} enabled {}, which was {}", by, name, was)};
}

Result<StandingAnswer> take(SavedState& saved, const ScheduleSwitchover& order, const std::string& by, WallTime now) {
    if (order.at <= now)
        return Error{ErrorKind::invalid, fmt::format("{} is past: it is {} now", handyrep::text(order.at), handyrep::text(now))};
    if (order.at > now + furthest_appointment)
        return Error{ErrorKind::invalid, fmt::format("{} is more than 30 days away", handyrep::text(order.at))};
    if (order.to && std::ranges::find(saved.servers, *order.to, &ServerDefinition::name) == saved.servers.end())
        return Error{ErrorKind::invalid, fmt::format("there is no server called {}", order.to->text())};
    if (order.to && order.to == saved.primary) return Error{ErrorKind::refused, fmt::format("{} is the primary already", order.to->text())};
    const std::string before = saved.scheduled ? fmt::format("; in place of {}", text(*saved.scheduled)) : "";
    saved.scheduled = ScheduledSwitchover{.at = order.at, .to = order.to, .drop_logical = order.drop_logical, .since = now, .by = by};
    return StandingAnswer{
        "switchover_scheduled",
        fmt::format(
            "{} is scheduled; everything is checked then, and it is refused if something is in the way{}", text(*saved.scheduled), before)};
}

Result<StandingAnswer> take(SavedState& saved, const Unschedule& /*order*/, const std::string& by, WallTime /*now*/) {
    if (!saved.scheduled) return StandingAnswer{"", "no switchover is scheduled: nothing to take back"};
    const std::string was = text(*saved.scheduled);
    saved.scheduled.reset();
    return StandingAnswer{"switchover_unscheduled", fmt::format("{} took back {}", by, was)};
}

/// One of the two may hold on when the other has ended.
std::string what_still_holds(const SavedState& saved) {
    if (saved.maintenance) return "; the cluster is still " + text(*saved.maintenance);
    return saved.paused ? "; automation is still " + text(*saved.paused) : std::string{};
}

}  // namespace

Result<StandingAnswer> obey(SavedState& saved, const StandingOrder& order, WallTime now) {
    auto answer = std::visit([&](const auto& it) { return take(saved, it, order.by, now); }, order.what);
    const bool ends = std::holds_alternative<EndMaintenance>(order.what) || std::holds_alternative<ResumeAutomation>(order.what);
    if (answer && ends) answer->text += what_still_holds(saved);
    return answer;
}

std::optional<StandingAnswer> expire(SavedState& saved, WallTime now) {
    if (saved.maintenance && now >= saved.maintenance->until) {
        const Maintenance ended = *saved.maintenance;
        saved.maintenance.reset();
        return StandingAnswer{
            "maintenance_ended",
            fmt::format("the maintenance ended by itself; the cluster was {}{}", text(ended), what_still_holds(saved))};
    }
    const auto due = std::ranges::find_if(saved.disabled, [&](const Disabled& it) { return it.until && now >= *it.until; });
    if (due == saved.disabled.end()) return std::nullopt;
    const Disabled ended = *due;
    saved.disabled.erase(due);
    return StandingAnswer{
        "server_enabled", fmt::format("{} takes part again: its time is over; it was {}", ended.server.text(), text(ended))};
}

}  // namespace handyrep::model
