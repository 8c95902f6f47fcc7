#include "adapters/ssh/standby_scripts.hpp"

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

// Whatever becomes of us: what was stopped is started again. pg_ctl gives the options of postmaster.opts again; the output goes
// where it went before. A stop that takes too long (a standby writes a restartpoint) is made an immediate one, which a standby can bear.
constexpr std::string_view restart = R"sh(
trap '' HUP PIPE TERM
postmaster=$now
log=$(readlink "/proc/$postmaster/fd/2")
[ -f "$log" ] && [ -w "$log" ] || log=/dev/null
apart=
command -v setsid >/dev/null && apart="setsid -w"
folder=$(debian_clusters | head -n 1)
if [ -n "$folder" ] && command -v pg_ctlcluster >/dev/null; then
  cluster=$(name_of "$folder")
  export PG_CLUSTER_CONF_ROOT="$debian"
  again() { $apart pg_ctlcluster --skip-systemctl-redirect -m "$1" "${cluster%/*}" "${cluster#*/}" restart -- -t "$each" >>"$log" 2>&1; }
else
  again() { $apart "$programs/pg_ctl" restart -D "$data" -m "$1" -w -t "$each" >>"$log" 2>&1; }
fi
restarted() { runs && [ "$now" != "$postmaster" ]; }
again fast
restarted || { is_marked && again immediate; }
restarted && answer "done"
is_marked || answer "failed its mark went away while it was restarted"
answer "failed it was not started again; look at its log"
)sh";

constexpr std::string_view read_upstream = R"sh(
name="[[:space:]]*primary_conninfo[[:space:]]*=\{0,1\}[[:space:]]*"
printf 'conninfo %s\n' "$(sed -n "s/^$name'\(.*\)'[[:space:]]*\(#.*\)\{0,1\}\$/\1/p" "$data/recovery.conf" 2>/dev/null | tail -n 1)"
echo end
)sh";

constexpr std::string_view write_upstream = R"sh(
[ "$version" -lt 12 ] || answer "refused it has no recovery.conf"
file="$data/recovery.conf"
umask 077
{ grep -v '^[[:space:]]*\(primary_conninfo\|recovery_target_timeline\)[[:space:]]*[='"'"']' "$file"
  printf '%s\n' "recovery_target_timeline = 'latest'" "primary_conninfo = '$conninfo'"; } >"$file.new" \
  && timeout 10 sync "$file.new" && is_marked && mv "$file.new" "$file" && timeout 10 sync "$data" || answer "failed recovery.conf could not be written"
answer "done"
)sh";

/// As PostgreSQL's configuration files read it.
std::string within_quotes(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '\'' || c == '\\') out += c;
        out += c;
    }
    return out;
}

std::string begin(const Node& node, model::SystemId expected) {
    return fmt::format("{}expected={}{}", script_about(node), expected.value, only_a_standby);
}

}  // namespace

std::string promote_script(const Node& node, model::SystemId expected, WallTime expires) {
    return fmt::format(
        "{}{}{}\nexpires={}{}", begin(node, expected), programs_of_server(), only_a_running_one,
        std::chrono::duration_cast<std::chrono::microseconds>(expires.time_since_epoch()).count(), promote);
}

std::string restart_script(const Node& node, model::SystemId expected, Duration limit) {
    // At worst it waits four times: for each of two stops and two starts.
    const auto each = std::max<std::int64_t>(2, std::chrono::duration_cast<std::chrono::seconds>(limit / 4).count());
    return fmt::format("{}{}{}\neach={}{}", begin(node, expected), programs_of_server(), only_a_running_one, each, restart);
}

std::string read_upstream_script(const Node& node) { return script_about(node).append(read_upstream); }

std::string write_upstream_script(const Node& node, model::SystemId expected, const std::string& conninfo) {
    return fmt::format("{}\nconninfo={}{}", begin(node, expected), quote(within_quotes(conninfo)), write_upstream);
}

}  // namespace handyrep::adapters::ssh
