#include "base/text.hpp"
#include "base/yaml.hpp"
#include "scenarios/scenario.hpp"

#include <fmt/format.h>

namespace handyrep::scenarios {

namespace {

std::string list(const std::vector<std::string>& names) {
    std::vector<std::string> out;
    for (const std::string& it : names) out.push_back(yaml_text(it));
    return "[" + join(out, ", ") + "]";
}

std::string pairs(const Settings& settings) {
    std::vector<std::string> out;
    for (const auto& [name, value] : settings) out.push_back(fmt::format("{}: {}", yaml_text(name), yaml_text(value)));
    return "{" + join(out, ", ") + "}";
}

std::string argument(const Deed& deed) {
    if (!deed.settings.empty()) return fmt::format("{{{}: {}}}", deed.on.front(), pairs(deed.settings));
    if (!deed.other.empty()) return fmt::format("[{}, {}]", list(deed.on), list(deed.other));
    return deed.on.empty() ? "" : deed.on.size() == 1 ? deed.on.front() : list(deed.on);
}

std::string fields(const Question& it) {
    std::vector<std::string> out;
    const auto add = [&](std::string_view key, const std::optional<std::string>& value) {
        if (value) out.push_back(fmt::format("{}: {}", key, yaml_text(*value)));
    };
    add("situation", it.situation);
    add("finding", it.finding);
    add("reason", it.reason);
    add("event", it.event);
    add("takes_writes", it.takes_writes);
    if (!it.replicas_of_it.empty()) out.push_back("replicas_of_it: " + list(it.replicas_of_it));
    add("must_be_down", it.must_be_down);
    if (it.promoted) out.push_back(fmt::format("promoted: {}", *it.promoted));
    return join(out, ", ");
}

struct StepText {
    std::string operator()(const Deed& it) const {
        const std::string ends = it.lasts ? fmt::format(", for: {}", handyrep::text(*it.lasts)) : "";
        return fmt::format("fault: {{{}: {}{}}}", word_for(it.kind), argument(it), ends);
    }
    std::string operator()(const End& it) const { return fmt::format("end: {}", word_for(it.kind)); }
    std::string operator()(const Run& it) const { return fmt::format("run: {}", handyrep::text(it.length)); }
    std::string operator()(const Order& it) const {
        std::vector<std::string> out;
        if (it.to) out.push_back(fmt::format("{}: {}", names_server_by(it.verb), *it.to));
        if (it.must_be_refused) out.push_back("refused: " + yaml_text(it.refusal));
        return out.empty() ? fmt::format("{}:", word_for(it.verb)) : fmt::format("{}: {{{}}}", word_for(it.verb), join(out, ", "));
    }
    std::string operator()(const Until& it) const {
        return fmt::format("until: {{{}, within: {}}}", fields(it.question), handyrep::text(it.within));
    }
};

std::string cluster(const ClusterWanted& it) {
    std::string out = fmt::format("cluster:\n  servers: {}\n", it.servers);
    if (!it.synchronous_standby_names.empty())
        out += fmt::format("  synchronous_standby_names: {}\n", yaml_text(it.synchronous_standby_names));
    if (!it.failover.empty()) out += fmt::format("  failover: {}\n", pairs(it.failover));
    if (!it.priorities.empty()) out += fmt::format("  priorities: {}\n", pairs(it.priorities));
    if (!it.follows.empty()) out += fmt::format("  follows: {}\n", pairs(it.follows));
    if (it.restarted_after) out += fmt::format("  restarted_after: {}\n", handyrep::text(*it.restarted_after));
    for (const auto& [server, settings] : it.settings)
        out += fmt::format("{}    {}: {}\n", &server == &it.settings.front().first ? "  set:\n" : "", server, pairs(settings));
    if (it.one_machine) out += "  one_machine: true\n";
    return out;
}

}  // namespace

std::string yaml(const Scenario& scenario) {
    std::string out = fmt::format("scenario: {}\n", yaml_text(scenario.title));
    if (scenario.seed) out += fmt::format("seed: {}\n", *scenario.seed);
    out += cluster(scenario.cluster) + "steps:\n";
    for (const Step& it : scenario.steps) out += fmt::format("  - {}\n", std::visit(StepText{}, it.what));
    return out + "expect: {}\n";
}

}  // namespace handyrep::scenarios
