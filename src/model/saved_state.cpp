#include "model/saved_state.hpp"

#include <fmt/format.h>

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

std::string to_the_second(WallTime time) { return handyrep::text(time).substr(0, 19) + "Z"; }

std::string told_by(WallTime since, const std::string& by, const std::string& reason) {
    return fmt::format("since {}{}{}{}{}", to_the_second(since), by.empty() ? "" : " by ", by, reason.empty() ? "" : ": ", reason);
}

}  // namespace

std::string text(const Maintenance& it) {
    return fmt::format("in maintenance until {}, {}", to_the_second(it.until), told_by(it.since, it.by, it.reason));
}

std::string text(const Disabled& it) {
    return fmt::format(
        "disabled {}{}", it.until ? fmt::format("until {}, ", to_the_second(*it.until)) : "", told_by(it.since, it.by, it.reason));
}

std::string text(const ScheduledSwitchover& it) {
    return fmt::format(
        "a switchover {}at {}, {}", it.to ? fmt::format("to {} ", it.to->text()) : "", to_the_second(it.at), told_by(it.since, it.by, ""));
}

std::string text(const Pause& it) { return "paused " + told_by(it.since, it.by, it.reason); }

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

const Disabled* SavedState::disabled_by_person(const ServerName& server) const {
    const auto found = std::ranges::find(disabled, server, &Disabled::server);
    return found == disabled.end() ? nullptr : &*found;
}

const MustBeDown* SavedState::barred(const ServerName& server) const {
    const auto found = std::ranges::find(must_be_down, server, &MustBeDown::server);
    return found == must_be_down.end() ? nullptr : &*found;
}

}  // namespace handyrep::model
