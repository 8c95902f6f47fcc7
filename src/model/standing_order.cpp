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

Result<WallTime> end_of(const BeginMaintenance& order, WallTime now) {
    if (order.lasts && order.until) return Error{ErrorKind::invalid, "say how long the maintenance lasts, or until when, not both"};
    const auto most = std::chrono::duration_cast<std::chrono::hours>(longest_maintenance).count() / 24;
    if (order.lasts && *order.lasts > longest_maintenance)
        return Error{
            ErrorKind::invalid,
            fmt::format("{} is longer than {} days; a pause lasts until it is resumed", handyrep::text(*order.lasts), most)};
    if (order.until && *order.until > now + longest_maintenance)
        return Error{
            ErrorKind::invalid,
            fmt::format("{} is more than {} days away; a pause lasts until it is resumed", handyrep::text(*order.until), most)};
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
    const auto end = end_of(order, now);
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
    if (!saved.maintenance || now < saved.maintenance->until) return std::nullopt;
    const Maintenance ended = *saved.maintenance;
    saved.maintenance.reset();
    return StandingAnswer{
        "maintenance_ended", fmt::format("the maintenance ended by itself; the cluster was {}{}", text(ended), what_still_holds(saved))};
}

}  // namespace handyrep::model
