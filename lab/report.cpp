#include "lab/stage.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace handyrep::lab {

namespace {

double seconds_of(Duration length) { return std::chrono::duration<double>(length).count(); }

std::string number_or_unknown(const std::optional<std::size_t>& number) { return number ? fmt::format("{}", *number) : "unknown"; }

std::string way_text(const ClientReport& it) {
    return fmt::format(
        "    through {:<10} {} rows, longest gap {:.3f} s{}, silent at the end {:.3f} s; {} errors ({} on a read-only server), {} ambiguous ({} of them there); missing {}, "
        "accepted by two servers {}, after another was promoted {}\n",
        it.way, it.acknowledged, seconds_of(it.longest_gap),
        it.gap_from == it.gap_to ? "" : fmt::format(" from {} to {}", it.gap_from, it.gap_to), seconds_of(it.silent), it.errors,
        it.read_only, it.ambiguous, it.found, number_or_unknown(it.missing), number_or_unknown(it.accepted_twice), it.late);
}

std::string took_writes_text(const Report& report) {
    std::string out;
    for (const TookWrites& it : report.took_writes)
        out += fmt::format(
            "{}{} {:.3f} to {:.3f} s (timeline {})", out.empty() ? "    took writes: " : ", ", it.server, seconds_of(it.from),
            seconds_of(it.to), it.timeline);
    return out.empty() ? out : out + "\n";
}

nlohmann::ordered_json number_or_null(const std::optional<std::size_t>& number) {
    return number ? nlohmann::ordered_json(*number) : nlohmann::ordered_json();
}

nlohmann::ordered_json ways_json(const Report& report) {
    nlohmann::ordered_json out = nlohmann::ordered_json::array();
    for (const ClientReport& it : report.ways)
        out.push_back(
            {{"way", it.way},
             {"rows_acknowledged", it.acknowledged},
             {"errors", it.errors},
             {"errors_on_a_read_only_server", it.read_only},
             {"ambiguous", it.ambiguous},
             {"ambiguous_that_were_there", it.found},
             {"longest_gap_seconds", seconds_of(it.longest_gap)},
             {"gap_from", it.gap_from},
             {"gap_to", it.gap_to},
             {"silent_at_the_end_seconds", seconds_of(it.silent)},
             {"rows_missing", number_or_null(it.missing)},
             {"rows_accepted_twice", number_or_null(it.accepted_twice)},
             {"rows_after_another_was_promoted", it.late}});
    return out;
}

nlohmann::ordered_json took_writes_json(const Report& report) {
    nlohmann::ordered_json out = nlohmann::ordered_json::array();
    for (const TookWrites& it : report.took_writes)
        out.push_back(
            {{"server", it.server},
             {"timeline", it.timeline},
             {"from_seconds", seconds_of(it.from)},
             {"to_seconds", seconds_of(it.to)},
             {"commits", it.commits}});
    return out;
}

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
        "{:<52} {:<7} {:5.1f} s  {}; {} lost{}{}\n", report.file, report.passed() ? "passed" : "FAILED", seconds_of(report.took),
        report.told.summary, report.lost, report.announced.empty() ? "" : "; " + announced_text(report),
        report.rest.empty() ? "" : "; at rest: " + report.rest);
    for (const ClientReport& it : report.ways) out += way_text(it);
    out += took_writes_text(report);
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
             {"ways", ways_json(it)},
             {"took_writes", took_writes_json(it)},
             {"looks_per_second", it.looks_per_second},
             {"rows_lost", it.lost},
             {"failovers", announced_json(it)},
             {"rest", it.rest},
             {"story", it.story},
             {"lines", std::move(lines)}});
    }
    return out.dump(2) + "\n";
}

}  // namespace handyrep::lab
