// plans/undo_text.hpp — commands that take a step back, as the journal keeps them for a later life of the manager (S14).
#pragma once

#include "base/result.hpp"
#include "plans/plan.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace handyrep::plans {

/// Ensures that every one is a command that some plan uses as an undo.
[[nodiscard]] std::string undo_text(const std::vector<Command>& commands);
/// Fails with `invalid`, naming what it does not know.
[[nodiscard]] Result<std::vector<Command>> parse_undo(std::string_view text);

}  // namespace handyrep::plans
