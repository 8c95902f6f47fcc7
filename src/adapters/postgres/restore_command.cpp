#include "adapters/postgres/restore_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace handyrep::adapters::postgres {

namespace {

constexpr std::string_view mark = " # handyrep operation ";
constexpr std::string_view altered_word = " replaced ";
constexpr std::string_view nothing_word = " replaced nothing";

/// As one word of sh within restore_command, in which PostgreSQL replaces %f and %p and makes %% one %.
std::string quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'') {
            out += R"('\'')";
        } else {
            out += c;
            if (c == '%') out += c;
        }
    }
    return out + "'";
}

std::string hex(std::string_view text) {
    std::string out;
    for (const char c : text) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
    return out;
}

std::optional<std::string> from_hex(std::string_view digits) {
    if (digits.size() % 2 != 0) return std::nullopt;
    std::string out;
    for (std::size_t at = 0; at < digits.size(); at += 2) {
        unsigned value = 0;
        const auto* const begin = digits.data() + at;
        const auto [end, error] = std::from_chars(begin, begin + 2, value, 16);
        if (error != std::errc{} || end != begin + 2) return std::nullopt;
        out += static_cast<char>(value);
    }
    return out;
}

}  // namespace

std::string offering_command(std::string_view folder, std::uint64_t operation, const Replaced& replaced) {
    const std::string file = quoted(folder) + "/%f";
    return fmt::format("[ -f {0} ] && cp {0} \"%p\"{1}{2}", file, mark, operation)
        .append(replaced.altered ? fmt::format("{}x{}", altered_word, hex(*replaced.altered)) : std::string(nothing_word));
}

std::optional<Replaced> replaced_by(std::string_view restore_command) {
    const auto at = restore_command.rfind(mark);
    if (at == std::string_view::npos) return std::nullopt;
    const std::string_view rest = restore_command.substr(at + mark.size());
    const auto word = std::min(rest.find_first_not_of("0123456789"), rest.size());
    if (word == 0) return std::nullopt;
    if (rest.substr(word) == nothing_word) return Replaced{};
    if (!rest.substr(word).starts_with(fmt::format("{}x", altered_word))) return std::nullopt;
    auto altered = from_hex(rest.substr(word + altered_word.size() + 1));
    if (!altered) return std::nullopt;
    return Replaced{std::move(altered)};
}

}  // namespace handyrep::adapters::postgres
