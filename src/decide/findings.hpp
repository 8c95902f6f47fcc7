// decide/findings.hpp — what else is wrong, server by server. Internal to decide/.
#pragma once

#include "decide/look.hpp"

namespace handyrep::decide {

void add_findings(const AnalysisInput& input, const PrimaryLook& primary, Analysis& out);

/// "the held session is silent for 1.2s", "login refused: …": the last word of the sensors on one server, for its row of the status table.
[[nodiscard]] std::string describe_sight(const AnalysisInput& input, const model::ServerEvidence& seen);

}  // namespace handyrep::decide
