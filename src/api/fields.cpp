#include "api/fields.hpp"

#include "api/members.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace handyrep::api {

namespace {

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

/// How long it is to last, and what for: into an order that has these.
template <class Order>
Result<void> read_span(const Json& object, Order& order) {
    auto reason = parse_text(object, "reason");
    if (!reason) return reason.error();
    order.reason = *std::move(reason);
    const auto lasts = parse_seconds(object, "for_seconds");
    if (!lasts) return lasts.error();
    order.lasts = *lasts;
    const auto until = parse_text(object, "until");
    if (!until) return until.error();
    if (until->empty()) return {};
    const auto time = parse_wall_time(*until);
    if (!time) return invalid("until: " + time.error().text());
    order.until = *time;
    return {};
}

Result<model::ServerName> which_server(const Json& object) {
    auto server = read_server(object, "server");
    if (!server) return server.error();
    if (!server->has_value()) return invalid("server: say which");
    return **std::move(server);
}

}  // namespace

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
    model::BeginMaintenance order;
    if (auto read = read_span(object, order); !read) return read.error();
    return StandingBody{std::move(order)};
}

Result<StandingBody> parse_disable_body(std::string_view body) {
    const auto members = parse_members(body, {"server", "for_seconds", "until", "reason"});
    if (!members) return members.error();
    auto server = which_server(members->object);
    if (!server) return server.error();
    model::DisableServer order{.server = *std::move(server)};
    if (auto read = read_span(members->object, order); !read) return read.error();
    return StandingBody{std::move(order)};
}

Result<StandingBody> parse_enable_body(std::string_view body) {
    const auto members = parse_members(body, {"server"});
    if (!members) return members.error();
    auto server = which_server(members->object);
    if (!server) return server.error();
    return StandingBody{model::EnableServer{*std::move(server)}};
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

Result<StandingBody> parse_schedule_body(std::string_view body) {
    const auto members = parse_members(body, {"at", "to", "drop_logical"});
    if (!members) return members.error();
    const auto at = parse_text(members->object, "at");
    if (!at) return at.error();
    if (at->empty()) return invalid("at: say when, such as 2026-11-22T05:00:00Z");
    const auto time = parse_wall_time(*at);
    if (!time) return invalid("at: " + time.error().text());
    auto to = read_server(members->object, "to");
    if (!to) return to.error();
    const auto drop_logical = read_flag(members->object, "drop_logical");
    if (!drop_logical) return drop_logical.error();
    return StandingBody{model::ScheduleSwitchover{.at = *time, .to = *std::move(to), .drop_logical = *drop_logical}};
}

Result<StandingBody> parse_unschedule_body(std::string_view body) {
    if (auto empty = parse_empty_body(body); !empty) return empty.error();
    return StandingBody{model::Unschedule{}};
}

std::span<const StandingPath> standing_paths() {
    static constexpr std::array paths{
        StandingPath{"/v1/maintenance", &parse_maintenance_body}, StandingPath{"/v1/automation", &parse_automation_body},
        StandingPath{"/v1/disable", &parse_disable_body},         StandingPath{"/v1/enable", &parse_enable_body},
        StandingPath{"/v1/schedule", &parse_schedule_body},       StandingPath{"/v1/unschedule", &parse_unschedule_body},
    };
    return paths;
}

Result<std::uint64_t> parse_cancel_body(std::string_view body) {
    const auto members = parse_members(body, {"operation"});
    if (!members) return members.error();
    const auto operation = members->object.find("operation");
    if (operation == members->object.end()) return invalid("operation: say the number of the operation");
    if (!operation->is_number_unsigned()) return wrong_type("operation", "the number of an operation", *operation);
    return operation->get<std::uint64_t>();
}

Result<void> parse_empty_body(std::string_view body) {
    const auto members = parse_members(body, {});
    if (!members) return members.error();
    return {};
}

}  // namespace handyrep::api
