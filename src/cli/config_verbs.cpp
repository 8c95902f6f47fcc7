#include "cli/rendering.hpp"
#include "cli/verbs.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <ostream>

namespace handyrep::cli {

namespace {

using control::Json;

struct Checked {
    std::string file;
    config::Parsed parsed;
};

Checked read_configuration(const std::string& file) {
    const auto text = read_text_file(file);
    if (!text)
        return {
            file, {.configuration = {}, .problems = {config::Problem{.file = file, .key = {}, .text = text.error().what}}, .warnings = {}}};
    Checked checked{file, config::parse(*text, file)};
    if (!checked.parsed.configuration) return checked;
    checked.parsed.problems = problems_of_files(*checked.parsed.configuration);
    return checked;
}

Json problems_json(const std::vector<config::Problem>& problems) {
    Json rows = Json::array();
    for (const config::Problem& problem : problems) {
        rows.push_back(
            Json{{"file", problem.file}, {"line", problem.line}, {"column", problem.column}, {"key", problem.key}, {"text", problem.text}});
    }
    return rows;
}

void print(const Json& json, Output output, std::ostream& out) {
    out << (output == Output::yaml ? to_yaml(json) : control::document(json));
}

}  // namespace

int do_config_check(const GlobalOptions& global, const ConfigCheck& check, Surroundings& surroundings) {
    const Checked checked = read_configuration(check.file ? *check.file : configuration_file(global, surroundings.environment));
    const config::Parsed& parsed = checked.parsed;
    const bool good = parsed.problems.empty() && parsed.configuration;
    if (global.output != Output::table) {
        print(
            Json{
                {"file", checked.file},
                {"ok", good},
                {"problems", problems_json(parsed.problems)},
                {"warnings", problems_json(parsed.warnings)}},
            global.output, surroundings.out);
        return good ? exit_done : exit_configuration;
    }
    for (const config::Problem& problem : parsed.problems) surroundings.out << clean(config::text(problem)) << "\n";
    for (const config::Problem& warning : parsed.warnings) surroundings.out << "warning: " << clean(config::text(warning)) << "\n";
    if (!good) return exit_configuration;
    const model::ClusterDefinition& cluster = parsed.configuration->cluster;
    surroundings.out << fmt::format(
        "{}: ok: cluster {}, {} server{}\n", checked.file, cluster.name.text(), cluster.servers.size(),
        cluster.servers.size() == 1 ? "" : "s");
    return exit_done;
}

int do_config_show(const GlobalOptions& global, Surroundings& surroundings) {
    const Checked checked = read_configuration(configuration_file(global, surroundings.environment));
    if (!checked.parsed.configuration) {
        for (const config::Problem& problem : checked.parsed.problems) surroundings.error << clean(config::text(problem)) << "\n";
        return exit_configuration;
    }
    const config::Configuration& configuration = *checked.parsed.configuration;
    if (global.output == Output::table) {
        surroundings.out << config::show(configuration);
        return exit_done;
    }
    Json rows = Json::array();
    for (const config::Setting& setting : configuration.settings) {
        rows.push_back(Json{
            {"section", setting.section},
            {"server", setting.server.empty() ? Json(nullptr) : Json(setting.server)},
            {"key", setting.key},
            {"value", setting.value},
            {"origin", config::text(setting.origin, configuration.file_name)},
            {"acts", setting.acts}});
    }
    print(Json{{"file", configuration.file_name}, {"settings", std::move(rows)}}, global.output, surroundings.out);
    return exit_done;
}

int do_version(const GlobalOptions& global, Surroundings& surroundings) {
    if (global.output != Output::table) {
        print(control::to_json(surroundings.versions), global.output, surroundings.out);
        return exit_done;
    }
    surroundings.out << fmt::format("handyrep {} (PostgreSQL client {})\n", surroundings.versions.handyrep, surroundings.versions.libpq);
    return exit_done;
}

}  // namespace handyrep::cli
