// decide/candidate.hpp — which replica would take over, and why each other would not.
#pragma once

#include "decide/analysis.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace handyrep::decide {

enum class Eligibility {
    eligible,
    not_seen,
    foreign_system,
    never_by_priority,
    delayed,
    replay_paused,
    unknown_timeline,
    other_timeline,          // than the primary it would succeed
    version_cannot_promote,  // older than this program knows how to promote
    promotion_needs_host,    // before 12 there is no promotion by SQL, and its host does not answer
    version_unknown,         // newer than this program knows
    went_back,               // is on an older position than it was seen at: a stale copy of itself
};
[[nodiscard]] std::string_view sentence_for(Eligibility eligibility);

inline constexpr int newest_known_major = 18;
/// On an older timeline or position than the server was seen at before.
[[nodiscard]] bool went_back(const model::SavedState& saved, const model::ServerName& server, model::WalPosition position, bool is_primary);

struct Ranked {
    model::ServerName server;
    Eligibility eligibility;
    int priority;
    std::optional<model::WalPosition> received;
};

struct Ranking {
    std::vector<Ranked> best_first;  // eligible ones first, in order; then the others by name
    [[nodiscard]] const Ranked* winner() const;
};

/// The furthest ahead wins: promoting one that is behind would fork the others away (a preferred server that is behind is
/// taken only after it caught up, which this version does not do, so priority only breaks ties). Then the name, so that
/// the answer never depends on the order of the configuration.
[[nodiscard]] Ranking rank(const AnalysisInput& input, const Analysis& analysis);

}  // namespace handyrep::decide
