#include "model/rewind.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace handyrep::model {

namespace {

/// Of a history, where each timeline begins, its present one last and without an end.
struct Stretch {
    Timeline timeline;
    Lsn begin;
    std::optional<Lsn> end;
};

std::vector<Stretch> stretches(const TimelineHistory& history) {
    std::vector<Stretch> out;
    Lsn begin{0};
    for (const TimelineSwitch& it : history.switches()) {
        out.push_back({it.from, begin, it.at});
        begin = it.at;
    }
    out.push_back({history.current(), begin, std::nullopt});
    return out;
}

constexpr std::array<std::pair<RewindPhase, std::string_view>, 8> phases{
    {{RewindPhase::none, "none"},
     {RewindPhase::saving, "saving"},
     {RewindPhase::recovering, "recovering"},
     {RewindPhase::trying, "trying"},
     {RewindPhase::rewinding, "rewinding"},
     {RewindPhase::done, "done"},
     {RewindPhase::untouched, "untouched"},
     {RewindPhase::half, "half"}}};

std::string text_of(const TouchedTable& it) {
    std::string out;
    const auto add = [&](std::uint64_t count, std::string_view what) {
        if (count > 0) out += fmt::format("{}{} {}", out.empty() ? "" : ", ", count, what);
    };
    add(it.inserted, "inserted");
    add(it.updated, "updated");
    add(it.deleted, "deleted");
    return fmt::format("{}: {}", it.name, out.empty() ? "touched" : out);
}

}  // namespace

std::optional<WalPosition> common_end(const TimelineHistory& one, const TimelineHistory& other) {
    const std::vector<Stretch> mine = stretches(one);
    const std::vector<Stretch> theirs = stretches(other);
    std::optional<WalPosition> out;
    for (std::size_t i = 0; i < std::min(mine.size(), theirs.size()); ++i) {
        if (mine[i].timeline != theirs[i].timeline || mine[i].begin != theirs[i].begin) break;
        const auto& here = mine[i].end;
        const auto& there = theirs[i].end;
        if (!here && !there) return std::nullopt;
        out = WalPosition{mine[i].timeline, here && there ? std::min(*here, *there) : here ? *here : *there};
    }
    return out;
}

std::string_view word_for(RewindPhase phase) {
    return std::ranges::find(phases, phase, &std::pair<RewindPhase, std::string_view>::first)->second;
}

std::optional<RewindPhase> parse_rewind_phase(std::string_view word) {
    const auto* const found = std::ranges::find(phases, word, &std::pair<RewindPhase, std::string_view>::second);
    return found == phases.end() ? std::nullopt : std::optional{found->first};
}

std::string text(const DivergedWal& wal) {
    constexpr std::size_t shown = 5;
    std::string tables;
    for (const TouchedTable& it : wal.tables) {
        if (&it == &wal.tables.front() + shown) break;
        tables += fmt::format("{}{}", tables.empty() ? "" : "; ", text_of(it));
    }
    const std::uint64_t more = wal.more_tables + wal.tables.size() - std::min(shown, wal.tables.size());
    if (more > 0) tables += fmt::format("; and {} more tables", more);
    return fmt::format(
        "{} committed transactions{}{}{}, {} records{}; saved in {}", wal.commits,
        wal.commits == 0 ? "" : fmt::format(" from {} to {}", wal.first_commit, wal.last_commit), tables.empty() ? "" : " in ", tables,
        wal.records, wal.whole ? "" : " (the first of that WAL was recycled before, what was in it is not known)", wal.folder);
}

}  // namespace handyrep::model
