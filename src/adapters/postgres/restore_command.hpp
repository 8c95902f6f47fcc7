// adapters/postgres/restore_command.hpp — restore_command while WAL is brought to a standby (S10).
//
// The setting itself says which operation changed it and what it replaced, so that whoever comes after a manager that died can put that
// back: setting and note are written at one instant, and lie on the node (S14).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace handyrep::adapters::postgres {

/// What was replaced: the value that postgresql.auto.conf had, or nothing where it had none and another file, or none, says it.
struct Replaced {
    std::optional<std::string> altered;
    friend bool operator==(const Replaced&, const Replaced&) = default;
};

/// Copies out of `folder` on the server's machine; fails at once for what is not there.
[[nodiscard]] std::string offering_command(std::string_view folder, std::uint64_t operation, const Replaced& replaced);

/// What a command of `offering_command` replaced; nothing when it is none.
[[nodiscard]] std::optional<Replaced> replaced_by(std::string_view restore_command);

}  // namespace handyrep::adapters::postgres
