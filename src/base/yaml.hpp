// base/yaml.hpp — YAML text as a tree that knows where everything stands, and values as YAML text.
//
// Only what people need to write settings: texts, lists and maps. Anchors, aliases and tags are refused (an alias can make
// a small file huge, and an unquoted password that begins with & or * would silently become another one), duplicate keys
// are kept for the caller to name, and depth and size are limited, so that a hostile file gives a trouble and never a crash.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace handyrep {

/// Counted from 1, as editors do. Line 0: the whole text.
struct YamlPlace {
    int line = 0;
    int column = 0;
    friend bool operator==(YamlPlace, YamlPlace) = default;
};

struct YamlNode {
    enum class Kind { nothing, text, list, map };  // `nothing`: no value after the colon, or null

    YamlPlace at;
    Kind kind = Kind::nothing;
    std::string text{};
    std::string key{};  // of an entry of a map
    YamlPlace key_at{};
    std::vector<YamlNode> items{};  // of a list or a map, in the order of the file, duplicate keys included
};

/// "a text", "a list": what was found where something else was expected.
[[nodiscard]] std::string_view word_for(YamlNode::Kind kind);

/// What is wrong with the text as YAML. Quotes nothing of the file: the line at fault may hold a password.
struct YamlTrouble {
    YamlPlace at;
    std::string text;
};

struct YamlLimits {
    std::size_t bytes = 1U << 20U;
    std::size_t depth = 16;
};

/// One document; an empty text is `Kind::nothing`.
[[nodiscard]] std::variant<YamlNode, YamlTrouble> read_yaml(std::string_view text, YamlLimits limits = {});

/// `value` so that it is read back as this very text: plain where that is safe, else in double quotes. Bytes that are not UTF-8
/// become U+FFFD, so that the text can be read back at all.
[[nodiscard]] std::string yaml_text(std::string_view value);

}  // namespace handyrep
