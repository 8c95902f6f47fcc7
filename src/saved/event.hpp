// saved/event.hpp — one line of the history: a change of state, a decision with its evidence, a step of an operation.
#pragma once

#include "base/log.hpp"
#include "base/time.hpp"
#include "model/names.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace handyrep::saved {

struct Event {
    WallTime at;
    Level level = Level::info;
    std::string name;  // a fixed word: "situation_changed", "decided", "step_done", "promoted" …
    std::string text;  // one sentence for people
    std::optional<std::uint64_t> operation{};
    std::vector<Field> fields{};  // evidence and numbers; never a secret
};

}  // namespace handyrep::saved
