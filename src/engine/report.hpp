// engine/report.hpp — what a cluster answers when asked how it is: values for API, CLI and page, taken at one moment.
#pragma once

#include "base/time.hpp"
#include "decide/analysis.hpp"
#include "decide/copying.hpp"
#include "decide/decision.hpp"
#include "decide/follow.hpp"
#include "decide/readiness.hpp"
#include "decide/rejoin.hpp"
#include "decide/service.hpp"
#include "decide/switchover.hpp"
#include "model/saved_state.hpp"
#include "model/server.hpp"
#include "plans/plan.hpp"
#include "saved/operation_record.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace handyrep::engine {

struct ServerReport {
    model::ServerName name;
    model::Role role;     // assigned
    std::string seen_as;  // "primary", "replica", "" when nothing is known
    model::ServerStatus status = model::ServerStatus::unknown;
    std::string host;  // host:port
    bool enabled = true;
    bool must_be_down = false;
    std::optional<model::Timeline> timeline;
    std::optional<model::Lsn> lsn;    // flushed on a primary, received on a replica
    std::optional<model::Bytes> lag;  // behind the primary's last known flush position
    std::optional<Duration> lag_time;
    std::optional<Duration> seen_ago;  // since its last answer
    std::string message;
};

using OperationReport = saved::OperationRecord;

/// What `verify` found, in one round over every server.
struct Readiness {
    model::ClusterName cluster;
    WallTime at;                         // when the round ended
    std::optional<WallTime> hosts_at{};  // when hosts were last looked into; an automatic round goes by the last word about them
    Duration took{};
    std::vector<decide::Check> checks;
};

/// Of the last round, for the status line.
struct ReadinessSummary {
    WallTime at;
    decide::CheckCounts counts;
};

struct ClusterReport {
    model::ClusterName cluster;
    model::ClusterStatus status = model::ClusterStatus::unknown;
    decide::Situation situation = decide::Situation::unknown;
    std::string situation_text;  // one sentence
    WallTime since;              // when the situation began
    std::string next;            // what happens next, or what is in the way
    decide::Reason reason = decide::Reason::first_look_incomplete;
    std::string automation;     // "on", "off (failover.auto_failover is false)", "in maintenance until …"
    bool provisional = false;   // started without saved state, and not every server was read since: nothing is done by itself (S13)
    std::string fence_outlook;  // what a failover could prove: "processes_gone over ssh" or "no fence possible: …"
    std::uint64_t epoch = 0;
    std::vector<ServerReport> servers;
    std::vector<decide::Finding> findings;
    std::optional<OperationReport> operation;     // running or last
    std::optional<ReadinessSummary> readiness{};  // nothing before the first round
    std::optional<model::Maintenance> maintenance{};
    std::optional<model::Pause> paused{};
    std::optional<model::ScheduledSwitchover> scheduled{};
};

/// The answer to an order.
struct OrderAnswer {
    std::optional<std::uint64_t> operation;  // nothing for a dry run
    plans::Plan plan;
    std::string text;  // what would happen, or what happened
};

struct FailoverWanted {
    std::optional<model::ServerName> to{};
    decide::Overrides overrides{};  // gates that are passed although shut
    bool alone = false;             // the promotion of `to`, which is given, and nothing else
};

/// What a person may want: each has a decision and a plan of its own.
using Wanted = std::variant<
    FailoverWanted, decide::SwitchoverWanted, decide::FollowWanted, decide::ServiceWanted, decide::RejoinWanted, decide::CopyWanted>;

struct Order {
    Wanted what;
    bool dry_run = false;
    std::string by;  // the user, for the record
};

}  // namespace handyrep::engine
