// engine/state.hpp — what one cluster's loop knows: definitions, saved state, evidence, and the ports it looks and acts through.
//
// Every part of the engine holds a reference to it; it decides nothing. All of it lives on one strand.
#pragma once

#include "decide/analysis.hpp"
#include "engine/cluster.hpp"
#include "model/evidence.hpp"

#include <functional>
#include <string>
#include <vector>

namespace handyrep::engine {

class State {
public:
    State(model::ClusterDefinition definition, Surroundings surroundings);

    [[nodiscard]] ports::Clock& clock() const { return surroundings_.clock; }
    [[nodiscard]] ports::Store& store() const { return surroundings_.store; }
    [[nodiscard]] const model::FailoverSettings& settings() const { return definition_.failover; }
    [[nodiscard]] const model::ClusterDefinition& definition() const { return definition_; }
    [[nodiscard]] const std::vector<ServerPorts>& servers() const { return surroundings_.servers; }
    [[nodiscard]] ports::Postgres& postgres(const model::ServerName& server) const;
    [[nodiscard]] ports::Host& host(const model::ServerName& server) const;
    [[nodiscard]] ports::Copier& copier(const model::ServerName& server) const;
    [[nodiscard]] const model::ServerDefinition& define(const model::ServerName& server) const;

    model::SavedState saved;
    model::Evidence evidence;
    /// When WAL was last offered to a standby or an offer ended: what was seen before says nothing of what is left of a salvage.
    Instant offer_changed{};

    /// Takes a sighting in. After a gap in which this program itself did not run, all evidence is thrown away first: what
    /// was silent then may only have been us. Calls `on_sighting` afterwards.
    void absorb(const model::Sighting& sighting);
    std::function<void()> on_sighting;
    [[nodiscard]] std::uint64_t doubts() const { return doubts_; }
    /// Throws away what was seen and begins to count again, because it may only have been about ourselves. `why`: for the event.
    /// `slept`: time that our monotonic clock did not count.
    void doubt(std::string why, Duration slept = {});

    [[nodiscard]] decide::AnalysisInput input() const { return {settings(), saved, evidence, clock().now()}; }

    /// One event: to the log at once, to the history when the store gets to it.
    void tell(
        Level level, std::string name, std::string text, std::vector<Field> fields = {},
        std::optional<std::uint64_t> operation = std::nullopt);

    /// Writes `saved` with the next version. One write at a time; a caller whose content went out with another's write is served by that.
    Async<void> save();
    /// The last write did not succeed: what is in memory is newer than what would be read after a restart.
    [[nodiscard]] bool dirty() const { return stored_version_ < saved.version; }
    /// The saved state was just read: what is in memory is what is on disk.
    void note_loaded() { stored_version_ = saved.version; }
    /// Sets what must survive first and tells nobody: for the next `save`.
    void note_highest();

private:
    /// After a gap in which this program did not run: for how long the machine was suspended in it, which its monotonic clock
    /// does not know. Nothing without a gap.
    std::optional<Duration> find_gap(Instant now);

    model::ClusterDefinition definition_;
    Surroundings surroundings_;
    ports::Bell saved_bell_;
    bool saving_ = false;
    std::uint64_t stored_version_ = 0;
    std::optional<Instant> last_sighting_;
    std::optional<Duration> boot_ahead_;
    std::uint64_t doubts_ = 0;
};

}  // namespace handyrep::engine
