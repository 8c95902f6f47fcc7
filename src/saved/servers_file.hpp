// saved/servers_file.hpp — SavedState as the YAML text of servers.save, and back. Pure: who reads and writes the file is the port `store`.
#pragma once

#include "base/result.hpp"
#include "model/saved_state.hpp"

#include <string>
#include <string_view>

namespace handyrep::saved {

/// The format this program writes. It reads this and every older one; a newer one is refused, never guessed at.
inline constexpr int servers_file_format = 1;

[[nodiscard]] std::string to_text(const model::SavedState& state);

/// Fails with `invalid`, naming line and key, on text that is damaged, incomplete, or of a newer format. Never a half-read state:
/// the text ends with a line of its own checksum's, so that a truncated file is noticed.
[[nodiscard]] Result<model::SavedState> from_text(std::string_view text);

}  // namespace handyrep::saved
