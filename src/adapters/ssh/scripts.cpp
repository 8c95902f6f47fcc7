#include "adapters/ssh/scripts.hpp"

#include "adapters/ssh/quote.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace handyrep::adapters::ssh {

namespace {

constexpr std::string_view must_be_there = R"sh(
[ -d "$data" ] || { echo "no such directory: $data" >&2; exit 65; })sh";

// The first fields of ControlFileData have not moved since 8.x: system identifier at 0, state at 16, in the machine's own byte order.
//
// A process holds the directory when it is its working directory: PostgreSQL's never leave it, and it is the one sign that
// also the orphans of a killed postmaster keep. The link of a zombie leads nowhere, so zombies do not count.
constexpr std::string_view functions = R"sh(
control() { od -An -v -t "$1" -j "$2" -N "$3" "$data/global/pg_control" | tr -d ' \n'; }
holders() { pids=; for p in /proc/[0-9]*; do [ "$p/cwd" -ef "$data" ] && pids="$pids ${p#/proc/}"; done; :; }
count() { echo $#; }
# What marks a standby follows from the directory's own version, never from what somebody saw or supposed.
read_version() { read -r version <"$data/PG_VERSION" && version=${version%%.*} && [ "${version:-0}" -gt 0 ]; } 2>/dev/null
says_standby() { grep -qsi "^[[:space:]]*standby_mode[[:space:]]*=\{0,1\}[[:space:]]*'\{0,1\}\(on\|true\|yes\|1\)" "$1"; }
is_marked() { if [ "$version" -ge 12 ]; then [ -e "$data/standby.signal" ]; else says_standby "$data/recovery.conf"; fi; }
# Size and room of the file system, in kB; 0 0 when it cannot be told.
room() { timeout 2 df -Pk "$1" 2>/dev/null | { read -r _; read -r _ size _ free _; echo "${size:-0} ${free:-0}"; }; }
)sh";

// What may start the server: the configuration folders of Debian's clusters with this directory, and the units of systemd that
// belong to them or hold one of its processes now.
constexpr std::string_view starters = R"sh(
debian_clusters() {
  for conf in "$debian"/*/*/postgresql.conf; do
    [ -f "$conf" ] || continue
    d=$(sed -n "s/^[[:space:]]*data_directory[[:space:]]*=\{0,1\}[[:space:]]*'\([^']*\)'.*/\1/p" "$conf" | tail -n 1)
    [ "${d:-${conf%/*}}" -ef "$data" ] && echo "${conf%/*}"
  done
}
name_of() { c=${1%/*}; echo "${c##*/}/${1##*/}"; }
find_units() {
  units=
  [ -d "$systemd" ] || return 0
  for folder in $(debian_clusters); do c=$(name_of "$folder"); units="$units postgresql@${c%/*}-${c#*/}.service"; done
  read -r own </proc/self/cgroup
  for pid in $pids; do
    while IFS= read -r group; do
      unit=${group##*/}
      case $group in "$own"|*/user@*|*/user.slice/*) continue;; esac
      case $unit in *.service) case " $units " in *" $unit "*) ;; *) units="$units $unit";; esac;; esac
    done <"/proc/$pid/cgroup"
  done
}
property() { timeout 2 systemctl show -p "$1" --value "$2" 2>/dev/null; }
)sh";

constexpr std::string_view look = R"sh(
read_version || exit 66
id=$(control u8 0 8) && state=$(control d4 16 4) && [ -n "$id" ] && [ -n "$state" ] || exit 66
holders
mark=0
if is_marked; then mark=1; fi
echo "system_id $id"
echo "state $state"
echo "processes $(count $pids)"
echo "marked $mark"
echo "data_room $(room "$data")"
wal="$data/pg_wal"; [ -d "$wal" ] || wal="$data/pg_xlog"
echo "wal_room $(room "$wal/.")"
find_units
service=
for unit in $units; do
  case $(property LoadState "$unit") in not-found|'') continue;; esac
  service="${service:+$service, }$unit is $(property ActiveState "$unit") ($(property SubState "$unit"))"
done
echo "service ${service:-none}"
echo end
)sh";

// The order is that of the safety rules: identity, autostart, mark, kill, look again.
constexpr std::string_view fence_begin = R"sh(
id=$(control u8 0 8)
if [ "$id" != "$expected" ]; then echo "foreign ${id:-unreadable}"; echo end; exit 0; fi
read_version || { echo "PG_VERSION cannot be read: nothing says how to mark it" >&2; exit 66; }
killed=0
report() {
  holders
  echo "autostart_off $autostart_off"; echo "autostart $autostart"; echo "marked $1"; echo "killed $killed"; echo "left $(count $pids)"
  echo end; exit 0
}
autostart_off=1
autostart=
say() { autostart="${autostart:+$autostart, }$1"; }
)sh";

// In the owner's home, not in the data directory, which is copied to other hosts.
constexpr std::string_view kept = R"sh(
[ -n "$kept" ] || kept=$(getent passwd "$(id -un)" | cut -d: -f6)/.handyrep
this=$(stat -c %d.%i "$data" 2>/dev/null)
)sh";

// What the fence does to files and units, and, under the same names, what its drill does instead: ask whether it could.
constexpr std::string_view deeds = R"sh(
make_manual() {
  { [ ! -f "$1" ] || [ -e "$1.handyrep" ] || cp -p "$1" "$1.handyrep"; } \
    && echo manual >"$1.new" && timeout 10 sync "$1.new" && mv "$1.new" "$1" && timeout 10 sync "${1%/*}"
}
mask_unit() {
  # A fence goes on without the note: only a person can give the unit back then.
  mkdir -p "$kept" && { grep -qsx "$1 $this" "$kept/masked" || echo "$1 $this" >>"$kept/masked"; }
  timeout 10 sudo -n systemctl mask "$1" >&2
}
)sh";

constexpr std::string_view drilled_deeds = R"sh(
may_write() { t="$1/.handyrep-drill.$$"; ( : >"$t" ) && { timeout 10 sync "$t"; synced=$?; rm -f "$t"; [ $synced = 0 ]; }; }
make_manual() { { [ ! -f "$1" ] || [ -r "$1" ]; } && may_write "${1%/*}"; }
mask_unit() { timeout 10 sudo -n -l systemctl mask "$1" >/dev/null 2>&1; }
)sh";

constexpr std::string_view fence_autostart = R"sh(
for folder in $(debian_clusters); do
  start="$folder/start.conf"; cluster=$(name_of "$folder")
  [ -f "$start" ] && mode=$(sed -n 's/^[[:space:]]*\([a-z]\{1,\}\).*/\1/p' "$start" | head -n 1) || mode=auto
  if [ "${mode:-auto}" != auto ]; then say "start.conf of $cluster was $mode"; continue; fi
  if make_manual "$start"; then say "start.conf of $cluster: manual"; else autostart_off=0; say "start.conf of $cluster could not be written"; fi
done
holders
find_units
for unit in $units; do
  case $(property LoadState "$unit") in not-found|masked|'') continue;; esac
  if mask_unit "$unit"; then say "$unit masked"; else autostart_off=0; say "$unit could not be masked"; fi
done
[ -n "$autostart" ] || autostart="none found"
)sh";

constexpr std::string_view fence_mark = R"sh(
if [ "$version" -ge 12 ]; then
  { [ -f "$data/standby.signal" ] || : >"$data/standby.signal"; } && timeout 10 sync "$data/standby.signal" && timeout 10 sync "$data" || report 0
else
  recovery="$data/recovery.conf"
  if ! is_marked; then
    [ ! -f "$recovery" ] || mv "$recovery" "$recovery.handyrep" || report 0
    echo "standby_mode = 'on'" >"$recovery.new" && timeout 10 sync "$recovery.new" && mv "$recovery.new" "$recovery" || report 0
  fi
  timeout 10 sync "$recovery" && timeout 10 sync "$data" || report 0
fi
)sh";

// The postmaster first, so that nothing new is started; then the rest until two looks in a row find nobody, because a process
// that is forked while one looks can be missed. Without the mark nothing is killed: whatever restarts it would make a primary.
constexpr std::string_view fence_kill = R"sh(
holders
seen=$pids
killed=$(count $pids)
postmaster=
[ -f "$data/postmaster.pid" ] && read -r postmaster <"$data/postmaster.pid"
if [ -n "$postmaster" ] && [ "/proc/$postmaster/cwd" -ef "$data" ]; then
  log=$(readlink "/proc/$postmaster/fd/2")
  kill -9 "$postmaster"
  # For whoever starts it again. Beside the fence, which waits for no disk but the server's own.
  { mkdir -p "$kept" && printf '%s\n' "$log" >"$kept/log.$this"; } >/dev/null 2>&1 </dev/null &
fi
empty=0
while [ $empty -lt 2 ]; do
  holders
  if [ -z "$pids" ]; then empty=$((empty + 1)); continue; fi
  empty=0
  for pid in $pids; do case " $seen " in *" $pid "*) ;; *) seen="$seen $pid"; killed=$((killed + 1));; esac; done
  kill -9 $pids 2>/dev/null
  in_time || break
  sleep 0.01
done
is_marked && report 1
report 0
)sh";

// What it answers, with the same names as the fence.
constexpr std::string_view stop_report = R"sh(
report() {
  holders
  echo "autostart_off $autostart_off"; echo "autostart $autostart"; echo "marked $1"; echo "left $(count $pids)"
  echo "state $(control d4 16 4)"; echo "checkpoint $(control u8 32 8)"
  echo end; exit 0
}
)sh";

// Who stops for a while must be able to give everything back.
constexpr std::string_view stop_only_with_notes = R"sh(
mkdir -p "$kept" && [ -w "$kept" ] || { autostart_off=0; autostart="untouched, for $kept cannot be written"; report 0; }
)sh";

// As pg_ctl stop -m fast: SIGINT to the postmaster. It goes on stopping when our time is over. What came late, because a step before took
// long, is not done: it may have been taken back already (S8).
constexpr std::string_view stop_fast = R"sh(
in_time || report 1
postmaster=
[ -f "$data/postmaster.pid" ] && read -r postmaster <"$data/postmaster.pid"
if [ -n "$postmaster" ] && [ "/proc/$postmaster/cwd" -ef "$data" ]; then
  mkdir -p "$kept" && readlink "/proc/$postmaster/fd/2" >"$kept/log.$this"
  kill -INT "$postmaster"
fi
while in_time; do
  holders
  [ -n "$pids" ] || break
  sleep 0.01
done
is_marked && report 1
report 0
)sh";

// Instead of mark and kill: the folder takes a new file, and every process would take a signal. `killed` are those that would be
// ended, `left` those that would not.
constexpr std::string_view drilled_end = R"sh(
mark=0
if may_write "$data"; then mark=1; fi
holders
unreached=
for pid in $pids; do if kill -0 "$pid" 2>/dev/null; then killed=$((killed + 1)); elif [ -d "/proc/$pid" ]; then unreached="$unreached $pid"; fi; done
echo "autostart_off $autostart_off"; echo "autostart $autostart"; echo "marked $mark"; echo "killed $killed"; echo "left $(count $unreached)"
echo end
)sh";

}  // namespace

std::string script_about(const std::string& pgdata) { return fmt::format("data={}{}{}", quote(pgdata), must_be_there, functions); }

std::string script_about(const Node& node) {
    return fmt::format(
        "data={}\ndebian={}\nsystemd={}{}{}{}", quote(node.pgdata), quote(node.debian), quote(node.systemd), must_be_there, functions,
        starters);
}

std::string script_about_place(const Node& node) {
    return fmt::format(
        "data={}\ndebian={}\nsystemd={}{}{}{}", quote(node.pgdata), quote(node.debian), quote(node.systemd), functions, starters,
        what_is_kept(node));
}

std::string look_script(const Node& node) { return script_about(node).append(look); }

std::string fence_script(const Node& node, model::SystemId expected) {
    return fmt::format(
        "{}{}\nexpected={}{}{}{}{}{}", script_about(node), what_is_kept(node), expected.value, fence_begin, deeds, fence_autostart,
        fence_mark, fence_kill);
}

std::string stop_script(const Node& node, model::SystemId expected) {
    return fmt::format(
        "{}{}\nexpected={}{}{}{}{}{}[ $autostart_off = 1 ] && in_time || report 0\n{}{}", script_about(node), what_is_kept(node),
        expected.value, fence_begin, stop_report, stop_only_with_notes, deeds, fence_autostart, fence_mark, stop_fast);
}

std::string autostart_off_script() { return fmt::format("{}{}", deeds, fence_autostart); }

std::string what_is_kept(const Node& node) { return fmt::format("\nkept={}{}", quote(node.kept), kept); }

std::string drill_script(const Node& node, model::SystemId expected) {
    return fmt::format(
        "{}expected={}{}{}{}{}", script_about(node), expected.value, fence_begin, drilled_deeds, fence_autostart, drilled_end);
}

std::string reach_script(const std::string& hostname, std::uint16_t port, Duration limit) {
    const double seconds = std::max(0.05, std::chrono::duration<double>(limit).count());
    // The kernel takes connections also for a stopped postmaster, so one byte must come back: the answer to an SSLRequest (manual,
    // "Message Formats"), which is given before anything is asked or counted. A connection that is closed instead is an answer too.
    return fmt::format(
        "command -v bash >/dev/null && command -v timeout >/dev/null || exit 5\n"
        "words=$(LC_ALL=C timeout {:.2f} bash -c 'exec 3<>\"/dev/tcp/$1/$2\" || exit; "
        "printf \"\\0\\0\\0\\10\\4\\322\\26\\57\" >&3; IFS= read -r -N 1 -u 3 byte; exit 0' reach {} {} 2>&1)\n"
        "case $? in 0) exit 0;; 124) exit 4;; esac\n"
        "case $words in *refused*) exit 3;; *'No route'*|*unreachable*|*'timed out'*) exit 4;; *) exit 5;; esac\n",
        seconds, quote(hostname), port);
}

std::string passfile_script(const std::string& folder, const std::string& file, const Secret& line) {
    // printf and the comparison are built in, so the password appears on no command line.
    const std::string& text = line.reveal();
    std::size_t fields = 0;
    std::size_t end = 0;
    for (; end < text.size() && fields < 4; ++end) {
        if (text[end] == '\\') {
            ++end;
        } else if (text[end] == ':') {
            ++fields;
        }
    }
    return fmt::format(
        "umask 077\nfolder={}\nname=$(id -un)\n"
        "[ -n \"$folder\" ] || folder=$(getent passwd \"$name\" | cut -d: -f6)/.handyrep\n"
        "mkdir -p \"$folder\" || exit 66\nfile=\"$folder\"/{}\n"
        "{{ [ ! -f \"$file\" ] || while IFS= read -r old; do case $old in {}*) ;; *) printf '%s\\n' \"$old\";; esac; done <\"$file\"\n"
        "printf '%s\\n' {}; }} >\"$file.new\" && chmod 600 \"$file.new\" && timeout 10 sync \"$file.new\" && mv \"$file.new\" \"$file\" || exit 66\n"
        "printf 'path %s\\n' \"$file\"\necho end\n",
        quote(folder), quote(file), quote(std::string_view{text}.substr(0, end)), quote(text));
}

}  // namespace handyrep::adapters::ssh
