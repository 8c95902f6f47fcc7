#include "adapters/postgres/conninfo.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <memory>

namespace handyrep::adapters::postgres {

Result<Conninfo> Conninfo::parse(std::string_view text) {
    char* complaint = nullptr;
    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options{
        PQconninfoParse(std::string(text).c_str(), &complaint), &PQconninfoFree};
    const std::unique_ptr<char, decltype(&PQfreemem)> owned{complaint, &PQfreemem};
    if (!options) return Error{ErrorKind::invalid, "primary_conninfo is not a connection string that libpq accepts"};
    Conninfo out;
    for (const PQconninfoOption* it = options.get(); it->keyword != nullptr; ++it) {
        if (it->val != nullptr) out.pairs_.emplace_back(it->keyword, it->val);
    }
    return out;
}

std::optional<std::string> Conninfo::get(std::string_view keyword) const {
    const auto found = std::ranges::find_if(pairs_, [&](const auto& pair) { return pair.first == keyword; });
    if (found == pairs_.end()) return std::nullopt;
    return found->second;
}

void Conninfo::set(std::string_view keyword, std::string value) {
    const auto found = std::ranges::find_if(pairs_, [&](const auto& pair) { return pair.first == keyword; });
    if (found == pairs_.end()) {
        pairs_.emplace_back(std::string(keyword), std::move(value));
    } else {
        found->second = std::move(value);
    }
}

void Conninfo::erase(std::string_view keyword) {
    std::erase_if(pairs_, [&](const auto& pair) { return pair.first == keyword; });
}

std::optional<Secret> Conninfo::take_password() {
    const auto password = get("password");
    if (!password) return std::nullopt;
    erase("password");
    return Secret{*password};
}

std::string Conninfo::text() const {
    std::string out;
    for (const auto& [keyword, value] : pairs_) {
        if (!out.empty()) out += ' ';
        out += keyword + "='";
        for (const char c : value) {
            if (c == '\\' || c == '\'') out += '\\';
            out += c;
        }
        out += '\'';
    }
    return out;
}

namespace {

void append_field(std::string& line, std::string_view field) {
    for (const char c : field) {
        if (c == ':' || c == '\\') line += '\\';
        line += c;
    }
}

}  // namespace

namespace {

Secret line_for(std::string_view database, std::string_view user, const Secret& password) {
    std::string line = "*:*:";
    line += database;
    line += ':';
    append_field(line, user);
    line += ':';
    append_field(line, password.reveal());
    return Secret{std::move(line)};
}

}  // namespace

Secret passfile_line(std::string_view user, const Secret& password) { return line_for("replication", user, password); }

Secret passfile_line_for_all(std::string_view user, const Secret& password) { return line_for("*", user, password); }

}  // namespace handyrep::adapters::postgres
