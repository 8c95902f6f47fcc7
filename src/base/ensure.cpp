#include "base/ensure.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

namespace handyrep {

void broken_claim(std::string_view claim, std::source_location where) {
    fmt::print(stderr, "handyrep: broken claim: {} ({}:{})\n", claim, where.file_name(), where.line());
    std::abort();
}

}  // namespace handyrep
