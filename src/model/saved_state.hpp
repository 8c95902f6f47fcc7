// model/saved_state.hpp — what HandyRep must still know after it was killed: the content of servers.save.
//
// Ordered by (epoch, version), never by time (S13). The epoch rises with every promotion.
#pragma once

#include "base/time.hpp"
#include "model/names.hpp"
#include "model/server.hpp"
#include "model/timeline.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace handyrep::model {

/// A server that must not run as primary. It knows identities, not names (S12): void when the server's own history
/// contains the switch to the successor.
struct MustBeDown {
    ServerName server;
    SystemId system_id;
    std::string hostname;
    std::string pgdata;
    WalPosition fork;  // where its timeline was left by the successor
    ServerName successor;
    TimelineHistory successor_history;
    std::uint64_t epoch;
    friend bool operator==(const MustBeDown&, const MustBeDown&) = default;
};

/// A server that was told to promote and did not say whether it did (S8). Counts as a primary until it was seen in
/// recovery after `expires` by its own clock.
struct PossiblePrimary {
    ServerName server;
    WallTime expires;
    /// By its own clock, when it said that it took the request: being in recovery proves nothing then, only a later start does.
    std::optional<WallTime> taken{};
    friend bool operator==(const PossiblePrimary&, const PossiblePrimary&) = default;
};

/// A person took the cluster out of automation, until a time: nothing is done by itself, orders are carried out.
struct Maintenance {
    WallTime since;
    WallTime until;
    std::string by{};
    std::string reason{};  // of the person, may be empty
    friend bool operator==(const Maintenance&, const Maintenance&) = default;
};
/// "in maintenance until 2026-11-22T05:00:00Z, since 2026-11-22T04:00:00Z by ann: new kernel".
[[nodiscard]] std::string text(const Maintenance& maintenance);

/// The same, until a person resumes automation.
struct Pause {
    WallTime since;
    std::string by{};
    std::string reason{};
    friend bool operator==(const Pause&, const Pause&) = default;
};
/// "paused since 2026-11-22T04:00:00Z by ann: new kernel".
[[nodiscard]] std::string text(const Pause& pause);

/// A person took one server out: it is watched, and takes no part in any decision, until a time or until it is enabled again.
struct Disabled {
    ServerName server;
    WallTime since;
    std::optional<WallTime> until{};
    std::string by{};
    std::string reason{};
    friend bool operator==(const Disabled&, const Disabled&) = default;
};
/// "disabled until 2026-11-22T05:00:00Z, since 2026-11-22T04:00:00Z by ann: new disks".
[[nodiscard]] std::string text(const Disabled& disabled);

/// A switchover that a person ordered for a time to come.
struct ScheduledSwitchover {
    WallTime at;
    std::optional<ServerName> to{};  // nothing: chosen then
    bool drop_logical = false;
    WallTime since{};
    std::string by{};
    friend bool operator==(const ScheduledSwitchover&, const ScheduledSwitchover&) = default;
};
/// "a switchover to db2 at 2026-11-22T05:00:00Z, since 2026-11-22T04:00:00Z by ann".
[[nodiscard]] std::string text(const ScheduledSwitchover& scheduled);

struct LastFailover {
    WallTime at;
    ServerName from;
    ServerName to;
    bool acknowledged = false;
    friend bool operator==(const LastFailover&, const LastFailover&) = default;
};

/// The highest WAL position ever seen on a server, so that a stale copy is never promoted unnoticed.
struct HighestSeen {
    ServerName server;
    WalPosition position;
    friend bool operator==(const HighestSeen&, const HighestSeen&) = default;
};

/// A replica's primary_conninfo as last read while it followed somebody, without password: it must survive a detach
/// and a restart of the manager, for the server itself then holds an empty one.
struct UpstreamSettings {
    ServerName server;
    std::string conninfo;
    friend bool operator==(const UpstreamSettings&, const UpstreamSettings&) = default;
};

/// The value of `keyword` in a libpq connection string; nothing when it is not there.
[[nodiscard]] std::optional<std::string> value_in(std::string_view conninfo, std::string_view keyword);

/// A walsender that counted, or could have counted, for a synchronous commit (S5): whether or not its server is configured.
struct SyncMember {
    std::string application_name;  // in lower case, as PostgreSQL compares it
    std::string address;           // empty: a local socket, or not told
    WallTime seen{};               // last
    friend bool operator==(const SyncMember&, const SyncMember&) = default;
};

struct SavedState {
    ClusterName cluster;
    std::uint64_t epoch = 0;
    std::uint64_t version = 0;
    WallTime written{};
    std::optional<SystemId> system_id{};      // of the cluster, once it was read
    std::optional<ServerName> primary{};      // who holds the role
    std::vector<ServerDefinition> servers{};  // definitions; their `role` is the present one
    std::vector<MustBeDown> must_be_down{};
    std::optional<PossiblePrimary> possible_primary{};
    std::optional<LastFailover> last_failover{};
    std::vector<HighestSeen> highest{};
    std::vector<UpstreamSettings> upstream_settings{};
    /// As last read from the primary; nothing when it never was. The durability gate needs it when the primary is already dead (S5).
    std::optional<std::string> synchronous_standby_names{};
    /// The setting before that, while the change is young: until its committers have surely seen the new one, both count (S4, S5).
    std::optional<std::string> former_synchronous_standby_names{};
    std::vector<SyncMember> sync_members{};
    /// The highest position that enough synchronous members were seen to have confirmed: a commit up to it may have been acknowledged.
    std::optional<WalPosition> acknowledged{};
    /// What was known before is lost (no saved state, or a lost journal): nothing is done by itself until every server was read once (S13).
    bool provisional = false;
    std::optional<Maintenance> maintenance{};
    std::optional<Pause> paused{};
    std::vector<Disabled> disabled{};  // besides those that handyrep.conf says are
    std::optional<ScheduledSwitchover> scheduled{};

    /// A person wants nothing to be done by itself.
    [[nodiscard]] bool hands_off() const { return maintenance || paused; }
    [[nodiscard]] const MustBeDown* barred(const ServerName& server) const;
    [[nodiscard]] const Disabled* disabled_by_person(const ServerName& server) const;
    friend bool operator==(const SavedState&, const SavedState&) = default;
};

}  // namespace handyrep::model
