// decide/findings.hpp — how findings are gathered: each file adds those of its kind. Internal to decide/.
#pragma once

#include "decide/candidate.hpp"
#include "decide/look.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace handyrep::decide {

struct Finder {
    const AnalysisInput& input;
    const PrimaryLook& primary;
    const Analysis& analysis;
    std::vector<Finding> found{};

    void add(FindingKind kind, std::optional<model::ServerName> server, std::string text) {
        found.push_back({kind, std::move(server), std::move(text)});
    }
    /// The primary's answer, when it answers as one of this cluster.
    [[nodiscard]] const model::PrimaryAnswer* primary_answer() const;
    [[nodiscard]] const model::ServerDefinition& define(const model::ServerName& server) const;
};

/// Servers that answer what cannot be: another system, an older self, a version from the future.
void find_oddities(Finder& finder);
/// Each replica by itself.
void find_replica_trouble(Finder& finder);
/// Who streams from whom: all replicas together, and each server that others stream from.
void find_structure(Finder& finder);
/// Disks, slots, archive, synchronous set, versions, what a failover would miss.
void find_setup_trouble(Finder& finder);

/// "the held session is silent for 1.2s", "login refused: …": the last word of the sensors on one server, for its row of the status table.
[[nodiscard]] std::string describe_sight(const AnalysisInput& input, const model::ServerEvidence& seen);

}  // namespace handyrep::decide
