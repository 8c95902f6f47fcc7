#include "model/saved_state.hpp"

#include <algorithm>

namespace handyrep::model {

namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// One value from `at`, which is left behind it: quoted or up to the next space, with backslash as the escape in both.
std::string take_value(std::string_view text, std::size_t& at) {
    std::string out;
    const bool quoted = at < text.size() && text[at] == '\'';
    if (quoted) ++at;
    for (; at < text.size() && (quoted ? text[at] != '\'' : !is_space(text[at])); ++at) {
        if (text[at] == '\\' && at + 1 < text.size()) ++at;
        out += text[at];
    }
    if (quoted && at < text.size()) ++at;
    return out;
}

}  // namespace

std::optional<std::string> value_in(std::string_view conninfo, std::string_view keyword) {
    for (std::size_t at = 0; at < conninfo.size();) {
        while (at < conninfo.size() && is_space(conninfo[at])) ++at;
        const std::size_t from = at;
        while (at < conninfo.size() && conninfo[at] != '=' && !is_space(conninfo[at])) ++at;
        const std::string_view found = conninfo.substr(from, at - from);
        while (at < conninfo.size() && is_space(conninfo[at])) ++at;
        if (at >= conninfo.size() || conninfo[at] != '=') return std::nullopt;
        ++at;
        while (at < conninfo.size() && is_space(conninfo[at])) ++at;
        std::string value = take_value(conninfo, at);
        if (found == keyword) return value;
    }
    return std::nullopt;
}

const MustBeDown* SavedState::barred(const ServerName& server) const {
    const auto found = std::ranges::find(must_be_down, server, &MustBeDown::server);
    return found == must_be_down.end() ? nullptr : &*found;
}

}  // namespace handyrep::model
