// Maintenance, servers that are taken out, pause and resume: what a person orders that holds until it is ended.
#include "cli/asking.hpp"
#include "cli/rendering_words.hpp"
#include "cli/verbs.hpp"
#include "model/standing_order.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <optional>

namespace handyrep::cli {

namespace {

using control::Json;

std::string said(const Json& answer, const Layout& layout) {
    std::string out;
    for (const std::string& line : wrapped(field(answer, "text"), layout.columns)) out += line + "\n";
    return out;
}

}  // namespace

int order_standing(std::string_view path, const control::Json& body, const GlobalOptions& global, Surroundings& surroundings) {
    const std::string text = body.dump(-1, ' ', false, Json::error_handler_t::replace);
    const auto answer = fetch(global, surroundings, {"POST", path_of(path, global), text}, question_limit);
    if (const auto* ending = std::get_if<Ending>(&answer)) return end(*ending, surroundings);
    const Json& done = std::get<Json>(answer);
    return print(done, guarded([&] { return said(done, layout_of(global, surroundings)); }), global, surroundings);
}

int do_maintenance_on(const GlobalOptions& global, const MaintenanceOn& wanted, Surroundings& surroundings) {
    Json body{{"reason", wanted.reason}};
    std::optional<Duration> lasts = wanted.lasts;
    if (wanted.server) {
        body["server"] = *wanted.server;
        if (!lasts && !wanted.until && !wanted.endless) lasts = model::usual_maintenance;
    } else {
        body["on"] = true;
    }
    if (lasts) body["for_seconds"] = std::chrono::duration<double>(*lasts).count();
    if (wanted.until) body["until"] = text(*wanted.until);
    return order_standing(wanted.server ? "/v1/disable" : "/v1/maintenance", body, global, surroundings);
}

int do_maintenance_off(const GlobalOptions& global, const MaintenanceOff& wanted, Surroundings& surroundings) {
    if (wanted.server) return order_standing("/v1/enable", Json{{"server", *wanted.server}}, global, surroundings);
    return order_standing("/v1/maintenance", Json{{"on", false}}, global, surroundings);
}

int do_pause(const GlobalOptions& global, const Pause& wanted, Surroundings& surroundings) {
    return order_standing("/v1/automation", Json{{"on", false}, {"reason", wanted.reason}}, global, surroundings);
}

int do_resume(const GlobalOptions& global, Surroundings& surroundings) {
    return order_standing("/v1/automation", Json{{"on", true}}, global, surroundings);
}

}  // namespace handyrep::cli
