#include "cli/verbs.hpp"

#include "base/text.hpp"
#include "cli/asking.hpp"
#include "cli/rendering.hpp"
#include "control/check.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace handyrep::cli {

namespace {

using control::Json;

int exit_code_of_status(const Json& status) {
    const int number =
        status.is_object() && status.contains("status_no") && status["status_no"].is_number_integer() ? status["status_no"].get<int>() : 0;
    for (const auto known : {model::ClusterStatus::healthy, model::ClusterStatus::warning, model::ClusterStatus::down}) {
        if (static_cast<int>(known) == number) return control::exit_code_for(known);
    }
    return control::exit_code_for(model::ClusterStatus::unknown);
}

}  // namespace

int do_status(const GlobalOptions& global, Surroundings& surroundings) {
    const auto answer = fetch(global, surroundings, {"GET", path_of("/v1/status", global)}, question_limit);
    if (const auto* ending = std::get_if<Ending>(&answer)) return end(*ending, surroundings);
    const Json& status = std::get<Json>(answer);
    const int printed = print(status, render_status(status, surroundings.now, layout_of(global, surroundings)), global, surroundings);
    return printed == exit_done ? exit_code_of_status(status) : printed;
}

int do_check(const GlobalOptions& global, Surroundings& surroundings) {
    const auto answer = fetch(global, surroundings, {"GET", path_of("/v1/check", global)}, question_limit);
    if (const auto* ending = std::get_if<Ending>(&answer)) {
        // A monitoring system shows the first line of standard output and nothing else.
        surroundings.out << "HANDYREP UNKNOWN - " << clean(ending->text.substr(0, ending->text.find('\n'))) << "\n";
        return ending->exit_code;
    }
    const Json& check = std::get<Json>(answer);
    const bool whole = check.is_object() && check.contains("text") && check["text"].is_string() && check.contains("exit_code") &&
                       check["exit_code"].is_number_integer();
    if (!whole) {
        surroundings.out << "HANDYREP UNKNOWN - the daemon's answer is not what this version of handyrep knows\n";
        return control::exit_code_for(model::ClusterStatus::unknown);
    }
    const int printed = print(check, clean(check["text"].get<std::string>()) + "\n", global, surroundings);
    return printed == exit_done ? check["exit_code"].get<int>() : printed;
}

int do_events(const GlobalOptions& global, const Events& events, Surroundings& surroundings) {
    const auto answer =
        fetch(global, surroundings, {"GET", path_of("/v1/events", global, fmt::format("count={}", events.count))}, question_limit);
    if (const auto* ending = std::get_if<Ending>(&answer)) return end(*ending, surroundings);
    const Json& list = std::get<Json>(answer);
    return print(list, render_events(list, layout_of(global, surroundings)), global, surroundings);
}

int do_acknowledge(const GlobalOptions& global, Surroundings& surroundings) {
    const auto answer = fetch(global, surroundings, {"POST", path_of("/v1/acknowledge", global), "{}"}, question_limit);
    if (const auto* ending = std::get_if<Ending>(&answer)) return end(*ending, surroundings);
    return print(
        std::get<Json>(answer), std::string("acknowledged: the next automatic failover is not held back by the last one\n"), global,
        surroundings);
}

}  // namespace handyrep::cli
