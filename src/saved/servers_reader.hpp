// saved/servers_reader.hpp — the YAML of servers.save as a state, strictly: every key known, none missing, none twice.
#pragma once

#include "base/result.hpp"
#include "model/saved_state.hpp"

#include <string_view>

namespace handyrep::saved {

/// `text` without the checksum. The error is one sentence that begins with the line: "line 12: servers.port: '70000' is not …".
[[nodiscard]] Result<model::SavedState> read_servers(std::string_view text);

}  // namespace handyrep::saved
