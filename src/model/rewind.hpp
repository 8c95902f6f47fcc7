// model/rewind.hpp — what stands on a server's disk when it is to follow another again, and what a rewind of it did.
//
// What is only on its disk, behind the place where the other one left its WAL, is *diverged*: it is saved before it is given up.
#pragma once

#include "base/time.hpp"
#include "model/lsn.hpp"
#include "model/server.hpp"
#include "model/sighting.hpp"
#include "model/timeline.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace handyrep::model {

/// The last position that both histories have; nothing when they have no timeline in common. On equal timelines neither of them
/// says more than the other, and the position is the end of what the number alone can tell: nothing.
[[nodiscard]] std::optional<WalPosition> common_end(const TimelineHistory& one, const TimelineHistory& other);

/// How far a rewind came on the node. `untouched`: it was given up before anything was rewritten. `half`: the directory can only be
/// cloned anew. `done`: rewritten, and its marks not yet checked. Whatever it is but `none` and `untouched`, the server is not started.
enum class RewindPhase { none, saving, recovering, trying, rewinding, done, untouched, half };
[[nodiscard]] std::string_view word_for(RewindPhase phase);
[[nodiscard]] std::optional<RewindPhase> parse_rewind_phase(std::string_view word);
/// Somebody is at it, or was and has not said how it ended.
[[nodiscard]] constexpr bool under_way(RewindPhase phase) {
    return phase == RewindPhase::saving || phase == RewindPhase::recovering || phase == RewindPhase::trying ||
           phase == RewindPhase::rewinding;
}

/// The directory of a server that may have to be rewound, as its host sees it. Read without changing anything.
struct RewindLook {
    SystemId system_id;
    std::uint32_t version = 0;  // major, of the directory
    std::uint32_t processes = 0;
    ControlState state = ControlState::in_production;
    TimelineHistory history{Timeline{1}, {}};  // of the timeline that it was on last
    bool programs = false;                     // pg_rewind, pg_waldump, pg_controldata and postgres are there
    bool protects_pages = false;               // data checksums, or wal_log_hints, in its control file
    bool configured = false;                   // its configuration was found
    bool restores = false;                     // it has a restore_command
    RewindPhase phase = RewindPhase::none;     // of an earlier rewind
    std::string why{};                         // and what became of it
    friend bool operator==(const RewindLook&, const RewindLook&) = default;
};

/// What is asked about the WAL from `fork` on, where the other one left the history of this server.
struct DivergenceQuestion {
    SystemId system_id;
    WalPosition fork;
    Timeline last;  // the timeline that the server was on last
};

/// What a rewind would give up, and whether it could be done.
struct Divergence {
    Bytes to_save{};                         // WAL files that hold it
    std::optional<Bytes> room{};             // where they would be saved; nothing: could not be told
    std::optional<Lsn> common_checkpoint{};  // the last one before the fork; nothing: WAL since then is not all there
    friend bool operator==(const Divergence&, const Divergence&) = default;
};

/// Rows of one table that transactions changed which only the rewound server had.
struct TouchedTable {
    std::string name;  // "shop: public.orders", or tablespace/database/file where nobody knows a name for it
    std::uint64_t inserted = 0;
    std::uint64_t updated = 0;
    std::uint64_t deleted = 0;
    friend bool operator==(const TouchedTable&, const TouchedTable&) = default;
};

/// The saved WAL, told so that a person can see what was lost.
struct DivergedWal {
    std::string folder;  // on the node
    std::uint64_t records = 0;
    std::uint64_t commits = 0;
    std::string first_commit{};  // as pg_waldump writes the time; empty: there is none
    std::string last_commit{};
    std::vector<TouchedTable> tables{};  // of committed transactions, the most changed first
    std::uint64_t more_tables = 0;       // that are not listed
    bool whole = true;                   // false: the first of it was recycled before it could be saved
    friend bool operator==(const DivergedWal&, const DivergedWal&) = default;
};
/// "12 transactions from 10:00:01 to 10:00:03 (public.orders: 20 inserted), saved in /home/postgres/.handyrep/diverged/…".
[[nodiscard]] std::string text(const DivergedWal& wal);

struct RewindProgress {
    RewindPhase phase = RewindPhase::none;
    Bytes copied{};
    Bytes to_copy{};  // zero: not known yet
    std::string why{};
    std::optional<DivergedWal> saved{};  // once it is
    friend bool operator==(const RewindProgress&, const RewindProgress&) = default;
};

}  // namespace handyrep::model
