#include "adapters/ssh/rewind_scripts.hpp"

#include "adapters/ssh/inspection_scripts.hpp"
#include "adapters/ssh/quote.hpp"

#include <fmt/format.h>

namespace handyrep::adapters::ssh {

namespace {

constexpr std::string_view common = R"sh(
LC_ALL=C; export LC_ALL
work="$kept/rewind.$this"
wal="$data/pg_wal"
answer() { echo "$*"; echo end; exit 0; }
one_line() { tr '\n\t' '  ' | sed 's/  */ /g; s/ $//' | cut -c1-400; }
said_of() { sed -n "s/^$1 //p" "$work/state" 2>/dev/null | head -n 1; }
# The 22nd field of its status: when it began. A number alone may be another's by now.
began_of() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }
alive() { job=; born=; read -r job born 2>/dev/null <"$work/pid"; [ -n "$born" ] && [ "$(began_of "$job")" = "$born" ]; }
facts_of() { timeout 10 "$programs/pg_controldata" -D "$data"; }
fact() { printf '%s\n' "$facts" | sed -n "s/^$1: *//p"; }
)sh";

// An interrupted job that rewrote nothing yet leaves a directory that is as good as before: it is made so, and said.
constexpr std::string_view settle = R"sh(
give_free() {
  : >"$data/standby.signal" && timeout 60 sync "$data/standby.signal" || return 1
  if [ -f "$data/postmaster.pid" ] && ! [ "/proc/$(head -n 1 "$data/postmaster.pid")/cwd" -ef "$data" ]; then rm -f "$data/postmaster.pid"; fi
  chmod o-x "$data" && timeout 60 sync "$data"
}
put_phase() {
  { echo "phase $1"; echo "ticket $ticket"; echo "saved ${saved:--}"; echo "why ${2:--}"; } >"$work/state.new" \
    && timeout 60 sync "$work/state.new" && mv "$work/state.new" "$work/state" && timeout 60 sync "$work"
}
settle() {
  [ -f "$work/state" ] || return 0
  alive && return 0
  holders; [ -z "$pids" ] || return 0
  ticket=$(said_of ticket); saved=$(said_of saved); [ "$saved" != - ] || saved=
  case $(said_of phase) in
    saving|recovering|trying) give_free && put_phase untouched "it was interrupted before anything was rewritten";;
    rewinding) put_phase half "it was interrupted while the data directory was rewritten";;
  esac
}
)sh";

constexpr std::string_view look = R"sh(
read_version || exit 66
id=$(control u8 0 8) && state=$(control d4 16 4) && [ -n "$id" ] && [ -n "$state" ] || exit 66
holders
there=1
for program in pg_rewind pg_waldump pg_controldata postgres; do [ -x "$programs/$program" ] || there=0; done
timeline=1; protects=0; found=0; restores=0
if [ $there = 1 ]; then
  facts=$(facts_of) || exit 66
  timeline=$(fact "Latest checkpoint's TimeLineID"); reached=$(fact "Min recovery ending loc's timeline")
  [ "$reached" -le "$timeline" ] || timeline=$reached
  case $(fact "Data page checksum version") in 0) ;; *) protects=1;; esac
  [ "$(fact "wal_log_hints setting")" != on ] || protects=1
  if find_configuration; then found=1; [ -z "$(setting restore_command)" ] || restores=1; fi
fi
echo "system_id $id"; echo "version $version"; echo "processes $(count $pids)"; echo "state $state"
echo "timeline $timeline"
past="$wal/$(printf %08X "$timeline").history"
[ "$timeline" = 1 ] || [ -f "$past" ] || { echo "there is no history of its timeline $timeline" >&2; exit 66; }
switches=$([ "$timeline" = 1 ] || sed -n 's/^[[:space:]]*\([0-9]\{1,\}\)[[:space:]]\{1,\}\([0-9A-F]*\/[0-9A-F]*\).*/switch \1 \2/p' "$past")
echo "switches $(printf '%s' "$switches" | grep -c .)"
[ -z "$switches" ] || printf '%s\n' "$switches"
echo "programs $there"; echo "protects $protects"; echo "configured $found"; echo "restores $restores"
settle
phase=$(said_of phase); why=$(said_of why)
echo "phase ${phase:-none}"; echo "why ${why:--}"
echo end
)sh";

// A segment of which the first page says that it is where its name says is one that was written; others wait to be used again.
constexpr std::string_view segments = R"sh(
segment=$(fact "Bytes per WAL segment"); per=$((0x100000000 / segment))
fork_at=$(number "$fork")
hex() { printf '%X/%08X' $(($1 >> 32)) $(($1 & 0xFFFFFFFF)); }
is_written() { [ "$(od -An -v -t u8 -j 8 -N 8 "$1" 2>/dev/null | tr -d ' \n')" = "$2" ]; }
# Of timelines `fork_timeline` to `last_timeline`, the written segments from the one with the fork on.
diverged_segments() {
  for file in "$wal"/[0-9A-F][0-9A-F][0-9A-F][0-9A-F][0-9A-F][0-9A-F][0-9A-F][0-9A-F]*; do
    name=${file##*/}
    [ ${#name} = 24 ] || continue
    rest=${name#????????}; on=$((0x${name%$rest})); low=${rest#????????}; high=${rest%$low}
    at=$(( (0x$high * per + 0x$low) * segment ))
    [ "$on" -ge "$fork_timeline" ] && [ "$on" -le "$last_timeline" ] && [ $((at + segment)) -gt "$fork_at" ] || continue
    if is_written "$file" "$at"; then echo "$file"; fi
  done
}
)sh";

// pg_rewind goes from the fork back to the checkpoint before it, and needs every segment on the way.
constexpr std::string_view divergence = R"sh(
id=$(control u8 0 8)
[ "$id" = "$expected" ] || answer "foreign ${id:-unreadable}"
facts=$(facts_of) || exit 66
files=$(diverged_segments)
bytes=0; [ -z "$files" ] || bytes=$(( $(printf '%s\n' "$files" | grep -c .) * segment ))
echo "to_save $bytes"
place=$kept; while [ ! -d "$place/." ]; do place=${place%/*}; done
echo "room $(room "${place:-/}/.")"
file_of() { for t in $chain; do f="$wal/$(printf '%08X%08X%08X' "$t" $(($1 / per)) $(($1 % per)))"; [ -f "$f" ] && { on=$t; return 0; }; done; return 1; }
checkpoint=-
index=$(( (fork_at - 1) / segment ))
while [ "$checkpoint" = - ] && [ "$index" -ge 0 ] && file_of "$index"; do
  from=$((index * segment)); to=$((from + segment)); [ "$to" -le "$fork_at" ] || to=$fork_at
  last=$(timeout 10 "$programs/pg_waldump" -p "$wal" -t "$on" -r XLOG -s "$(hex $from)" -e "$(hex $to)" "${f##*/}" 2>/dev/null \
    | sed -n 's/.* lsn: \([0-9A-F]*\/[0-9A-F]*\), .* desc: CHECKPOINT_.*/\1/p' | tail -n 1)
  checkpoint=${last:--}
  index=$((index - 1))
done
echo "checkpoint $checkpoint"
echo end
)sh";

constexpr std::string_view report = R"sh(
report() {
  phase=$(said_of phase); why=$(said_of why); saved=$(said_of saved)
  progress=
  [ ! -f "$work/progress" ] || progress=$(tr '\r' '\n' <"$work/progress" | sed -n 's/^ *\([0-9]*\)\/\([0-9]*\) kB .*/\1 \2/p' | tail -n 1)
  progress=${progress:-0 0}
  echo "phase ${phase:-none}"; echo "copied ${progress% *}"; echo "to_copy ${progress#* }"; echo "why ${why:--}"
  if [ -f "$saved/summary" ]; then echo "saved 1"; cat "$saved/summary"; else echo "saved 0"; fi
  echo end; exit 0
}
)sh";

constexpr std::string_view begin = R"sh(
id=$(control u8 0 8)
[ "$id" = "$expected" ] || answer "refused the data directory belongs to another system (${id:-unreadable})"
read_version || exit 66
wanted_ticket=$ticket
settle
ticket=$wanted_ticket
phase=$(said_of phase)
case ${phase:-none} in
  none) ;;
  untouched) [ "$(said_of ticket)" != "$ticket" ] || report;;
  *) report;;
esac
holders
[ -z "$pids" ] || answer "refused $(count $pids) processes hold the data directory"
[ "$version" -ge 13 ] || answer "refused PostgreSQL $version cannot be rewound safely"
find_configuration || answer "refused its configuration was not found"
mkdir -p "$work" && [ -w "$work" ] || answer "refused $work cannot be written"
command -v setsid >/dev/null || answer "refused there is no setsid on that host"
autostart_off=1
autostart=
say() { autostart="${autostart:+$autostart, }$1"; }
)sh";

// What is not autostarted and marked a standby before its WAL is touched is never touched.
constexpr std::string_view prepare = R"sh(
[ $autostart_off = 1 ] || answer "refused what starts it by itself could not be disabled: $autostart"
: >"$data/standby.signal" && timeout 10 sync "$data/standby.signal" && timeout 10 sync "$data" || answer "refused it cannot be marked standby"
in_time || answer "refused its time had passed on that host before it began"
rm -f "$work/progress" "$work/log"
saved=; put_phase saving || answer "refused $work cannot be written"
)sh";

constexpr std::string_view launch = R"sh(
setsid /bin/sh "$work/job" </dev/null >>"$work/log" 2>&1 &
looks=100
while ! alive && [ $looks -gt 0 ] && [ "$(said_of phase)" = saving ]; do looks=$((looks - 1)); sleep 0.02; done
report
)sh";

constexpr std::string_view end = R"sh(
id=$(control u8 0 8)
[ "$id" = "$expected" ] || answer "refused the data directory belongs to another system (${id:-unreadable})"
[ -f "$work/state" ] || answer "done"
[ "$(said_of phase)" = done ] || answer "refused the rewind is not done: $(said_of phase)"
# It says so before it ends.
looks=100
while alive && [ $looks -gt 0 ]; do looks=$((looks - 1)); sleep 0.05; done
[ $looks -gt 0 ] || answer "refused its job still runs"
find_configuration || answer "failed its configuration was not found"
[ -f "$data/standby.signal" ] || answer "failed it is not marked standby"
[ -n "$(setting primary_conninfo)" ] || answer "failed it has no primary_conninfo"
while IFS= read -r line; do
  now=$(setting "${line%%=*}")
  [ "$now" = "${line#*=}" ] || answer "failed ${line%%=*} is '$now' and was '${line#*=}' before the rewind"
done <"$work/settings"
timeout 60 sync "$data/standby.signal" "$data" && chmod o-x "$data" && timeout 60 sync "$data" || answer "failed it could not be given free"
rm -f "$work/state" "$work/pid" "$work/job" && rm -rf "$work/own"
answer "done"
)sh";

// An earlier rewind that was given up before it rewrote anything holds nothing back.
constexpr std::string_view not_rewound = R"sh(
unfinished=$(sed -n 's/^phase //p' "$kept/rewind.$this/state" 2>/dev/null)
case ${unfinished:-untouched} in
  untouched) ;;
  half) answer "refused a rewind of it ended half-way: it can only be cloned anew";;
  *) answer "refused a rewind of it was begun and is not ended ($unfinished)";;
esac
)sh";

/// `segments` needs them.
const std::string segments_behind_facts = fmt::format("facts=$(facts_of) || exit 66\n{}", segments);

std::string about(const Node& node) {
    return fmt::format("{}{}{}{}{}{}", script_about(node), programs_script(), what_is_kept(node), settings_script(), common, settle);
}

}  // namespace

std::string_view only_what_is_not_rewound() { return not_rewound; }

std::string rewind_look_script(const Node& node) { return about(node).append(look); }

std::string divergence_script(const Node& node, const model::DivergenceQuestion& question) {
    std::string chain;
    for (std::uint32_t it = question.fork.timeline.id; it > 0; --it) chain += fmt::format("{} ", it);
    return fmt::format(
        "{}\nexpected={}\nfork_timeline={}\nlast_timeline={}\nfork={}\nchain={}\n{}{}", about(node), question.system_id.value,
        question.fork.timeline.id, question.last.id, quote(question.fork.lsn.text()), quote(chain), segments_behind_facts, divergence);
}

std::string rewind_script(const Node& node, const ports::RewindWanted& wanted) {
    const std::string values = fmt::format(
        "\nexpected={}\nticket={}\nfork_timeline={}\nlast_timeline={}\nfork={}\nlabel={}\n", wanted.divergence.system_id.value,
        quote(wanted.ticket), wanted.divergence.fork.timeline.id, wanted.divergence.last.id, quote(wanted.divergence.fork.lsn.text()),
        quote(wanted.label));
    // The password goes from this text to a file by what the shell has built in, and is on no command line.
    const std::string login = fmt::format(
        "source={}\npassline={}\numask 077\nrm -f \"$work/passfile\"\n"
        "[ -z \"$passline\" ] || {{ printf '%s\\n' \"$passline\" >\"$work/passfile\" && source=\"$source passfile='$work/passfile'\"; }} \\\n"
        "  || answer 'refused its passfile could not be written'\n"
        "printf '%s\\n' \"$source\" >\"$work/source\" || answer 'refused there is no room for its job'\n",
        quote(wanted.source), quote(wanted.password_line.reveal()));
    const std::string job = fmt::format(
        "cat >\"$work/job\" <<'END_OF_JOB' || answer 'refused there is no room for its job'\n{}{}{}{}\nEND_OF_JOB\n", about(node), values,
        segments_behind_facts, rewind_job());
    return about(node)
        .append(values)
        .append(report)
        .append(begin)
        .append(autostart_off_script())
        .append(prepare)
        .append(login)
        .append(job)
        .append(launch);
}

std::string end_rewind_script(const Node& node, model::SystemId expected) {
    return fmt::format("{}\nexpected={}\n{}", about(node), expected.value, end);
}

}  // namespace handyrep::adapters::ssh
