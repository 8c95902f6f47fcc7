#include "saved/outline.hpp"

#include <algorithm>

namespace handyrep::saved {

namespace {

constexpr std::size_t deepest = 32;

/// Walks through a text and knows at any time where it is.
class Outline final : public nlohmann::json_sax<Json> {
public:
    explicit Outline(std::string_view text) : text_{text} {}

    [[nodiscard]] const std::optional<Fault>& fault() const { return fault_; }

    bool null() override { return next(); }
    bool boolean(bool /*value*/) override { return next(); }
    bool number_integer(number_integer_t /*value*/) override { return next(); }
    bool number_unsigned(number_unsigned_t /*value*/) override { return next(); }
    bool number_float(number_float_t /*value*/, const string_t& /*text*/) override { return next(); }
    bool string(string_t& /*value*/) override { return next(); }
    bool binary(binary_t& /*value*/) override { return next(); }
    bool start_object(std::size_t /*size*/) override { return descend(false); }
    bool start_array(std::size_t /*size*/) override { return descend(true); }
    bool end_object() override { return ascend(); }
    bool end_array() override { return ascend(); }
    bool key(string_t& name) override {
        Level& level = levels_.back();
        level.key = name;
        if (std::ranges::find(level.seen, name) != level.seen.end()) {
            fault_ = Fault{path(), "is here twice"};
            return false;
        }
        level.seen.push_back(name);
        return true;
    }
    bool parse_error(std::size_t position, const std::string& /*token*/, const nlohmann::detail::exception& /*error*/) override {
        const auto line =
            1 + std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(std::min(position, text_.size())), '\n');
        const bool cut = position > text_.size() ||
                         text_.substr(std::min(position, text_.size())).find_first_not_of(" \n\r\t") == std::string_view::npos;
        fault_ = Fault{
            path(), cut && !levels_.empty() ? fmt::format("line {}: the text ends in the middle of it: the file was cut short", line)
                                            : fmt::format("line {}: this is not JSON", line)};
        return false;
    }

private:
    struct Level {
        bool list = false;
        std::size_t index = 0;
        std::string key{};
        std::vector<std::string> seen{};
    };

    bool next() {
        if (!levels_.empty() && levels_.back().list) ++levels_.back().index;
        return true;
    }
    bool descend(bool list) {
        levels_.push_back({.list = list});
        if (levels_.size() <= deepest) return true;
        fault_ = Fault{path(), "lies too deep"};
        return false;
    }
    bool ascend() {
        levels_.pop_back();
        return next();
    }
    [[nodiscard]] std::string path() const {
        std::string out;
        for (const Level& level : levels_) {
            if (level.list) out += fmt::format("[{}]", level.index);
            if (!level.list && !level.key.empty()) out += (out.empty() ? "" : ".") + level.key;
        }
        return out;
    }

    std::string_view text_;
    std::vector<Level> levels_{};
    std::optional<Fault> fault_{};
};

std::uint64_t hash_of(std::string_view path, std::string_view value) {
    std::uint64_t hash = 0xCBF29CE484222325ULL;
    for (const std::string_view text : {path, std::string_view{"="}, value}) {
        for (const char c : text) {
            hash ^= static_cast<unsigned char>(c);
            hash *= 0x100000001B3ULL;
        }
    }
    return hash;
}

void add_leaves(const Json& json, const std::string& path, std::vector<Leaf>& out) {
    if (!json.is_structured() || json.empty()) {
        out.push_back({path, hash_of(path, json.dump(-1, ' ', true, Json::error_handler_t::replace))});
    } else if (json.is_array()) {
        for (std::size_t index = 0; index < json.size(); ++index) add_leaves(json[index], fmt::format("{}[{}]", path, index), out);
    } else {
        for (const auto& [key, value] : json.items()) add_leaves(value, path.empty() ? key : path + "." + key, out);
    }
}

}  // namespace

std::optional<Fault> trouble_in(std::string_view text) {
    Outline outline{text};
    if (Json::sax_parse(text.begin(), text.end(), &outline)) return std::nullopt;
    return outline.fault().value_or(Fault{"", "is not JSON"});
}

std::vector<Leaf> leaves_of(const Json& json) {
    std::vector<Leaf> out;
    add_leaves(json, "", out);
    return out;
}

}  // namespace handyrep::saved
