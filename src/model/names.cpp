#include "model/names.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace handyrep::model {

namespace {
bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }
}  // namespace

bool is_name(std::string_view text) {
    if (text.empty() || text.size() > 63 || !is_word(text.front())) return false;
    return std::ranges::all_of(text, [](char c) { return is_word(c) || c == '.' || c == '-'; });
}

Error bad_name(std::string_view text) {
    return {
        ErrorKind::invalid,
        fmt::format(
            "'{}' is not a name: one to 63 letters, digits, '.', '_' or '-', beginning with a letter, a digit or '_'", text.substr(0, 80))};
}

}  // namespace handyrep::model
