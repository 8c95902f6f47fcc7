// cli/text_layout.hpp — text in columns for people: widths, wrapping, colours. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace handyrep::cli {

struct Layout {
    std::size_t columns = 100;
    bool colors = false;
};

enum class Tone { plain, good, attention, bad, quiet };
[[nodiscard]] std::string toned(std::string_view text, Tone tone, const Layout& layout);

/// How many columns it takes: characters, not bytes.
[[nodiscard]] std::size_t width_of(std::string_view text);
/// Without control characters: a server's message never moves the cursor of a terminal.
[[nodiscard]] std::string clean(std::string_view text);
/// Lines of at most `width` columns, broken at spaces where there are any. At least one line.
[[nodiscard]] std::vector<std::string> wrapped(std::string_view text, std::size_t width);

struct Cell {
    std::string text;
    Tone tone = Tone::plain;
    bool to_the_right = false;
};

/// A heading and rows of as many cells. The last column takes what is left and wraps; where too little is left (a narrow
/// terminal, long names) it gets lines of its own below the row.
[[nodiscard]] std::string table(const std::vector<std::string>& heading, const std::vector<std::vector<Cell>>& rows, const Layout& layout);

/// "  label       text", wrapped under itself.
[[nodiscard]] std::string labelled(std::string_view label, std::string_view text, const Layout& layout);

}  // namespace handyrep::cli
