#include "decide/obstacle.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace handyrep::decide {

std::string_view word_for(Obstacle obstacle) {
    switch (obstacle) {
        case Obstacle::no_primary: return "NoPrimary";
        case Obstacle::primary_not_healthy: return "PrimaryNotHealthy";
        case Obstacle::possible_primary: return "PossiblePrimary";
        case Obstacle::unknown_server: return "UnknownServer";
        case Obstacle::already_primary: return "AlreadyPrimary";
        case Obstacle::server_disabled: return "ServerDisabled";
        case Obstacle::server_barred: return "ServerBarred";
        case Obstacle::replica_not_eligible: return "ReplicaNotEligible";
        case Obstacle::replica_not_attached: return "ReplicaNotAttached";
        case Obstacle::replica_too_far_behind: return "ReplicaTooFarBehind";
        case Obstacle::no_replica: return "NoReplica";
        case Obstacle::not_ready: return "NotReady";
        case Obstacle::loses_logical_slots: return "LosesLogicalSlots";
        case Obstacle::is_primary: return "IsPrimary";
        case Obstacle::replica_not_seen: return "ReplicaNotSeen";
        case Obstacle::follows_already: return "FollowsAlready";
        case Obstacle::would_make_a_circle: return "WouldMakeACircle";
        case Obstacle::upstream_unfit: return "UpstreamUnfit";
        case Obstacle::diverged: return "Diverged";
        case Obstacle::runs_already: return "RunsAlready";
        case Obstacle::others_follow_it: return "OthersFollowIt";
        case Obstacle::commits_would_wait: return "CommitsWouldWait";
        case Obstacle::takes_writes: return "TakesWrites";
        case Obstacle::still_runs: return "StillRuns";
        case Obstacle::host_unknown: return "HostUnknown";
        case Obstacle::foreign_system: return "ForeignSystem";
        case Obstacle::history_unknown: return "HistoryUnknown";
        case Obstacle::too_old_to_rewind: return "TooOldToRewind";
        case Obstacle::no_rewind_programs: return "NoRewindPrograms";
        case Obstacle::pages_unprotected: return "PagesUnprotected";
        case Obstacle::configuration_unknown: return "ConfigurationUnknown";
        case Obstacle::wal_missing: return "WalMissing";
        case Obstacle::no_room_to_save: return "NoRoomToSave";
        case Obstacle::half_rewound: return "HalfRewound";
        case Obstacle::no_common_history: return "NoCommonHistory";
        case Obstacle::nothing_to_rewind: return "NothingToRewind";
        case Obstacle::source_unfit: return "SourceUnfit";
        case Obstacle::host_not_reached: return "HostNotReached";
        case Obstacle::no_rights: return "NoRights";
        case Obstacle::directory_unidentified: return "DirectoryUnidentified";
        case Obstacle::directory_not_empty: return "DirectoryNotEmpty";
        case Obstacle::no_space: return "NoSpace";
    }
    return "";
}

Error obstacle(Obstacle why, std::string_view text) {
    return {why == Obstacle::unknown_server ? ErrorKind::invalid : ErrorKind::refused, fmt::format("{}: {}", word_for(why), text)};
}

std::optional<Error> no_member(const model::SavedState& saved, const model::ServerName& name) {
    const auto server = std::ranges::find(saved.servers, name, &model::ServerDefinition::name);
    if (server == saved.servers.end()) return obstacle(Obstacle::unknown_server, fmt::format("there is no server called {}", name.text()));
    if (const auto* const disabled = saved.disabled_by_person(name))
        return obstacle(
            Obstacle::server_disabled, fmt::format("{0} is {1}; 'handyrep enable {0}' ends that", name.text(), text(*disabled)));
    if (!server->enabled) return obstacle(Obstacle::server_disabled, fmt::format("{} is not enabled in handyrep.conf", name.text()));
    return std::nullopt;
}

std::optional<Error> barred_from_following(const model::SavedState& saved, const model::ServerName& name) {
    if (saved.barred(name) == nullptr) return std::nullopt;
    return obstacle(
        Obstacle::server_barred,
        fmt::format("{} was failed over from and does not follow its successor yet; bring it back as a replica first", name.text()));
}

}  // namespace handyrep::decide
