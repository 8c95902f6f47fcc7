// model/timeline.hpp — timelines, and how one server's timeline came to be.
//
// Two servers with the same timeline number can hold different WAL (both promoted from the same parent), so a number
// alone never says who is ahead or whether one may follow the other: the history does (safety rules S11, S12).
#pragma once

#include "model/lsn.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace handyrep::model {

struct Timeline {
    std::uint32_t id;
    /// For sorting and equality; "newer" is a question for a TimelineHistory.
    friend constexpr auto operator<=>(Timeline, Timeline) = default;
};

/// Equal or not; which of two is "ahead" depends on timeline history, so there is deliberately no operator<.
struct WalPosition {
    Timeline timeline;
    Lsn lsn;
    friend constexpr bool operator==(WalPosition, WalPosition) = default;
};

/// "3:16/B374D848".
[[nodiscard]] std::string text(WalPosition position);

struct TimelineSwitch {
    Timeline from;
    Lsn at;  // the last position of `from` that the next timeline contains
    friend constexpr bool operator==(TimelineSwitch, TimelineSwitch) = default;
};

/// The ancestors of one timeline, oldest first, as in the server's NNNNNNNN.history file. Timeline 1 has none.
class TimelineHistory {
public:
    TimelineHistory(Timeline current, std::vector<TimelineSwitch> switches) : current_{current}, switches_{std::move(switches)} {}

    /// Reads the text that `TIMELINE_HISTORY n` returns (manual, "Streaming Replication Protocol"). Fails with `invalid`.
    static Result<TimelineHistory> parse(Timeline current, std::string_view text);
    /// The same text without the reasons.
    [[nodiscard]] std::string text() const;

    [[nodiscard]] Timeline current() const { return current_; }
    [[nodiscard]] const std::vector<TimelineSwitch>& switches() const { return switches_; }

    /// Where this history left `timeline`; nothing when it is not an ancestor (or is the current one).
    [[nodiscard]] std::optional<Lsn> left(Timeline timeline) const;
    /// True when a server at `position` may follow a server with this history by streaming alone: it has replayed
    /// nothing that this history does not contain.
    [[nodiscard]] bool contains(WalPosition position) const;

    friend bool operator==(const TimelineHistory&, const TimelineHistory&) = default;

private:
    Timeline current_;
    std::vector<TimelineSwitch> switches_;
};

}  // namespace handyrep::model
