#include "cli/rendering.hpp"
#include "cli/rendering_words.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace handyrep::cli {

namespace {

using control::Json;

Tone tone_of_outcome(std::string_view outcome) {
    if (outcome == "ok") return Tone::good;
    if (outcome == "broken") return Tone::bad;
    return outcome == "debt" ? Tone::attention : Tone::plain;
}

std::string readiness_text(const Json& readiness, bool all, WallTime now, const Layout& layout) {
    std::string out = fmt::format("{}  {}\n", field(readiness, "cluster"), counts_text(readiness.at("counts")));
    out += labelled("looked", moment(field(readiness, "at"), now), layout);
    if (readiness.at("hosts_at") != readiness.at("at")) {
        const Json& hosts = readiness.at("hosts_at");
        out += labelled("hosts", hosts.is_null() ? "not looked into yet" : moment(hosts.get<std::string>(), now), layout);
    }
    std::vector<std::vector<Cell>> rows;
    for (const Json& check : readiness.at("checks")) {
        const std::string outcome = field(check, "outcome");
        if (!all && outcome == "ok") continue;
        const std::string remedy = field(check, "remedy");
        rows.push_back(
            {Cell{field(check, "server")}, Cell{outcome, tone_of_outcome(outcome)}, Cell{field(check, "name")},
             Cell{field(check, "text") + (remedy.empty() ? "" : ". Remedy: " + remedy)}});
    }
    if (rows.empty()) return out + "\neverything is as it should be; --all shows each check\n";
    return out + "\n" + table({"SERVER", "OUTCOME", "CHECK", "WHAT"}, rows, layout);
}

}  // namespace

Result<std::string> render_readiness(const Json& readiness, bool all, WallTime now, const Layout& layout) {
    return guarded([&] { return readiness_text(readiness, all, now, layout); });
}

}  // namespace handyrep::cli
