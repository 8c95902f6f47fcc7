// Operations, for people.
#include "base/text.hpp"
#include "cli/rendering.hpp"
#include "cli/rendering_words.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>

namespace handyrep::cli {

using control::Json;

namespace {

Tone tone_of_outcome(std::string_view outcome) {
    if (outcome == "done") return Tone::good;
    if (outcome == "running" || outcome == "undone" || outcome.starts_with("done, but")) return Tone::attention;
    return Tone::bad;
}

std::string time_of(const std::string& iso) { return iso.size() > 23 ? iso.substr(0, 10) + " " + iso.substr(11, 12) : iso; }

std::string took(const Json& step) {
    const Json& seconds = step.at("took_seconds");
    return seconds.is_null() ? "-" : fmt::format("{:.3f} s", seconds.get<double>());
}

/// "1.2 GB of 2 GB copied (60 %), 80 MB/s, 10s left".
std::string progress_text(const Json& progress) {
    const std::uint64_t done = progress.at("done_bytes").get<std::uint64_t>();
    std::string out = bytes_text(done);
    if (const Json& total = progress.at("total_bytes"); !total.is_null()) {
        const std::uint64_t all = total.get<std::uint64_t>();
        out += fmt::format(" of {} copied ({} %)", bytes_text(all), all == 0 ? 100 : std::min<std::uint64_t>(100, done * 100 / all));
    } else {
        out += " copied";
    }
    if (const Json& rate = progress.at("rate_bytes_per_second"); !rate.is_null())
        out += fmt::format(", {}/s", bytes_text(rate.get<std::uint64_t>()));
    if (const Json& left = progress.at("left_seconds"); !left.is_null() && left.get<double>() > 0)
        out += fmt::format(", {:.0f} s left", left.get<double>());
    return out;
}

std::string operations_text(const Json& operations, const Layout& layout) {
    std::vector<std::vector<Cell>> rows;
    for (const Json& it : operations.at("operations")) {
        const std::string outcome = field(it, "outcome");
        rows.push_back(
            {Cell{fmt::format("{}", it.at("id").get<std::uint64_t>()), Tone::plain, true}, Cell{time_of(field(it, "began")), Tone::quiet},
             Cell{field(it, "kind")}, Cell{field(it, "by")}, Cell{outcome, tone_of_outcome(outcome)}});
    }
    if (rows.empty()) return "no operations yet\n";
    return table({"#", "BEGAN (UTC)", "KIND", "BY", "OUTCOME"}, rows, layout);
}

std::string operation_text(const Json& operation, bool plan, const Layout& layout) {
    std::string out =
        fmt::format("#{} {}\n", operation.at("id").get<std::uint64_t>(), toned(field(operation, "kind"), Tone::plain, layout));
    out += labelled("by", field(operation, "by"), layout);
    out += labelled("why", field(operation, "reason"), layout);
    out += labelled("began", time_of(field(operation, "began")) + " UTC", layout);
    if (!operation.at("ended").is_null()) out += labelled("ended", time_of(field(operation, "ended")) + " UTC", layout);
    out += labelled("outcome", field(operation, "outcome"), layout);
    if (const auto found = operation.find("progress"); found != operation.end() && !found->is_null())
        out += labelled("copied", progress_text(*found), layout);
    std::vector<std::vector<Cell>> rows;
    for (const Json& step : operation.at("steps")) {
        const std::string outcome = field(step, "outcome");
        rows.push_back(
            {Cell{time_of(field(step, "began")).substr(11), Tone::quiet}, Cell{field(step, "name")},
             Cell{outcome, tone_of_outcome(outcome)}, Cell{took(step), Tone::plain, true}, Cell{field(step, "text")}});
    }
    if (!rows.empty()) out += "\n" + table({"BEGAN", "STEP", "OUTCOME", "TOOK", "WHAT"}, rows, layout);
    if (!plan) return out;
    out += "\nThe plan was:\n";
    for (const Json& line : operation.at("plan")) out += clean(line.get<std::string>()) + "\n";
    return out;
}

std::vector<std::string> steps_text(const Json& operation, std::size_t from) {
    std::vector<std::string> out;
    const Json& steps = operation.at("steps");
    for (std::size_t at = from; at < steps.size(); ++at) {
        const Json& step = steps.at(at);
        if (field(step, "outcome") == "running") break;
        const std::string text = field(step, "text");
        out.push_back(fmt::format(
            "{}  {}: {} ({}){}", time_of(field(step, "began")).substr(11), field(step, "name"), field(step, "outcome"), took(step),
            text.empty() ? "" : " — " + text));
    }
    return out;
}

}  // namespace

Result<std::string> render_operations(const Json& operations, const Layout& layout) {
    return guarded([&] { return operations_text(operations, layout); });
}

Result<std::string> render_operation(const Json& operation, bool plan, const Layout& layout) {
    return guarded([&] { return operation_text(operation, plan, layout); });
}

Result<std::string> render_progress(const Json& operation) {
    return guarded([&] {
        const auto found = operation.find("progress");
        return found == operation.end() || found->is_null() ? std::string{} : progress_text(*found);
    });
}

Result<std::vector<std::string>> render_steps(const Json& operation, std::size_t from) {
    std::vector<std::string> out;
    const auto read = guarded([&] {
        out = steps_text(operation, from);
        return std::string{};
    });
    if (!read) return read.error();
    return out;
}

}  // namespace handyrep::cli
