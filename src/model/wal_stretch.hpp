// model/wal_stretch.hpp — WAL on its way from one machine to another.
#pragma once

#include "model/lsn.hpp"
#include "model/server.hpp"
#include "model/timeline.hpp"

#include <string>

namespace handyrep::model {

/// The WAL of one timeline from `from` to `to`, on the disks of one system.
struct WalStretch {
    SystemId system_id;
    Timeline timeline;
    Lsn from;
    Lsn to;
    Bytes segment;  // so much of it is in one file
};

/// A stretch, made small and printable.
struct PackedWal {
    std::string text;
};

/// Where WAL is brought to on the machine of a server.
struct WalPlace {
    std::string folder;
    Lsn from;  // what lies before in that file is there already
};

/// Where the file begins that `lsn` lies in.
[[nodiscard]] Lsn begin_of_segment(Lsn lsn, Bytes segment);

/// As PostgreSQL names the file that holds `lsn`: "00000001000000AB000000CD".
[[nodiscard]] std::string wal_file_name(Timeline timeline, Lsn lsn, Bytes segment);

}  // namespace handyrep::model
