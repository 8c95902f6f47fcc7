// adapters/ssh/copy_report.hpp — the answers of copy_scripts.hpp, read as strictly as those in report.hpp.
#pragma once

#include "base/result.hpp"
#include "model/copy.hpp"

#include <string_view>

namespace handyrep::adapters::ssh {

[[nodiscard]] Result<model::TargetLook> read_target_look(std::string_view text);
[[nodiscard]] Result<model::CopyProgress> read_copy_progress(std::string_view text);

}  // namespace handyrep::adapters::ssh
