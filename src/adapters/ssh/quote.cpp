#include "adapters/ssh/quote.hpp"

namespace handyrep::adapters::ssh {

std::string quote(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'') {
            out += "'\\''";
        } else {
            out += c;
        }
    }
    return out + "'";
}

std::string within_quotes(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\'' || c == '\\') out += c;
        out += c;
    }
    return out;
}

}  // namespace handyrep::adapters::ssh
