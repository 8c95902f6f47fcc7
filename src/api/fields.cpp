#include "api/fields.hpp"

#include "base/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>

namespace handyrep::api {

namespace {

using Json = nlohmann::json;

/// Json converts to nearly everything, so a Result of it alone would be ambiguous.
struct Members {
    Json object;
};

Error invalid(std::string what) { return Error{ErrorKind::invalid, std::move(what)}; }

/// A value of the client's in a sentence of ours: short, and without control characters.
std::string shown(std::string_view text) {
    std::string out(text.substr(0, 60));
    std::ranges::replace_if(out, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, '?');
    return "'" + out + "'";
}

std::optional<std::string> decoded(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '+') {
            out += ' ';
        } else if (text[at] != '%') {
            out += text[at];
        } else {
            unsigned byte = 0;
            const std::string_view hex = text.substr(at + 1, 2);
            const auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), byte, 16);
            if (hex.size() != 2 || error != std::errc{} || end != hex.data() + hex.size()) return std::nullopt;
            out += static_cast<char>(byte);
            at += 2;
        }
    }
    return out;
}

Error unknown_name(std::string_view what, std::string_view name, std::span<const std::string_view> known) {
    const auto near = nearest(name, known);
    if (near) return invalid(fmt::format("unknown {} {}; did you mean '{}'?", what, shown(name), *near));
    return invalid(fmt::format("unknown {} {}", what, shown(name)));
}

/// Refuses a member that comes twice: the parser would keep the last one, another program the first.
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

Result<bool> parse_on(const Json& object) {
    const auto on = object.find("on");
    if (on == object.end()) return invalid("on: say true or false");
    if (!on->is_boolean()) return wrong_type("on", "true or false", *on);
    return on->get<bool>();
}

/// Empty when it is absent or null.
Result<std::string> parse_text(const Json& object, const char* name) {
    const auto found = object.find(name);
    if (found == object.end() || found->is_null()) return std::string{};
    if (!found->is_string()) return wrong_type(name, "a text", *found);
    return found->get<std::string>();
}

Result<std::optional<Duration>> parse_seconds(const Json& object, const char* name) {
    constexpr double most = 3.2e9;  // what a duration can count
    const auto found = object.find(name);
    if (found == object.end() || found->is_null()) return std::optional<Duration>{};
    if (!found->is_number()) return wrong_type(name, "a number of seconds", *found);
    const auto seconds = found->get<double>();
    if (!(seconds >= 0) || seconds > most) return invalid(fmt::format("{}: {} is no number of seconds to wait", name, seconds));
    return std::optional{std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds))};
}

/// Members that mean something only with the other value of `on`.
Result<void> allow_only_on(const Json& object) {
    for (const auto& [name, value] : object.items()) {
        if (name != "on") return invalid(fmt::format("{}: this means nothing here; send 'on' alone", name));
    }
    return {};
}

}  // namespace

Result<Query> Query::parse(std::string_view text, std::initializer_list<std::string_view> known) {
    Query query;
    if (text.empty()) return query;
    for (const std::string_view part : split(text, '&')) {
        const auto equals = part.find('=');
        const auto name = decoded(part.substr(0, equals));
        const auto value = decoded(equals == std::string_view::npos ? std::string_view{} : part.substr(equals + 1));
        if (!name || !value) return invalid(fmt::format("{} is not a well-formed query parameter", shown(part)));
        if (std::ranges::find(known, std::string_view(*name)) == known.end())
            return unknown_name("query parameter", *name, std::span(known.begin(), known.size()));
        if (query.text(*name)) return invalid(fmt::format("the query parameter {} comes twice", shown(*name)));
        query.values_.emplace_back(*name, *value);
    }
    return query;
}

std::optional<std::string> Query::text(std::string_view name) const {
    for (const auto& [known, value] : values_) {
        if (known == name) return value;
    }
    return std::nullopt;
}

Result<std::size_t> Query::count(std::string_view name, std::size_t otherwise, std::size_t most) const {
    const auto value = text(name);
    if (!value) return otherwise;
    std::size_t number = 0;
    const auto* const last = value->data() + value->size();
    const auto [end, error] = std::from_chars(value->data(), last, number);
    if (error != std::errc{} || end != last || number < 1 || number > most) {
        return invalid(fmt::format("{}: {} is not a whole number from 1 to {}", name, shown(*value), most));
    }
    return number;
}

namespace {

Result<void> read_target(const Json& object, std::optional<std::string>& out) {
    const auto to = object.find("to");
    if (to == object.end() || to->is_null()) return {};
    if (!to->is_string()) return invalid(fmt::format("to: expected the name of a server, not a value of type {}", to->type_name()));
    out = to->get<std::string>();
    return {};
}

Result<void> read_flag(const Json& object, const char* name, bool& out) {
    const auto found = object.find(name);
    if (found == object.end()) return {};
    if (!found->is_boolean()) return invalid(fmt::format("{}: expected true or false, not a value of type {}", name, found->type_name()));
    out = found->get<bool>();
    return {};
}

}  // namespace

Result<SwitchoverBody> parse_switchover_body(std::string_view body) {
    const auto members = parse_members(body, {"to", "dry_run", "drop_logical"});
    if (!members) return members.error();
    SwitchoverBody out;
    if (auto read = read_target(members->object, out.to); !read) return read.error();
    if (auto read = read_flag(members->object, "dry_run", out.dry_run); !read) return read.error();
    if (auto read = read_flag(members->object, "drop_logical", out.drop_logical); !read) return read.error();
    return out;
}

Result<FailoverBody> parse_failover_body(std::string_view body) {
    const auto members = parse_members(body, {"to", "dry_run", "override"});
    if (!members) return members.error();
    const Json& object = members->object;
    FailoverBody out;
    if (auto read = read_target(object, out.to); !read) return read.error();
    if (auto read = read_flag(object, "dry_run", out.dry_run); !read) return read.error();
    if (const auto gates = object.find("override"); gates != object.end()) {
        const bool strings = gates->is_array() && std::ranges::all_of(*gates, [](const Json& it) { return it.is_string(); });
        if (!strings) return invalid("override: expected a list of gates, such as [\"fence\"]");
        out.overrides = gates->get<std::vector<std::string>>();
    }
    return out;
}

Result<StandingBody> parse_maintenance_body(std::string_view body) {
    const auto members = parse_members(body, {"on", "for_seconds", "until", "reason"});
    if (!members) return members.error();
    const Json& object = members->object;
    const auto on = parse_on(object);
    if (!on) return on.error();
    if (!*on) {
        if (auto alone = allow_only_on(object); !alone) return alone.error();
        return StandingBody{model::EndMaintenance{}};
    }
    auto reason = parse_text(object, "reason");
    if (!reason) return reason.error();
    const auto lasts = parse_seconds(object, "for_seconds");
    if (!lasts) return lasts.error();
    const auto until = parse_text(object, "until");
    if (!until) return until.error();
    model::BeginMaintenance order{.lasts = *lasts, .until = {}, .reason = *std::move(reason)};
    if (!until->empty()) {
        const auto time = parse_wall_time(*until);
        if (!time) return invalid("until: " + time.error().text());
        order.until = *time;
    }
    return StandingBody{std::move(order)};
}

Result<StandingBody> parse_automation_body(std::string_view body) {
    const auto members = parse_members(body, {"on", "reason"});
    if (!members) return members.error();
    const auto on = parse_on(members->object);
    if (!on) return on.error();
    if (*on) {
        if (auto alone = allow_only_on(members->object); !alone) return alone.error();
        return StandingBody{model::ResumeAutomation{}};
    }
    auto reason = parse_text(members->object, "reason");
    if (!reason) return reason.error();
    return StandingBody{model::PauseAutomation{*std::move(reason)}};
}

Result<void> parse_empty_body(std::string_view body) {
    const auto members = parse_members(body, {});
    if (!members) return members.error();
    return {};
}

}  // namespace handyrep::api
