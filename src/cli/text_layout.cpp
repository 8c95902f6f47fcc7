#include "cli/text_layout.hpp"

#include <algorithm>
#include <array>

namespace handyrep::cli {

namespace {

constexpr std::string_view gap = "  ";
constexpr std::size_t least_last_column = 24;
constexpr std::size_t label_width = 12;

std::string_view code_of(Tone tone) {
    switch (tone) {
        case Tone::plain: return "";
        case Tone::good: return "\033[32m";
        case Tone::attention: return "\033[33m";
        case Tone::bad: return "\033[1;31m";
        case Tone::quiet: return "\033[2m";
    }
    return "";
}

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }  // a byte inside a UTF-8 character

/// The byte behind the first `columns` characters.
std::size_t bytes_of(std::string_view text, std::size_t columns) {
    std::size_t at = 0;
    while (at < text.size()) {
        if (!continues(text[at]) && columns-- == 0) break;
        ++at;
    }
    return at;
}

std::string padded(const Cell& cell, std::size_t width, const Layout& layout) {
    const std::string space(width - std::min(width, width_of(cell.text)), ' ');
    const std::string text = toned(cell.text, cell.tone, layout);
    return cell.to_the_right ? space + text : text + space;
}

void trim_end(std::string& line) { line.erase(line.find_last_not_of(' ') + 1); }

}  // namespace

std::string toned(std::string_view text, Tone tone, const Layout& layout) {
    if (!layout.colors || tone == Tone::plain || text.empty()) return std::string(text);
    return std::string(code_of(tone)) + std::string(text) + "\033[0m";
}

std::size_t width_of(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return !continues(c); }));
}

std::string clean(std::string_view text) {
    std::string out(text);
    std::ranges::replace_if(out, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
    // U+0080 to U+009F are control characters too; in UTF-8 they begin with the byte C2.
    for (auto at = out.find('\xC2'); at != std::string::npos && at + 1 < out.size(); at = out.find('\xC2', at + 1)) {
        if (static_cast<unsigned char>(out[at + 1]) < 0xA0) out.replace(at, 2, "  ");
    }
    return out;
}

std::vector<std::string> wrapped(std::string_view text, std::size_t width) {
    std::vector<std::string> lines;
    while (width_of(text) > width) {
        const std::size_t most = bytes_of(text, width);
        const std::size_t space = text.substr(0, most + 1).find_last_of(' ');
        const bool at_space = space != std::string_view::npos && space > 0;
        const std::size_t cut = at_space ? space : most;
        lines.emplace_back(text.substr(0, cut));
        text.remove_prefix(at_space ? cut + 1 : cut);
    }
    lines.emplace_back(text);
    return lines;
}

std::string table(const std::vector<std::string>& heading, const std::vector<std::vector<Cell>>& rows, const Layout& layout) {
    const std::size_t last = heading.size() - 1;
    std::vector<std::size_t> widths;
    for (std::size_t column = 0; column < last; ++column) {
        std::size_t widest = width_of(heading[column]);
        for (const auto& row : rows) widest = std::max(widest, width_of(row[column].text));
        widths.push_back(widest);
    }
    std::size_t before = 0;
    for (const std::size_t width : widths) before += width + gap.size();
    const bool beside = before + least_last_column <= layout.columns;
    const std::size_t indent = beside ? before : 6;
    const std::size_t room = layout.columns - indent;

    std::string out;
    std::string line;
    for (std::size_t column = 0; column < last; ++column) {
        const bool right = !rows.empty() && rows.front()[column].to_the_right;
        line += padded(Cell{heading[column], Tone::plain, right}, widths[column], layout) + std::string(gap);
    }
    if (beside) line += heading[last];
    trim_end(line);
    out += line + "\n";
    for (const auto& row : rows) {
        line.clear();
        for (std::size_t column = 0; column < last; ++column) line += padded(row[column], widths[column], layout) + std::string(gap);
        const auto text = wrapped(row[last].text, room);
        if (beside) line += text.front();
        trim_end(line);
        out += line + "\n";
        for (std::size_t at = beside ? 1 : 0; at < text.size(); ++at) {
            if (!text[at].empty()) out += std::string(indent, ' ') + text[at] + "\n";
        }
    }
    return out;
}

std::string labelled(std::string_view label, std::string_view text, const Layout& layout) {
    std::string out = "  " + std::string(label) + std::string(label_width - std::min(label_width - 1, label.size()), ' ');
    const std::size_t indent = out.size();
    bool first = true;
    for (const std::string& line : wrapped(text, layout.columns - indent)) {
        if (!first) out += std::string(indent, ' ');
        out += line + "\n";
        first = false;
    }
    return out;
}

}  // namespace handyrep::cli
