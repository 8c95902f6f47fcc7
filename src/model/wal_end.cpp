#include "model/wal_end.hpp"

#include <algorithm>

namespace handyrep::model {

namespace {

// xlog_internal.h: XLogPageHeaderData and XLogLongPageHeaderData, aligned.
constexpr std::uint64_t page_header = 24;
constexpr std::uint64_t segment_header = 40;
constexpr std::uint64_t alignment = 8;

}  // namespace

Lsn end_of_record(Lsn begin, Bytes length, const WalLayout& layout) {
    std::uint64_t at = gap(Lsn{0}, begin).count;
    std::uint64_t left = (length.count + alignment - 1) / alignment * alignment;
    for (;;) {
        const std::uint64_t fits = std::min(left, layout.page - at % layout.page);
        at += fits;
        left -= fits;
        if (left == 0) return Lsn{at};
        at += at % layout.segment == 0 ? segment_header : page_header;
    }
}

Lsn end_of_segment(Lsn within, const WalLayout& layout) {
    const std::uint64_t at = gap(Lsn{0}, within).count;
    return Lsn{(at / layout.segment + 1) * layout.segment};
}

}  // namespace handyrep::model
