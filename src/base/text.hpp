// base/text.hpp — small questions about text that more than one room asks.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace handyrep {

[[nodiscard]] std::string_view trim(std::string_view text);
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);
[[nodiscard]] std::string join(std::span<const std::string> parts, std::string_view separator);
[[nodiscard]] std::string lower(std::string_view text);

/// The known word closest to `word` by edits, when it is close enough to be meant; nothing otherwise.
[[nodiscard]] std::optional<std::string> nearest(std::string_view word, std::span<const std::string_view> known);

/// "1 B", "16 MB", "1.5 GB": powers of 1024, as pg_size_pretty names them.
[[nodiscard]] std::string bytes_text(std::uint64_t count);

}  // namespace handyrep
