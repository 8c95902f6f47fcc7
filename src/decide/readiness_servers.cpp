// The checks of one server by what it answered over SQL.
#include "base/text.hpp"
#include "decide/readiness_rules.hpp"
#include "model/version_facts.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace handyrep::decide {

using model::DatabaseInspection;
using model::Right;

namespace {

constexpr Duration longest_blindness = std::chrono::seconds{10};
constexpr Duration clock_tolerance = std::chrono::seconds{1};
/// What a copy of the new primary takes besides its followers: pg_basebackup's data and its WAL.
constexpr std::int64_t senders_of_a_copy = 2;

std::string short_text(Duration duration) { return text(std::chrono::round<std::chrono::milliseconds>(duration)); }

Verdict database_answers(const Subject& self, const Scene& /*scene*/) {
    if (self.database != nullptr)
        return fine(
            fmt::format("takes a session of {}, PostgreSQL {}", self.definition.database_user, version_text(self.database->version)));
    if (self.seen == nullptr || !self.seen->database) return unknown("it was not looked at yet; nothing about its database is known");
    const Error& error = self.seen->database->error();
    if (error.kind == ErrorKind::unsupported) return unknown(error.text());
    return broken(
        fmt::format("no session as {}: {}; nothing else about its database is known", self.definition.database_user, error.text()));
}

Verdict role(const Subject& self, const Scene& /*scene*/) {
    if (self.database->in_recovery == !self.is_primary()) return fine(fmt::format("it runs as {}", word_for(self.definition.role)));
    return broken(fmt::format(
        "it is the {} by HandyRep's state, and {} in recovery", word_for(self.definition.role),
        self.database->in_recovery ? "is" : "is not"));
}

Verdict system_identity(const Subject& self, const Scene& scene) {
    const auto expected = scene.input.saved.system_id;
    const auto own = self.database->system_id;
    if (!expected || !own) return unknown("a system identifier could not be read");
    if (*own != *expected) return broken(fmt::format("its system identifier is {}, the cluster's is {}", own->value, expected->value));
    if (self.host != nullptr && self.host->system_id != *expected)
        return broken(fmt::format(
            "{} on its host is the directory of another system ({}): a fence would refuse it", self.definition.pgdata,
            self.host->system_id.value));
    return fine("it belongs to this cluster");
}

Verdict replication(const Subject& self, const Scene& /*scene*/) {
    const auto& status = self.database->receiver_status;
    if (!status) return broken("it has no WAL receiver: it receives nothing");
    if (*status == "streaming") return fine("it streams");
    if (*status == "not readable") return unknown("its WAL receiver's state cannot be read without pg_monitor");
    return broken(fmt::format("its WAL receiver is {}, not streaming", *status));
}

Verdict replay(const Subject& self, const Scene& /*scene*/) {
    return self.database->replay_paused ? broken("its replay is paused: it is no candidate and falls behind") : fine("its replay goes on");
}

struct RightRule {
    Right right;
    CheckOutcome without;
    std::string_view consequence;
};
constexpr std::array right_rules{
    RightRule{Right::pg_monitor, CheckOutcome::broken, "pg_monitor (its WAL receiver and senders cannot be read, so nothing witnesses)"},
    RightRule{Right::promote, CheckOutcome::broken, "EXECUTE on pg_promote (it cannot be promoted)"},
    RightRule{Right::reload, CheckOutcome::broken, "EXECUTE on pg_reload_conf (no changed setting takes effect)"},
    RightRule{Right::alter_conninfo, CheckOutcome::broken, "ALTER SYSTEM on primary_conninfo (it can be neither detached nor re-pointed)"},
    RightRule{
        Right::alter_sync_names, CheckOutcome::broken,
        "ALTER SYSTEM on synchronous_standby_names (no synchronous set for the world after a failover)"},
    RightRule{
        Right::replication, CheckOutcome::debt, "REPLICATION (timeline histories cannot be read, so a returning old primary is not known)"},
    RightRule{
        Right::heartbeat, CheckOutcome::debt, "EXECUTE on pg_logical_emit_message (no heartbeat: stalls show only when somebody writes)"},
    RightRule{
        Right::alter_restore, CheckOutcome::debt,
        "ALTER SYSTEM on restore_command (nothing that a dead primary never sent can be salvaged)"},
    RightRule{Right::checkpoint, CheckOutcome::debt, "CHECKPOINT (a planned change of the primary takes longer)"},
    RightRule{Right::pg_signal_backend, CheckOutcome::debt, "pg_signal_backend (queries that hold replay up cannot be ended)"},
};

Verdict manager_rights(const Subject& self, const Scene& /*scene*/) {
    const std::string& user = self.definition.database_user;
    const auto& rights = self.database->rights;
    if (rights.empty()) return unknown(fmt::format("the rights of {} could not be asked", user));
    if (const auto super = rights.find(Right::superuser); super != rights.end() && super->second)
        return fine(fmt::format("{} is a superuser", user));
    Verdict out = fine(fmt::format("{} has every right but ending a superuser's sessions, which takes a superuser", user));
    std::vector<std::string> missing;
    for (const RightRule& rule : right_rules) {
        const auto found = rights.find(rule.right);
        if (found == rights.end() || found->second) continue;
        missing.emplace_back(rule.consequence);
        out.outcome = std::max(out.outcome, rule.without);
    }
    if (!missing.empty()) out.text = fmt::format("{} lacks {}", user, join(missing, "; "));
    return out;
}

Verdict detach_by_reload(const Subject& self, const Scene& /*scene*/) {
    if (model::facts_of(self.database->version).stays_detached) return fine("primary_conninfo is changed by a reload");
    return debt(fmt::format(
        "PostgreSQL {} changes primary_conninfo only by a restart: a failover re-points it by one over its host and does not detach it, so "
        "no quorum can be revoked there and it is no witness",
        self.database->version.major()));
}

Verdict rewind_possible(const Subject& self, const Scene& /*scene*/) {
    const auto* const hints = setting_of(*self.database, "wal_log_hints");
    const auto* const checksums = setting_of(*self.database, "data_checksums");
    if (hints == nullptr || checksums == nullptr) return unknown("wal_log_hints or data_checksums cannot be read");
    if (checksums->value == "on") return fine("it has data checksums");
    if (hints->value == "on") return fine("wal_log_hints is on");
    return debt("it has neither data checksums nor wal_log_hints: after a failover it cannot be rewound, only copied anew");
}

Verdict effective_settings(const Subject& self, const Scene& /*scene*/) {
    std::vector<std::string> fixed;
    for (const char* name : {"primary_conninfo", "synchronous_standby_names", "restore_command", "primary_slot_name"}) {
        const auto* const seen = setting_of(*self.database, name);
        if (seen != nullptr && seen->source == "command line") fixed.emplace_back(name);
    }
    if (fixed.empty()) return fine("no setting that HandyRep writes is fixed on the server's command line");
    return broken(fmt::format("{} stands on the server's command line, which wins over what HandyRep writes", join(fixed, ", ")));
}

Verdict replication_timeouts(const Subject& self, const Scene& /*scene*/) {
    std::vector<std::string> seen;
    bool blind = false;
    for (const char* name : {"wal_receiver_timeout", "wal_sender_timeout"}) {
        const auto milliseconds = number_of(*self.database, name);
        if (!milliseconds) return unknown(fmt::format("{} cannot be read", name));
        const Duration timeout = std::chrono::milliseconds{*milliseconds};
        blind = blind || timeout == Duration::zero() || timeout > longest_blindness;
        seen.push_back(fmt::format("{} is {}", name, *milliseconds == 0 ? std::string("0 (never)") : short_text(timeout)));
    }
    const std::string values = join(seen, ", ");
    return blind ? debt(fmt::format("{}: a partner that falls silent is taken for alive that long", values)) : fine(values);
}

/// What superusers have reserved helps no other role; from 16 on there is a share for those.
Verdict reserved_connections(const Subject& self, const Scene& /*scene*/) {
    const auto super = self.database->rights.find(Right::superuser);
    const bool is_super = super != self.database->rights.end() && super->second;
    if (!is_super && self.database->version.number < 160000)
        return debt(fmt::format(
            "{} is no superuser, and before PostgreSQL 16 connections are reserved for superusers only: when clients have taken every other "
            "one, it cannot be looked at",
            self.definition.database_user));
    const char* const name = is_super ? "superuser_reserved_connections" : "reserved_connections";
    const auto reserved = number_of(*self.database, name);
    if (!reserved) return unknown(fmt::format("{} cannot be read", name));
    const std::string text = fmt::format("{} is {}", name, *reserved);
    return *reserved > 0 ? fine(text) : debt(text + ": when clients have taken every connection, nobody can look at it");
}

Verdict sender_headroom(const Subject& self, const Scene& scene) {
    const auto most = number_of(*self.database, "max_wal_senders");
    if (!most || !self.database->senders) return unknown("max_wal_senders or the senders in use cannot be read");
    const auto used = static_cast<std::int64_t>(self.database->senders->size());
    const auto followers = static_cast<std::int64_t>(scene.subjects.size()) - 1;
    const std::string text = fmt::format("{} of {} WAL senders are in use, {} servers would follow it", used, *most, followers);
    if (*most - used < followers) return broken(text + ": not all of them could");
    if (*most - used < followers + senders_of_a_copy) return debt(text + ": none is left to copy a server that must be rebuilt");
    return fine(text);
}

bool uses_slot(const Subject& subject) { return subject.database != nullptr && !value_of(*subject.database, "primary_slot_name").empty(); }

Verdict slot_headroom(const Subject& self, const Scene& scene) {
    if (!std::ranges::any_of(scene.subjects, uses_slot)) return fine("no replica streams through a slot");
    const auto most = number_of(*self.database, "max_replication_slots");
    if (!most || !self.database->slots) return unknown("max_replication_slots or the slots in use cannot be read");
    const auto used = static_cast<std::int64_t>(self.database->slots->size());
    const auto followers = static_cast<std::int64_t>(scene.subjects.size()) - 1;
    const std::string text = fmt::format("{} of {} replication slots are in use, {} servers would need one", used, *most, followers);
    return *most - used < followers ? debt(text) : fine(text);
}

Verdict upstream_password(const Subject& self, const Scene& /*scene*/) {
    const DatabaseInspection& database = *self.database;
    if (database.version.number < 120000) return unknown("before PostgreSQL 12 primary_conninfo stands in recovery.conf: look there");
    if (setting_of(database, "primary_conninfo") == nullptr) return unknown("primary_conninfo cannot be read by the manager's role");
    if (database.upstream && database.upstream->has_password)
        return debt("primary_conninfo holds a password, which anybody with pg_read_all_settings and the server's log can show");
    return fine("primary_conninfo holds no password");
}

Verdict clock(const Subject& self, const Scene& /*scene*/) {
    const Duration ahead = self.database->clock_ahead;
    const Duration uncertainty = self.database->clock_uncertainty;
    const Duration amount = ahead < Duration::zero() ? -ahead : ahead;
    const std::string text = fmt::format(
        "its clock is {} {} the manager's, give or take {}", short_text(amount), ahead < Duration::zero() ? "behind" : "ahead of",
        short_text(uncertainty));
    if (amount > uncertainty + clock_tolerance) return debt(text + ": ages, lags and logs of two servers cannot be compared");
    if (uncertainty > clock_tolerance) return unknown(text + ": its answer took too long to say more");
    return fine(text);
}

Verdict collation_versions(const Subject& self, const Scene& /*scene*/) {
    const DatabaseInspection& database = *self.database;
    if (database.version.number < 150000)
        return unknown("before PostgreSQL 15 a database does not record with which collation version its indexes were built");
    if (!database.collations) return unknown("the databases' collation versions cannot be read");
    std::vector<std::string> changed;
    for (const model::DatabaseCollation& it : *database.collations) {
        if (it.recorded != it.actual) changed.push_back(fmt::format("{} ({}, now {})", it.database, it.recorded, it.actual));
    }
    if (changed.empty()) return fine("every database was built with the collation version that its libraries have now");
    return debt(fmt::format("the collation version changed under {}: indexes on text may be out of order", join(changed, ", ")));
}

Verdict logical_slots(const Subject& self, const Scene& /*scene*/) {
    const DatabaseInspection& database = *self.database;
    if (!database.slots) return unknown("replication slots cannot be read");
    std::vector<std::string> lost;
    std::vector<std::string> kept;
    for (const model::SlotSeen& slot : *database.slots) {
        if (slot.logical) (slot.survives_promotion ? kept : lost).push_back(slot.name);
    }
    if (!lost.empty()) return debt(fmt::format("logical slots that a promotion loses: {}", join(lost, ", ")));
    if (!kept.empty() && value_of(database, "synchronized_standby_slots").empty())
        return debt(fmt::format(
            "the logical slots {} are failover slots, but synchronized_standby_slots is empty: a subscriber may be ahead of the candidate",
            join(kept, ", ")));
    return fine(kept.empty() ? "no logical slot" : fmt::format("logical slots survive a promotion: {}", join(kept, ", ")));
}

Verdict prepared_transactions(const Subject& self, const Scene& /*scene*/) {
    const auto count = self.database->prepared_transactions;
    if (!count) return unknown("prepared transactions cannot be read");
    if (*count == 0) return fine("no prepared transaction is open");
    return debt(fmt::format("{} prepared transactions are open: after a promotion somebody must settle them on the new primary", *count));
}

constexpr std::array rules{
    Rule{
        CheckName::database_answers, About::every, Needs::nothing, database_answers,
        "psql -h HOST -p PORT -U USER postgres from the manager must succeed: look at the server, pg_hba.conf, the password, the firewall"},
    Rule{
        CheckName::role, About::every, Needs::database, role,
        "see `handyrep status`; a promotion by hand is adopted once it is the only one"},
    Rule{
        CheckName::system_identity, About::every, Needs::database, system_identity,
        "correct hostname, port and pgdata in the configuration; a server of another system must be rebuilt"},
    Rule{
        CheckName::replication, About::replica, Needs::database, replication,
        "read the end of its log; a fork or lost WAL needs pg_rewind or a new copy, a refused login pg_hba.conf or the passfile"},
    Rule{
        CheckName::replay, About::replica, Needs::database, replay,
        "SELECT pg_wal_replay_resume(); when it pauses again, a setting is lower than the primary's (see standby_limits)"},
    Rule{
        CheckName::manager_rights, About::every, Needs::database, manager_rights,
        "grant them to the manager's role (user guide, \"Rights\"); before PostgreSQL 15 ALTER SYSTEM needs a superuser"},
    Rule{CheckName::detach_by_reload, About::replica, Needs::database, detach_by_reload, "PostgreSQL 13 or newer"},
    Rule{
        CheckName::rewind_possible, About::every, Needs::database, rewind_possible,
        "pg_checksums --enable on the stopped server, or wal_log_hints = on and a restart; on every server"},
    Rule{
        CheckName::effective_settings, About::every, Needs::database, effective_settings,
        "take it out of the start options (pg_ctl -o, the service's unit, pg_ctl.conf) and restart"},
    Rule{
        CheckName::replication_timeouts, About::every, Needs::database, replication_timeouts,
        "wal_receiver_timeout and wal_sender_timeout of 3s to 5s on every server; reload"},
    Rule{
        CheckName::reserved_connections, About::every, Needs::database, reserved_connections,
        "superuser_reserved_connections = 3; for a manager that is no superuser reserved_connections and membership in "
        "pg_use_reserved_connections (16+); restart"},
    Rule{
        CheckName::sender_headroom, About::candidate, Needs::database, sender_headroom,
        "max_wal_senders of at least the number of servers and 4 more, the same on every server; restart"},
    Rule{
        CheckName::slot_headroom, About::candidate, Needs::database, slot_headroom,
        "max_replication_slots of at least the number of servers and 4 more, the same on every server; restart"},
    Rule{
        CheckName::upstream_password, About::replica, Needs::database, upstream_password,
        "put it into a passfile that only the server's owner may read, and name that by passfile= in primary_conninfo"},
    Rule{
        CheckName::clock, About::every, Needs::database, clock,
        "run chrony or another NTP client on every machine, the manager's included"},
    Rule{
        CheckName::collation_versions, About::every, Needs::database, collation_versions,
        "REINDEX DATABASE on the primary, then ALTER DATABASE … REFRESH COLLATION VERSION"},
    Rule{
        CheckName::logical_slots, About::primary, Needs::database, logical_slots,
        "17+: create them with failover = true, sync_replication_slots = on at the candidates, synchronized_standby_slots at the primary; "
        "before, subscribers must be set up again after a promotion"},
    Rule{
        CheckName::prepared_transactions, About::primary, Needs::database, prepared_transactions,
        "COMMIT PREPARED or ROLLBACK PREPARED, or look after the transaction manager that should (pg_prepared_xacts)"},
};

}  // namespace

std::span<const Rule> server_rules() { return rules; }

}  // namespace handyrep::decide
