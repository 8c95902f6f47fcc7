// base/ensure.hpp — a claim that can only be false through a defect of ours. Aborts, in production too: a manager
// that continues on a false premise can stop a healthy primary, one that stops is restarted and reads its journal.
#pragma once

#include <source_location>
#include <string_view>

namespace handyrep {

[[noreturn]] void broken_claim(std::string_view claim, std::source_location where);

inline void ensure(bool holds, std::string_view claim, std::source_location where = std::source_location::current()) {
    if (!holds) broken_claim(claim, where);
}

}  // namespace handyrep
