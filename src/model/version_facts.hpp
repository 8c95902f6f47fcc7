// model/version_facts.hpp — what PostgreSQL's versions can do of what a failover needs. One table; nobody else compares numbers for it.
#pragma once

#include "model/server.hpp"

#include <span>
#include <string_view>

namespace handyrep::model {

/// How a standby is made a primary.
enum class Promoting {
    not_possible,
    by_host,  // pg_ctl promote, over the host's shell
    by_sql,   // pg_promote()
};
[[nodiscard]] std::string_view sentence_for(Promoting promoting);

/// How a standby is made to follow another upstream. All but `by_reload` take effect at the next start only.
enum class Repointing {
    not_possible,
    by_recovery_conf,  // primary_conninfo in recovery.conf, and a restart
    by_restart,        // ALTER SYSTEM, and a restart
    by_reload,         // ALTER SYSTEM, and a reload
};
[[nodiscard]] std::string_view sentence_for(Repointing repointing);
[[nodiscard]] constexpr bool needs_restart(Repointing repointing) {
    return repointing == Repointing::by_recovery_conf || repointing == Repointing::by_restart;
}

/// How WAL that lies on another server's disk is brought to a standby that is not restarted for it (S10).
enum class Salvaging {
    not_possible,
    by_reload,  // restore_command is read anew by a reload
};
[[nodiscard]] std::string_view sentence_for(Salvaging salvaging);

struct VersionFacts {
    int major;  // the first one that they hold for
    Promoting promoting;
    Repointing repointing;
    /// A WAL receiver that is gone stays so: primary_conninfo is read anew by a reload. Where it is not, the receiver is back in
    /// wal_retrieve_retry_interval whatever the setting says (S5, S21).
    bool stays_detached;
    Salvaging salvaging;
    std::string_view mark;      // the file that makes a data directory a standby's
    bool shows_delay;           // recovery_min_apply_delay is a setting that can be read
    bool tells_immediate_stop;  // in other words than a crash
};

/// Oldest first.
[[nodiscard]] std::span<const VersionFacts> all_version_facts();
[[nodiscard]] const VersionFacts& facts_of(ServerVersion version);

}  // namespace handyrep::model
