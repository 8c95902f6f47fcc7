// What puts a whole copy in its place, and what deletes the directory that it took the place of; the rules of copy_scripts.hpp hold.
#include "adapters/ssh/copy_scripts.hpp"
#include "adapters/ssh/quote.hpp"

#include <fmt/format.h>

namespace handyrep::adapters::ssh {

namespace {

// The files that make a node what it is: whatever stands in the directory itself and is not PostgreSQL's own. Long ones are no settings.
constexpr std::string_view keep_own = R"sh(
keep_own() {
  find "$1" -mindepth 1 -maxdepth 1 -type f -size -2049 ! -name PG_VERSION ! -name 'backup_*' ! -name 'tablespace_map*' ! -name '*.signal' \
    ! -name 'recovery.*' ! -name postmaster.pid ! -name current_logfiles ! -name '*.new' ! -name '*.tmp' ! -name '*.handyrep' \
    -exec cp -pf -t "$new" -- {} + || return
  for folder in "$1"/conf.d "$1"/*.conf.d; do
    [ ! -d "$folder" ] || { rm -rf -- "$new/${folder##*/}" && cp -a "$folder" "$new/"; } || return
  done
}
)sh";

constexpr std::string_view place_copy = R"sh(
is_number || answer "refused there is no copy for operation $number there"
if in_place; then answer "done"; fi
if running; then answer "refused the copy is not whole yet"; fi
status=; [ -f "$job/status" ] && read -r status <"$job/status"
[ "$status" = 0 ] && made_by_us "$new" || answer "refused the copy is not whole"
must_be_replaceable
[ "$(data=$new; control u8 0 8)" = "$expected" ] || answer "refused the copy belongs to another system"
data=$new; read_version || answer "refused the copy has no version"
data=$place
own=
if [ $standing = database ]; then own=$place; elif noted old "$old" "$old"; then own=$old; fi
[ -z "$own" ] || keep_own "$own" || answer "failed the settings of $own could not be kept"
umask 077
settings="$new/postgresql.auto.conf"
stale='primary_conninfo\|primary_slot_name\|recovery_target[a-z_]*\|trigger_file\|promote_trigger_file\|standby_mode'
[ -n "$own" ] || stale="$stale\\|synchronous_standby_names\\|port"
{ grep -vi "^[[:space:]]*\($stale\)[[:space:]]*[='0-9]" "$settings"
  [ -n "$own" ] || [ -n "$(data=$place; debian_clusters)" ] || echo "port = $port"
  if [ "$version" -ge 12 ]; then
    printf '%s\n' "primary_conninfo = '$conninfo'"
    [ -z "$slot" ] || echo "primary_slot_name = '$slot'"
  fi
} >"$settings.new" && mv "$settings.new" "$settings" || answer "failed its settings could not be written"
rm -f "$new/recovery.signal"
if [ "$version" -ge 12 ]; then : >"$new/standby.signal"; else
  { printf '%s\n' "standby_mode = 'on'" "recovery_target_timeline = 'latest'" "primary_conninfo = '$conninfo'"
    [ -z "$slot" ] || echo "primary_slot_name = '$slot'"; } >"$new/recovery.conf"
fi || answer "failed it could not be marked standby"
# pg_ctl takes the options of a start from here.
if [ ! -f "$new/postmaster.opts" ]; then
  for folder in $(debian_clusters); do option="\"-c\" \"config_file=$folder/postgresql.conf\""; done
  echo "$programs/postgres \"-D\" \"$data\" $option" >"$new/postmaster.opts" || answer "failed its options could not be written"
fi
find "$new" -mindepth 1 -maxdepth 1 -type f -exec timeout 60 sync {} + && timeout 60 sync "$new" || answer "failed the copy could not be synced"
(data=$new; is_marked) || answer "failed it could not be marked standby"
in_time || answer "refused its time had passed on that host before it was put in place"
)sh";

// From here on it is renamed; each part is done once, also when this is begun again after a break anywhere.
constexpr std::string_view rename_copy = R"sh(
aside() {
  echo "$(inode "$1") $1.handyrep-old" >>"$job/old" && sync "$job/old" && [ ! -e "$1.handyrep-old" ] && mv -T "$1" "$1.handyrep-old"
}
was=$(inode "${own:-$place}"); now=$(inode "$new")
while IFS= read -r area; do
  if made_by_us "$area.handyrep-new"; then
    [ ! -e "$area" ] || rmdir "$area" 2>/dev/null || aside "$area" || answer "failed $area could not be set aside"
    mv -T "$area.handyrep-new" "$area" || answer "failed $area could not be put in place"
  fi
  for link in "$new/pg_wal" "$new"/pg_tblspc/*; do
    [ -L "$link" ] && [ "$(readlink "$link")" = "$area.handyrep-new" ] && { ln -sfnT "$area" "$link" || answer "failed $link could not be changed"; }
  done
done <"$job/areas"
if [ $standing = database ]; then
  aside "$place" || answer "failed $place could not be set aside"
  # Who was started in this moment went along.
  holders_of "$old"
  if [ -n "$pids" ]; then mv -T "$old" "$place"; answer "refused $(count $pids) processes hold the data directory"; fi
elif [ $standing = empty ]; then
  rmdir "$place" || answer "failed $place could not be replaced"
fi
if [ -n "$was" ]; then
  [ ! -f "$kept/masked" ] || { sed "s/ $was\$/ $now/" "$kept/masked" >"$kept/masked.new" && mv "$kept/masked.new" "$kept/masked"; }
  [ ! -f "$kept/log.$was" ] || mv "$kept/log.$was" "$kept/log.$now"
fi
mv -T "$new" "$place" && timeout 60 sync "$parent" || answer "failed the copy could not be put at $place"
answer "done"
)sh";

// A terabyte takes its time, and nobody needs to wait for it.
constexpr std::string_view discard = R"sh(
is_number || answer "done"
held=
if [ -f "$job/old" ]; then
  while read -r i path; do
    [ "$(inode "$path")" = "$i" ] || continue
    holders_of "$path"
    [ -z "$pids" ] || held=$path
    echo "$path"
  done <"$job/old" >"$job/discard"
  [ -z "$held" ] || answer "refused processes hold $held"
  [ -f "$job/discard" ] || answer "failed $job could not be written"
  in_time || answer "refused its time had passed on that host before it began"
  job=$job setsid /bin/sh -c 'while IFS= read -r path; do rm -rf --one-file-system -- "$path"; done <"$job/discard"; rm -rf -- "$job"' \
    </dev/null >/dev/null 2>&1 &
else
  rm -rf -- "$job"
fi
answer "done"
)sh";

}  // namespace

std::string place_copy_script(const Node& node, const ports::Placing& placing) {
    return fmt::format(
        "{}expected={}\nport={}\nconninfo={}\nslot={}\n{}{}{}{}", script_about_copy(node, placing.operation), placing.system_id.value,
        placing.port, quote(within_quotes(placing.upstream)), quote(within_quotes(placing.slot)), copy_programs_script(placing.version),
        keep_own, place_copy, rename_copy);
}

std::string discard_old_script(const Node& node, std::uint64_t operation) { return script_about_copy(node, operation).append(discard); }

}  // namespace handyrep::adapters::ssh
