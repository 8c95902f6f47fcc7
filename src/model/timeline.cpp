#include "model/timeline.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace handyrep::model {

std::string text(WalPosition position) { return fmt::format("{}:{}", position.timeline.id, position.lsn.text()); }

Result<TimelineHistory> TimelineHistory::parse(Timeline current, std::string_view text) {
    std::vector<TimelineSwitch> switches;
    for (const std::string_view raw : split(text, '\n')) {
        const std::string_view line = trim(raw);
        if (line.empty() || line.front() == '#') continue;
        const auto refusal = [&] {
            return Error{ErrorKind::invalid, fmt::format("'{}' is not a line of a timeline history", line.substr(0, 80))};
        };
        std::uint32_t id = 0;
        const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), id);
        if (error != std::errc{} || id == 0 || (!switches.empty() && switches.back().from.id >= id)) return refusal();
        std::string_view rest = trim(line.substr(static_cast<std::size_t>(end - line.data())));
        const auto at = Lsn::parse(rest.substr(0, rest.find_first_of(" \t")));
        if (!at) return refusal();
        switches.push_back({Timeline{id}, *at});
    }
    if (!switches.empty() && switches.back().from >= current) {
        return Error{
            ErrorKind::invalid,
            fmt::format("the history of timeline {} names timeline {} as its parent", current.id, switches.back().from.id)};
    }
    return TimelineHistory{current, std::move(switches)};
}

std::string TimelineHistory::text() const {
    std::string out;
    for (const TimelineSwitch& it : switches_) out += fmt::format("{}\t{}\n", it.from.id, it.at.text());
    return out;
}

std::optional<Lsn> TimelineHistory::left(Timeline timeline) const {
    const auto found = std::ranges::find(switches_, timeline, &TimelineSwitch::from);
    if (found == switches_.end()) return std::nullopt;
    return found->at;
}

bool TimelineHistory::contains(WalPosition position) const {
    if (position.timeline == current_) return true;
    const auto fork = left(position.timeline);
    return fork && position.lsn <= *fork;
}

}  // namespace handyrep::model
