// lab/line_set.hpp — a set of lines in a file that several processes of the lab change, one at a time.
#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <functional>
#include <set>
#include <string>

namespace handyrep::lab {

using LineSet = std::set<std::string>;

/// Reads them, lets `change` change them, writes them, and calls `apply` with them before anybody else may change them.
Result<void> change_lines(
    const std::filesystem::path& file, const std::function<void(LineSet&)>& change,
    const std::function<Result<void>(const LineSet&)>& apply);

}  // namespace handyrep::lab
