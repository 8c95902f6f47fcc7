// model/wal_end.hpp — where the write-ahead log on a dead server's disk ends, and how that is told from its last record.
#pragma once

#include "model/lsn.hpp"
#include "model/server.hpp"
#include "model/timeline.hpp"

#include <cstdint>

namespace handyrep::model {

/// What is asked: the WAL of `timeline` behind `from`, which is the end of a record that the server itself has sent.
struct WalEndQuestion {
    SystemId system_id;  // refused when the directory belongs to another system
    WalPosition from;
};

/// The end of the last whole record on the disk, and what lies between `from` and there.
struct WalEnd {
    Lsn end;
    std::uint64_t commits = 0;   // records that commit a transaction, prepared ones too
    bool all_counted = true;     // false: the first of that WAL is recycled, and what it committed is not known
    Bytes segment{16ULL << 20};  // so much of that WAL is in one file
    friend bool operator==(const WalEnd&, const WalEnd&) = default;
};

/// Sizes of a cluster's WAL, as pg_controldata says them.
struct WalLayout {
    std::uint64_t page = 8192;
    std::uint64_t segment = 16ULL << 20U;
};

/// Where a record of `length` bytes that begins at `begin` ends: page headers in between counted, aligned as PostgreSQL does.
[[nodiscard]] Lsn end_of_record(Lsn begin, Bytes length, const WalLayout& layout);
/// The record that switches to a new segment takes the rest of its own.
[[nodiscard]] Lsn end_of_segment(Lsn within, const WalLayout& layout);

}  // namespace handyrep::model
