#include "adapters/ssh/inspection_scripts.hpp"

#include "adapters/ssh/quote.hpp"
#include "adapters/ssh/scripts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace handyrep::adapters::ssh {

namespace {

// The programs of the server that runs, else those of its version where packages put them, else those of the path.
constexpr std::string_view find_programs = R"sh(
read -r version <"$data/PG_VERSION" || exit 66
programs=
postmaster=
[ -f "$data/postmaster.pid" ] && read -r postmaster <"$data/postmaster.pid"
if [ -n "$postmaster" ] && exe=$(readlink "/proc/$postmaster/exe"); then programs=${exe%/*}; fi
for folder in "/usr/lib/postgresql/$version/bin" "/usr/pgsql-$version/bin"; do
  [ -x "$programs/pg_ctl" ] || programs=$folder
done
[ -x "$programs/pg_ctl" ] || { found=$(command -v pg_ctl) && programs=${found%/*}; } || programs=
# An LSN as a number.
number() { echo $(( (0x${1%/*} << 32) | 0x${1#*/} )); }
# dump_wal FOLDER TIMELINE FROM [OPTIONS], with the size of a segment in $segment and seconds in $dump_limit, if there is one. pg_waldump
# asks the first file it happens on how long a segment is, and gives up where that one was made in advance and holds nothing yet: so it
# is told the files to read, as long as the first of them is there.
dump_wal() {
  dumped_from=$1; dumped_on=$2; dumped_at=$3; shift 3
  dumped_index=$(( $(number "$dumped_at") / segment )); dumped_per=$(( 0x100000000 / segment ))
  dumped_first=$(printf '%08X%08X%08X' "$dumped_on" $((dumped_index / dumped_per)) $((dumped_index % dumped_per)))
  dumped_last=$(ls "$dumped_from" | grep "^${dumped_first%????????????????}[0-9A-F]\{16\}\$" | tail -n 1)
  if [ -f "$dumped_from/$dumped_first" ]; then set -- "$@" "$dumped_first" "$dumped_last"; fi
  ${dump_limit:+timeout "$dump_limit"} "$programs/pg_waldump" -p "$dumped_from" -t "$dumped_on" -s "$dumped_at" "$@"
}
)sh";

constexpr std::string_view settings = R"sh(
# As it was started last, where Debian's tools keep it, or in the data directory.
find_configuration() {
  config=
  [ ! -f "$data/postmaster.opts" ] || config=$(tr '"' '\n' <"$data/postmaster.opts" | sed -n 's/^\(-c *\|--\)\{0,1\}config[_-]file=//p' | tail -n 1)
  [ -f "$config" ] || config=
  [ -n "$config" ] || for folder in $(debian_clusters); do config="$folder/postgresql.conf"; done
  [ -n "$config" ] || config="$data/postgresql.conf"
  [ -f "$config" ]
}
setting() { timeout 10 "$programs/postgres" -D "$data" -c "config_file=$config" -C "$1" 2>/dev/null; }
)sh";

constexpr std::string_view inspect = R"sh(
may_write() { t="$1/.handyrep-verify.$$"; ( : >"$t" ) 2>/dev/null && { timeout 10 sync "$t"; synced=$?; rm -f "$t"; [ $synced = 0 ]; }; }
flag() { if "$@" >/dev/null 2>&1; then echo 1; else echo 0; fi; }
free_space() { timeout 5 df -Pk "$1" 2>/dev/null | awk 'NR == 2 { print $4 }'; }
id=$(control u8 0 8) && [ -n "$id" ] || exit 66
echo "owner $(id -un)"
echo "system_id $id"
echo "programs ${programs:--}"
status=-
[ -z "$programs" ] || { timeout 10 "$programs/pg_ctl" status -D "$data" >/dev/null 2>&1; status=$?; }
echo "pg_ctl $status"
echo "control_data $(flag timeout 10 "${programs:-/nowhere}/pg_controldata" -D "$data")"
if [ -x "$programs/psql" ] || command -v psql >/dev/null; then echo "psql 1"; else echo "psql 0"; fi
echo "data_writable $(flag may_write "$data")"
echo "parent_writable $(flag may_write "${data%/*}")"
space=$(free_space "$data"); echo "data_free ${space:--}"
space=$(free_space "$data/pg_wal/."); echo "wal_free ${space:--}"
libc=$(getconf GNU_LIBC_VERSION 2>/dev/null); echo "libc ${libc:--}"
target=-
if [ "${version%%.*}" -lt 12 ] && [ -f "$data/recovery.conf" ]; then
  target=$(sed -n "s/^[[:space:]]*recovery_target_timeline[[:space:]]*=\{0,1\}[[:space:]]*'\{0,1\}\([a-z0-9]*\).*/\1/p" "$data/recovery.conf" | tail -n 1)
  target=${target:-current}
fi
echo "recovery_target_timeline $target"
echo end
)sh";

// The environment says nothing about where to connect, and HOME is the owner's, whose passfile the server itself reads.
constexpr std::string_view log_in = R"sh(
for variable in $(env | sed -n 's/^\(PG[A-Z]*\)=.*/\1/p'); do unset "$variable"; done
HOME=$(getent passwd "$(id -un)" | cut -d: -f6)
export HOME
psql=$programs/psql
[ -x "$psql" ] || psql=$(command -v psql) || { echo "status 127"; echo "said -"; echo end; exit 0; }
[ -z "$password" ] || export PGPASSWORD="$password"
said=$(LC_ALL=C timeout "$limit" "$psql" -X -A -t -w -c IDENTIFY_SYSTEM "$conninfo" 2>&1)
echo "status $?"
printf 'said %s\n' "$(printf '%s' "$said" | tr '\n\t' '  ' | cut -c1-600)"
echo end
)sh";

/// As libpq reads it in a connection string.
std::string conninfo_value(const std::string& text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'' || c == '\\') out += '\\';
        out += c;
    }
    return out + "'";
}

}  // namespace

std::string_view programs_script() { return find_programs; }

std::string_view settings_script() { return settings; }

std::string inspection_script(const std::string& pgdata) { return script_about(pgdata).append(find_programs).append(inspect); }

std::string login_script(const std::string& pgdata, const ports::LoginQuestion& question, Duration limit) {
    const double seconds = std::max(0.1, std::chrono::duration<double>(limit).count());
    // The later of two equal keywords counts. The database "replication" is the one that a WAL receiver's passfile line is looked up by.
    const std::string conninfo = fmt::format(
        "{} hostaddr='' host={} port={} application_name=handyrep_verify connect_timeout=5 dbname=replication replication=true",
        question.conninfo, conninfo_value(question.hostname), question.port);
    return script_about(pgdata)
        .append(find_programs)
        .append(fmt::format("conninfo={}\npassword={}\nlimit={:.2f}\n", quote(conninfo), quote(question.password.reveal()), seconds))
        .append(log_in);
}

}  // namespace handyrep::adapters::ssh
