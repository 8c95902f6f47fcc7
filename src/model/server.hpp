// model/server.hpp — what a server is to HandyRep: its definition, its roles, its statuses and their numbers.
#pragma once

#include "base/time.hpp"
#include "model/lsn.hpp"
#include "model/names.hpp"
#include "model/timeline.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace handyrep::model {

enum class Role { primary, replica };
[[nodiscard]] std::string_view word_for(Role role);
/// Accepts "primary", "master", "replica", "standby" and "slave", since users of the original know them. Fails with `invalid`.
[[nodiscard]] Result<Role> parse_role(std::string_view text);

/// Numbers as the original's users know them; they are in the output as `status_no`, never an exit code.
enum class ServerStatus { unknown = 0, healthy = 1, lagged = 2, warning = 3, unavailable = 4, down = 5 };
enum class ClusterStatus { unknown = 0, healthy = 1, warning = 3, down = 5 };
[[nodiscard]] std::string_view word_for(ServerStatus status);
[[nodiscard]] std::string_view word_for(ClusterStatus status);

enum class Transport { ssh, local };
[[nodiscard]] std::string_view word_for(Transport transport);

/// The database system identifier that initdb gave: servers with different ones never belong together.
struct SystemId {
    std::uint64_t value;
    friend constexpr auto operator<=>(SystemId, SystemId) = default;
};

/// server_version_num: 150018 is 15.18, 90624 is 9.6.24.
struct ServerVersion {
    int number;
    [[nodiscard]] constexpr int major() const { return number / 10000; }
    friend constexpr auto operator<=>(ServerVersion, ServerVersion) = default;
};

struct ServerDefinition {
    ServerName name;
    std::string hostname;
    std::uint16_t port = 5432;
    Role role = Role::replica;  // at the first start; afterwards the saved state says who is what
    bool enabled = true;
    int failover_priority = 100;  // lower first, 0 never
    Bytes lag_limit{16ULL << 20};
    Transport transport = Transport::ssh;
    std::string ssh_user = "handyrep";
    std::string ssh_key;     // file; empty: what the user's ssh configuration says
    std::string ssh_config;  // file for `ssh -F`; empty: the user's own
    std::string database_user = "postgres";
    std::string pgdata;

    friend bool operator==(const ServerDefinition&, const ServerDefinition&) = default;
};

enum class Fencing { strict, witnessed, none };
[[nodiscard]] std::string_view word_for(Fencing fencing);

enum class SelectionMethod { priority_then_furthest, furthest_ahead };
[[nodiscard]] std::string_view word_for(SelectionMethod method);

/// The section `failover` of the configuration; defaults as documented there.
struct FailoverSettings {
    bool auto_failover = true;
    Duration poll_interval = std::chrono::milliseconds{500};
    int poll_tries = 2;  // looks that must agree, one of them an emergency re-read
    Duration connect_timeout = std::chrono::milliseconds{500};
    Duration silence_timeout = std::chrono::seconds{3};
    Duration stall_timeout = std::chrono::seconds{5};
    Duration witness_freshness = std::chrono::seconds{2};  // tau: how old a replica's last message from the primary may be
    Duration sync_wait_limit = std::chrono::seconds{10};
    Duration crash_grace = std::chrono::seconds{15};
    Duration planned_grace = std::chrono::seconds{60};
    Duration cooldown = std::chrono::minutes{10};
    Fencing fencing = Fencing::witnessed;
    Bytes max_lag_on_failover{16ULL << 20};
    bool remaster = true;
    bool end_blocking_queries = true;  // on the candidate, when they hold up its replay (S19)
    bool auto_rejoin = false;          // a server that was failed over from is brought back without an order
    bool salvage = true;               // bring WAL that the fenced old primary never sent to the candidate (S10)
    Duration salvage_limit = std::chrono::seconds{10};
    SelectionMethod selection_method = SelectionMethod::priority_then_furthest;
    int verify_frequency = 60;  // every n-th poll

    friend bool operator==(const FailoverSettings&, const FailoverSettings&) = default;
};

/// How often the sensors look while something is suspicious.
inline constexpr Duration suspicious_interval = std::chrono::milliseconds{50};

struct ClusterDefinition {
    ClusterName name;
    FailoverSettings failover;
    std::vector<ServerDefinition> servers;

    [[nodiscard]] const ServerDefinition* find(const ServerName& server) const;
    friend bool operator==(const ClusterDefinition&, const ClusterDefinition&) = default;
};

}  // namespace handyrep::model
