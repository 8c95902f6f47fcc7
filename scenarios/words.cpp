#include "scenarios/words.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <system_error>

namespace handyrep::scenarios {

namespace {

constexpr std::array table{
    Word{DeedKind::kill_all, "kill_all", Takes::server, "SIGKILL to every process"},
    Word{DeedKind::kill_postmaster, "kill_postmaster", Takes::server, "SIGKILL to it alone; one backend goes on writing"},
    Word{DeedKind::kill_backend, "kill_backend", Takes::server, "SIGKILL to one process, as out of memory: crash recovery"},
    Word{DeedKind::fast_stop, "fast_stop", Takes::server, "by a person"},
    Word{DeedKind::immediate_stop, "immediate_stop", Takes::server, "by a person: as a crash that says so"},
    Word{DeedKind::fast_restart, "fast_restart", Takes::server, "by a person"},
    Word{DeedKind::start, "start", Takes::server, "by a person, as its directory is marked"},
    Word{DeedKind::start_as_primary, "start_as_primary", Takes::server, "by a person who takes the mark away"},
    Word{DeedKind::promote, "promote", Takes::server, "by a person, without asking the manager"},
    Word{DeedKind::demote, "demote", Takes::server, "by a person: stopped, marked, started as a standby that follows nobody"},
    Word{DeedKind::freeze, "freeze", Takes::server, "SIGSTOP to every process; its end is SIGCONT"},
    Word{DeedKind::stop_postmaster, "stop_postmaster", Takes::server, "SIGSTOP to it alone: what runs goes on, nothing new begins"},
    Word{DeedKind::end_sessions, "end_sessions", Takes::server, "by a person, with pg_terminate_backend: those of the manager"},
    Word{DeedKind::kill_receiver, "kill_receiver", Takes::server, "the WAL receiver of a replica, which begins another after a while"},
    Word{DeedKind::bulk_load, "bulk_load", Takes::server, "50 MB of WAL at once"},
    Word{DeedKind::long_redo, "long_redo", Takes::server, "its next crash recovery takes 30 s more"},
    Word{DeedKind::power_off, "power_off", Takes::machine, "its end is a boot"},
    Word{DeedKind::power_on, "power_on", Takes::machine, "a boot"},
    Word{DeedKind::reboot, "reboot", Takes::server, "PostgreSQL is stopped cleanly, then the power is off; its end is a boot"},
    Word{DeedKind::autostart_off, "autostart_off", Takes::server, "a boot does not start PostgreSQL"},
    Word{DeedKind::sshd_down, "sshd_down", Takes::machine, "nobody gets in by SSH"},
    Word{DeedKind::slow_logins, "slow_logins", Takes::server, "a login by SSH takes 1.5 s; who is in is not slower"},
    Word{DeedKind::storage_stalled, "storage_stalled", Takes::server, "its file system is frozen: WAL is inserted, nothing is flushed"},
    Word{DeedKind::wal_full, "wal_full", Takes::server, "no room for WAL: PANIC"},
    Word{DeedKind::data_full, "data_full", Takes::server, "no room for data; WAL is on a disk of its own (layout wal_apart)"},
    Word{DeedKind::read_only_disk, "read_only_disk", Takes::server, "its file system is remounted read-only after an error: PANIC"},
    Word{DeedKind::disk_nearly_full, "disk_nearly_full", Takes::server, "three percent are left"},
    Word{DeedKind::foreign, "foreign", Takes::server, "its data directory is replaced by one of another system"},
    Word{DeedKind::back_up, "back_up", Takes::server, "its data directory is copied, as it is now"},
    Word{DeedKind::restore_backup, "restore_backup", Takes::server, "its data directory is replaced by what was backed up"},
    Word{DeedKind::name_lost, "name_lost", Takes::machine, "DNS does not know it any more"},
    Word{DeedKind::address_changed, "address_changed", Takes::server, "it gets another address, and its name follows"},
    Word{
        DeedKind::sudo_denied, "sudo_denied", Takes::machine,
        "its host lets the manager in, and nothing be done there as the owner of the data"},
    Word{
        DeedKind::sudo_denied_halfway, "sudo_denied_halfway", Takes::server,
        "the same, from the moment when a fence has switched autostart off"},
    Word{DeedKind::mark_denied, "mark_denied", Takes::server, "nobody may write in its data directory: a fence cannot mark it"},
    Word{DeedKind::set, "set", Takes::settings, "settings of PostgreSQL, by their names"},
    Word{DeedKind::connections_full, "connections_full", Takes::server, "no connection is left"},
    Word{DeedKind::walsenders_full, "walsenders_full", Takes::server, "no WAL sender is left"},
    Word{DeedKind::password_broken, "password_broken", Takes::server, "the manager's login is refused"},
    Word{DeedKind::hba_broken, "hba_broken", Takes::server, "every login over the network is refused"},
    Word{
        DeedKind::certificate_expired, "certificate_expired", Takes::server,
        "its certificate, which those who verify it see when they connect anew (layout tls)"},
    Word{DeedKind::detach, "detach", Takes::server, "somebody empties primary_conninfo"},
    Word{DeedKind::query, "query", Takes::server, "a long one on a hot standby, which holds up replay"},
    Word{DeedKind::refuse_promotion, "refuse_promotion", Takes::server, "it refuses to be promoted"},
    Word{DeedKind::hang_promotion, "hang_promotion", Takes::server, "a promotion takes no end"},
    Word{DeedKind::port_closed, "port_closed", Takes::server, "connections that are new are refused; those that are there go on"},
    Word{DeedKind::refuses_look, "refuses_look", Takes::server, "the manager's rights are revoked"},
    Word{DeedKind::slot, "slot", Takes::server, "a replication slot that nobody uses"},
    Word{DeedKind::wal_sink, "wal_sink", Takes::server, "pg_receivewal takes its WAL away; its end is that program's"},
    Word{DeedKind::silence, "silence", Takes::machine, "the machine neither hears nor is heard"},
    Word{DeedKind::link_down, "link_down", Takes::machine, "its cable is out, which it knows"},
    Word{DeedKind::one_way, "one_way", Takes::two_nodes, "the first is not heard by the second"},
    Word{DeedKind::partition, "partition", Takes::groups, "two groups of hosts do not hear each other"},
    Word{DeedKind::loss, "loss", Takes::two_nodes, "a third of what two hosts send each other"},
    Word{DeedKind::delay, "delay", Takes::two_nodes, "400 ms on each way between two hosts"},
    Word{DeedKind::reset, "reset", Takes::two_nodes, "the first's packets to the second are answered with a reset"},
    Word{DeedKind::dns_hangs, "dns_hangs", Takes::nothing, "nobody answers the manager's questions for names"},
    Word{
        DeedKind::login_expired, "login_expired", Takes::nothing,
        "the manager's certificate, which servers see when it connects anew (layout certificate_logins)"},
    Word{DeedKind::kill_manager, "kill_manager", Takes::nothing, "SIGKILL; its end is a start"},
    Word{DeedKind::stop_manager, "stop_manager", Takes::nothing, "SIGSTOP; its end is SIGCONT"},
    Word{DeedKind::start_manager, "start_manager", Takes::nothing, "if it does not run"},
    Word{DeedKind::reboot_manager, "reboot_manager", Takes::nothing, "the power of its host is cut; its end is a boot"},
    Word{
        DeedKind::manager_clock, "manager_clock", Takes::pairs, "its wall clock jumps, {by: -3600}: seconds; its monotonic clock does not"},
    Word{
        DeedKind::configure, "configure", Takes::pairs,
        "keys of the section failover in handyrep.conf are changed, and it is told to read the file again"},
    Word{DeedKind::store_fails, "store_fails", Takes::nothing, "the manager's disk is full"},
    Word{DeedKind::store_hangs, "store_hangs", Takes::nothing, "the manager's disk hangs"},
    Word{DeedKind::lose_journal, "lose_journal", Takes::nothing, "its journal is gone"},
    Word{DeedKind::maintenance, "maintenance", Takes::nothing, "of the cluster, by a person; with a length it ends by itself"},
    Word{DeedKind::pause, "pause", Takes::nothing, "of automation, by a person; its end resumes it"},
    Word{DeedKind::disable, "disable", Takes::server, "by a person, who takes it out; its end enables it"},
    Word{DeedKind::keep_state, "keep_state", Takes::nothing, "a copy of servers.save"},
    Word{DeedKind::stale_state, "stale_state", Takes::nothing, "that copy is put in its place, for the next start"},
    Word{DeedKind::quiet, "quiet", Takes::nothing, "clients and watchers write nothing"},
    Word{DeedKind::heartbeat, "heartbeat", Takes::server, "one, as the manager writes it"},
    Word{DeedKind::checkpoint, "checkpoint", Takes::server, "by a person"},
    Word{DeedKind::commit, "commit", Takes::settings, "of one row, by a session with these settings, which may wait"},
    Word{DeedKind::stop_checkpointer, "stop_checkpointer", Takes::server, "SIGSTOP to it alone"},
    Word{DeedKind::lose_mark, "lose_mark", Takes::server, "somebody takes standby.signal away"},
    Word{DeedKind::rewind, "rewind", Takes::server, "by a person: pg_rewind without -R from the server that takes writes"},
    Word{
        DeedKind::start_at_once, "start_at_once", Takes::server,
        "something starts it as soon as it has no process, whatever its autostart says"},
    Word{DeedKind::late_promotion, "late_promotion", Takes::server, "what asks it to promote arrives when this ends"},
    Word{DeedKind::steady_load, "steady_load", Takes::server, "1 MB of WAL after the other, until it dies"},
};

}  // namespace

std::span<const Word> words() { return table; }

std::string_view word_for(DeedKind kind) {
    const auto* const found = std::ranges::find(table, kind, &Word::kind);
    return found == table.end() ? "" : found->word;
}

Result<Duration> seconds_of_jump(const Deed& deed) {
    long long seconds = 0;
    if (deed.settings.size() == 1 && deed.settings.front().first == "by") {
        const std::string& text = deed.settings.front().second;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
        constexpr long long ten_years = 10LL * 366 * 24 * 3600;
        if (error == std::errc{} && end == text.data() + text.size() && seconds >= -ten_years && seconds <= ten_years)
            return Duration{std::chrono::seconds{seconds}};
    }
    return Error{ErrorKind::invalid, "manager_clock takes {by: SECONDS}, at most ten years"};
}

std::string_view word_for(Takes takes) {
    switch (takes) {
        case Takes::nothing: return "";
        case Takes::server: return "SERVER";
        case Takes::machine: return "HOST";
        case Takes::settings: return "SERVER NAME=VALUE";
        case Takes::pairs: return "NAME=VALUE";
        case Takes::two_nodes: return "FROM TO";
        case Takes::groups: return "HOST,HOST HOST";
    }
    return "";
}

std::string_view word_for(Verb verb) {
    switch (verb) {
        case Verb::failover: return "failover";
        case Verb::promote: return "promote";
        case Verb::switchover: return "switchover";
        case Verb::follow: return "follow";
        case Verb::shutdown: return "shutdown";
        case Verb::startup: return "startup";
        case Verb::restart: return "restart";
        case Verb::fence: return "fence";
        case Verb::rejoin: return "rejoin";
        case Verb::clone: return "clone";
        case Verb::reclone: return "reclone";
    }
    return "";
}

std::string_view names_server_by(Verb verb) {
    if (verb == Verb::failover || verb == Verb::switchover) return "to";
    return verb == Verb::follow ? "upstream" : "server";
}

}  // namespace handyrep::scenarios
