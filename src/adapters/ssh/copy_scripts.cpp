#include "adapters/ssh/copy_scripts.hpp"

#include "adapters/ssh/quote.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace handyrep::adapters::ssh {

namespace {

// Renaming happens beside the directory itself, wherever a link may lead to.
constexpr std::string_view place = R"sh(
LC_ALL=C; export LC_ALL
answer() { echo "$*"; echo end; exit 0; }
place=$(readlink -m "$data"); parent=${place%/*}; parent=${parent:-/}
new="$place.handyrep-new"; old="$place.handyrep-old"
job="$kept/copy.$(printf '%s' "$place" | cksum | tr ' ' .)"
inode() { stat -c %d.%i "$1" 2>/dev/null; }
running() { [ -f "$job/lock" ] && ! flock -s -n "$job/lock" true; }
is_number() { had=; { [ -f "$job/number" ] && read -r had <"$job/number"; } && [ "$had" = "$number" ]; }
# "made": what a copy made, by inode and by the path at which it was made. "old": what was set aside, by inode and present path.
noted() { i=$(inode "$2") && [ -n "$i" ] && grep -qsxF "$i $3" "$job/$1"; }
made_by_us() { noted made "$1" "$1"; }
in_place() { noted made "$place" "$new"; }
holders_of() { data=$1; holders; data=$place; }
standing() {
  standing=unidentified; id=; state=; pids=
  if [ ! -e "$place" ]; then standing=absent; return; fi
  [ -d "$place" ] && entries=$(ls -A "$place") || return
  holders_of "$place"
  if [ -z "$entries" ]; then standing=empty; return; fi
  { id=$(control u8 0 8); state=$(control d4 16 4); } 2>/dev/null
  [ -n "$id" ] && [ -n "$state" ] && read_version && standing=database
}
must_be_replaceable() {
  standing
  case $standing in
    absent|empty) ;;
    database) [ "$id" = "$expected" ] || answer "refused the data directory belongs to another system ($id)";;
    *) answer "refused what stands at $place could not be identified as a data directory";;
  esac
  [ -z "$pids" ] || answer "refused $(count $pids) processes hold the data directory"
}
)sh";

// The programs with which the server that stands there was started, else those of its version where packages put them.
constexpr std::string_view programs = R"sh(
programs=
opts=; [ -f "$place/postmaster.opts" ] && read -r opts <"$place/postmaster.opts"
opts=${opts%% \"*}
for folder in "${opts%/*}" "/usr/lib/postgresql/$wanted/bin" "/usr/pgsql-$wanted/bin"; do
  [ -x "$programs/pg_basebackup" ] || programs=$folder
done
[ -x "$programs/pg_basebackup" ] || { found=$(command -v pg_basebackup) && programs=${found%/*}; } || programs=
)sh";

constexpr std::string_view look = R"sh(
standing
me=$(id -un)
above=$parent
while [ ! -d "$above" ]; do above=${above%/*}; above=${above:-/}; done
impediment=
say() { [ -n "$impediment" ] || impediment=$1; }
[ -w "$above" ] || say "$me may not write in $above, where the copy is put first"
if [ -d "$place" ] && [ "$(stat -c %d "$place")" != "$(stat -c %d "$parent")" ]; then
  say "$place is a file system of its own, and a copy takes its place by renaming: let pgdata be a folder below it"
fi
[ ! -e "$new" ] || made_by_us "$new" || say "$new is in the way: look at it and remove it"
[ ! -e "$old" ] || say "$old, which was set aside, is in the way: remove it when nobody needs it any more"
for tool in flock setsid cksum readlink timeout; do command -v $tool >/dev/null || say "there is no $tool on that host"; done
[ -n "$programs" ] || say "there is no pg_basebackup of version $wanted on that host"
[ -w "$kept" ] || { [ ! -e "$kept" ] && [ -w "${kept%/*}" ]; } || say "$me may not write in $kept"
if running; then say "a copy is being made there already"; fi
wal=
[ -L "$place/pg_wal" ] && wal=$(readlink -m "$place/pg_wal")
echo "standing $standing"
echo "system_id ${id:--}"
echo "state ${state:-0}"
echo "processes $(count $pids)"
echo "room $(room "$( [ -d "$place" ] && echo "$place" || echo "$above" )")"
echo "impediment ${impediment:--}"
echo "wal_directory ${wal:--}"
echo end
)sh";

constexpr std::string_view make_directory = R"sh(
[ -d "$place" ] || mkdir -p -m 700 "$place" || answer "failed $place could not be made"
answer "done"
)sh";

constexpr std::string_view own_conninfo = R"sh(
name="[[:space:]]*primary_conninfo[[:space:]]*=\{0,1\}[[:space:]]*"
text=
own=$place; [ -d "$place" ] || own=$old
for file in postgresql.conf postgresql.auto.conf recovery.conf; do
  last=$(sed -n "s/^$name'\(.*\)'[[:space:]]*\(#.*\)\{0,1\}\$/\1/Ip" "$own/$file" 2>/dev/null | tail -n 1)
  [ -z "$last" ] || text=$last
done
printf 'conninfo %s\n' "$text"
echo end
)sh";

// The job. Its number is there before it, and its pid is the last that its beginning waits for.
constexpr std::string_view job_begin = R"sh(
exec 9>>"$job/lock"
flock -w 20 9 || exit 70
trap '' HUP PIPE
end() { echo "$1" >"$job/status.new" && sync "$job/status.new" && mv "$job/status.new" "$job/status"; exit "$1"; }
fail() { echo "$*"; end 1; }
read -r boot </proc/sys/kernel/random/boot_id
self=$(cat /proc/$$/stat); set -f; set -- ${self##*) }; set +f
echo "$boot $$ ${20}" >"$job/pid.new" && mv "$job/pid.new" "$job/pid" || exit 71
make() {
  if [ -e "$1" ]; then
    rmdir "$1" 2>/dev/null || { made_by_us "$1" && rm -rf -- "$1"; } || fail "$1 is in the way: look at it and remove it"
  fi
  mkdir -p "${1%/*}" && mkdir -m 700 "$1" && echo "$(inode "$1") $1" >>"$job/made" || fail "$1 could not be made"
}
# Another place that belongs to the data directory: it must be free, or be that of the directory that stands there.
area() {
  case $1 in /*) ;; *) fail "$1 is no absolute path";; esac
  if [ -e "$1" ] && [ -n "$(ls -A "$1")" ]; then
    ours=
    for link in "$place/pg_wal" "$place"/pg_tblspc/*; do [ -L "$link" ] && [ "$link" -ef "$1" ] && ours=1; done
    [ -n "$ours" ] || fail "$1 is not empty, and does not belong to $place"
    [ ! -e "$1.handyrep-old" ] || fail "$1.handyrep-old is in the way: look at it and remove it"
  fi
  make "$1.handyrep-new"
  echo "$1" >>"$job/areas"
}
: >"$job/areas"
make "$new"
)sh";

// Under a name of its own: whoever counts confirmations must not take a copy that is being made for the replica that it will be (S5).
constexpr std::string_view basebackup = R"sh(
echo "$upstream" >"$job/upstream"; echo "$programs" >"$job/programs"
set -- -d "$source application_name=handyrep_copy" -D "$new" -X stream -c fast -P -w
[ -z "$rate" ] || set -- "$@" --max-rate="$rate"
if [ -n "$slot" ]; then
  asked=$("$programs/psql" -X -A -t -w -d "$upstream dbname=replication replication=true" -c "CREATE_REPLICATION_SLOT \"$slot\" PHYSICAL RESERVE_WAL" 2>&1) \
    && echo "$slot" >"$job/slot" || case $asked in *"already exists"*) ;; *) fail "the slot $slot could not be made: $asked";; esac
  [ "$source" != "$upstream" ] || set -- "$@" -S "$slot"
fi
[ -n "$wal" ] || { [ -L "$place/pg_wal" ] && wal=$(readlink -m "$place/pg_wal"); }
if [ -n "$wal" ]; then area "$wal"; set -- "$@" --waldir="$wal.handyrep-new"; fi
tablespace() { area "$2"; map=$(printf '%s' "$1" | sed 's/=/\\=/g')=$(printf '%s' "$2.handyrep-new" | sed 's/=/\\=/g'); }
)sh";

// Where it had tablespaces of its own and nobody says otherwise, the source has them at the same path, for that is how a copy is made.
constexpr std::string_view own_tablespaces = R"sh(
for link in "$place"/pg_tblspc/*; do
  [ -L "$link" ] || continue
  to=$(readlink -m "$link")
  grep -qsxF "$to" "$job/areas" || { tablespace "$to" "$to"; set -- "$@" -T "$map"; }
done
"$programs/pg_basebackup" "$@"
end $?
)sh";

constexpr std::string_view begin = R"sh(
umask 077
mkdir -p "$job" || answer "failed $job could not be made"
is_number && [ -f "$job/pid" ] && answer "done"
if running; then answer "refused a copy for operation $had is being made there"; fi
must_be_replaceable
[ ! -e "$old" ] || answer "refused $old, which was set aside, is in the way: remove it when nobody needs it any more"
[ -n "$programs" ] || answer "refused there is no pg_basebackup of version $wanted on that host"
rm -f "$job/status" "$job/pid" "$job/out" "$job/old" "$job/slot" || answer "failed $job could not be written"
printf '%s\n' "$script" >"$job/script" && echo "$number" >"$job/number.new" && sync "$job/number.new" && mv "$job/number.new" "$job/number" \
  || answer "failed $job could not be written"
in_time || answer "refused its time had passed on that host before it began"
setsid /bin/sh "$job/script" </dev/null >"$job/out" 2>&1 &
while [ ! -f "$job/pid" ] && in_time; do sleep 0.02; done
[ -f "$job/pid" ] || answer "failed the copy did not begin"
answer "done"
)sh";

constexpr std::string_view progress = R"sh(
state=none
if is_number; then
  # Asked in this order: one that ends meanwhile has written down how.
  if running; then state=running; elif [ -f "$job/status" ]; then
    read -r status <"$job/status"; if [ "$status" = 0 ]; then state=whole; else state=failed; fi
  elif [ -f "$job/pid" ]; then state=lost; fi
  if in_place; then state=in_place; fi
fi
counts=; said=; passed=0
if [ $state != none ]; then
  words=$(tail -c 4000 "$job/out" 2>/dev/null | tr '\r' '\n')
  counts=$(printf '%s\n' "$words" | sed -n 's/^ *\([0-9]\{1,\}\)\/\([0-9]\{1,\}\) kB.*/\1 \2/p' | tail -n 1)
  words=$(printf '%s\n' "$words" | grep -v '^ *[0-9]*/[0-9]* kB' | grep .)
  said=$(printf '%s\n' "$words" | grep 'error:\|FATAL' | tail -n 1 | cut -c1-600)
  said=${said:-$(printf '%s\n' "$words" | tail -n 1 | cut -c1-600)}
  now=$(date +%s)
  [ -f "$job/pid" ] && passed=$((now - $(stat -c %Y "$job/pid")))
  [ $passed -ge 0 ] || passed=0
fi
echo "state $state"
echo "copied ${counts%% *}"
echo "total ${counts##* }"
echo "passed $passed"
echo "said ${said:--}"
echo end
)sh";

constexpr std::string_view abandon = R"sh(
is_number || answer "done"
if in_place; then answer "refused the copy stands in its place already"; fi
if running && read -r boot pid began <"$job/pid"; then
  read -r boots </proc/sys/kernel/random/boot_id
  self=$(cat "/proc/$pid/stat" 2>/dev/null); set -f; set -- ${self##*) }; set +f
  # Its group ends with its last process, which may have outlived the first one: then nobody is left who could be mistaken.
  if [ "$boot" = "$boots" ] && { [ -z "$self" ] || [ "${20}" = "$began" ]; }; then
    for signal in TERM KILL; do
      kill -s $signal -- "-$pid" 2>/dev/null
      looks=100
      while running && [ $looks -gt 0 ] && in_time; do looks=$((looks - 1)); sleep 0.03; done
      running || break
    done
  fi
fi
if running; then answer "failed the copy does not end"; fi
if [ -f "$job/slot" ]; then
  read -r slot <"$job/slot"; read -r upstream <"$job/upstream"
  asked=$(timeout 10 "$(cat "$job/programs")/psql" -X -A -t -w -d "$upstream dbname=replication replication=true" -c "DROP_REPLICATION_SLOT \"$slot\"" 2>&1) \
    || case $asked in *"does not exist"*) ;; *) answer "failed the slot $slot, which keeps WAL, could not be dropped: $(printf '%s' "$asked" | tr '\n' ' ')";; esac
  rm -f "$job/slot"
fi
back() { [ -e "$1" ] || { noted old "$1.handyrep-old" "$1.handyrep-old" && mv -T "$1.handyrep-old" "$1"; }; }
[ -f "$job/areas" ] && while IFS= read -r area; do
  if noted made "$area" "$area.handyrep-new"; then rm -rf -- "$area"; fi
  made_by_us "$area.handyrep-new" && rm -rf -- "$area.handyrep-new"
  back "$area"
done <"$job/areas"
if [ -e "$new" ]; then rmdir "$new" 2>/dev/null || { made_by_us "$new" && rm -rf -- "$new"; } || answer "failed $new could not be removed"; fi
back "$place"
rm -rf -- "$job"
answer "done"
)sh";

/// In whole kilobytes, as pg_basebackup reads it: 32 at least, 1 GB at most.
std::string rate_of(const std::optional<model::Bytes>& rate) {
    constexpr std::uint64_t least = 32;
    constexpr std::uint64_t most = 1048576;
    return rate ? fmt::format("{}", std::clamp<std::uint64_t>(rate->count / 1024, least, most)) : std::string{};
}

std::string job_script(const Node& node, const ports::CopyOrder& order) {
    std::string out = script_about_copy(node, order.operation) + copy_programs_script(order.version);
    out += job_begin;
    out += fmt::format(
        "source={}\nupstream={}\nrate={}\nslot={}\nwal={}\n", quote(order.source), quote(order.upstream), rate_of(order.wishes.rate),
        quote(order.wishes.slot), quote(order.wishes.wal_directory));
    out += basebackup;
    for (const model::TablespacePlace& it : order.wishes.tablespaces)
        out += fmt::format("tablespace {} {}; set -- \"$@\" -T \"$map\"\n", quote(it.from), quote(it.to));
    return out.append(own_tablespaces);
}

}  // namespace

std::string script_about_copy(const Node& node, std::uint64_t operation) {
    return script_about_place(node).append(place).append(fmt::format("number={}\n", operation));
}

std::string copy_programs_script(model::ServerVersion version) { return fmt::format("wanted={}{}", version.major(), programs); }

std::string target_look_script(const Node& node, model::ServerVersion version) {
    return script_about_copy(node, 0).append(copy_programs_script(version)).append(look);
}

std::string make_directory_script(const Node& node) { return script_about_copy(node, 0).append(make_directory); }

std::string own_conninfo_script(const Node& node) { return script_about_copy(node, 0).append(own_conninfo); }

std::string begin_copy_script(const Node& node, const ports::CopyOrder& order) {
    return fmt::format(
        "{}expected={}\nscript={}\n{}{}", script_about_copy(node, order.operation), order.system_id.value, quote(job_script(node, order)),
        copy_programs_script(order.version), begin);
}

std::string copy_progress_script(const Node& node, std::uint64_t operation) { return script_about_copy(node, operation).append(progress); }

std::string abandon_copy_script(const Node& node, std::uint64_t operation) { return script_about_copy(node, operation).append(abandon); }

}  // namespace handyrep::adapters::ssh
