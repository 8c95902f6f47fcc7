// adapters/ssh/lines.hpp — an answer of a script, taken line by line in the order in which the script writes it.
#pragma once

#include "base/error.hpp"
#include "base/text.hpp"
#include "model/sighting.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace handyrep::adapters::ssh {

/// Takes "key value" lines in their order; remembers whether all were there.
class Lines {
public:
    explicit Lines(std::string_view text) : lines_{split(text, '\n')} {}

    std::string_view take(std::string_view key) {
        const std::string_view line = next();
        if (line.size() <= key.size() || !line.starts_with(key) || line[key.size()] != ' ') {
            whole_ = false;
            return {};
        }
        return line.substr(key.size() + 1);
    }
    /// The same for a value that may be empty.
    std::string_view take_any(std::string_view key) {
        const std::string_view line = next();
        if (line.starts_with(key) && line.size() > key.size() && line[key.size()] == ' ') return line.substr(key.size() + 1);
        whole_ = false;
        return {};
    }
    template <class T>
    T number(std::string_view key) {
        const std::string_view digits = take(key);
        T value{};
        const auto* const last = digits.data() + digits.size();
        const auto [end, error] = std::from_chars(digits.data(), last, value);
        if (digits.empty() || error != std::errc{} || end != last) whole_ = false;
        return value;
    }
    /// "SIZE FREE" in kB; nothing when the size is 0.
    std::optional<model::Room> room(std::string_view key) {
        const std::string_view both = take(key);
        const auto space = both.find(' ');
        const auto number = [&](std::string_view digits) {
            std::uint64_t value = 0;
            const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
            if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size() || value > (1ULL << 50U)) whole_ = false;
            return model::Bytes{value << 10U};
        };
        if (space == std::string_view::npos) {
            whole_ = false;
            return std::nullopt;
        }
        const model::Room out{number(both.substr(0, space)), number(both.substr(space + 1))};
        return out.size.count == 0 ? std::nullopt : std::optional{out};
    }
    bool flag(std::string_view key) {
        const std::string_view value = take(key);
        if (value != "0" && value != "1") whole_ = false;
        return value == "1";
    }
    /// The last line was read and nothing follows.
    bool ends_whole() {
        const bool ended = next() == "end";
        while (at_ < lines_.size()) {
            if (!next().empty()) return false;
        }
        return ended && whole_;
    }

private:
    std::string_view next() { return at_ < lines_.size() ? lines_[at_++] : std::string_view{}; }

    std::vector<std::string_view> lines_;
    std::size_t at_ = 0;
    bool whole_ = true;
};

/// Of an answer that is not what the script writes.
[[nodiscard]] inline Error damaged(std::string_view what) {
    return {ErrorKind::failed, fmt::format("the host's answer to {} is damaged", what)};
}

}  // namespace handyrep::adapters::ssh
