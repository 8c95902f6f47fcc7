#include "config/configuration.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace handyrep::config {

namespace {

void line(std::string& out, std::size_t indent, const Setting& setting, std::string_view file_name) {
    const std::string left = fmt::format("{:{}}{}: {}", "", indent, setting.key, yaml_text(setting.value));
    out += fmt::format("{:<48}  # {}{}\n", left, text(setting.origin, file_name), setting.acts ? "" : "; has no effect yet");
}

}  // namespace

std::string text(const Problem& problem) {
    std::string out = problem.file;
    if (problem.line > 0) out += fmt::format(":{}:{}", problem.line, problem.column);
    out += ": ";
    if (!problem.key.empty()) out += problem.key + ": ";
    return out + problem.text;
}

std::string text(const Origin& origin, std::string_view file_name) {
    switch (origin.source) {
        case Origin::Source::by_default: return "default";
        case Origin::Source::file: return fmt::format("{}:{}:{}", file_name, origin.at.line, origin.at.column);
        case Origin::Source::server_defaults: return fmt::format("server_defaults, {}:{}:{}", file_name, origin.at.line, origin.at.column);
        case Origin::Source::derived: return fmt::format("from {}", origin.from);
    }
    return "";
}

std::string show(const Configuration& configuration) {
    std::string out;
    std::string section;
    std::string server;
    for (const Setting& setting : configuration.settings) {
        if (!setting.acts && setting.origin.source == Origin::Source::by_default) continue;
        if (setting.section != section) {
            section = setting.section;
            server.clear();
            out += section + ":\n";
        }
        if (setting.server != server) {
            server = setting.server;
            out += fmt::format("  {}:\n", yaml_text(server));
        }
        line(out, server.empty() ? 2 : 4, setting, configuration.file_name);
    }
    return out;
}

}  // namespace handyrep::config
