// adapters/postgres/conninfo.hpp — a connection string as a value, parsed by libpq itself and quoted in one place.
#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace handyrep::adapters::postgres {

class Conninfo {
public:
    /// Fails with `invalid`, without repeating the text: it may hold a password.
    static Result<Conninfo> parse(std::string_view text);

    [[nodiscard]] std::optional<std::string> get(std::string_view keyword) const;
    void set(std::string_view keyword, std::string value);
    void erase(std::string_view keyword);
    /// Removes the password; nothing when there is none.
    [[nodiscard]] std::optional<Secret> take_password();

    /// keyword='value' with libpq's quoting.
    [[nodiscard]] std::string text() const;

private:
    std::vector<std::pair<std::string, std::string>> pairs_;
};

/// One line of a passfile for the replication connections of `user`, whatever their upstream.
[[nodiscard]] Secret passfile_line(std::string_view user, const Secret& password);
/// The same for every connection of `user`.
[[nodiscard]] Secret passfile_line_for_all(std::string_view user, const Secret& password);

}  // namespace handyrep::adapters::postgres
