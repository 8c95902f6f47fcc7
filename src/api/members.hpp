// api/members.hpp — the members of a JSON body, read strictly. Internal to the room.
#pragma once

#include "base/result.hpp"
#include "model/names.hpp"

#include <nlohmann/json.hpp>

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace handyrep::api {

using Json = nlohmann::json;

/// Json converts to nearly everything, so a Result of it alone would be ambiguous.
struct Members {
    Json object;
};

[[nodiscard]] Error invalid(std::string what);
/// A value of the client's in a sentence of ours: short, and without control characters.
[[nodiscard]] std::string shown(std::string_view text);
[[nodiscard]] Error unknown_name(std::string_view what, std::string_view name, std::span<const std::string_view> known);
[[nodiscard]] Error wrong_type(std::string_view name, std::string_view expected, const Json& value);

/// Refuses what is no object, a member that is not in `known`, and one that comes twice: the parser would keep the last one, another
/// program the first. An empty body is an empty object.
[[nodiscard]] Result<Members> parse_members(std::string_view body, std::initializer_list<std::string_view> known);

/// The name of a server; absent or null: nothing.
[[nodiscard]] Result<std::optional<model::ServerName>> read_server(const Json& object, const char* name);
/// A list of names; absent: empty.
[[nodiscard]] Result<std::vector<model::ServerName>> read_servers(const Json& object, const char* name);
/// True or false; absent: false.
[[nodiscard]] Result<bool> read_flag(const Json& object, const char* name);

}  // namespace handyrep::api
