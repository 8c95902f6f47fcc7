// model/copy.hpp — a data directory that is to become a copy of another server's: what stands there now, and how far the copy is.
#pragma once

#include "base/time.hpp"
#include "model/lsn.hpp"
#include "model/server.hpp"
#include "model/sighting.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace handyrep::model {

/// What stands where a server's data directory is to be.
enum class Standing {
    absent,
    empty,
    database,      // PostgreSQL's, with a control file that can be read
    unidentified,  // something else, or something that cannot be read
};
[[nodiscard]] std::string_view word_for(Standing standing);

/// What the owner of that place finds there. Nothing was changed.
struct TargetLook {
    Standing standing = Standing::unidentified;
    std::optional<SystemId> system_id{};  // of a database
    ControlState state = ControlState::in_production;
    std::uint32_t processes = 0;  // that hold it
    std::optional<Room> room{};   // of the file system; nothing: could not be told
    std::string impediment{};     // why nothing can be put there, in one sentence; empty: it can
    std::string wal_directory{};  // where its pg_wal leads to, when that lies elsewhere
    friend bool operator==(const TargetLook&, const TargetLook&) = default;
};

/// One tablespace: where the source has it, and where the copy is to have it.
struct TablespacePlace {
    std::string from;
    std::string to;
    friend bool operator==(const TablespacePlace&, const TablespacePlace&) = default;
};

/// How a copy is wanted by whoever orders it.
struct CopyWishes {
    std::optional<Bytes> rate{};  // per second, at most
    std::string slot{};           // a physical slot at its upstream that keeps WAL for it from now on, made if need be; empty: none
    std::string wal_directory{};  // absolute; empty: as the directory has it now, or inside
    std::vector<TablespacePlace> tablespaces{};
    friend bool operator==(const CopyWishes&, const CopyWishes&) = default;
};

struct CopyProgress {
    enum class State {
        none,  // nobody has begun one with that number
        running,
        whole,     // it lies beside the data directory, synced
        in_place,  // it is the data directory
        failed,    // it ended by itself, and says why
        lost,      // it ended without a word: killed, or the machine was restarted
    };
    State state = State::none;
    Bytes copied{};
    std::optional<Bytes> total{};  // as it was estimated when it began
    Duration running_for{};
    std::string said{};  // its last line
    friend bool operator==(const CopyProgress&, const CopyProgress&) = default;
};
[[nodiscard]] std::string_view word_for(CopyProgress::State state);

}  // namespace handyrep::model
