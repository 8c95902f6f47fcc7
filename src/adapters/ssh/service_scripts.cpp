#include "adapters/ssh/service_scripts.hpp"

#include "adapters/ssh/inspection_scripts.hpp"
#include "adapters/ssh/rewind_scripts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace handyrep::adapters::ssh {

namespace {

constexpr std::string_view begin = R"sh(
answer() { echo "$*"; echo end; exit 0; }
id=$(control u8 0 8)
[ "$id" = "$expected" ] || answer "refused the data directory belongs to another system (${id:-unreadable})"
read_version || exit 66
[ "$as" = primary ] || is_marked || answer "refused the data directory is not marked standby"
[ -x "$programs/pg_ctl" ] || answer "refused there is no pg_ctl on that host"
runs() { now=; [ -f "$data/postmaster.pid" ] && read -r now <"$data/postmaster.pid"; [ -n "$now" ] && [ "/proc/$now/cwd" -ef "$data" ]; }
# The last line of postmaster.pid (since 10): starting, stopping, ready or standby.
phase() { sed -n 8p "$data/postmaster.pid" 2>/dev/null | tr -d ' '; }
)sh";

constexpr std::string_view give_back = R"sh(
unmark() {
  if [ "$version" -ge 12 ]; then
    rm -f "$data/standby.signal"
  elif is_marked; then
    if [ -f "$data/recovery.conf.handyrep" ]; then mv "$data/recovery.conf.handyrep" "$data/recovery.conf"; else rm "$data/recovery.conf"; fi
  fi
  timeout 10 sync "$data" && ! is_marked
}
give_back() {
  for folder in $(debian_clusters); do
    start="$folder/start.conf"
    [ ! -f "$start.handyrep" ] || mv "$start.handyrep" "$start" || answer "failed $start could not be put back"
  done
  [ -f "$kept/masked" ] || return 0
  left=
  while read -r unit of; do
    if [ "$of" != "$this" ]; then left="$left$unit $of
"
    else timeout 10 sudo -n systemctl unmask "$unit" >&2 </dev/null || answer "failed $unit could not be unmasked"; fi
  done <"$kept/masked"
  printf '%s' "$left" >"$kept/masked.new" && mv "$kept/masked.new" "$kept/masked"
}
ready() { { [ "$as" = standby ] || unmark || answer "failed the mark could not be taken away"; } && give_back; }
)sh";

// A stop that is under way cannot be called back: it is waited for, and cut short when it takes too long. That is safe for the data: what
// was acknowledged is flushed.
constexpr std::string_view wait_for_stop = R"sh(
began=$(cut -d. -f1 /proc/uptime)
passed() { echo $(( $(cut -d. -f1 /proc/uptime) - began )); }
told=
while holders; [ -n "$pids" ]; do
  if runs; then
    case $as$(phase) in
      primaryready|standbystandby) ready; answer "done";;
      # Somebody started it, marked as it was.
      primarystandby) [ -n "$told" ] || kill -INT "$now"; told=1;;
      standbyready) answer "refused it runs as a primary";;
    esac
  fi
  if [ "$(passed)" -ge "$patience" ]; then
    if runs && [ "$(passed)" -lt $((patience + 5)) ]; then kill -QUIT "$now"; else kill -9 $pids; fi 2>/dev/null
  fi
  in_time || answer "failed it was not down in time"
  sleep 0.05
done
)sh";

// By its unit, where systemd has one that we may start; else with the options that it had: pg_ctl takes them from postmaster.opts for a
// restart, also of a server that is down. Its output goes where it went before.
//
// A postmaster that was killed leaves its file; pg_ctl takes a number in it that lives, were it a zombie, for a server to be stopped.
constexpr std::string_view start = R"sh(
ready
runs || [ -z "$now" ] || { read -r pid <"$data/postmaster.pid" && [ "$pid" = "$now" ] && rm -f "$data/postmaster.pid"; }
trap '' HUP PIPE TERM
log=/dev/null
[ -f "$kept/log.$this" ] && read -r log <"$kept/log.$this"
[ -f "$log" ] && [ -w "$log" ] || log=/dev/null
apart=
command -v setsid >/dev/null && apart="setsid -w"
find_units
for unit in $units; do
  [ "$(property LoadState "$unit")" = loaded ] && timeout -s KILL "$limit" sudo -n systemctl start "$unit" >&2 </dev/null
done
runs || $apart "$programs/pg_ctl" restart -D "$data" -W >>"$log" 2>&1 </dev/null || answer "failed it was not started; look at its log"
while ! runs && in_time; do sleep 0.02; done
runs || answer "failed it did not start; look at its log"
rm -f "$kept/log.$this"
answer "done"
)sh";

}  // namespace

std::string start_script(const Node& node, model::SystemId expected, bool as_primary, Duration limit) {
    const auto seconds = std::max<std::int64_t>(4, std::chrono::duration_cast<std::chrono::seconds>(limit).count());
    return fmt::format(
        "{}{}{}\nexpected={}\nas={}\nlimit={}\npatience={}\n{}{}{}{}{}", script_about(node), programs_script(), what_is_kept(node),
        expected.value, as_primary ? "primary" : "standby", seconds, seconds / 2, begin, only_what_is_not_rewound(), give_back,
        wait_for_stop, start);
}

}  // namespace handyrep::adapters::ssh
