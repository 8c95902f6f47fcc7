// saved/words.hpp — how enumerators and alternatives are called in a recording. Internal to saved/.
#pragma once

#include "base/error.hpp"
#include "model/server.hpp"
#include "model/sighting.hpp"

#include <string>
#include <string_view>

namespace handyrep::saved {

// Empty behind the last enumerator.
[[nodiscard]] std::string_view id_of(model::Role value);
[[nodiscard]] std::string_view id_of(model::Transport value);
[[nodiscard]] std::string_view id_of(model::Fencing value);
[[nodiscard]] std::string_view id_of(model::SelectionMethod value);
[[nodiscard]] std::string_view id_of(model::LastWords value);
[[nodiscard]] std::string_view id_of(model::DialOutcome value);
[[nodiscard]] std::string_view id_of(model::ControlState value);
[[nodiscard]] std::string_view id_of(model::Reach value);
[[nodiscard]] std::string_view id_of(ErrorKind value);

inline std::string alternative_of(const model::PrimaryAnswer&) { return "primary"; }
inline std::string alternative_of(const model::StandbyAnswer&) { return "standby"; }
inline std::string alternative_of(const model::Answered&) { return "answered"; }
inline std::string alternative_of(const model::Silent&) { return "silent"; }
inline std::string alternative_of(const model::Lost&) { return "lost"; }
inline std::string alternative_of(const model::NotOpen&) { return "not_open"; }
inline std::string alternative_of(const model::Complained&) { return "complained"; }
inline std::string alternative_of(const model::HostLook&) { return "look"; }
inline std::string alternative_of(const Error&) { return "error"; }

}  // namespace handyrep::saved
