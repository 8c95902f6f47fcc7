// The checks that compare a server with the others.
#include "base/text.hpp"
#include "decide/readiness_rules.hpp"
#include "model/sync_standbys.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace handyrep::decide {

using model::DatabaseInspection;

namespace {

Verdict primary_not_read() { return unknown("the primary's database could not be read"); }

Verdict replication_lag(const Subject& self, const Scene& scene) {
    const auto* const primary = scene.primary_database();
    if (primary == nullptr) return primary_not_read();
    if (!primary->position || !self.database->position) return unknown("a WAL position could not be read");
    const model::Bytes behind = gap(*self.database->position, *primary->position);
    const std::string text = fmt::format("it is {} behind", bytes_text(behind.count));
    return behind > self.definition.lag_limit
               ? debt(text + fmt::format(", its lag_limit is {}", bytes_text(self.definition.lag_limit.count)))
               : fine(text);
}

Verdict minor_version(const Subject& self, const Scene& scene) {
    const auto* const primary = scene.primary_database();
    if (primary == nullptr) return primary_not_read();
    if (self.database->version == primary->version) return fine("it has the primary's version");
    return debt(
        fmt::format("its version is {}, the primary's is {}", version_text(self.database->version), version_text(primary->version)));
}

constexpr std::array limits{
    "max_connections", "max_worker_processes", "max_wal_senders", "max_prepared_transactions", "max_locks_per_transaction"};

/// T8: with less than the primary wrote into its WAL a standby does not start, and a running one stops replaying.
Verdict standby_limits(const Subject& self, const Scene& scene) {
    const auto* const primary = scene.primary_database();
    if (primary == nullptr) return primary_not_read();
    std::vector<std::string> now;
    std::vector<std::string> later;
    std::vector<std::string> maybe;
    for (const char* name : limits) {
        const auto own = number_of(*self.database, name);
        const auto theirs = number_of(*primary, name);
        if (!own || !theirs) return unknown(fmt::format("{} cannot be read", name));
        const model::SettingSeen& seen = *setting_of(*self.database, name);
        const auto next = seen.in_file ? whole_number(*seen.in_file) : std::nullopt;
        if (*own < *theirs) {
            now.push_back(fmt::format("{} is {}, the primary's is {}", name, *own, *theirs));
        } else if (next && *next < *theirs) {
            later.push_back(fmt::format("{} will be {}, the primary's is {}", name, *next, *theirs));
        } else if (!self.database->files_read && seen.pending_restart) {
            maybe.emplace_back(name);
        }
    }
    if (!now.empty()) return broken(fmt::format("{}: it does not replay what needs more, and would not start again", join(now, "; ")));
    if (!later.empty()) return debt(fmt::format("after its next restart {}: it would refuse to start", join(later, "; ")));
    if (!maybe.empty())
        return unknown(
            fmt::format("{} changes with the next restart; to what, only a role that reads pg_file_settings sees", join(maybe, ", ")));
    return fine("none of the five limits is below the primary's");
}

Verdict target_timeline(const Subject& self, const Scene& /*scene*/) {
    const bool old = self.database->version.number < 120000;
    std::optional<std::string> target;
    if (old && self.host != nullptr) target = self.host->recovery_target_timeline;
    if (!old && setting_of(*self.database, "recovery_target_timeline") != nullptr)
        target = value_of(*self.database, "recovery_target_timeline");
    if (!target)
        return unknown(
            old ? "before PostgreSQL 12 it stands in recovery.conf, which its host did not show"
                : "recovery_target_timeline cannot be read");
    if (*target == "latest") return fine("it follows the latest timeline");
    return broken(fmt::format("recovery_target_timeline is {}: after a failover it stays on the old timeline", *target));
}

/// The primary keeps what a replica that was away still needs: by a slot, by size, or in an archive that the replica reads.
Verdict wal_kept(const Subject& self, const Scene& scene) {
    const auto* const primary = scene.primary_database();
    if (primary == nullptr) return primary_not_read();
    const bool old = self.database->version.number < 120000;
    if (!value_of(*self.database, "primary_slot_name").empty()) {
        const bool for_ever = value_of(*primary, "max_slot_wal_keep_size") == "-1";
        return for_ever ? debt("it streams through a slot, and max_slot_wal_keep_size is -1: away for long, it fills the primary's disk")
                        : fine("it streams through a slot");
    }
    if (!value_of(*self.database, "restore_command").empty()) return fine("it has a restore_command");
    // MB from 13, segments before.
    for (const char* name : {"wal_keep_size", "wal_keep_segments"}) {
        if (number_of(*primary, name).value_or(0) > 0) return fine(fmt::format("the primary's {} is {}", name, value_of(*primary, name)));
    }
    if (old)
        return unknown(
            "the primary keeps no WAL by size, and before PostgreSQL 12 slot and restore_command stand in recovery.conf: look there");
    return debt("no slot, no wal_keep_size, no restore_command: away for a while, it finds its WAL gone and must be copied anew");
}

std::optional<std::string> application_name_of(const Subject& subject) {
    if (subject.database == nullptr || !subject.database->upstream) return std::nullopt;
    return lower(subject.database->upstream->application_name);
}

/// Nothing when replication is asynchronous or the setting is not valid.
std::optional<model::SyncStandbys> sync_set(const DatabaseInspection& primary) {
    const auto parsed = model::SyncStandbys::parse(value_of(primary, "synchronous_standby_names"));
    return parsed ? *parsed : std::nullopt;
}

Verdict application_name(const Subject& self, const Scene& scene) {
    const auto own = application_name_of(self);
    if (!own)
        return unknown(
            self.database->version.number < 120000 ? "before PostgreSQL 12 primary_conninfo stands in recovery.conf: look there"
                                                   : "its primary_conninfo is empty or cannot be read");
    std::vector<std::string> same;
    for (const Subject& other : scene.subjects) {
        if (&other != &self && !other.is_primary() && application_name_of(other) == own) same.push_back(other.name());
    }
    const auto* const primary = scene.primary_database();
    std::ptrdiff_t attached = 0;
    if (primary != nullptr && primary->senders)
        attached = std::ranges::count(*primary->senders, *own, [](const model::SenderSeen& it) { return lower(it.application_name); });
    if (same.empty() && attached <= 1) return fine(fmt::format("its application_name {} is its own", *own));
    const std::string who = same.empty() ? "another sender of the primary" : join(same, ", ");
    const auto set = primary == nullptr ? std::nullopt : sync_set(*primary);
    const bool counted = set && (set->open() || std::ranges::find(set->names, *own) != set->names.end());
    const std::string text = fmt::format("its application_name {} is also that of {}", *own, who);
    return counted ? broken(text + ": who confirmed a commit cannot be told, and the set cannot be revoked")
                   : debt(text + ": they cannot be told apart");
}

Verdict synchronous_standbys(const Subject& self, const Scene& scene) {
    const auto* const seen = setting_of(*self.database, "synchronous_standby_names");
    if (seen == nullptr) return unknown("synchronous_standby_names cannot be read");
    const auto parsed = model::SyncStandbys::parse(seen->value);
    if (!parsed) return unknown(fmt::format("synchronous_standby_names is not understood: {}", parsed.error().text()));
    if (!*parsed) return fine("replication is asynchronous");
    if ((*parsed)->open())
        return broken(
            "synchronous_standby_names holds *: any standby at all may confirm a commit, so a failover cannot show that none is lost");
    std::set<std::string> ours;
    bool all_read = true;
    for (const Subject& subject : scene.subjects) {
        if (subject.is_primary()) continue;
        const auto name = application_name_of(subject);
        if (name) ours.insert(*name);
        all_read = all_read && name.has_value();
    }
    std::vector<std::string> strangers;
    std::ranges::copy_if((*parsed)->names, std::back_inserter(strangers), [&](const std::string& name) { return !ours.contains(name); });
    if (strangers.empty()) return fine("every synchronous standby is a server of this cluster");
    const std::string text =
        fmt::format("synchronous_standby_names holds {}, the application_name of no replica here", join(strangers, ", "));
    return all_read ? debt(text + ": it could confirm commits and cannot be revoked") : unknown(text + " that could be read");
}

bool waits_for_standbys(std::string_view synchronous_commit) {
    return synchronous_commit == "on" || synchronous_commit == "remote_write" || synchronous_commit == "remote_apply";
}

Verdict synchronous_commit(const Subject& self, const Scene& /*scene*/) {
    if (value_of(*self.database, "synchronous_standby_names").empty()) return fine("replication is asynchronous");
    const auto* const seen = setting_of(*self.database, "synchronous_commit");
    if (seen == nullptr) return unknown("synchronous_commit cannot be read");
    if (!waits_for_standbys(seen->value))
        return debt(fmt::format("synchronous_commit is {}: commits do not wait for a standby", seen->value));
    if (!self.database->synchronous_commit_settings)
        return unknown("pg_db_role_setting cannot be read: a role or database may have its own");
    std::vector<std::string> exceptions;
    for (const model::RoleSetting& it : *self.database->synchronous_commit_settings) {
        if (!waits_for_standbys(it.value))
            exceptions.push_back(fmt::format(
                "{} for {}{}", it.value, it.role.empty() ? "every role" : "role " + it.role,
                it.database.empty() ? "" : " in database " + it.database));
    }
    if (exceptions.empty()) return fine(fmt::format("synchronous_commit is {} for everybody by default", seen->value));
    return debt(fmt::format("synchronous_commit is {}: their commits do not wait for a standby", join(exceptions, ", ")));
}

/// Between two servers: what sorts text on one and on the other.
Verdict collation_skew(const Subject& self, const Scene& scene) {
    if (scene.primary == nullptr || scene.primary->database == nullptr) return primary_not_read();
    const auto libc_of = [](const Subject& subject) -> std::optional<std::string> {
        return subject.host != nullptr && subject.host->libc_version ? subject.host->libc_version : subject.database->libc_version;
    };
    const auto same_source = [&] {
        const auto by_host = [](const Subject& subject) { return subject.host != nullptr && subject.host->libc_version.has_value(); };
        return by_host(self) == by_host(*scene.primary);
    };
    const auto own_libc = same_source() ? libc_of(self) : self.database->libc_version;
    const auto their_libc = same_source() ? libc_of(*scene.primary) : scene.primary->database->libc_version;
    const auto own_icu = self.database->icu_version;
    const auto their_icu = scene.primary->database->icu_version;
    if (own_icu && their_icu && *own_icu != *their_icu)
        return debt(fmt::format("its ICU collations are of version {}, the primary's of {}", *own_icu, *their_icu));
    if (!own_libc || !their_libc) return unknown("the C library's version could be read neither over SQL (13+) nor on both hosts");
    if (*own_libc != *their_libc)
        return debt(
            fmt::format("its C library is {}, the primary's {}: text may sort otherwise, and indexes break", *own_libc, *their_libc));
    return fine(fmt::format("its C library is the primary's ({})", *own_libc));
}

std::string why_untried(const Subject& from) {
    std::string_view why = "not tried yet";
    if (from.host == nullptr) {
        why = "no command runs on its host";
    } else if (from.database == nullptr) {
        why = "its own settings could not be read";
    } else if (setting_of(*from.database, "primary_conninfo") == nullptr) {
        why = from.database->version.number < 120000
                  ? "before PostgreSQL 12 its settings stand in recovery.conf, where no session reads them"
                  : "its primary_conninfo cannot be read by the manager's role";
    }
    return fmt::format("from {}: {}", from.name(), why);
}

/// Every other server must be able to follow this one, from its own host and with what it has.
Verdict replication_login(const Subject& self, const Scene& scene) {
    using Outcome = model::LoginAttempt::Outcome;
    std::vector<std::string> refused;
    std::vector<std::string> without;  // no settings of its own: what HandyRep would write is refused
    std::vector<std::string> untried;
    std::size_t accepted = 0;
    for (const Subject& from : scene.subjects) {
        if (&from == &self || from.barred || from.seen == nullptr) continue;
        const auto attempt = std::ranges::find(from.seen->logins, self.definition.name, &model::LoginAttempt::to);
        if (attempt == from.seen->logins.end()) {
            untried.push_back(why_untried(from));
            continue;
        }
        const std::string text = fmt::format("from {}: {}", from.name(), attempt->text);
        switch (attempt->outcome) {
            case Outcome::accepted: ++accepted; break;
            case Outcome::refused: (attempt->with_own_settings ? refused : without).push_back(text); break;
            case Outcome::not_tried: untried.push_back(text); break;
        }
    }
    if (!refused.empty()) return broken(fmt::format("a replication login is refused: {}", join(refused, "; ")));
    if (!without.empty())
        return debt(fmt::format("a server without a primary_conninfo of its own could not follow it: {}", join(without, "; ")));
    if (!untried.empty()) return unknown(fmt::format("not tried: {}", join(untried, "; ")));
    return accepted == 0 ? fine("no other server would follow it") : fine(fmt::format("tried from {} hosts, accepted by each", accepted));
}

constexpr std::array rules{
    Rule{
        CheckName::replication_lag, About::replica, Needs::database, replication_lag,
        "look at the load, the network and long queries on it; or raise its lag_limit"},
    Rule{
        CheckName::minor_version, About::replica, Needs::database, minor_version,
        "update the servers to one minor version, replicas first"},
    Rule{
        CheckName::standby_limits, About::replica, Needs::database, standby_limits,
        "set it at least as high as on the primary, and restart the replica (raise replicas first, lower the primary first)"},
    Rule{
        CheckName::target_timeline, About::replica, Needs::database, target_timeline,
        "recovery_target_timeline = latest (in recovery.conf before 12), and restart it"},
    Rule{
        CheckName::wal_kept, About::replica, Needs::database, wal_kept,
        "primary_slot_name with max_slot_wal_keep_size, or wal_keep_size on every server, or an archive and restore_command"},
    Rule{
        CheckName::application_name, About::replica, Needs::database, application_name,
        "application_name=NAME in primary_conninfo, or cluster_name, different on every server; reload"},
    Rule{
        CheckName::replication_login, About::candidate, Needs::nothing, replication_login,
        "a line for replication in that server's pg_hba.conf for every other server's address, and a passfile on every host"},
    Rule{
        CheckName::synchronous_standbys, About::primary, Needs::database, synchronous_standbys,
        "ANY k (name, name, …) with the application_names of this cluster's replicas"},
    Rule{
        CheckName::synchronous_commit, About::primary, Needs::database, synchronous_commit,
        "on (or remote_apply) in postgresql.conf, and ALTER ROLE / DATABASE … RESET synchronous_commit where a commit must not be lost"},
    Rule{
        CheckName::collation_skew, About::replica, Needs::database, collation_skew,
        "the same release of the operating system on every server; before promoting across a difference plan a REINDEX"},
};

}  // namespace

std::span<const Rule> cluster_rules() { return rules; }

}  // namespace handyrep::decide
