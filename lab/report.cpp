#include "lab/stage.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace handyrep::lab {

namespace {

double seconds_of(Duration length) { return std::chrono::duration<double>(length).count(); }

std::string announced_text(const Report& report) {
    std::string out;
    for (const Announced& it : report.announced) out += (out.empty() ? "announced: " : ", ") + text(it);
    return out;
}

nlohmann::ordered_json announced_json(const Report& report) {
    nlohmann::ordered_json out = nlohmann::ordered_json::array();
    for (const Announced& it : report.announced) {
        const nlohmann::ordered_json most = it.at_most ? nlohmann::ordered_json(*it.at_most) : nlohmann::ordered_json(nullptr);
        out.push_back({{"from", it.from}, {"to", it.to}, {"proof", it.proof}, {"how", it.how}, {"at_most_bytes", most}});
    }
    return out;
}

}  // namespace

std::string text(const Report& report, bool with_lines) {
    if (!report.skipped.empty()) return fmt::format("{:<52} skipped: {}\n", report.file, report.skipped);
    std::string out = fmt::format(
        "{:<52} {:<7} {:5.1f} s  {}; {} rows, {} errors, longest gap {:.3f} s, {} lost{}{}\n", report.file,
        report.passed() ? "passed" : "FAILED", seconds_of(report.took), report.told.summary, report.client.acknowledged,
        report.client.errors, seconds_of(report.client.longest_gap), report.lost,
        report.announced.empty() ? "" : "; " + announced_text(report), report.rest.empty() ? "" : "; at rest: " + report.rest);
    for (const std::string& it : report.told.failures) out += "    " + it + "\n";
    if (!with_lines && report.passed()) return out;
    for (const Line& it : report.lines) out += fmt::format("    {:9.3f}  {:<8} {}\n", seconds_of(it.at), it.who, it.text);
    return out;
}

std::string json(const std::vector<Report>& reports) {
    nlohmann::ordered_json out = nlohmann::ordered_json::array();
    for (const Report& it : reports) {
        nlohmann::ordered_json lines = nlohmann::ordered_json::array();
        for (const Line& line : it.lines) lines.push_back({{"seconds", seconds_of(line.at)}, {"who", line.who}, {"text", line.text}});
        out.push_back(
            {{"file", it.file},
             {"title", it.title},
             {"outcome", !it.skipped.empty() ? "skipped"
                         : it.passed()       ? "passed"
                                             : "failed"},
             {"skipped", it.skipped},
             {"failures", it.told.failures},
             {"summary", it.told.summary},
             {"took_seconds", seconds_of(it.took)},
             {"rows_acknowledged", it.client.acknowledged},
             {"client_errors", it.client.errors},
             {"longest_gap_seconds", seconds_of(it.client.longest_gap)},
             {"rows_lost", it.lost},
             {"failovers", announced_json(it)},
             {"rest", it.rest},
             {"story", it.story},
             {"lines", std::move(lines)}});
    }
    return out.dump(2) + "\n";
}

}  // namespace handyrep::lab
