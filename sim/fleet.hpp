// sim/fleet.hpp — plays many histories at once, each processor its share, and tells of them in the order of their seeds.
//
// Processes, not threads: a history is played by one thread anyway, memory is had without locks, and a history that
// brings its process down is named instead of ending all others.
#pragma once

#include "sim/run.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace handyrep::sim {

/// What is told of one history: numbers, and whatever text the teller made of it.
struct Telling {
    std::uint64_t seed = 0;
    std::uint64_t hash = 0;
    std::uint64_t failovers = 0;
    std::uint64_t promotions = 0;
    std::uint64_t acknowledged = 0;
    std::uint64_t violations = 0;
    Ending ending = Ending::unsettled;
    std::string text{};
    bool died = false;  // nothing but the seed is known then, and of the rest of its process's share nothing at all
};

struct Fleet {
    std::vector<Seed> seeds;
    unsigned processes = 1;
    std::function<Draw(Seed)> drawn;
    std::function<std::string(const Played&)> text;  // made where it was played
};

/// Calls `told` once per seed, in their order (but for those that a process which died left unplayed).
void play_all(const Fleet& fleet, const std::function<void(const Telling&)>& told);

/// Claims, drawn options, the last lines, and the command that repeats it.
[[nodiscard]] std::string violations_text(const Played& played);

/// One per processor that this process may use.
[[nodiscard]] unsigned processors();

}  // namespace handyrep::sim
