// engine/changes.hpp — the changes of the saved state that operations and sightings bring. Pure.
#pragma once

#include "decide/analysis.hpp"
#include "model/saved_state.hpp"
#include "model/sighting.hpp"

#include <optional>
#include <vector>

namespace handyrep::engine {

struct Promotion {
    model::ServerName promoted;
    model::ServerName old_primary;
    std::optional<model::WalPosition> old_position;  // the candidate's last position before
    std::optional<model::TimelineHistory> history;   // of the promoted server; nothing when it could not be read
    WallTime at;
    bool automatic;
};
/// Gives the role, raises the epoch, bars the old primary, ends the uncertainty about a possible primary.
void record_promotion(model::SavedState& saved, const Promotion& promotion);

/// The role moves without an operation of ours: somebody else promoted `server`.
void move_role(model::SavedState& saved, const model::ServerName& server);

/// A server that somebody else made the primary, when that is beyond doubt: it alone is out of recovery, and the server
/// that holds the role follows it, or is dead while the new one's history contains the old one's timeline.
[[nodiscard]] std::optional<model::ServerName> adoptable(const decide::AnalysisInput& input, const decide::Analysis& analysis);

/// Servers whose must_be_down entry has served its end: they follow the successor as a standby, or their own history
/// contains the switch to it (S12).
[[nodiscard]] std::vector<model::ServerName> void_entries(const decide::AnalysisInput& input);

/// True when a standby replays from `upstream` on the timeline of `history`; the word "streaming" alone is not believed.
[[nodiscard]] bool follows(
    const model::StandbyAnswer& standby, const model::ServerDefinition& upstream, const std::optional<model::TimelineHistory>& history);

/// Remembers whom the primary lists as synchronous, for a day. True when somebody is new.
bool note_sync_members(model::SavedState& saved, const model::PrimaryAnswer& primary, WallTime now);
/// Remembers up to where a commit may have been acknowledged.
void note_acknowledged(model::SavedState& saved, const model::PrimaryAnswer& primary);

}  // namespace handyrep::engine
