// sim/trace.hpp — what happened, as lines (virtual time, who, what) and as one hash. The hash covers every line, also
// when lines are not kept, so that two runs of a seed can be compared to the byte.
#pragma once

#include "base/time.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace handyrep::sim {

class Trace {
public:
    struct Line {
        Instant at;
        std::string who;
        std::string what;
        [[nodiscard]] std::string text() const;
    };

    void note(Instant at, std::string_view who, std::string_view what);
    /// Into the hash only, for what happens too often to be read.
    void count(std::uint64_t number);

    [[nodiscard]] std::uint64_t hash() const { return hash_; }
    [[nodiscard]] const std::vector<Line>& lines() const { return lines_; }

private:
    void mix(std::string_view bytes);
    std::uint64_t hash_ = 0xCBF29CE484222325ULL;
    std::vector<Line> lines_;
};

}  // namespace handyrep::sim
