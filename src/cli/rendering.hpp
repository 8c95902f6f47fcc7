// cli/rendering.hpp — the daemon's answers as a person reads them at 3 a.m., or as another program does. Pure.
//
// A state is a word first; colour only repeats it.
#pragma once

#include "base/time.hpp"
#include "cli/invocation.hpp"
#include "cli/text_layout.hpp"
#include "control/json.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace handyrep::cli {

/// `now` for "how long ago". Fails with `failed` when the document is not what this version knows.
[[nodiscard]] Result<std::string> render_status(const control::Json& status, WallTime now, const Layout& layout);
[[nodiscard]] Result<std::string> render_events(const control::Json& events, const Layout& layout);
[[nodiscard]] Result<std::string> render_operations(const control::Json& operations, const Layout& layout);
/// One: who, why, and its steps with their times. With `plan` also what it had set out to do.
[[nodiscard]] Result<std::string> render_operation(const control::Json& operation, bool plan, const Layout& layout);
/// A line for each of its steps from the `from`-th on that is over, as `operation --follow` prints them.
[[nodiscard]] Result<std::vector<std::string>> render_steps(const control::Json& operation, std::size_t from);
/// How far the operation's copy is; empty when it makes none.
[[nodiscard]] Result<std::string> render_progress(const control::Json& operation);
[[nodiscard]] Result<std::string> render_order(const control::Json& answer, const Layout& layout);
/// Without `all` only what is not ok.
[[nodiscard]] Result<std::string> render_readiness(const control::Json& readiness, bool all, WallTime now, const Layout& layout);

/// Ages and "how long ago" count from the moment that is explained, so that a recording reads as it did then.
[[nodiscard]] Result<std::string> render_explanation(const control::Json& explanation, const Layout& layout);
[[nodiscard]] Result<std::string> render_foresight(const control::Json& foresight, const Layout& layout);

/// YAML that reads back as the same values: a text that looks like something else is quoted.
[[nodiscard]] std::string to_yaml(const control::Json& json);

}  // namespace handyrep::cli
