#include "base/error.hpp"

namespace handyrep {

std::string Error::text() const {
    std::string out = what;
    for (const std::string& activity : while_doing) out += " (while: " + activity + ")";
    return out;
}

}  // namespace handyrep
