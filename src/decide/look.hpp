// decide/look.hpp — the evidence of one server put into the questions that the order of decision asks. Internal to decide/.
#pragma once

#include "decide/analysis.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace handyrep::decide {

/// The present primary as the sensors show it now.
struct PrimaryLook {
    const model::ServerDefinition* definition = nullptr;  // nothing when nobody holds the role
    const model::ServerEvidence* seen = nullptr;          // nothing before the first sighting
    const model::Answered* answer = nullptr;              // of the held session, when it is fresh
    bool held_answers = false;                            // with an answer or with a complaint, freshly
    std::optional<model::DialOutcome> dial;               // when it is fresh enough to speak
    std::optional<Instant> dial_at;
    bool host_answers = false;  // it was looked into since the bad spell began, or it is sure to answer a fence
    bool host_lives = false;    // it need not answer now: its machine refuses the port; heard within host_memory, or not asked yet
    const model::HostLook* host = nullptr;

    [[nodiscard]] const model::ServerName& name() const { return definition->name; }
    [[nodiscard]] bool suspected() const { return seen != nullptr && seen->bad_since.has_value(); }
    /// The dial was made after the held session went bad: the two sensors speak of the same trouble.
    [[nodiscard]] std::optional<model::DialOutcome> dial_since_bad() const {
        const bool speaks = dial && dial_at && seen != nullptr && seen->bad_since && *dial_at >= *seen->bad_since;
        return speaks ? dial : std::nullopt;
    }
    [[nodiscard]] bool answers_as_standby() const { return answer != nullptr && answer->standby() != nullptr; }
    [[nodiscard]] bool stopped_by_administrator() const;
    /// Both sensors, at least poll_tries looks, and silence only after silence_timeout.
    [[nodiscard]] bool dead(const AnalysisInput& input) const;
};

[[nodiscard]] PrimaryLook look_at_primary(const AnalysisInput& input);
[[nodiscard]] std::vector<ReplicaView> look_at_replicas(const AnalysisInput& input, const PrimaryLook& primary);

/// The primary's own word on its synchronous standbys. Nothing without a synchronous set, or when it may not be told who is attached.
struct SyncLook {
    std::size_t required = 0;
    std::size_t attached = 0;               // that count for a commit now
    std::optional<model::SyncWait> wait{};  // commits that wait; nothing: not asked lately
};
[[nodiscard]] std::optional<SyncLook> look_at_sync(const AnalysisInput& input, const PrimaryLook& primary);

/// The last answer of a server that answers now.
[[nodiscard]] const model::Answered* answer_of(const AnalysisInput& input, const model::ServerName& server);
[[nodiscard]] const ReplicaView* view_of(const Analysis& analysis, const model::ServerName& server);
/// As the primary told it last: what was read once stays true. Nothing before it was read.
[[nodiscard]] const model::TimelineHistory* history_of_primary(const AnalysisInput& input);

/// The slower questions' answer of one server, while it counts.
[[nodiscard]] const model::Details* fresh_details(const AnalysisInput& input, const model::ServerName& server);
[[nodiscard]] bool is_foreign(const AnalysisInput& input, const model::Answered& answer);

/// Servers whose held session says now that they are not in recovery and belong to this cluster.
[[nodiscard]] std::vector<const model::ServerEvidence*> seen_out_of_recovery(const AnalysisInput& input);
/// Servers that were seen taking writes less than witness_freshness ago.
[[nodiscard]] std::vector<model::ServerName> writable_sightings(const AnalysisInput& input);
/// Any sensor got any answer from that server's host since the primary went bad.
[[nodiscard]] bool anything_answers(const AnalysisInput& input, const model::ServerEvidence& seen);

/// A must_be_down entry against what the server shows (S12).
enum class Barred { not_barred, entry_is_void, to_be_stopped, history_unknown, successor_not_seen, twin };
[[nodiscard]] std::string_view sentence_for(Barred barred);
[[nodiscard]] Barred judge_barred(
    const AnalysisInput& input, const model::ServerEvidence& seen, const std::vector<const model::ServerEvidence*>& out_of_recovery);

/// Sets `ripe_at` and `overdue` for a grace that began at `from`.
void note_grace(const AnalysisInput& input, Analysis& out, Instant from, Duration grace);

}  // namespace handyrep::decide
