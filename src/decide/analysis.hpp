// decide/analysis.hpp — from evidence to one situation, with what speaks for it, against it, and what is unknown.
//
// Pure: the same evidence gives the same analysis, here, in the simulator and on a recorded file. It asks no server,
// reads no clock, decides nothing. An observation that is too old is unknown, and unknown never counts as dead.
#pragma once

#include "decide/situation.hpp"
#include "model/evidence.hpp"
#include "model/saved_state.hpp"
#include "model/server.hpp"

#include <optional>
#include <string>
#include <vector>

namespace handyrep::decide {

struct Finding {
    FindingKind kind;
    std::optional<model::ServerName> server;
    std::string text;  // one sentence
};

enum class Weight { supports, contradicts, unknown };

/// One piece of evidence as `explain` and the event log show it.
struct Fact {
    Weight weight;
    model::ServerName server;
    std::string source;  // "held session", "dial", "host", "witness", "wal receiver"
    std::string text;
    std::optional<Instant> at;  // when it was seen; nothing for what was never seen
};

/// What a replica's WAL receiver says of its upstream.
enum class Attachment {
    unseen,     // no answer of the replica that is young enough
    attached,   // streaming, last message younger than witness_freshness
    stale,      // streaming, but the last message is older
    gone,       // no receiver
    forked,     // waits on its timeline and receives nothing (failure analysis, T4)
    elsewhere,  // streams from another server than the primary: witnesses only that one
};
[[nodiscard]] std::string_view word_for(Attachment attachment);

/// One replica, as far as a failover is concerned.
struct ReplicaView {
    model::ServerName server;
    bool valid = false;                           // answered as a standby of this cluster, recently, and since the primary went bad
    Attachment attachment = Attachment::unseen;   // to the primary
    Attachment link = Attachment::unseen;         // to whomever it streams from
    std::optional<model::ServerName> upstream{};  // whom it streams from or was last known to follow; nothing: not one of ours
    model::Reach reach = model::Reach::unknown;   // whether its host reaches the primary, asked since the primary went bad
    std::optional<model::Answered> answer{};      // the one that `valid` speaks of
    [[nodiscard]] const model::StandbyAnswer* standby() const { return answer ? answer->standby() : nullptr; }
};

struct Analysis {
    Situation situation = Situation::unknown;
    std::string detail;  // what sets this case apart; may be empty

    std::optional<model::ServerName> primary;   // who holds the role
    std::optional<model::ServerName> writable;  // the one server that is seen out of recovery now, when it is exactly one
    std::vector<ReplicaView> replicas;          // every enabled, not barred server but the primary
    /// The grace of this situation (crash_grace, planned_grace) has passed.
    bool overdue = false;
    /// When it would be over, or when a suspicion would count, if nothing changes.
    std::optional<Instant> ripe_at;
    bool primary_suspected = false;
    bool commits_may_wait = false;  // fewer synchronous standbys are attached than a commit needs
    /// The primary's port was refused by a living host, and its host answers: proof 1 is within reach (names and numbers, "witnessed").
    bool primary_host_answers = false;
    /// It need not answer now: its machine refuses the port and was heard a moment ago, or not asked yet. It owes a fence that no witness stands in for.
    bool primary_host_lives = false;
    bool primary_port_refused = false;
    /// The host answers and PostgreSQL on it does not, by a dial that began after the host's answer (or a refused port): not a
    /// machine that is just coming back and whose shell was heard first.
    bool primary_fenceable = false;
    /// No dial of the primary was answered by anybody for silence_timeout.
    bool dials_silent_long_enough = false;
    /// Some server is seen taking writes now: vetoes every automatic failover.
    std::optional<model::ServerName> writable_sighting;
    /// Barred servers that run as primary, proved to be what the entry says, with their successor seen writable now (S12).
    std::vector<model::ServerName> to_be_stopped;
};

struct AnalysisInput {
    const model::FailoverSettings& settings;
    const model::SavedState& saved;  // roles, what must be down
    const model::Evidence& evidence;
    Instant now;
};

[[nodiscard]] Analysis analyse(const AnalysisInput& input);

/// What is wrong besides, in no order of weight. Like `facts`, apart from the analysis: hardly any analysis is read.
[[nodiscard]] std::vector<Finding> findings(const AnalysisInput& input, const Analysis& analysis);
[[nodiscard]] bool has(const std::vector<Finding>& findings, FindingKind kind);

/// The evidence that `analysis` of the same input rests on, spelled out. Apart from it, because every sighting is analysed
/// and hardly any analysis is read.
[[nodiscard]] std::vector<Fact> facts(const AnalysisInput& input, const Analysis& analysis);

/// How old an answer of the held session may be before it says nothing any more.
[[nodiscard]] Duration held_freshness(const model::FailoverSettings& settings);
/// The same for dials, which come less often while all is well.
[[nodiscard]] Duration dial_freshness(const model::FailoverSettings& settings);
/// And for a look into a host under suspicion: one that hangs (it may for seconds) leaves the one before it to grow old.
inline constexpr Duration host_suspicious_interval = std::chrono::seconds{1};
inline constexpr Duration host_freshness = host_suspicious_interval + std::chrono::milliseconds{500};
/// How long a host that was heard is remembered as one that lives. A login, a look and a fence have five seconds each on a machine
/// that is too busy to answer in time.
inline constexpr Duration host_memory = std::chrono::seconds{30};
/// How long the first word of a host is waited for since the primary on it died: a login that is slow is given up after twelve seconds.
inline constexpr Duration host_patience = std::chrono::seconds{15};
/// How often a healthy server is dialled.
[[nodiscard]] Duration dial_interval(const model::FailoverSettings& settings);
/// How often the slower questions are asked, and how long their answer counts.
inline constexpr Duration details_interval = std::chrono::seconds{5};
inline constexpr Duration details_urgent_interval = std::chrono::seconds{1};
inline constexpr Duration details_freshness = std::chrono::seconds{15};

}  // namespace handyrep::decide
