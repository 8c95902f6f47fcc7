// sim/player.hpp — plays a story of scenarios/ in virtual time.
#pragma once

#include "scenarios/scenario.hpp"
#include "sim/trace.hpp"

#include <set>
#include <string>
#include <vector>

namespace handyrep::sim {

/// What the manager said at any moment of a story, in the words of its closed sets.
struct Reached {
    std::set<std::string> situations{};
    std::set<std::string> findings{};
    std::set<std::string> reasons{};  // of a decision, and of an operation that was begun for it
};

/// What came of a story. It passed when nothing failed.
struct Told {
    std::vector<std::string> failures;  // a sentence each: what was expected, what was seen
    std::vector<Trace::Line> lines;     // everything that happened
    std::string summary;
    Reached reached{};
};

/// `invalid` when the story asks for settings that handyrep.conf would refuse.
[[nodiscard]] Result<Told> play(const scenarios::Scenario& scenario, std::uint64_t seed = 1);

}  // namespace handyrep::sim
