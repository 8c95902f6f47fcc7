// The answers of `explain`, for a person at 3 a.m.: what it is, what happens next, who takes writes, why, and why not otherwise.
#include "base/text.hpp"
#include "cli/rendering.hpp"
#include "cli/rendering_words.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace handyrep::cli {

namespace {

using control::Json;

std::string age(const Json& seconds) { return seconds.is_null() ? "-" : rough(seconds.get<double>()); }

Tone tone_of_weight(std::string_view weight) {
    if (weight == "for") return Tone::bad;
    return weight == "against" ? Tone::good : Tone::attention;
}

std::string titled(std::string_view title, const std::string& body) { return fmt::format("\n{}\n{}", title, body); }

/// "2026-11-22 03:04:05 UTC (41s before)": before the moment that is explained, which may be long ago.
std::string since_of(const Json& explanation) {
    const auto at = parse_wall_time(field(explanation, "at"));
    const auto since = parse_wall_time(field(explanation, "since"));
    if (!at || !since) return field(explanation, "since");
    return fmt::format("{} UTC ({} before)", plain_time(*since), rough(std::chrono::duration<double>(*at - *since).count()));
}

std::string next_of(const Json& explanation) {
    const Json& in = explanation.at("next_in_seconds");
    std::string out = fmt::format("{} ({})", field(explanation, "next"), field(explanation, "reason"));
    if (!in.is_null() && in.get<double>() > 0) out += fmt::format(", due in {}", rough(in.get<double>()));
    return out;
}

std::string writes_of(const Json& explanation) {
    const Json& it = explanation.at("writes_go_to");
    if (it.is_null()) return "nobody is seen to take writes";
    const Json& flushed = it.at("flushed_seconds_ago");
    return fmt::format(
        "go to {} at {}, seen {} before{}", field(it, "server"), field(it, "position"), rough(it.at("age_seconds").get<double>()),
        flushed.is_null() ? "; it was not seen to write" : fmt::format("; it wrote {} before", rough(flushed.get<double>())));
}

std::string header_of(const Json& it, const Layout& layout) {
    const auto at = parse_wall_time(field(it, "at"));
    std::string out =
        fmt::format("{}  {}  at {} UTC\n", field(it, "cluster"), field(it, "situation"), at ? plain_time(*at) : field(it, "at"));
    out += labelled("", field(it, "situation_text"), layout);
    out += labelled("since", since_of(it), layout);
    out += labelled("next", next_of(it), layout);
    out += labelled("writes", writes_of(it), layout);
    out += labelled("to do", field(it, "advice"), layout);
    return out;
}

std::string evidence_of(const Json& it, const Layout& layout) {
    std::vector<std::vector<Cell>> rows;
    for (const Json& clue : it.at("evidence")) {
        const std::string weight = field(clue, "weight");
        rows.push_back(
            {Cell{weight, tone_of_weight(weight)}, Cell{field(clue, "server")}, Cell{field(clue, "source")},
             Cell{age(clue.at("age_seconds")), Tone::plain, true}, Cell{field(clue, "text")}});
    }
    if (rows.empty()) return {};
    return titled("Is the primary dead?", table({"", "SERVER", "SENSOR", "AGE", "WHAT"}, rows, layout));
}

std::string not_otherwise_of(const Json& it, const Layout& layout) {
    std::vector<std::vector<Cell>> rows;
    for (const Json& other : it.at("not_otherwise")) rows.push_back({Cell{field(other, "situation")}, Cell{field(other, "text")}});
    if (rows.empty()) return {};
    return titled("Why it is nothing else", table({"NOT", "BECAUSE"}, rows, layout));
}

/// Those that hold. That a primary which is well was seen to write is no news.
std::string guards_of(const Json& it, const Layout& layout) {
    const bool healthy = field(it, "situation") == "Healthy";
    std::vector<std::vector<Cell>> rows;
    for (const Json& guard : it.at("guards")) {
        if (!guard.at("holds").get<bool>() || (healthy && field(guard, "reason") == "WritableSighting")) continue;
        rows.push_back({Cell{field(guard, "reason"), Tone::attention}, Cell{field(guard, "text")}});
    }
    if (rows.empty()) return {};
    return titled("What holds an automatic failover back", table({"GUARD", "WHY"}, rows, layout));
}

std::string gates_of(const Json& it, const Layout& layout) {
    std::vector<std::vector<Cell>> rows;
    for (const Json& gate : it.at("gates")) {
        const bool open = gate.at("open").get<bool>();
        rows.push_back(
            {Cell{field(gate, "gate")}, Cell{open ? "open" : "closed", open ? Tone::good : Tone::bad}, Cell{field(gate, "word")},
             Cell{field(gate, "text")}});
    }
    if (rows.empty()) return {};
    return titled("The gates of a failover", table({"GATE", "STATE", "BY", "WHY"}, rows, layout));
}

std::string candidates_of(const Json& it, const Layout& layout) {
    std::vector<std::vector<Cell>> rows;
    for (const Json& one : it.at("candidates")) {
        const bool chosen = one.at("chosen").get<bool>();
        rows.push_back({Cell{field(one, "server"), chosen ? Tone::good : Tone::plain}, Cell{field(one, "text")}});
    }
    if (rows.empty()) return {};
    return titled("Who could take over", table({"SERVER", "WHY"}, rows, layout));
}

/// One line per server, one below it per sensor.
std::string servers_of(const Json& it, const Layout& layout) {
    std::vector<std::vector<Cell>> rows;
    for (const Json& server : it.at("servers")) {
        const Json& behind = server.at("behind_bytes");
        const std::string position = server.at("lsn").is_null()
                                         ? "nothing known of its WAL"
                                         : fmt::format("at {}:{}", or_dash(server.at("timeline")), or_dash(server.at("lsn")));
        const std::string distance =
            behind.is_null() ? "" : fmt::format(", {} behind the primary", bytes_text(behind.get<std::uint64_t>()));
        rows.push_back(
            {Cell{field(server, "server")}, Cell{field(server, "role")}, Cell{age(server.at("age_seconds")), Tone::plain, true},
             Cell{position + distance}});
        for (const Json& sensor : server.at("sensors")) {
            rows.push_back(
                {Cell{}, Cell{field(sensor, "sensor"), Tone::quiet}, Cell{age(sensor.at("age_seconds")), Tone::quiet, true},
                 Cell{field(sensor, "text")}});
        }
    }
    return titled("What the sensors last said", table({"SERVER", "SENSOR", "AGE", "WHAT"}, rows, layout));
}

std::string findings_of(const Json& it, const Layout& layout) {
    std::vector<std::vector<Cell>> rows;
    for (const Json& finding : it.at("findings")) {
        rows.push_back({Cell{field(finding, "kind"), Tone::attention}, Cell{or_dash(finding.at("server"))}, Cell{field(finding, "text")}});
        rows.push_back({Cell{}, Cell{}, Cell{"to do: " + field(finding, "advice")}});
    }
    return rows.empty() ? std::string{} : titled("What else is wrong", table({"FINDING", "SERVER", "WHAT"}, rows, layout));
}

std::string earlier_of(const Json& it, const Layout& layout) {
    std::vector<std::vector<Cell>> rows;
    for (const Json& change : it.at("earlier")) {
        const auto at = parse_wall_time(field(change, "at"));
        rows.push_back(
            {Cell{fmt::format("{}", change.at("back").get<std::uint64_t>()), Tone::plain, true},
             Cell{at ? plain_time(*at) : field(change, "at"), Tone::quiet}, Cell{field(change, "situation")}, Cell{field(change, "next")}});
    }
    if (rows.empty()) return {};
    return titled("Earlier changes (explain --back N)", table({"N", "TIME (UTC)", "SITUATION", "WHAT CAME NEXT"}, rows, layout));
}

std::string explanation_text(const Json& it, const Layout& layout) {
    return header_of(it, layout) + guards_of(it, layout) + gates_of(it, layout) + evidence_of(it, layout) + not_otherwise_of(it, layout) +
           candidates_of(it, layout) + servers_of(it, layout) + findings_of(it, layout) + earlier_of(it, layout);
}

// --- if the primary died

std::string loss_of(const Json& loss) {
    if (loss.is_null()) return "nobody knows: the primary or the candidate was never read";
    const auto known = loss.at("known_bytes").get<std::uint64_t>();
    const Json& most = loss.at("at_most_bytes");
    return fmt::format(
        "{} (primary seen {} before, candidate {}); what was written after that and not sent comes on top: {}",
        known == 0 ? "nothing known: the candidate had all that the primary was seen to have flushed"
                   : fmt::format("at least {} of WAL that the primary had flushed and the candidate had not", bytes_text(known)),
        rough(loss.at("primary_age_seconds").get<double>()), rough(loss.at("candidate_age_seconds").get<double>()),
        most.is_null()
            ? fmt::format("nobody can say how much: {}", field(loss, "unbounded"))
            : fmt::format("at most {} in all, estimated by how fast it was seen to write", bytes_text(most.get<std::uint64_t>())));
}

std::string outcome_of(const Json& death) {
    const bool acts = death.at("by_itself").get<bool>();
    return fmt::format(
        "{} {}: {}", acts ? "after about" : "even after", rough(death.at("after_seconds").get<double>()), field(death, "next"));
}

/// Indented as they come, wrapped under themselves.
std::string steps_of(const Json& death, const Layout& layout) {
    std::string out;
    for (const Json& step : death.at("steps")) {
        const std::string line = clean(step.get<std::string>());
        const std::size_t indent = std::min(line.find_first_not_of(' '), line.size());
        std::string space(indent, ' ');
        for (const std::string& part : wrapped(std::string_view(line).substr(indent), layout.columns - indent - 2)) {
            out += space + part + "\n";
            if (space.size() == indent) space += "  ";
        }
    }
    return out.empty() ? out : titled("The steps", out);
}

std::string death_text(const Json& death, const std::string& primary, const Layout& layout) {
    const bool acts = death.at("by_itself").get<bool>();
    std::vector<std::string> others;
    for (const Json& other : death.at("with_it")) others.push_back(clean(other.get<std::string>()));
    std::string out =
        fmt::format("\nIF {} DIED: {}{}\n", primary, field(death, "death"), others.empty() ? "" : ": also " + join(others, ", "));
    out += labelled("situation", fmt::format("{}: {}", field(death, "situation"), field(death, "situation_text")), layout);
    out += labelled("outcome", outcome_of(death), layout);
    if (!acts) out += labelled("an order", field(death, "order"), layout);
    out += labelled("candidate", or_dash(death.at("candidate")), layout);
    if (!death.at("candidate").is_null()) out += labelled("lost", loss_of(death.at("loss")), layout);
    return out + guards_of(death, layout) + gates_of(death, layout);
}

std::string foresight_text(const Json& it, const Layout& layout) {
    const auto at = parse_wall_time(field(it, "at"));
    std::string out =
        fmt::format("{}  if {} died now, {} UTC\n", field(it, "cluster"), field(it, "primary"), at ? plain_time(*at) : field(it, "at"));
    std::string shown;
    for (const Json& death : it.at("if_primary_died")) {
        out += death_text(death, field(it, "primary"), layout);
        // Mostly the same whichever way it dies: then once is enough.
        if (std::string who = candidates_of(death, layout); who != shown) {
            out += who;
            shown = std::move(who);
        }
        out += steps_of(death, layout);
    }
    return out;
}

}  // namespace

Result<std::string> render_explanation(const Json& explanation, const Layout& layout) {
    return guarded([&] { return explanation_text(explanation, layout); });
}

Result<std::string> render_foresight(const Json& foresight, const Layout& layout) {
    return guarded([&] { return foresight_text(foresight, layout); });
}

}  // namespace handyrep::cli
