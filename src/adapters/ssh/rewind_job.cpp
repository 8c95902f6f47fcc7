// The job that rewinds a data directory on its node (S7, S24), from the saving of its diverged WAL to its own settings put back.
#include "adapters/ssh/rewind_scripts.hpp"

namespace handyrep::adapters::ssh {

namespace {

// Its directory is held from here on: by the server's own lock file, whose holder PostgreSQL takes for dead only where it is its own
// parent, and by the permission bit, which stays when pg_rewind takes that file away.
constexpr std::string_view job = R"sh(
trap '' HUP PIPE TERM
umask 077
source=$(cat "$work/source") && printf '%s %s\n' $$ "$(began_of $$)" >"$work/pid.new" && mv "$work/pid.new" "$work/pid" || exit 66
trap 'rm -f "$work/passfile" "$work/source" "$work/in"' EXIT
hold() { printf '%s\n%s\n%s\n' $$ "$data" "$(date +%s)" >"$data/postmaster.pid"; }
give_up() { give_free; put_phase untouched "$1"; exit 1; }
stop_half() { put_phase half "$1; what was saved is in $saved"; exit 1; }
HOME=$(getent passwd "$(id -un)" | cut -d: -f6); export HOME
for variable in $(env | sed -n 's/^\(PG[A-Z]*\)=.*/\1/p'); do unset "$variable"; done
find_configuration || give_up "its configuration was not found"
hold && chmod o+x "$data" || give_up "its directory could not be held"
holders; [ -z "$pids" ] || give_up "somebody started it"

# --- what only it has is saved before anything is written there
saved="$kept/diverged/$label-$(date -u +%Y%m%dT%H%M%SZ)"
mkdir -p "$saved/pg_wal" && put_phase saving || give_up "$saved could not be made"
diverged_segments >"$work/files"
while IFS= read -r file; do
  cp -p "$file" "$saved/pg_wal/" && sync "$saved/pg_wal/${file##*/}" || { rm -rf "$saved"; saved=; give_up "$file could not be saved"; }
done <"$work/files"
cp -p "$wal"/*.history "$saved/pg_wal/" 2>/dev/null
cp -p "$data/global/pg_control" "$saved/" && sync "$saved/pg_control" "$saved/pg_wal" "$saved" || give_up "its WAL could not be saved"

# Of every record: rows by transaction and table; they count once the transaction is committed.
counted='
function fold(tx,   n, i, rels, key) {
  n = split(list[tx], rels, " ")
  for (i = 1; i <= n; i++) {
    key = tx SUBSEP rels[i]
    ins[rels[i]] += a[key]; upd[rels[i]] += b[key]; del[rels[i]] += c[key]
    delete a[key]; delete b[key]; delete c[key]; delete seen[key]
  }
  delete list[tx]
}
/^rmgr: / {
  records++
  what = $0; sub(/^.* desc: /, "", what)
  tx = $0; sub(/^.* tx: */, "", tx); sub(/,.*/, "", tx)
  if ($2 == "Transaction" && what ~ /^COMMIT/) {
    commits++
    if (what ~ /^COMMIT_PREPARED /) { tx = what; sub(/^COMMIT_PREPARED /, "", tx); sub(/:.*/, "", tx) }
    time = what; sub(/^COMMIT[A-Z_]* ([0-9]+: )?/, "", time); sub(/;.*/, "", time)
    if (first == "") first = time
    last = time
    if (match(what, /subxacts: [0-9 ]+/)) { m = split(substr(what, RSTART + 10, RLENGTH - 10), sub_, " "); for (j = 1; j <= m; j++) fold(sub_[j]) }
    fold(tx)
  } else if (($2 == "Heap" || $2 == "Heap2") && match($0, /blkref #0: rel [0-9\/]+/)) {
    rel = substr($0, RSTART + 15, RLENGTH - 15); key = tx SUBSEP rel
    n = 1
    if (what ~ /^MULTI_INSERT/) { n = what; sub(/^MULTI_INSERT[^ ]* (ntuples: )?/, "", n); n += 0 }
    if (what ~ /^(MULTI_)?INSERT/) a[key] += n
    else if (what ~ /^(HOT_)?UPDATE/) b[key] += 1
    else if (what ~ /^DELETE/) c[key] += 1
    else next
    if (!(key in seen)) { seen[key] = 1; list[tx] = list[tx] " " rel }
  }
}
END {
  print "records " records + 0; print "commits " commits + 0
  print "first " (first == "" ? "-" : first); print "last " (last == "" ? "-" : last)
  for (rel in ins) { split(rel, part, "/"); if (part[3] >= 16384) print "table " ins[rel] + 0, upd[rel] + 0, del[rel] + 0, rel }
}'
# The fork lies on the first of these timelines; on the later ones all is diverged. Where its segment is gone, what is left is told.
whole=1; begins=$fork; begins_on=$fork_timeline
if read -r first <"$work/files"; then
  first=${first##*/}; rest=${first#????????}; low=${rest#????????}; high=${rest%$low}; first_at=$(( (0x$high * per + 0x$low) * segment ))
  if [ "$first_at" -gt "$fork_at" ]; then whole=0; begins=$(hex $first_at); begins_on=$((0x${first%$rest})); fi
else whole=0; fi
dumped() {
  t=$begins_on; at=$begins
  while [ "$t" -le "$last_timeline" ]; do
    dump_wal "$saved/pg_wal" "$t" "$at" 2>/dev/null
    left=$(sed -n "s/^[[:space:]]*$t[[:space:]]\{1,\}\([0-9A-F]*\/[0-9A-F]*\).*/\1/p" "$saved/pg_wal/$(printf %08X $((t + 1))).history" 2>/dev/null)
    t=$((t + 1)); at=${left:-$at}
  done
}
dumped | awk "$counted" >"$work/counts"
# Names are in the other server's catalogs; what was made since the fork is known by its numbers alone.
database_of() { "$programs/psql" -X -A -t -w -c "SELECT datname FROM pg_database WHERE oid = $1" "$source dbname=postgres" 2>/dev/null | head -n 1; }
name_of_table() {
  spc=${1%%/*}; rest=${1#*/}; db=${rest%%/*}; node=${rest#*/}
  [ -x "$programs/psql" ] && in=$(database_of "$db") && [ -n "$in" ] || { echo "$1"; return; }
  word=$(printf '%s' "$in" | sed "s/['\\\\]/\\\\&/g")
  found=$("$programs/psql" -X -A -t -w -c "SELECT pg_filenode_relation($spc, $node)::regclass" "$source dbname='$word'" 2>/dev/null | one_line)
  echo "${found:+$in: }${found:-$1}"
}
{
  echo "folder $saved"; echo "whole $whole"; grep -v '^table ' "$work/counts"
  all=$(grep -c '^table ' "$work/counts"); listed=$all; [ "$listed" -le 20 ] || listed=20
  echo "tables $listed"
  grep '^table ' "$work/counts" | awk '{ print $2 + $3 + $4, $0 }' | sort -k1,1nr -k6 | cut -d' ' -f2- | head -n 20 \
    | while read -r _ inserted updated deleted rel; do echo "table $inserted $updated $deleted $(name_of_table "$rel")"; done
  echo "more $((all - listed))"
} >"$work/summary" && cp "$work/summary" "$saved/summary" && sync "$saved/summary" || give_up "the summary of its WAL could not be written"

# --- a crashed one recovers by itself: without the mark, which single-user mode cannot bear, and only as long as it reads it. Its checkpoints
# must not take away the WAL back to the last common one, which pg_rewind is going to read.
recover() {
  put_phase recovering || give_up "$work cannot be written"
  rm -f "$work/in"; mkfifo "$work/in" && hold && chmod o-x "$data" && rm "$data/standby.signal" || give_up "it could not be prepared for its recovery"
  exec 9<>"$work/in"
  keeps=wal_keep_size; [ "$version" -ge 13 ] || keeps=wal_keep_segments
  "$programs/postgres" --single -D "$data" -c "config_file=$config" -c $keeps=2147483647 template1 <"$work/in" >"$work/recovery" 2>&1 9>&- &
  single=$!
  while ! grep -q '^backend>' "$work/recovery" && kill -0 $single 2>/dev/null; do sleep 0.05; done
  : >"$data/standby.signal" && sync "$data/standby.signal" && chmod o+x "$data"; marked=$?
  exec 9>&-
  wait $single; ended=$?
  rm -f "$work/in"; hold
  cat "$work/recovery"
  [ $marked = 0 ] && [ $ended = 0 ] && [ "$(control d4 16 4)" = 1 ] \
    || give_up "its crash recovery failed: $(grep -E 'FATAL|PANIC|ERROR' "$work/recovery" | tail -n 1 | one_line)"
}
case $(control d4 16 4) in 1|2) ;; *) recover;; esac

# --- tried without writing anything
set -- -D "$data" --source-server="$source" --no-ensure-shutdown -R
if [ "$config" != "$data/postgresql.conf" ] && [ "$version" -ge 15 ]; then set -- "$@" --config-file="$config"; fi
restores=$(setting restore_command)
if [ -n "$restores" ] && { [ "$config" = "$data/postgresql.conf" ] || [ "$version" -ge 15 ]; }; then set -- "$@" -c; fi
put_phase trying || give_up "$work cannot be written"
"$programs/pg_rewind" "$@" --dry-run >"$work/tried" 2>&1 \
  || { cat "$work/tried"; give_up "pg_rewind cannot: $(grep -E 'error:|fatal:' "$work/tried" | tail -n 3 | one_line)"; }
cat "$work/tried"
! grep -q 'no rewind required' "$work/tried" || give_up "pg_rewind finds nothing to rewind"
# It replays from the redo position of that checkpoint on, and of what lies behind the fork the other server must still have all.
common_at=$(sed -n 's/.*last common checkpoint at \([0-9A-F]*\/[0-9A-F]*\) on timeline \([0-9]*\).*/\1 \2/p' "$work/tried")
redo=$(dump_wal "$wal" "${common_at#* }" "${common_at% *}" -n 1 2>/dev/null | sed -n 's/.* redo \([0-9A-F]*\/[0-9A-F]*\);.*/\1/p')
if [ -n "$redo" ] && [ -x "$programs/psql" ] && [ -z "$restores" ]; then
  index=$(( $(number "$redo") / segment ))
  kept_there=$("$programs/psql" -X -A -t -w -c "SELECT count(*) FROM pg_ls_waldir() WHERE substr(name, 9) = '$(printf '%08X%08X' $((index / per)) $((index % per)))'" "$source" 2>/dev/null)
  [ "${kept_there:-1}" != 0 ] || give_up "the other server has no WAL from the last common checkpoint ($redo) on any more, and there is no restore_command"
fi

# --- what is the node's own comes back afterwards: pg_rewind copies the other's configuration, takes away the options that the server
# was started with, and empties pg_replslot
own="$work/own"; rm -rf "$own"; mkdir -p "$own/files" "$own/slots" || give_up "$own could not be made"
for file in "$data"/*; do
  [ -f "$file" ] && [ ! -h "$file" ] && [ "$(stat -c %s "$file")" -lt 1048576 ] || continue
  case ${file##*/} in
    PG_VERSION|postmaster.pid|backup_*|tablespace_map*|*.signal|recovery.*|current_logfiles|*promote|logrotate|*.new) continue;;
  esac
  cp -p "$file" "$own/files/" || give_up "$file could not be kept"
done
if [ -d "$data/conf.d" ]; then cp -a "$data/conf.d" "$own/conf.d" || give_up "conf.d could not be kept"; fi
# Of its slots the physical ones: 0 is no database. A logical one cannot be taken to another history.
for slot in "$data"/pg_replslot/*; do
  [ -f "$slot/state" ] && [ "$(od -An -v -t u4 -j 80 -N 4 "$slot/state" | tr -d ' ')" = 0 ] || continue
  cp -a "$slot" "$own/slots/" || give_up "a slot could not be kept"
done
for name in synchronous_standby_names port cluster_name listen_addresses max_connections hba_file ident_file restore_command; do
  printf '%s=%s\n' "$name" "$(setting "$name" | one_line)"
done >"$work/settings"
sync "$work/settings" || give_up "its settings could not be kept"

put_phase rewinding || give_up "$work cannot be written"
"$programs/pg_rewind" "$@" -P >"$work/progress" 2>&1
ended=$?
cat "$work/progress"
[ $ended = 0 ] || stop_half "pg_rewind failed half-way: $(grep -E 'error:|fatal:' "$work/progress" | tail -n 1 | one_line)"
: >"$data/standby.signal" && sync "$data/standby.signal" || stop_half "it could not be marked standby again"
put_back() {
  for file in "$own/files"/*; do cp -p "$file" "$data/${file##*/}.new" && sync "$data/${file##*/}.new" && mv "$data/${file##*/}.new" "$data/${file##*/}" || return 1; done
  [ ! -d "$own/conf.d" ] || { mkdir -p "$data/conf.d" && cp -a "$own/conf.d/." "$data/conf.d/" || return 1; }
  for slot in "$own/slots"/*; do [ ! -d "$slot" ] || cp -a "$slot" "$data/pg_replslot/" || return 1; done
  sync "$data" "$data/pg_replslot"
}
put_back || stop_half "its own settings could not be put back, they are in $own"
rm -f "$data/postmaster.pid"
put_phase done || stop_half "$work cannot be written"
cp "$work/log" "$saved/log"
)sh";

}  // namespace

std::string_view rewind_job() { return job; }

}  // namespace handyrep::adapters::ssh
