// config/schema.hpp — everything that is known about a key of handyrep.conf, in one table.
//
// Reading, defaults, ranges, "did you mean", `config show` and the documentation are all driven by it. A key that the
// original had and this version does not act on yet has `acts` false: an old file loads, with a warning that names it.
#pragma once

#include "config/value.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace handyrep::config {

enum class Section { handyrep, passwords, failover, extra_failover_commands, archive, server_defaults, servers, plugins };
[[nodiscard]] std::string_view word_for(Section section);
[[nodiscard]] std::span<const Section> sections();

/// Where a value goes: the configuration or, for the keys of a server, that server.
struct Target {
    Configuration& configuration;
    model::ServerDefinition* server = nullptr;
    Tls* tls = nullptr;  // of that server
};

struct Derived {
    std::string text;
    std::string from;  // the key that it follows from
};

struct Key {
    Section section;  // the keys of a server stand under server_defaults
    std::string_view name;
    Kind kind;
    std::string_view fallback{};  // as it would be written; empty: none
    std::string_view meaning;
    bool required = false;
    bool acts = true;
    bool in_defaults = true;  // of a server: may stand in server_defaults
    bool in_servers = true;   // of a server: may stand in servers
    std::string_view least{};
    std::string_view most{};
    /// Other names, such as the original's; "section.name" for one that has moved.
    std::string_view aliases{};  // separated by blanks
    void (*set)(Target, const Value&) = nullptr;
    /// A default that depends on keys further up in the table.
    std::optional<Derived> (*derive)(const Configuration&) = nullptr;
};

[[nodiscard]] std::span<const Key> schema();

/// The key that is called `name` in `section`, by its own name or an alias. The result may belong to another section.
[[nodiscard]] const Key* find_key(Section section, std::string_view name);

}  // namespace handyrep::config
