#include "base/yaml.hpp"

#include "base/text.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <optional>
#include <sstream>
#include <utility>

namespace handyrep {

namespace {

/// Leaves the parser from within its callbacks; never leaves this file.
struct Stop {
    YamlTrouble trouble;
};

YamlPlace place(const YAML::Mark& mark) { return {mark.line + 1, mark.column + 1}; }

/// Builds the tree from the parser's events. The open containers are a stack of values that are attached when they close.
class Builder : public YAML::EventHandler {
public:
    explicit Builder(std::size_t depth) : depth_{depth} {}

    std::optional<YamlNode> root;

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (root) throw Stop{{place(mark), "a second document begins here; expected one"}};
    }
    void OnDocumentEnd() override {
        if (!root) root.emplace();
    }
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        refuse_anchor(mark, anchor);
        attach({.at = place(mark)});
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
        throw Stop{{place(mark), "a value begins with *; put it in quotes (aliases are not used here)"}};
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, const std::string& value) override {
        refuse_anchor(mark, anchor);
        if (tag != "?" && tag != "!") refuse_tag(mark);
        attach({.at = place(mark), .kind = YamlNode::Kind::text, .text = value});
    }
    void OnSequenceStart(
        const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value /*style*/) override {
        begin(mark, tag, anchor, YamlNode::Kind::list);
    }
    void OnSequenceEnd() override { end(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value /*style*/) override {
        begin(mark, tag, anchor, YamlNode::Kind::map);
    }
    void OnMapEnd() override { end(); }

private:
    struct Key {
        std::string text;
        YamlPlace at;
    };
    struct Open {
        YamlNode node;
        std::optional<Key> pending;  // of a map: the key was read, its value was not
    };

    static void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
        if (anchor != 0) throw Stop{{place(mark), "a value begins with &; put it in quotes (anchors are not used here)"}};
    }
    static void refuse_tag(const YAML::Mark& mark) {
        throw Stop{{place(mark), "a value begins with !; put it in quotes (tags are not used here)"}};
    }

    void begin(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YamlNode::Kind kind) {
        refuse_anchor(mark, anchor);
        if (tag != "?" && !tag.empty()) refuse_tag(mark);
        if (stack_.size() >= depth_) throw Stop{{place(mark), fmt::format("nested deeper than {} levels", depth_)}};
        if (!stack_.empty() && stack_.back().node.kind == YamlNode::Kind::map && !stack_.back().pending) {
            throw Stop{{place(mark), "a list or a map stands where a key was expected"}};
        }
        stack_.push_back({{.at = place(mark), .kind = kind}, {}});
    }

    void end() {
        YamlNode node = std::move(stack_.back().node);
        stack_.pop_back();
        attach(std::move(node));
    }

    void attach(YamlNode node) {
        if (stack_.empty()) {
            root = std::move(node);
            return;
        }
        Open& open = stack_.back();
        if (open.node.kind == YamlNode::Kind::map && !open.pending) {
            open.pending = Key{std::move(node.text), node.at};
            return;
        }
        if (open.pending) {
            node.key = std::move(open.pending->text);
            node.key_at = open.pending->at;
            open.pending.reset();
        }
        open.node.items.push_back(std::move(node));
    }

    std::size_t depth_;
    std::vector<Open> stack_;
};

/// Length of the UTF-8 sequence at `at`; 0 when there is none.
std::size_t sequence_length(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(at);
    std::size_t length = 1;
    if (lead >= 0xF0 && lead <= 0xF4) {
        length = 4;
    } else if (lead >= 0xE0 && lead < 0xF0) {
        length = 3;
    } else if (lead >= 0xC2 && lead < 0xE0) {
        length = 2;
    } else if (lead >= 0x80) {
        return 0;
    }
    if (at + length > text.size()) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(at + i) & 0xC0U) != 0x80U) return 0;
    }
    return length;
}

/// The parser takes NUL for the end of the file and mends broken UTF-8 in silence; both mean that this is not a text.
std::optional<YamlTrouble> not_a_text(std::string_view text) {
    YamlPlace at{1, 1};
    for (std::size_t i = 0; i < text.size();) {
        const auto c = static_cast<unsigned char>(text[i]);
        if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7F) {
            return YamlTrouble{at, fmt::format("not a text file: byte 0x{:02X}", c)};
        }
        const std::size_t length = sequence_length(text, i);
        if (length == 0) return YamlTrouble{at, fmt::format("not UTF-8: byte 0x{:02X}", c)};
        i += length;
        if (c == '\n') {
            ++at.line;
            at.column = 1;
        } else {
            ++at.column;
        }
    }
    return std::nullopt;
}

std::string explained(const std::string& message) {
    if (message.find("anchor") != std::string::npos || message.find("alias") != std::string::npos) {
        return "a value begins with & or *; put it in quotes (anchors and aliases are not used here)";
    }
    if (message.find("tag") != std::string::npos) return "a value begins with !; put it in quotes (tags are not used here)";
    // Some messages end in a piece of the file after a colon.
    return fmt::format("not valid YAML: {}", message.substr(0, message.find(':')));
}

}  // namespace

std::string_view word_for(YamlNode::Kind kind) {
    switch (kind) {
        case YamlNode::Kind::nothing: return "nothing";
        case YamlNode::Kind::text: return "a text";
        case YamlNode::Kind::list: return "a list";
        case YamlNode::Kind::map: return "a map";
    }
    return "";
}

std::variant<YamlNode, YamlTrouble> read_yaml(std::string_view text, YamlLimits limits) {
    if (text.size() > limits.bytes) {
        return YamlTrouble{{}, fmt::format("{} long; expected at most {}", bytes_text(text.size()), bytes_text(limits.bytes))};
    }
    if (auto trouble = not_a_text(text)) return *std::move(trouble);
    Builder builder{limits.depth};
    try {
        std::istringstream stream{std::string(text)};
        YAML::Parser parser{stream};
        while (parser.HandleNextDocument(builder)) continue;
    } catch (const Stop& stop) {
        return stop.trouble;
    } catch (const YAML::Exception& failure) {
        return YamlTrouble{failure.mark.is_null() ? YamlPlace{} : place(failure.mark), explained(failure.msg)};
    } catch (const std::exception&) {
        return YamlTrouble{{}, "not valid YAML"};
    }
    if (!builder.root) return YamlNode{};
    return *std::move(builder.root);
}

std::string yaml_text(std::string_view value) {
    static constexpr std::array<std::string_view, 9> special{"null", "~", "true", "false", "yes", "no", "on", "off", "-"};
    const auto plain_char = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '/' || c == '-' ||
               c == '+' || c == '=' || c == '@';
    };
    const bool safe_start = !value.empty() && value.front() != '-' && value.front() != '@' && value.front() != '=' && value != "...";
    if (safe_start && std::ranges::all_of(value, plain_char) && std::ranges::find(special, lower(value)) == special.end()) {
        return std::string(value);
    }
    std::string out = "\"";
    for (std::size_t i = 0; i < value.size();) {
        const char c = value[i];
        const std::size_t length = sequence_length(value, i);
        if (length == 0) {
            out += "\\uFFFD";  // what is not UTF-8 could not be read back at all
        } else if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
            out += fmt::format("\\x{:02X}", static_cast<unsigned char>(c));
        } else {
            out += value.substr(i, length);
        }
        i += std::max<std::size_t>(length, 1);
    }
    return out + '"';
}

}  // namespace handyrep
