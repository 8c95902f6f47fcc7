#include "model/wal_stretch.hpp"

#include <fmt/format.h>

namespace handyrep::model {

Lsn begin_of_segment(Lsn lsn, Bytes segment) {
    const std::uint64_t at = gap(Lsn{0}, lsn).count;
    return Lsn{at - at % segment.count};
}

std::string wal_file_name(Timeline timeline, Lsn lsn, Bytes segment) {
    constexpr std::uint64_t log_file = 1ULL << 32U;
    const std::uint64_t at = gap(Lsn{0}, lsn).count;
    return fmt::format("{:08X}{:08X}{:08X}", timeline.id, at / log_file, at % log_file / segment.count);
}

}  // namespace handyrep::model
