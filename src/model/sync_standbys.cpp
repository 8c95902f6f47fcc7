#include "model/sync_standbys.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

namespace handyrep::model {

namespace {

struct Token {
    std::string text;  // lower case unless it was quoted
    bool quoted = false;
};

bool is_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.' || c == '$' ||
           static_cast<unsigned char>(c) >= 0x80;
}

/// Words, quoted names and the punctuation of the setting; nothing on an unknown character or an open quote.
std::optional<std::vector<Token>> tokens(std::string_view text) {
    std::vector<Token> out;
    for (std::size_t i = 0; i < text.size();) {
        const char c = text[i];
        if (std::isspace(static_cast<unsigned char>(c)) != 0) {
            ++i;
        } else if (c == '(' || c == ')' || c == ',' || c == '*') {
            out.push_back({std::string(1, c)});
            ++i;
        } else if (c == '"') {
            std::string name;
            for (++i;; ++i) {
                if (i >= text.size()) return std::nullopt;
                if (text[i] != '"') {
                    name += text[i];
                } else if (i + 1 < text.size() && text[i + 1] == '"') {
                    name += '"';
                    ++i;
                } else {
                    ++i;
                    break;
                }
            }
            out.push_back({lower(name), true});
        } else if (is_word(c)) {
            const std::size_t from = i;
            while (i < text.size() && is_word(text[i])) ++i;
            out.push_back({lower(text.substr(from, i - from))});
        } else {
            return std::nullopt;
        }
    }
    return out;
}

bool is_punctuation(const Token& token) { return !token.quoted && (token.text == "(" || token.text == ")" || token.text == ","); }

/// Name (, Name)* from `at` to the end of `list`; false when it is not that.
bool read_names(const std::vector<Token>& list, std::size_t at, std::size_t end, std::vector<std::string>& names) {
    for (bool wants_name = true; at < end; ++at, wants_name = !wants_name) {
        const bool comma = !list[at].quoted && list[at].text == ",";
        if (wants_name == comma || (wants_name && is_punctuation(list[at]))) return false;
        if (wants_name) names.push_back(list[at].text);
        if (at + 1 == end) return wants_name;
    }
    return false;
}

std::optional<std::size_t> read_count(const Token& token) {
    std::size_t count = 0;
    const auto* const last = token.text.data() + token.text.size();
    const auto [end, error] = std::from_chars(token.text.data(), last, count);
    if (token.quoted || error != std::errc{} || end != last || count == 0) return std::nullopt;
    return count;
}

}  // namespace

Result<std::optional<SyncStandbys>> SyncStandbys::parse(std::string_view setting) {
    if (trim(setting).empty()) return std::optional<SyncStandbys>{};
    const Error refusal{ErrorKind::invalid, fmt::format("'{}' is not a synchronous_standby_names setting", setting.substr(0, 200))};
    const auto list = tokens(setting);
    if (!list) return refusal;

    SyncStandbys out;
    std::size_t at = 0;
    const auto is = [&](std::size_t i, std::string_view word) { return i < list->size() && !(*list)[i].quoted && (*list)[i].text == word; };
    if ((is(0, "first") || is(0, "any")) && list->size() > 2 && is(2, "(")) {
        out.method = is(0, "any") ? Method::any : Method::first;
        at = 1;
    }
    if (at == 1 || is(1, "(")) {
        const auto count = read_count((*list)[at]);
        if (!count || !is(list->size() - 1, ")")) return refusal;
        out.required = *count;
        if (!read_names(*list, at + 2, list->size() - 1, out.names)) return refusal;
    } else if (!read_names(*list, 0, list->size(), out.names)) {
        return refusal;
    }
    return std::optional<SyncStandbys>{std::move(out)};
}

bool SyncStandbys::open() const { return std::ranges::find(names, "*") != names.end(); }

}  // namespace handyrep::model
