// engine/reporter.hpp — from what the loop knows to what is shown.
#pragma once

#include "decide/decision.hpp"
#include "engine/report.hpp"
#include "engine/state.hpp"

namespace handyrep::engine {

struct ReportInput {
    const State& state;
    const decide::Analysis& analysis;
    const decide::Decision& decision;
    WallTime since;
    const std::optional<OperationReport>& operation;
};

[[nodiscard]] ClusterReport make_report(const ReportInput& input);

}  // namespace handyrep::engine
