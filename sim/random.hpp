// sim/random.hpp — the simulator's one source of chance: xoshiro256**, seeded by splitmix64. Our own, because the
// distributions of <random> differ between standard libraries and a seed must mean the same history everywhere.
#pragma once

#include "base/time.hpp"

#include <array>
#include <cstdint>

namespace handyrep::sim {

class Random {
public:
    explicit Random(std::uint64_t seed) {
        for (std::uint64_t& word : state_) {
            seed += 0x9E3779B97F4A7C15ULL;
            std::uint64_t mixed = seed;
            mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9ULL;
            mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBULL;
            word = mixed ^ (mixed >> 31);
        }
    }

    [[nodiscard]] std::uint64_t next() {
        const std::uint64_t result = turned(state_[1] * 5, 7) * 9;
        const std::uint64_t shifted = state_[1] << 17;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= shifted;
        state_[3] = turned(state_[3], 45);
        return result;
    }

    /// 0 to `bound` - 1; 0 when there is no choice. The modulo's bias is far below what a fault schedule could show.
    [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return bound == 0 ? 0 : next() % bound; }
    [[nodiscard]] std::uint64_t between(std::uint64_t low, std::uint64_t high) { return low + below(high - low + 1); }
    [[nodiscard]] bool chance(unsigned percent) { return below(100) < percent; }
    [[nodiscard]] Duration between(Duration low, Duration high) {
        return low + Duration{static_cast<Duration::rep>(below(static_cast<std::uint64_t>((high - low).count()) + 1))};
    }

private:
    [[nodiscard]] static std::uint64_t turned(std::uint64_t word, int by) { return (word << by) | (word >> (64 - by)); }
    std::array<std::uint64_t, 4> state_{};
};

}  // namespace handyrep::sim
