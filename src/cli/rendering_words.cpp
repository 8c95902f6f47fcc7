#include "cli/rendering_words.hpp"

#include "cli/text_layout.hpp"

namespace handyrep::cli {

using control::Json;

std::string field(const Json& object, const char* name) { return clean(object.at(name).get<std::string>()); }

std::string or_dash(const Json& value) {
    if (value.is_null()) return "-";
    return value.is_string() ? clean(value.get<std::string>()) : value.dump();
}

std::string rough(double seconds) {
    if (seconds < 0.05) return "0s";
    if (seconds < 10) return fmt::format("{:.1f}s", seconds);
    if (seconds < 120) return fmt::format("{:.0f}s", seconds);
    if (seconds < 7200) return fmt::format("{:.0f}min", seconds / 60);
    if (seconds < 172800) return fmt::format("{:.1f}h", seconds / 3600);
    return fmt::format("{:.0f} days", seconds / 86400);
}

std::string plain_time(WallTime time) {
    const std::string precise = text(time);
    return precise.substr(0, 10) + " " + precise.substr(11, 8);
}

std::string moment(const std::string& iso, WallTime now) {
    const auto at = parse_wall_time(iso);
    if (!at) return iso;
    const double ago = std::chrono::duration<double>(now - *at).count();
    return fmt::format("{} UTC ({} ago)", plain_time(*at), rough(ago));
}

std::string counts_text(const Json& counts) {
    const auto number = [&](const char* name) { return counts.at(name).get<std::uint64_t>(); };
    return fmt::format(
        "{} broken, {} {}, {} unknown, {} ok", number("broken"), number("debts"), number("debts") == 1 ? "debt" : "debts",
        number("unknown"), number("ok"));
}

}  // namespace handyrep::cli
