// saved/outline.hpp — where in a JSON text something is wrong, by the path of the value, and a hash of every value. Internal to saved/.
#pragma once

#include "saved/archive.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace handyrep::saved {

/// The first thing that keeps `text` from being one JSON value without repeated keys: "line 12: moments[0].at: …". Nothing: it is one.
[[nodiscard]] std::optional<Fault> trouble_in(std::string_view text);

/// One value that is neither an object nor a list, or an empty one of these.
struct Leaf {
    std::string path;
    std::uint64_t hash;  // of path and value, against a slip of the hand, not against an attacker
};
[[nodiscard]] std::vector<Leaf> leaves_of(const Json& json);

}  // namespace handyrep::saved
