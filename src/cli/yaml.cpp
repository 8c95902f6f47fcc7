#include "base/text.hpp"
#include "cli/rendering.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace handyrep::cli {

namespace {

using control::Json;

/// Words of letters and a few signs that YAML never takes for a number, a truth value, a comment or a structure.
bool is_plain(const std::string& text) {
    constexpr std::array<std::string_view, 10> taken{"true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan"};
    if (text.empty() || text.back() == ' ') return false;
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    const auto fine = [&](char c) {
        return letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == ' ' || c == '.' || c == '(' || c == ')' || c == ';';
    };
    return letter(text.front()) && std::ranges::all_of(text, fine) && std::ranges::find(taken, lower(text)) == taken.end();
}

std::string scalar(const Json& value) {
    if (value.is_string() && is_plain(value.get_ref<const std::string&>())) return value.get<std::string>();
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);  // JSON's scalars are YAML's, quoted strings too
}

void write(std::string& out, const Json& value, std::size_t indent);

/// What stands behind "key:" or "-".
void write_inside(std::string& out, const Json& value, std::size_t indent) {
    if (!value.is_structured()) {
        out += " " + scalar(value) + "\n";
    } else if (value.empty()) {
        out += value.is_array() ? " []\n" : " {}\n";
    } else {
        out += "\n";
        write(out, value, indent);
    }
}

void write(std::string& out, const Json& value, std::size_t indent) {
    const std::string space(indent, ' ');
    if (value.is_array()) {
        for (const Json& item : value) {
            if (!item.is_object() || item.empty()) {
                out += space + "-";
                write_inside(out, item, indent + 2);
                continue;
            }
            std::string inner;
            write(inner, item, indent + 2);
            inner.replace(indent, 1, "-");  // "  - name: db1": the first member stands behind the dash
            out += inner;
        }
        return;
    }
    for (const auto& [key, item] : value.items()) {
        out += space + scalar(Json(key)) + ":";
        write_inside(out, item, indent + 2);
    }
}

}  // namespace

std::string to_yaml(const Json& json) {
    if (!json.is_structured()) return scalar(json) + "\n";
    if (json.empty()) return json.is_array() ? "[]\n" : "{}\n";
    std::string out;
    write(out, json, 0);
    return out;
}

}  // namespace handyrep::cli
