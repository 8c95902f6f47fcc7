#include "adapters/ssh/standby_scripts.hpp"

#include "adapters/ssh/inspection_scripts.hpp"
#include "adapters/ssh/quote.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace handyrep::adapters::ssh {

namespace {

constexpr std::string_view only_a_standby = R"sh(
answer() { echo "$*"; echo end; exit 0; }
id=$(control u8 0 8)
[ "$id" = "$expected" ] || answer "refused the data directory belongs to another system (${id:-unreadable})"
read_version || exit 66
is_marked || answer "refused the data directory is not marked standby"
)sh";

constexpr std::string_view only_a_running_one = R"sh(
[ -x "$programs/pg_ctl" ] || answer "refused there is no pg_ctl on that host"
runs() { now=; [ -f "$data/postmaster.pid" ] && read -r now <"$data/postmaster.pid"; [ -n "$now" ] && [ "/proc/$now/cwd" -ef "$data" ]; }
runs || answer "refused no server runs there"
)sh";

constexpr std::string_view promote = R"sh(
[ "$(($(date +%s%N) / 1000))" -lt "$expires" ] || answer "refused its time had passed by the clock of that host"
said=$(LC_ALL=C timeout 10 "$programs/pg_ctl" promote -W -D "$data" 2>&1) || answer "failed $(printf '%s' "$said" | tr '\n' ' ')"
answer "done"
)sh";

// In a session of its own and without a care for its outputs: the shell is killed when nobody waits for it any more, and what was
// stopped must be started again. Read whole before any of it runs, so that half of it does nothing.
constexpr std::string_view begin_apart = R"sh(
command -v setsid >/dev/null || { echo "refused there is no setsid on that host"; echo end; exit 0; }
setsid -w /bin/sh <<'END_OF_RESTART'
{ trap '' HUP PIPE
)sh";
constexpr std::string_view end_apart = R"sh(
exit; } </dev/null
END_OF_RESTART
)sh";

// A unit of systemd that has the postmaster as its main process restarts it, where we may tell it so. Where not, its stop command
// comes after the end of that process and would end what was started too early: what it does is waited for.
//
// pg_ctl restart gives the options of postmaster.opts again, and starts also where nothing runs any more; the output goes where it
// went before. A stop that takes too long (a standby writes a restartpoint) is made an immediate one, which a standby can bear.
constexpr std::string_view restart = R"sh(
postmaster=$now
log=$(readlink "/proc/$postmaster/fd/2")
[ -f "$log" ] && [ -w "$log" ] || log=/dev/null
restarted() { runs && [ "$now" != "$postmaster" ]; }
holders
find_units
unit=
for one in $units; do [ "$(property MainPID "$one")" = "$postmaster" ] && unit=$one; done
unit_is_busy() { case $(property ActiveState "$unit") in active|activating|deactivating|reloading) return 0;; esac; return 1; }
wait_for_unit() {
  [ -n "$unit" ] || return 0
  looks=$((each * 10))
  while [ $looks -gt 0 ] && ! restarted && unit_is_busy; do looks=$((looks - 1)); sleep 0.1; done
}
by_pg_ctl() {
  ! runs || "$programs/pg_ctl" stop -D "$data" -m "$1" -w -t "$each" || return
  wait_for_unit
  restarted || { is_marked && "$programs/pg_ctl" restart -D "$data" -w -t "$each"; }
}
if [ -n "$unit" ]; then timeout -s KILL "$each" sudo -n systemctl restart "$unit" >&2; fi
for mode in fast immediate immediate; do
  restarted && answer "done"
  is_marked || answer "failed its mark went away while it was restarted"
  by_pg_ctl "$mode" >>"$log" 2>&1
done
restarted && answer "done"
answer "failed it was not started again; look at its log"
)sh";

// A quote and a backslash twice, as in recovery.conf.
constexpr std::string_view read_upstream = R"sh(
read_version || exit 66
if [ "$version" -ge 12 ]; then
  find_configuration || { echo "its configuration was not found" >&2; exit 66; }
  printf 'conninfo %s\n' "$(setting primary_conninfo | sed "s/['\\\\]/&&/g")"
  echo end; exit 0
fi
name="[[:space:]]*primary_conninfo[[:space:]]*=\{0,1\}[[:space:]]*"
printf 'conninfo %s\n' "$(sed -n "s/^$name'\(.*\)'[[:space:]]*\(#.*\)\{0,1\}\$/\1/Ip" "$data/recovery.conf" 2>/dev/null | tail -n 1)"
echo end
)sh";

constexpr std::string_view write_upstream = R"sh(
umask 077
if [ "$version" -ge 12 ]; then
  holders
  [ -z "$pids" ] || answer "refused processes hold the data directory"
  find_configuration || answer "refused its configuration was not found"
  file="$data/postgresql.auto.conf"
  { grep -vi '^[[:space:]]*primary_conninfo[[:space:]]*[='"'"']' "$file"; printf '%s\n' "primary_conninfo = '$conninfo'"; } >"$file.new" \
    && timeout 10 sync "$file.new" && mv "$file.new" "$file" && timeout 10 sync "$data" || answer "failed postgresql.auto.conf could not be written"
  [ "$(setting primary_conninfo)" = "$plain" ] || answer "failed primary_conninfo is written, but another file or line wins over it"
  answer "done"
fi
file="$data/recovery.conf"
{ grep -vi '^[[:space:]]*\(primary_conninfo\|recovery_target_timeline\)[[:space:]]*[='"'"']' "$file"
  printf '%s\n' "recovery_target_timeline = 'latest'" "primary_conninfo = '$conninfo'"; } >"$file.new" && says_standby "$file.new" \
  && timeout 10 sync "$file.new" && is_marked && mv "$file.new" "$file" && timeout 10 sync "$data" || answer "failed recovery.conf could not be written"
answer "done"
)sh";

std::string begin(const Node& node, model::SystemId expected) {
    return fmt::format("{}expected={}{}", script_about(node), expected.value, only_a_standby);
}

}  // namespace

std::string promote_script(const Node& node, model::SystemId expected, WallTime expires) {
    return fmt::format(
        "{}{}{}\nexpires={}{}", begin(node, expected), programs_script(), only_a_running_one,
        std::chrono::duration_cast<std::chrono::microseconds>(expires.time_since_epoch()).count(), promote);
}

std::string restart_script(const Node& node, model::SystemId expected, Duration limit) {
    // Mostly it waits for one stop and one start. An immediate stop may take five seconds, after which the postmaster kills.
    const auto each = std::max<std::int64_t>(6, std::chrono::duration_cast<std::chrono::seconds>(limit / 4).count());
    return fmt::format(
        "{}{}{}{}\neach={}{}{}", begin_apart, begin(node, expected), programs_script(), only_a_running_one, each, restart, end_apart);
}

std::string read_upstream_script(const Node& node) {
    return script_about(node).append(programs_script()).append(settings_script()).append(read_upstream);
}

std::string write_upstream_script(const Node& node, model::SystemId expected, const std::string& conninfo) {
    return fmt::format(
        "{}{}{}\nplain={}\nconninfo={}{}", begin(node, expected), programs_script(), settings_script(), quote(conninfo),
        quote(within_quotes(conninfo)), write_upstream);
}

}  // namespace handyrep::adapters::ssh
