#include "api/members.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace handyrep::api {

Error invalid(std::string what) { return Error{ErrorKind::invalid, std::move(what)}; }

/// A value of the client's in a sentence of ours: short, and without control characters.
std::string shown(std::string_view text) {
    std::string out(text.substr(0, 60));
    std::ranges::replace_if(out, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, '?');
    return "'" + out + "'";
}

Error unknown_name(std::string_view what, std::string_view name, std::span<const std::string_view> known) {
    const auto near = nearest(name, known);
    if (near) return invalid(fmt::format("unknown {} {}; did you mean '{}'?", what, shown(name), *near));
    return invalid(fmt::format("unknown {} {}", what, shown(name)));
}

namespace {

Result<Members> parse_object(std::string_view body) {
    if (trim(body).empty()) return Members{Json::object()};
    std::vector<std::vector<std::string>> open;
    std::optional<std::string> twice;
    const auto watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
        if (depth > 8) twice = "(nesting)";
        if (event == Json::parse_event_t::object_start) open.emplace_back();
        if (event == Json::parse_event_t::object_end && !open.empty()) open.pop_back();
        if (event == Json::parse_event_t::key && !open.empty()) {
            auto& names = open.back();
            const auto& name = parsed.get_ref<const std::string&>();
            if (std::ranges::find(names, name) != names.end()) twice = name;
            names.push_back(name);
        }
        return true;
    };
    Json value = Json::parse(body.begin(), body.end(), watch, false);
    if (value.is_discarded()) return invalid("the body is not JSON");
    if (!value.is_object()) return invalid("the body is not a JSON object");
    if (twice) return invalid(fmt::format("the field {} comes twice or lies too deep", shown(*twice)));
    return Members{std::move(value)};
}

}  // namespace

Result<Members> parse_members(std::string_view body, std::initializer_list<std::string_view> known) {
    auto members = parse_object(body);
    if (!members) return members.error();
    for (const auto& [name, value] : members->object.items()) {
        if (std::ranges::find(known, std::string_view(name)) == known.end())
            return unknown_name("field", name, std::span(known.begin(), known.size()));
    }
    return members;
}

Error wrong_type(std::string_view name, std::string_view expected, const Json& value) {
    return invalid(fmt::format("{}: expected {}, not a value of type {}", name, expected, value.type_name()));
}

Result<std::optional<model::ServerName>> read_server(const Json& object, const char* name) {
    const auto found = object.find(name);
    if (found == object.end() || found->is_null()) return std::optional<model::ServerName>{};
    if (!found->is_string()) return wrong_type(name, "the name of a server", *found);
    auto server = model::ServerName::parse(found->get<std::string>());
    if (!server) return server.error().during(fmt::format("read the field '{}'", name));
    return std::optional{*std::move(server)};
}

Result<std::vector<model::ServerName>> read_servers(const Json& object, const char* name) {
    std::vector<model::ServerName> out;
    const auto found = object.find(name);
    if (found == object.end()) return out;
    if (!found->is_array()) return wrong_type(name, "a list of servers", *found);
    for (const Json& it : *found) {
        if (!it.is_string()) return wrong_type(name, "a list of servers", it);
        auto server = model::ServerName::parse(it.get<std::string>());
        if (!server) return server.error().during(fmt::format("read the field '{}'", name));
        out.push_back(*std::move(server));
    }
    return out;
}

Result<bool> read_flag(const Json& object, const char* name) {
    const auto found = object.find(name);
    if (found == object.end()) return false;
    if (!found->is_boolean()) return wrong_type(name, "true or false", *found);
    return found->get<bool>();
}

}  // namespace handyrep::api
