#include "cli/run.hpp"

#include "base/overloaded.hpp"
#include "base/text.hpp"
#include "cli/verbs.hpp"

#include <algorithm>
#include <ostream>

namespace handyrep::cli {

int exit_code_for(int http_status, std::string_view kind) {
    const auto row = std::ranges::find(kind_table, kind, &KindRow::word);
    if (row != kind_table.end()) return row->exit_code;
    switch (http_status) {
        case 401:
        case 403:
        case 429: return exit_denied;
        case 503: return row_of(ErrorKind::timed_out).exit_code;
        default: return http_status < 500 ? exit_usage : exit_failed;  // an int has no last alternative
    }
}

Layout layout_of(const GlobalOptions& global, const Surroundings& surroundings) {
    const auto forbidden = surroundings.environment("NO_COLOR");
    const bool colors = surroundings.out_is_terminal && !global.no_color && (!forbidden || forbidden->empty());
    return Layout{.columns = std::clamp<std::size_t>(surroundings.columns, 60, 200), .colors = colors};
}

int run(const std::vector<std::string>& arguments, Surroundings& surroundings) {
    const auto parsed = parse_arguments(arguments);
    if (const auto* wrong = std::get_if<UsageError>(&parsed)) {
        surroundings.error << "handyrep: " << clean(wrong->text) << "\n";
        return exit_usage;
    }
    const auto& [global, verb] = std::get<Invocation>(parsed);
    const auto& options = global;
    return std::visit(
        Overloaded{
            [&](const Daemon&) { return surroundings.daemon(configuration_file(options, surroundings.environment)); },
            [&](const Status&) { return do_status(options, surroundings); },
            [&](const Check&) { return do_check(options, surroundings); },
            [&](const Failover& it) { return do_failover(options, it, surroundings); },
            [&](const Switchover& it) { return do_switchover(options, it, surroundings); },
            [&](const Follow& it) { return do_follow(options, it, surroundings); },
            [&](const Service& it) { return do_service(options, it, surroundings); },
            [&](const Rejoin& it) { return do_rejoin(options, it, surroundings); },
            [&](const Clone& it) { return do_clone(options, it, surroundings); },
            [&](const Cancel& it) { return do_cancel(options, it, surroundings); },
            [&](const Events& it) { return do_events(options, it, surroundings); },
            [&](const Operations& it) { return do_operations(options, it, surroundings); },
            [&](const Operation& it) { return do_operation(options, it, surroundings); },
            [&](const Explain& it) { return do_explain(options, it, surroundings); },
            [&](const Record& it) { return do_record(options, it, surroundings); },
            [&](const Acknowledge&) { return do_acknowledge(options, surroundings); },
            [&](const MaintenanceOn& it) { return do_maintenance_on(options, it, surroundings); },
            [&](const MaintenanceOff& it) { return do_maintenance_off(options, it, surroundings); },
            [&](const Pause& it) { return do_pause(options, it, surroundings); },
            [&](const Resume&) { return do_resume(options, surroundings); },
            [&](const Verify& it) { return do_verify(options, it, surroundings); },
            [&](const ConfigCheck& it) { return do_config_check(options, it, surroundings); },
            [&](const ConfigShow&) { return do_config_show(options, surroundings); },
            [&](const Version&) { return do_version(options, surroundings); },
            [&](const Help& it) {
                surroundings.out << it.text;
                return exit_done;
            },
        },
        verb);
}

}  // namespace handyrep::cli
