#include "decide/obstacle.hpp"

#include <fmt/format.h>

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
        case Obstacle::source_unfit: return "SourceUnfit";
        case Obstacle::host_not_reached: return "HostNotReached";
        case Obstacle::no_rights: return "NoRights";
        case Obstacle::server_runs: return "ServerRuns";
        case Obstacle::other_system: return "OtherSystem";
        case Obstacle::directory_unidentified: return "DirectoryUnidentified";
        case Obstacle::directory_not_empty: return "DirectoryNotEmpty";
        case Obstacle::no_space: return "NoSpace";
    }
    return "";
}

Error obstacle(Obstacle why, std::string_view text) {
    return {why == Obstacle::unknown_server ? ErrorKind::invalid : ErrorKind::refused, fmt::format("{}: {}", word_for(why), text)};
}

}  // namespace handyrep::decide
