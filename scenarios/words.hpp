// scenarios/words.hpp — the words of the faults: what each is done to, and what it means. The one table of them.
#pragma once

#include "scenarios/scenario.hpp"

#include <span>
#include <string_view>

namespace handyrep::scenarios {

/// What stands behind a fault's word.
enum class Takes { nothing, server, settings, pairs, two_nodes, groups };
/// How that is written on a command line.
[[nodiscard]] std::string_view word_for(Takes takes);

struct Word {
    DeedKind kind;
    std::string_view word;
    Takes takes;
    std::string_view meaning;
};

/// In the order of DeedKind.
[[nodiscard]] std::span<const Word> words();

}  // namespace handyrep::scenarios
