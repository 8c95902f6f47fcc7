#include "model/version_facts.hpp"

#include <array>

namespace handyrep::model {

namespace {

constexpr std::array<VersionFacts, 5> table{{
    {0, Promoting::not_possible, Repointing::not_possible, false, Salvaging::not_possible, "recovery.conf", false, false},
    {10, Promoting::by_host, Repointing::by_recovery_conf, false, Salvaging::not_possible, "recovery.conf", false, false},
    {12, Promoting::by_sql, Repointing::by_restart, false, Salvaging::not_possible, "standby.signal", true, false},
    {13, Promoting::by_sql, Repointing::by_reload, true, Salvaging::not_possible, "standby.signal", true, false},
    {14, Promoting::by_sql, Repointing::by_reload, true, Salvaging::by_reload, "standby.signal", true, true},
}};

}  // namespace

std::string_view sentence_for(Promoting promoting) {
    switch (promoting) {
        case Promoting::not_possible: return "not possible";
        case Promoting::by_host: return "`pg_ctl promote` over its host";
        case Promoting::by_sql: return "`pg_promote()`";
    }
    return "";
}

std::string_view sentence_for(Repointing repointing) {
    switch (repointing) {
        case Repointing::not_possible: return "not possible";
        case Repointing::by_recovery_conf: return "recovery.conf, and a restart over its host";
        case Repointing::by_restart: return "ALTER SYSTEM, and a restart over its host";
        case Repointing::by_reload: return "ALTER SYSTEM, and a reload";
    }
    return "";
}

std::string_view sentence_for(Salvaging salvaging) {
    switch (salvaging) {
        case Salvaging::not_possible: return "not possible";
        case Salvaging::by_reload: return "restore_command, and a reload";
    }
    return "";
}

std::span<const VersionFacts> all_version_facts() { return table; }

const VersionFacts& facts_of(ServerVersion version) {
    const VersionFacts* found = table.data();
    for (const VersionFacts& it : table) {
        if (version.major() >= it.major) found = &it;
    }
    return *found;
}

}  // namespace handyrep::model
