#include "cli/asking.hpp"

#include "base/text.hpp"
#include "cli/files.hpp"
#include "cli/rendering.hpp"

#include <fmt/format.h>

#include <iostream>

namespace handyrep::cli {

using control::Json;

Ending ending_of(const Error& error) { return {error.text(), row_of(error.kind).exit_code}; }

namespace {

std::variant<Target, Ending> find_daemon(const GlobalOptions& global, const Surroundings& surroundings) {
    if (global.url) {
        auto target = parse_url(*global.url);
        if (!target) return Ending{target.error().text(), exit_usage};
        target->token = Secret{surroundings.environment("HANDYREP_TOKEN").value_or("")};
        return std::move(*target);
    }
    const std::string file = configuration_file(global, surroundings.environment);
    const auto text = read_text_file(file);
    if (!text) return Ending{fmt::format("{}; name it with --config, or the daemon with --url", text.error().text()), exit_configuration};
    const config::Parsed parsed = config::parse(*text, file);
    if (!parsed.configuration) {
        std::string problems;
        for (const config::Problem& problem : parsed.problems) problems += (problems.empty() ? "" : "\n") + config::text(problem);
        return Ending{problems, exit_configuration};
    }
    auto target = local_target(*parsed.configuration, surroundings.environment);
    if (!target) return ending_of(target.error());
    return std::move(*target);
}

/// The problem object's words, or what can be said without one.
Ending ending_of(const Reply& reply, const Target& target, bool by_url) {
    const Json problem = Json::parse(reply.body, nullptr, false);
    const auto word = [&](const char* name) -> std::string {
        const bool there = problem.is_object() && problem.contains(name) && problem[name].is_string();
        return there ? problem[name].get<std::string>() : std::string{};
    };
    if (word("detail").empty())
        return {
            fmt::format("{} answered HTTP {}, not as a HandyRep daemon does", target.text(), reply.status),
            exit_code_for(reply.status, "")};
    std::string remedy = word("remedy");
    if (reply.status == 401)
        remedy = by_url ? "give a valid token in HANDYREP_TOKEN"
                        : "the daemon makes cli.token anew at every start: was this one started with the same configuration?";
    return {fmt::format("{}\n  remedy: {}", word("detail"), remedy), exit_code_for(reply.status, word("kind"))};
}

}  // namespace

std::string path_of(std::string_view path, const GlobalOptions& global, std::string query) {
    if (global.cluster) query += (query.empty() ? "" : "&") + ("cluster=" + percent_encoded(*global.cluster));
    return query.empty() ? std::string(path) : fmt::format("{}?{}", path, query);
}

Answer fetch(const GlobalOptions& global, const Surroundings& surroundings, const Question& question, Duration limit) {
    const auto found = find_daemon(global, surroundings);
    if (const auto* ending = std::get_if<Ending>(&found)) return *ending;
    const auto& target = std::get<Target>(found);
    const auto reply = ask(target, question, global.timeout.value_or(limit));
    if (!reply) return ending_of(reply.error());
    if (reply->status != 200) return ending_of(*reply, target, global.url.has_value());
    Json json = Json::parse(reply->body, nullptr, false);
    if (json.is_discarded()) return Ending{fmt::format("{} answered, but not in JSON", target.text()), exit_failed};
    return json;
}

int end(const Ending& ending, Surroundings& surroundings) {
    for (const std::string_view line : split(ending.text, '\n'))
        surroundings.error << (line.starts_with(' ') ? "" : "handyrep: ") << clean(line) << "\n";
    return ending.exit_code;
}

int print(const Json& json, const Result<std::string>& table, const GlobalOptions& global, Surroundings& surroundings) {
    switch (global.output) {
        case Output::json: surroundings.out << control::document(json); return exit_done;
        case Output::yaml: surroundings.out << to_yaml(json); return exit_done;
        case Output::table: break;
    }
    if (!table) return end(ending_of(table.error()), surroundings);
    surroundings.out << *table;
    return exit_done;
}

}  // namespace handyrep::cli
