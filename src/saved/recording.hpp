// saved/recording.hpp — what a cluster's decisions were made of, as the text that a user sends in, and back.
//
// `handyrep record` writes it, `handyrep explain --replay` reads it: the same functions over the same moment say the same.
// Holds no secret: no passwords, users, key files or connection strings, and of the servers only what an analysis asks.
#pragma once

#include "base/result.hpp"
#include "model/moment.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace handyrep::saved {

/// The format this program writes, and the only one it reads: a recording of another version means something else there.
inline constexpr int recording_format = 2;

struct Recording {
    std::string handyrep;                // the version that made it
    std::vector<model::Moment> moments;  // oldest first, never empty; the last is when it was made
};

[[nodiscard]] std::string to_text(const Recording& recording);

/// Fails with `invalid`, naming the field: on a text that is cut short, of another format, changed by hand, or inconsistent.
[[nodiscard]] Result<Recording> recording_from_text(std::string_view text);

}  // namespace handyrep::saved
