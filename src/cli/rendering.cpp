#include "cli/rendering.hpp"

#include "base/text.hpp"
#include "cli/rendering_words.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>

namespace handyrep::cli {

namespace {

using control::Json;

constexpr double noteworthy_silence_seconds = 5;

Tone tone_of(std::string_view status) {
    if (status == "healthy") return Tone::good;
    if (status == "lagged" || status == "warning") return Tone::attention;
    if (status == "down" || status == "unavailable") return Tone::bad;
    return Tone::plain;
}

std::string lag_of(const Json& server) {
    const Json& bytes = server.at("lag_bytes");
    const Json& seconds = server.at("lag_seconds");
    if (bytes.is_null() && seconds.is_null()) return "-";
    const std::string amount = bytes.is_null() ? "?" : bytes_text(bytes.get<std::uint64_t>());
    return seconds.is_null() ? amount : amount + " / " + rough(seconds.get<double>());
}

std::string message_of(const Json& server) {
    std::vector<std::string> parts;
    if (server.at("must_be_down").get<bool>()) parts.emplace_back("must be down");
    const std::string message = field(server, "message");
    if (!server.at("enabled").get<bool>() && !message.starts_with("disabled")) parts.emplace_back("disabled");
    const std::string seen_as = field(server, "seen_as");
    const std::string status = field(server, "status");
    const bool silent = status == "down" || status == "unavailable" || status == "unknown";  // then it is what it was, not what it is
    if (!silent && !seen_as.empty() && seen_as != field(server, "role")) parts.push_back("runs as " + seen_as);
    if (!message.empty()) parts.push_back(message);
    const Json& ago = server.at("seen_seconds_ago");
    if (ago.is_null()) parts.emplace_back("never seen");
    if (!ago.is_null() && ago.get<double>() > noteworthy_silence_seconds) parts.push_back("seen " + rough(ago.get<double>()) + " ago");
    return join(parts, "; ");
}

std::vector<Cell> row_of(const Json& server) {
    const std::string status = field(server, "status");
    return {
        Cell{field(server, "name")},
        Cell{field(server, "role")},
        Cell{status, tone_of(status)},
        Cell{field(server, "host")},
        Cell{or_dash(server.at("timeline")), Tone::plain, true},
        Cell{or_dash(server.at("lsn"))},
        Cell{lag_of(server), Tone::plain, true},
        Cell{message_of(server)},
    };
}

/// What was read on the old primary's disk, else what was announced.
std::string loss_of(const Json& loss) {
    if (loss.is_null()) return {};
    const auto amount = [&](std::string_view key) { return bytes_text(loss.at(key).get<std::uint64_t>()); };
    if (!loss.at("read_bytes").is_null()) {
        const Json& transactions = loss.at("read_transactions");
        return fmt::format(
            "; lost: {} of WAL with {} committed transactions", amount("read_bytes"),
            transactions.is_null() ? "an unknown number of" : fmt::format("{}", transactions.get<std::uint64_t>()));
    }
    return fmt::format(
        "; lost: at least {}, at most {}", loss.at("at_least_bytes").is_null() ? "unknown" : amount("at_least_bytes"),
        loss.at("at_most_bytes").is_null() ? fmt::format("unknown ({})", field(loss, "unbounded"))
                                           : amount("at_most_bytes") + " (estimated)");
}

std::string operation_of(const Json& operation, WallTime now) {
    const std::string step = field(operation, "step");
    const bool running = operation.at("ended").is_null();
    return fmt::format(
        "#{} {} by {}, {} {}: {}{}{}", operation.at("id").get<std::uint64_t>(), field(operation, "kind"), field(operation, "by"),
        running ? "since" : "ended", moment(field(operation, running ? "began" : "ended"), now), field(operation, "outcome"),
        running && !step.empty() ? ", step: " + step : "", operation.contains("loss") ? loss_of(operation.at("loss")) : "");
}

std::string header_of(const Json& status, WallTime now, const Layout& layout) {
    const std::string word = field(status, "status");
    std::string out = fmt::format("{}  {}  {}\n", field(status, "cluster"), toned(word, tone_of(word), layout), field(status, "situation"));
    const std::string sentence = field(status, "situation_text");
    if (!sentence.empty()) out += labelled("", sentence, layout);
    out += labelled("since", moment(field(status, "since"), now), layout);
    out += labelled("next", field(status, "next"), layout);
    out += labelled("automation", field(status, "automation"), layout);
    if (status.contains("scheduled") && !status.at("scheduled").is_null())
        out += labelled("scheduled", field(status.at("scheduled"), "text"), layout);
    out += labelled("fence", field(status, "fence_outlook"), layout);
    if (status.contains("readiness") && !status.at("readiness").is_null()) {
        const Json& readiness = status.at("readiness");
        out += labelled("readiness", fmt::format("{}, {}", counts_text(readiness), moment(field(readiness, "at"), now)), layout);
    }
    if (!status.at("operation").is_null()) out += labelled("operation", operation_of(status.at("operation"), now), layout);
    return out;
}

std::string status_text(const Json& status, WallTime now, const Layout& layout) {
    std::vector<std::vector<Cell>> rows;
    for (const Json& server : status.at("servers")) rows.push_back(row_of(server));
    std::string out = header_of(status, now, layout) + "\n";
    out += table({"NAME", "ROLE", "STATUS", "HOST", "TL", "LSN", "LAG", "MESSAGE"}, rows, layout);
    if (status.at("findings").empty()) return out;
    rows.clear();
    for (const Json& finding : status.at("findings")) {
        rows.push_back({Cell{field(finding, "kind"), Tone::attention}, Cell{or_dash(finding.at("server"))}, Cell{field(finding, "text")}});
    }
    return out + "\n" + table({"FINDING", "SERVER", "WHAT"}, rows, layout);
}

Tone tone_of_level(std::string_view level) {
    if (level == "error") return Tone::bad;
    return level == "warning" ? Tone::attention : Tone::plain;
}

std::string events_text(const Json& events, const Layout& layout) {
    std::vector<std::vector<Cell>> rows;
    for (const Json& event : events.at("events")) {
        const std::string level = field(event, "level");
        const std::string at = field(event, "at");
        rows.push_back(
            {Cell{at.size() > 23 ? at.substr(0, 10) + " " + at.substr(11, 12) : at, Tone::quiet}, Cell{level, tone_of_level(level)},
             Cell{field(event, "name")}, Cell{field(event, "text")}});
    }
    if (rows.empty()) return "no events yet\n";
    return table({"TIME (UTC)", "LEVEL", "EVENT", "WHAT"}, rows, layout);
}

std::string order_text(const Json& answer, const Layout& layout) {
    const bool dry_run = answer.at("dry_run").get<bool>();
    std::string summary = field(answer, "text");
    if (!dry_run) {
        const Json& plan = answer.at("plan");
        const std::string what = field(plan, plan.at("commit").is_null() ? "kind" : "commit");
        summary = fmt::format("operation #{}, {}: {}", answer.at("operation").get<std::uint64_t>(), what, summary);
    }
    std::string out;
    for (const std::string& line : wrapped(summary, layout.columns)) out += line + "\n";
    if (!dry_run) return out;
    out += "\n";
    for (const Json& step : answer.at("plan").at("steps")) out += clean(step.get<std::string>()) + "\n";
    return out;
}

}  // namespace

Result<std::string> render_status(const Json& status, WallTime now, const Layout& layout) {
    return guarded([&] { return status_text(status, now, layout); });
}

Result<std::string> render_events(const Json& events, const Layout& layout) {
    return guarded([&] { return events_text(events, layout); });
}

Result<std::string> render_order(const Json& answer, const Layout& layout) {
    return guarded([&] { return order_text(answer, layout); });
}

}  // namespace handyrep::cli
