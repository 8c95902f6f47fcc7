// saved/fields_of_state.hpp — what a recording holds of the saved state; the rest, and the rules for both, are in saved/fields.hpp.
// Internal to saved/.
#pragma once

#include "model/saved_state.hpp"

#include <string>
#include <string_view>

namespace handyrep::saved {

/// A connection string in libpq's own quoting, reduced to what an analysis needs: host, port and application_name.
[[nodiscard]] std::string without_secrets(std::string_view conninfo);

template <class Archive>
void describe(Archive& it, model::MustBeDown& value) {
    auto& [server, system_id, hostname, pgdata, fork, successor, successor_history, epoch] = value;
    it("server", server);
    it("system_id", system_id);
    it("hostname", hostname);
    it("fork", fork);
    it("successor", successor);
    it("successor_history", successor_history);
    it("epoch", epoch);
}

template <class Archive>
void describe(Archive& it, model::PossiblePrimary& value) {
    auto& [server, expires, taken] = value;
    it("server", server);
    it("expires", expires);
    it("taken", taken);
}

template <class Archive>
void describe(Archive& it, model::LastFailover& value) {
    auto& [at, from, to, acknowledged] = value;
    it("at", at);
    it("from", from);
    it("to", to);
    it("acknowledged", acknowledged);
}

template <class Archive>
void describe(Archive& it, model::HighestSeen& value) {
    auto& [server, position] = value;
    it("server", server);
    it("position", position);
}

template <class Archive>
void describe(Archive& it, model::UpstreamSettings& value) {
    auto& [server, conninfo] = value;
    if constexpr (Archive::writes) conninfo = without_secrets(conninfo);
    it("server", server);
    it("conninfo", conninfo);
}

template <class Archive>
void describe(Archive& it, model::SyncMember& value) {
    auto& [application_name, address, seen] = value;
    it("application_name", application_name);
    it("address", address);
    it("seen", seen);
}

/// Who it was and what for are a person's own words: left out.
template <class Archive>
void describe(Archive& it, model::Maintenance& value) {
    auto& [since, until, by, reason] = value;
    it("since", since);
    it("until", until);
}

template <class Archive>
void describe(Archive& it, model::Pause& value) {
    auto& [since, by, reason] = value;
    it("since", since);
}

template <class Archive>
void describe(Archive& it, model::Disabled& value) {
    auto& [server, since, until, by, reason] = value;
    it("server", server);
    it("since", since);
    it("until", until);
}

template <class Archive>
void describe(Archive& it, model::ScheduledSwitchover& value) {
    auto& [at, to, drop_logical, since, by] = value;
    it("at", at);
    it("to", to);
    it("drop_logical", drop_logical);
    it("since", since);
}

template <class Archive>
void describe(Archive& it, model::SavedState& value) {
    auto& [cluster, epoch, version, written, system_id, primary, servers, must_be_down, possible_primary, last_failover, highest, upstream_settings, synchronous_standby_names, former_synchronous_standby_names, sync_members, acknowledged, provisional, maintenance, paused, disabled, scheduled] =
        value;
    it("cluster", cluster);
    it("epoch", epoch);
    it("version", version);
    it("written", written);
    it("system_id", system_id);
    it("primary", primary);
    it("servers", servers);
    it("must_be_down", must_be_down);
    it("possible_primary", possible_primary);
    it("last_failover", last_failover);
    it("highest", highest);
    it("upstream_settings", upstream_settings);
    it("synchronous_standby_names", synchronous_standby_names);
    it("former_synchronous_standby_names", former_synchronous_standby_names);
    it("sync_members", sync_members);
    it("acknowledged", acknowledged);
    it("provisional", provisional);
    it("maintenance", maintenance);
    it("paused", paused);
    it("disabled", disabled);
    it("scheduled", scheduled);
}

}  // namespace handyrep::saved
