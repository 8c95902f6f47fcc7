#include "adapters/ssh/lease_scripts.hpp"

#include "adapters/ssh/inspection_scripts.hpp"
#include "adapters/ssh/quote.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace handyrep::adapters::ssh {

namespace {

using std::chrono::milliseconds;

// All that runs on the node. `$0` is its name, by which it is found again; a renewal is one file that is put in place whole.
//
// A reply that is another than at the question before came after that question, and counts from there: too early rather than too
// late. What a link held up is older still. Its time is told by the replica's own clock, and the least difference to ours over one
// connection is how the two stand. Of a connection that is new here its beginning counts: then both sides were heard.
constexpr std::string_view keeper = R"sh(
data=$1 box=$2 ttl=$3 psql=$4 tick=$5
trap '' HUP PIPE
now=0 sequence=0 last=0 heard=0 asked=0 answered=0 able=1 longest=$6 before= where= list=
clock() { read -r up _ </proc/uptime; now=${up%.*}${up#*.}; }
put() { cat >"$box/word.new" && mv "$box/word.new" "$box/word"; }
word() { printf 'pid %s\nttl %s\nsequence %s\nstop_time %s\nasks %s\n' $$ "$ttl" "$sequence" $((longest + 250)) "$able" | put; }
over() { echo "over $1" | put; rm -f "$box/renewal"; exit; }
holders() { pids=; for p in /proc/[0-9]*; do [ "$p/cwd" -ef "$data" ] && pids="$pids ${p#/proc/}"; done; :; }
take_renewal() {
  { read -r number sent && read -r where && read -r list; } <"$box/renewal" || return
  # Sent later than now is of a machine whose clock stood still.
  [ "$number" -gt "$sequence" ] && [ "$sent" -le $((now + 20)) ] || return
  sequence=$number
  [ "$sent" -le "$last" ] || last=$sent
}
ask() {
  asked=$now able=0
  rows=$(timeout -s KILL 1 "$psql" -X -A -t -q -w -F ' ' -h "${where#* }" -p "${where%% *}" -d postgres -c "$list") || return
  while read -r walsender reply age; do
    if [ "$walsender" = -1 ]; then able=$reply; continue; fi
    eval "offset=\${offset_$walsender:-} known=\${reply_$walsender:-}"
    if [ -z "$offset" ] || [ $((asked - reply)) -lt "$offset" ]; then offset=$((asked - reply)); fi
    eval "offset_$walsender=$offset reply_$walsender=$reply"
    [ "$reply" != "$known" ] || continue
    at=$((reply + offset))
    [ "$at" -le "$answered" ] || at=$answered
    [ -n "$known" ] || [ "$age" -lt 0 ] || at=$((asked - age))
    [ "$at" -le "$heard" ] || heard=$at
  done <<END_OF_ROWS
$rows
END_OF_ROWS
  answered=$asked
}
run_out() {
  # In archive recovery: a standby, which takes no writes.
  state=$(timeout -s KILL 1 od -An -v -t d4 -j 16 -N 4 "$data/global/pg_control" | tr -d ' \n')
  [ "$state" != 5 ] || over "it ran out over a standby"
  holders
  [ -n "$pids" ] || over "it ran out, and nothing ran"
  clock; from=$now none=0 postmaster=
  read -r postmaster <"$data/postmaster.pid"
  [ -n "$postmaster" ] && [ "/proc/$postmaster/cwd" -ef "$data" ] && kill -QUIT "$postmaster"
  while [ $none -lt 2 ]; do
    [ $((now - from)) -lt 200 ] || kill -9 $pids
    sleep 0.05; clock; holders
    if [ -n "$pids" ]; then none=0; else none=$((none + 1)); fi
  done
  over "it ran out, and PostgreSQL was stopped within $(((now - from) * 10)) ms"
}
while :; do
  clock
  [ -z "$before" ] || [ $((now - before)) -le "$longest" ] || longest=$((now - before))
  before=$now
  take_renewal
  if [ "$last" -gt 0 ]; then
    if [ $((now - last)) -ge $((ttl / 2)) ] || [ $((now - asked)) -ge $((ttl / 3)) ]; then ask; clock; fi
    newest=$last
    [ "$heard" -le "$newest" ] || newest=$heard
    [ $((now - newest)) -le "$ttl" ] || run_out
  fi
  word
  sleep "$tick"
done
)sh";

// Whoever has that name. A grep that looks for it would find itself.
constexpr std::string_view find_keepers = R"sh(
answer() { echo "$*"; echo end; exit 0; }
# Where psql looks for a passfile, should peer not be enough.
HOME=$(getent passwd "$(id -un)" | cut -d: -f6)
export HOME
box="/dev/shm/handyrep-lease.$(id -u).$this"
keepers() { for p in $(grep -lsxz -e "handyrep-leas[e].$this" /proc/[0-9]*/cmdline); do p=${p%/cmdline}; echo "${p#/proc/}"; done; }
end_keepers() {
  for p in $(keepers); do kill -9 "$p"; done 2>/dev/null
  while [ -n "$(keepers)" ]; do sleep 0.02; done
  rm -rf "$box"
}
read_word() {
  pid= ttl_there=0 sequence_there=0 stop_time=0 asks=0 over=
  [ -f "$box/word" ] && while read -r key value; do
    case $key in pid) pid=$value;; ttl) ttl_there=$value;; sequence) sequence_there=$value;; stop_time) stop_time=$value;; asks) asks=$value;;
      over) over=$value;; esac
  done <"$box/word"
}
# Of one that lives: the word alone may be of one that was killed.
is_kept() { read_word && [ -n "$pid" ] && case " $(keepers | tr '\n' ' ') " in *" $pid "*) ;; *) return 1;; esac; }
)sh";

constexpr std::string_view find_autostart = R"sh(
find_autostart() {
  autostart_off=1 autostart=
  say() { autostart="${autostart:+$autostart, }$1"; }
  for folder in $(debian_clusters); do
    mode=auto
    [ -f "$folder/start.conf" ] && mode=$(sed -n 's/^[[:space:]]*\([a-z]\{1,\}\).*/\1/p' "$folder/start.conf" | head -n 1)
    say "start.conf of $(name_of "$folder") is ${mode:-auto}"
    [ "${mode:-auto}" != auto ] || autostart_off=0
  done
  holders
  find_units
  for unit in $units; do
    case $(property LoadState "$unit") in not-found|masked|'') continue;; esac
    state=$(property UnitFileState "$unit") restart=$(property Restart "$unit")
    say "$unit is ${state:-of no state}, Restart=$restart"
    case $state in disabled|masked*|indirect|transient) ;; *) autostart_off=0;; esac
    [ "${restart:-no}" = no ] || autostart_off=0
  done
  [ -n "$autostart" ] || autostart="none found"
}
)sh";

// What the keeper says itself is waited for: an answer is its own. `postmaster.pid` holds the port in its fourth line, and in the
// fifth the folder of the socket.
constexpr std::string_view renew = R"sh(
report() {
  find_autostart
  echo "pid $pid"; echo "ttl $ttl_there"; echo "sequence $sequence_there"; echo "stop_time $stop_time"; echo "asks $asks"
  echo "autostart_off $autostart_off"; echo "autostart $autostart"; echo end; exit 0
}
renew() {
  port=$(sed -n 4p "$data/postmaster.pid" 2>/dev/null) folder=$(sed -n 5p "$data/postmaster.pid" 2>/dev/null)
  printf '%s\n' "$sequence $sent" "${port:-0} ${folder:-/nowhere}" "$list" >"$box/renewal.new" && mv "$box/renewal.new" "$box/renewal" \
    || answer "failed a renewal cannot be written in $box"
  while in_time; do
    read_word
    [ -z "$over" ] || answer "none $over"
    [ "$sequence_there" -lt "$sequence" ] || return 0
    sleep 0.05
  done
  answer "failed the script did not answer in time"
}
)sh";

constexpr std::string_view renew_now = R"sh(
is_kept || answer "none ${over:-there is none}"
renew
report
)sh";

constexpr std::string_view arm_now = R"sh(
id=$(control u8 0 8)
[ "$id" = "$expected" ] || answer "refused the data directory belongs to another system (${id:-unreadable})"
holders
[ "$(control d4 16 4)" = 6 ] && [ -n "$pids" ] || answer "refused PostgreSQL does not run as a primary there"
psql=$programs/psql
[ -x "$psql" ] || psql=$(command -v psql) || answer "refused there is no psql on that host, and no replica could be heard without it"
for tool in setsid timeout grep; do command -v $tool >/dev/null || answer "refused there is no $tool on that host"; done
for variable in $(env | sed -n 's/^\(PG[A-Z]*\)=.*/\1/p'); do unset "$variable"; done
if ! is_kept || [ "$ttl_there" != "$ttl" ]; then
  end_keepers
  mkdir -m 700 "$box" || answer "refused $box cannot be made"
  setsid /bin/sh -c "$keeper" "handyrep-lease.$this" "$data" "$box" "$ttl" "$psql" "$tick" "$longest" </dev/null >/dev/null 2>&1 &
  while in_time && ! is_kept; do sleep 0.02; done
fi
sequence=$((sequence_there + 1))
renew
if [ "$asks" != 1 ]; then
  words=$(timeout 2 "$psql" -X -A -t -q -w -h "$folder" -p "$port" -d postgres -c "$list" 2>&1 | head -n 1 | tr '\n\t' '  ')
  end_keepers
  answer "refused no replica can be heard there: psql as $(id -un) says '${words:-nothing}', and must see pg_stat_replication whole"
fi
report
)sh";

constexpr std::string_view disarm_now = R"sh(
is_kept || pid=0
end_keepers
autostart_off=0 autostart="not looked for"
echo "pid $pid"; echo "ttl $ttl_there"; echo "sequence $sequence_there"; echo "stop_time $stop_time"; echo "asks $asks"
echo "autostart_off $autostart_off"; echo "autostart $autostart"; echo end
)sh";

constexpr std::string_view drill_now = R"sh(
missing= said= asks=0
miss() { missing="${missing:+$missing, }$1"; }
psql=$programs/psql
[ -x "$psql" ] || psql=$(command -v psql) || miss psql
for tool in setsid timeout grep; do command -v $tool >/dev/null || miss $tool; done
[ -d /dev/shm ] && [ -w /dev/shm ] || miss /dev/shm
for variable in $(env | sed -n 's/^\(PG[A-Z]*\)=.*/\1/p'); do unset "$variable"; done
if [ -n "$psql" ] && [ -f "$data/postmaster.pid" ]; then
  said=$(LC_ALL=C timeout 5 "$psql" -X -A -t -q -w -F ' ' -h "$(sed -n 5p "$data/postmaster.pid")" -p "$(sed -n 4p "$data/postmaster.pid")" -d postgres -c "$list" 2>&1)
  case $said in '-1 1 0') asks=1 said=;; '-1 0 0') said=;; esac
fi
find_autostart
echo "missing ${missing:--}"
echo "asks $asks"
printf 'said %s\n' "$(printf '%s' "${said:--}" | tr '\n\t' '  ' | cut -c1-600)"
echo "autostart_off $autostart_off"; echo "autostart $autostart"; echo end
)sh";

constexpr std::string_view end_lease = R"sh(
for p in $(grep -lsxz -e "handyrep-leas[e].$this" /proc/[0-9]*/cmdline); do p=${p%/cmdline}; kill -9 "${p#/proc/}"; done 2>/dev/null
)sh";

std::int64_t hundredths(Duration time) { return std::chrono::duration_cast<milliseconds>(time).count() / 10; }

std::string sql_text(const std::string& text) { return fmt::format("'{}'", text); }

/// The names are of letters, digits and a few marks (decide/lease.cpp): nothing in them ends a literal. The first row says whether
/// all of the view may be seen; without that right the replies of others are NULL.
std::string statement(const model::LeaseTerms& terms) {
    std::string listed;
    for (const model::ListedReplica& it : terms.listed)
        listed += fmt::format("{}({}, {})", listed.empty() ? "" : ", ", sql_text(it.application_name), sql_text(it.address));
    std::string out = "SELECT -1, CASE WHEN pg_has_role('pg_read_all_stats', 'USAGE') THEN 1 ELSE 0 END, 0";
    if (!listed.empty())
        out += fmt::format(
            " UNION ALL SELECT pid, (extract(epoch FROM reply_time) * 100)::bigint, "
            "(extract(epoch FROM clock_timestamp() - backend_start) * 100)::bigint FROM pg_stat_replication WHERE reply_time IS NOT NULL "
            "AND (application_name, coalesce(host(client_addr), '')) IN ({})",
            listed);
    return out;
}

std::string about(const Node& node) {
    return fmt::format("{}{}{}{}", script_about(node), what_is_kept(node), find_keepers, find_autostart);
}

}  // namespace

std::string arm_lease_script(const Node& node, model::SystemId expected, const model::LeaseTerms& terms) {
    // So often it looks; a round takes at most one question longer.
    const Duration tick = std::clamp<Duration>(terms.ttl / 10, milliseconds{100}, milliseconds{1000});
    return fmt::format(
        "{}{}\nexpected={}\nttl={}\ntick={:.2f}\nlongest={}\nlist={}\nkeeper={}\n{}{}", about(node), programs_script(), expected.value,
        hundredths(terms.ttl), std::chrono::duration<double>(tick).count(), hundredths(tick) + 100, quote(statement(terms)), quote(keeper),
        renew, arm_now);
}

std::string renew_lease_script(const Node& node, const model::LeaseTerms& terms, std::uint64_t sequence) {
    return fmt::format("{}\nsequence={}\nlist={}\n{}{}", about(node), sequence, quote(statement(terms)), renew, renew_now);
}

std::string disarm_lease_script(const Node& node) { return about(node).append(disarm_now); }

std::string drill_lease_script(const Node& node) {
    return fmt::format("{}{}\nlist={}\n{}", about(node), programs_script(), quote(statement({})), drill_now);
}

std::string_view end_lease_script() { return end_lease; }

}  // namespace handyrep::adapters::ssh
