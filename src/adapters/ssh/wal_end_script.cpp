// What reads the end of a dead server's WAL on its host (S3, S10); the rules of scripts.hpp hold.
#include "adapters/ssh/inspection_scripts.hpp"
#include "adapters/ssh/quote.hpp"
#include "adapters/ssh/scripts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace handyrep::adapters::ssh {

namespace {

// Begins where the candidate left this WAL: the end of a record that this server flushed before it sent it. Only where that part
// may be recycled, because the last checkpoint is behind it, and the read does not reach the checkpoint, does it begin there.
constexpr std::string_view wal_end = R"sh(
LC_ALL=C; export LC_ALL
id=$(control u8 0 8)
if [ "$id" != "$expected" ]; then echo "foreign ${id:-unreadable}"; echo end; exit 0; fi
holders
if [ -n "$pids" ]; then echo "held $(count $pids)"; echo end; exit 0; fi
[ -x "$programs/pg_waldump" ] || { echo "there is no pg_waldump beside the server's programs" >&2; exit 67; }
wal="$data/pg_wal"; [ -d "$wal" ] || wal="$data/pg_xlog"
facts=$(timeout 5 "$programs/pg_controldata" -D "$data") || exit 66
fact() { printf '%s\n' "$facts" | sed -n "s/^$1: *//p"; }
redo=$(fact "Latest checkpoint's REDO location"); on=$(fact "Latest checkpoint's TimeLineID")
segment=$(fact "Bytes per WAL segment"); dump_limit=$limit
# commits, the begin of the last record, its length, whether it switches to a new segment, the status, the last complaint
read_from() {
  { dump_wal "$wal" "$timeline" "$1" 2>&1; echo "status $?"; } | awk '
    /^rmgr: / {
      last = $0; if (/ desc: COMMIT/) commits++; next
    }
    /^pg_waldump: / { why = $0 }
    /^status / { status = $2 }
    END {
      lsn = "-"; length_ = 0; switch_ = 0
      if (last != "") {
        lsn = last; sub(/.* lsn: /, "", lsn); sub(/,.*/, "", lsn)
        length_ = last; sub(/^[^\/]*\/tot\): *[0-9]*\/ */, "", length_); sub(/,.*/, "", length_)
        if (last ~ /^rmgr: XLOG / && last ~ / desc: SWITCH/) switch_ = 1
      }
      print commits + 0, lsn, length_, switch_, status, why
    }'
}
counted=1
found=$(read_from "$from")
if [ "$on" = "$timeline" ] && [ "$(number "$redo")" -gt "$(number "$from")" ]; then
  last=${found#* }; last=${last%% *}
  if [ "$last" = - ] || [ "$(number "$last")" -lt "$(number "$redo")" ]; then counted=0; found=$(read_from "$redo"); fi
fi
set -f; set -- $found; set +f
commits=$1; last=$2; length=$3; switches=$4; status=$5; shift 5
echo "control_timeline $on"
echo "counted $counted"
echo "commits $commits"
echo "last $last"
echo "length $length"
echo "switches $switches"
echo "page $(fact "WAL block size")"
echo "segment $segment"
echo "status $status"
echo "why ${*:--}"
echo end
)sh";

}  // namespace

std::string wal_end_script(const std::string& pgdata, const model::WalEndQuestion& question, Duration limit) {
    return script_about(pgdata)
        .append(programs_script())
        .append(fmt::format(
            "expected={}\ntimeline={}\nfrom={}\nlimit={:.2f}\n", question.system_id.value, question.from.timeline.id,
            quote(question.from.lsn.text()), std::max(0.1, std::chrono::duration<double>(limit).count())))
        .append(wal_end);
}

}  // namespace handyrep::adapters::ssh
