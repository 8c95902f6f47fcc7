// base/yaml_fields.hpp — a map of YAML, asked for key by key: what is missing, twice there, of another type or unknown is a
// fault that names the line and the key. For files that programs write and tests read; handyrep.conf has its own, gentler reader.
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"
#include "base/yaml.hpp"

#include <fmt/format.h>

#include <charconv>
#include <concepts>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace handyrep {

/// Leaves a reader at the first fault; whoever reads catches it: it never leaves the room.
struct YamlFault {
    Error error;
};

[[noreturn]] inline void fault(YamlPlace at, std::string_view key, std::string_view what) {
    throw YamlFault{{ErrorKind::invalid, fmt::format("line {}: {}{}{}", at.line, key, key.empty() ? "" : ": ", what)}};
}

template <class T>
T must(Result<T> read, YamlPlace at, std::string_view key) {
    if (!read) fault(at, key, read.error().what);
    return *std::move(read);
}

/// The entries of one map, each asked for once; at the end nothing may be left.
class YamlFields {
public:
    YamlFields(const YamlNode& node, std::string name) : name_{std::move(name)}, at_{node.at} {
        if (node.kind != YamlNode::Kind::map) fault(node.at, name_, fmt::format("{}; expected keys and values", word_for(node.kind)));
        for (const YamlNode& entry : node.items) {
            if (find(entry.key) != nullptr) fault(entry.key_at, path(entry.key), "is here twice");
            left_.push_back(&entry);
        }
    }

    const YamlNode* take_if(std::string_view key) {
        const YamlNode* const found = find(key);
        if (found != nullptr) std::erase(left_, found);
        return found;
    }
    const YamlNode& take(std::string_view key) {
        const YamlNode* const found = take_if(key);
        if (found == nullptr) fault(at_, path(key), "is missing");
        return *found;
    }
    void end() const {
        if (!left_.empty()) fault(left_.front()->key_at, path(left_.front()->key), "is not a known key");
    }

    std::string text(std::string_view key) {
        const YamlNode& node = take(key);
        if (node.kind != YamlNode::Kind::text) fault(node.key_at, path(key), fmt::format("{}; expected a text", word_for(node.kind)));
        return node.text;
    }
    template <std::integral T>
    T number(std::string_view key, T least = 0, T most = std::numeric_limits<T>::max()) {
        const YamlPlace at = place(key);
        const std::string digits = text(key);
        T value{};
        const auto* const last = digits.data() + digits.size();
        const auto [end, error] = std::from_chars(digits.data(), last, value);
        if (error != std::errc{} || end != last || value < least || value > most) {
            fault(at, path(key), fmt::format("'{}' is not a whole number from {} to {}", digits.substr(0, 80), least, most));
        }
        return value;
    }
    bool flag(std::string_view key) {
        const YamlPlace at = place(key);
        const std::string word = text(key);
        if (word != "true" && word != "false") fault(at, path(key), fmt::format("'{}' is not true or false", word.substr(0, 80)));
        return word == "true";
    }
    template <class Name>
    Name name(std::string_view key) {
        const YamlPlace at = place(key);
        return must(Name::parse(text(key)), at, path(key));
    }
    WallTime time(std::string_view key) {
        const YamlPlace at = place(key);
        return must(parse_wall_time(text(key)), at, path(key));
    }
    const std::vector<YamlNode>& list(std::string_view key) {
        const YamlNode& node = take(key);
        if (node.kind != YamlNode::Kind::list) fault(node.key_at, path(key), fmt::format("{}; expected a list", word_for(node.kind)));
        return node.items;
    }
    [[nodiscard]] bool has(std::string_view key) const { return find(key) != nullptr; }
    [[nodiscard]] YamlPlace place(std::string_view key) const {
        const YamlNode* const found = find(key);
        return found != nullptr ? found->key_at : at_;
    }
    [[nodiscard]] std::string path(std::string_view key) const {
        return name_.empty() ? std::string(key.substr(0, 80)) : fmt::format("{}.{}", name_, key.substr(0, 80));
    }

private:
    [[nodiscard]] const YamlNode* find(std::string_view key) const {
        for (const YamlNode* entry : left_) {
            if (entry->key == key) return entry;
        }
        return nullptr;
    }

    std::string name_;
    YamlPlace at_;
    std::vector<const YamlNode*> left_;
};

}  // namespace handyrep
