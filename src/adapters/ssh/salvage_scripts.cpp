#include "adapters/ssh/salvage_scripts.hpp"

#include "adapters/ssh/quote.hpp"

#include <fmt/format.h>

#include <string_view>

namespace handyrep::adapters::ssh {

using model::Bytes;
using model::Lsn;
using model::WalStretch;

namespace {

// Pages are copied whole; only the last one may end within.
constexpr std::uint64_t page = 8192;

constexpr std::string_view read_wal = R"sh(
id=$(control u8 0 8)
if [ "$id" != "$expected" ]; then echo "foreign ${id:-unreadable}"; echo end; exit 0; fi
holders
if [ -n "$pids" ]; then echo "held $(count $pids)"; echo end; exit 0; fi
wal="$data/pg_wal"; [ -d "$wal" ] || wal="$data/pg_xlog"
[ -f "$wal/$name" ] || { echo "there is no $name any more" >&2; exit 67; }
command -v gzip >/dev/null || { echo "there is no gzip on that host" >&2; exit 68; }
printf 'wal %s\n' "$(dd if="$wal/$name" bs=8192 skip="$first" count="$pages" 2>/dev/null | head -c "$length" | gzip -1 | base64 -w 0)"
echo end
)sh";

constexpr std::string_view about_place = R"sh(
answer() { echo "$*"; echo end; exit 0; }
umask 077
place="$kept/salvage.$this"
[ -n "$this" ] || answer "failed the data directory cannot be looked at"
)sh";

// What the server has replayed of that file is in its own copy of it, byte for byte. It may be missing: then all of it is copied.
constexpr std::string_view make_place = R"sh(
id=$(control u8 0 8)
[ "$id" = "$expected" ] || answer "refused the data directory belongs to another system (${id:-unreadable})"
for program in gzip base64 truncate; do command -v $program >/dev/null || answer "refused there is no $program on that host"; done
[ ! -d "$place" ] || rm -rf -- "$place" || answer "failed an older $place could not be removed"
mkdir -p -- "$place" || answer "failed $place could not be made"
free=$(timeout 5 df -Pk "$place" 2>/dev/null | { read -r _; read -r _ _ _ free _; echo "${free:-0}"; })
if [ "$free" -lt "$needs" ]; then
  rmdir -- "$place"
  answer "refused there is no room in $kept: $needs kB are needed, $free kB are free"
fi
wal="$data/pg_wal"; [ -d "$wal" ] || wal="$data/pg_xlog"
head=0
if [ "$pages" -gt 0 ] && [ -f "$wal/$name" ] && [ "$(stat -c %s "$wal/$name")" = "$segment" ]; then
  dd if="$wal/$name" of="$place/$name" bs=8192 count="$pages" 2>/dev/null || answer "failed $name could not be copied"
  head=$((pages * 8192))
fi
echo "folder $place"
echo "head $head"
echo end
)sh";

// First beside, so that nothing is taken for whole that was cut on its way. The rest of the file is zeros, which is where WAL ends.
constexpr std::string_view put_wal_begin = R"sh(
[ -d "$place" ] || answer "refused there is no $place"
piece="$place/piece"
base64 -d <<'END_OF_WAL' 2>/dev/null | gzip -dc >"$piece" 2>/dev/null
)sh";
constexpr std::string_view put_wal_end = R"sh(
END_OF_WAL
[ "$(stat -c %s "$piece")" = "$length" ] || answer "failed a piece of $name did not come whole"
dd if="$piece" of="$place/$name" bs=8192 seek="$first" conv=notrunc 2>/dev/null && truncate -s "$segment" "$place/$name" && rm -f -- "$piece" \
  || answer "failed $name could not be written"
answer "done"
)sh";

constexpr std::string_view remove_place = R"sh(
[ ! -d "$place" ] || rm -rf -- "$place" || answer "failed $place could not be removed"
answer "done"
)sh";

std::uint64_t within_file(Lsn lsn, Bytes segment) { return gap(begin_of_segment(lsn, segment), lsn).count; }

/// Names and numbers of a stretch that begins at a page.
std::string words_of(const WalStretch& stretch) {
    const std::uint64_t length = gap(stretch.from, stretch.to).count;
    return fmt::format(
        "\nexpected={}\nname={}\nsegment={}\nfirst={}\nlength={}\npages={}\n", stretch.system_id.value,
        wal_file_name(stretch.timeline, stretch.from, stretch.segment), stretch.segment.count,
        within_file(stretch.from, stretch.segment) / page, length, (length + page - 1) / page);
}

}  // namespace

std::string read_wal_script(const Node& node, const WalStretch& stretch) {
    return script_about(node.pgdata).append(words_of(stretch)).append(read_wal);
}

std::string make_place_script(const Node& node, const WalStretch& stretch) {
    const Bytes whole_files = gap(begin_of_segment(stretch.from, stretch.segment), stretch.to + stretch.segment);
    return script_about(node.pgdata)
        .append(what_is_kept(node))
        .append(fmt::format(
            "\nexpected={}\nname={}\nsegment={}\npages={}\nneeds={}\n", stretch.system_id.value,
            wal_file_name(stretch.timeline, stretch.from, stretch.segment), stretch.segment.count,
            within_file(stretch.from, stretch.segment) / page, whole_files.count >> 10U))
        .append(about_place)
        .append(make_place);
}

std::string put_wal_script(const Node& node, const WalStretch& stretch, const model::PackedWal& wal) {
    return script_about(node.pgdata)
        .append(what_is_kept(node))
        .append(words_of(stretch))
        .append(about_place)
        .append(put_wal_begin)
        .append(wal.text)
        .append(put_wal_end);
}

std::string remove_place_script(const Node& node) {
    return script_about(node.pgdata).append(what_is_kept(node)).append(about_place).append(remove_place);
}

}  // namespace handyrep::adapters::ssh
