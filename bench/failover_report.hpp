// bench/failover_report.hpp — the runs of one bench as a table, as JSON, and against the bounds that were promised.
#pragma once

#include "bench/failover_runs.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace handyrep::bench {

struct Series {
    std::string transport;
    std::vector<Run> handyrep{};
    std::vector<Run> by_hand{};
    std::vector<OrphanRun> orphan{};
    std::vector<std::string> failures{};  // runs that came to no number, and why
};

struct Bound {
    std::string promise;
    std::string measured;
    bool met;
};

[[nodiscard]] std::vector<Bound> bounds(const std::vector<Series>& all);
[[nodiscard]] std::string table(const std::vector<Series>& all);
[[nodiscard]] nlohmann::ordered_json json(const std::vector<Series>& all);

}  // namespace handyrep::bench
