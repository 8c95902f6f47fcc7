#include "base/text.hpp"
#include "config/schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace handyrep::config {

namespace {

constexpr std::array<Section, 8> all_sections{
    Section::handyrep, Section::passwords,       Section::failover, Section::extra_failover_commands,
    Section::archive,  Section::server_defaults, Section::servers,  Section::plugins};

bool is_alias(const Key& key, Section section, std::string_view name) {
    const std::string moved = fmt::format("{}.{}", word_for(section), name);
    return std::ranges::any_of(
        split(key.aliases, ' '), [&](std::string_view alias) { return alias == moved || (key.section == section && alias == name); });
}

}  // namespace

std::string_view word_for(Section section) {
    switch (section) {
        case Section::handyrep: return "handyrep";
        case Section::passwords: return "passwords";
        case Section::failover: return "failover";
        case Section::extra_failover_commands: return "extra_failover_commands";
        case Section::archive: return "archive";
        case Section::server_defaults: return "server_defaults";
        case Section::servers: return "servers";
        case Section::plugins: return "plugins";
    }
    return "";
}

std::span<const Section> sections() { return all_sections; }

const Key* find_key(Section section, std::string_view name) {
    if (name.empty()) return nullptr;  // a key without aliases has one that is empty
    const auto found = std::ranges::find_if(
        schema(), [&](const Key& key) { return (key.section == section && key.name == name) || is_alias(key, section, name); });
    return found == schema().end() ? nullptr : &*found;
}

}  // namespace handyrep::config
