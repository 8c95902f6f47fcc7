#include "app/log_line.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace handyrep::app {

namespace {

using Json = nlohmann::ordered_json;

std::string_view word_for(Level level) {
    switch (level) {
        case Level::debug: return "debug";
        case Level::info: return "info";
        case Level::warning: return "warning";
        case Level::error: return "error";
    }
    return "";
}

std::string as_json_text(std::string_view value) { return Json(value).dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string shown(const std::string& value) {
    const auto plain = [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != '"' && c != '=' && c != '\\' && c != 0x7F; };
    return !value.empty() && std::ranges::all_of(value, plain) ? value : as_json_text(value);
}

/// With milliseconds: people compare it with the lines of PostgreSQL.
std::string stamp(WallTime at) {
    std::string precise = text(at);
    precise.resize(precise.size() - 4);
    return precise + "Z";
}

}  // namespace

std::string human_line(WallTime at, Level level, std::string_view event, const std::vector<Field>& fields) {
    std::string line = stamp(at);
    line += ' ';
    line += word_for(level);
    line += ' ';
    line += event;
    for (const Field& field : fields) {
        std::string name = field.name;
        std::ranges::replace(name, ' ', '_');  // "name=value" splits at spaces
        line += " " + name + "=" + shown(field.value);
    }
    return line;
}

std::string json_line(WallTime at, Level level, std::string_view event, const std::vector<Field>& fields) {
    Json line{{"time", stamp(at)}, {"level", word_for(level)}, {"event", event}};
    for (const Field& field : fields) {
        const bool taken = line.contains(field.name);
        line[taken ? "field_" + field.name : field.name] = field.value;
    }
    return line.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace handyrep::app
