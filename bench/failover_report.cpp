#include "bench/failover_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>

namespace handyrep::bench {
namespace {

constexpr double median_bound = 300;
constexpr double longest_bound = 1000;
constexpr double over_hand_bound = 250;

struct Spread {
    double least = 0;
    double median = 0;
    double most = 0;
};

Spread spread(std::vector<double> values) {
    if (values.empty()) return {};
    std::ranges::sort(values);
    const std::size_t half = values.size() / 2;
    const double median = values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
    return {values.front(), median, values.back()};
}

template <class One>
std::vector<double> times(const std::vector<One>& runs) {
    std::vector<double> values;
    for (const auto& run : runs) values.push_back(run.until_write);
    return values;
}

std::vector<double> gaps(const std::vector<Run>& runs) {
    std::vector<double> values;
    for (const auto& run : runs) {
        if (run.writer_gap) values.push_back(*run.writer_gap);
    }
    return values;
}

std::size_t lost(const std::vector<Run>& runs) {
    return std::accumulate(runs.begin(), runs.end(), std::size_t{0}, [](std::size_t sum, const Run& run) { return sum + run.lost_rows; });
}

std::size_t most_lost(const std::vector<Run>& runs) {
    std::size_t most = 0;
    for (const auto& run : runs) most = std::max(most, run.lost_rows);
    return most;
}

std::uint64_t rows_after(const std::vector<OrphanRun>& runs) {
    return std::accumulate(
        runs.begin(), runs.end(), std::uint64_t{0}, [](std::uint64_t sum, const OrphanRun& run) { return sum + run.rows_after_promotion; });
}

std::string row(const std::string& name, const std::vector<double>& values, const std::string& note) {
    if (values.empty()) return {};
    const Spread it = spread(values);
    return fmt::format("{:<38}{:>5}{:>8.0f}{:>8.0f}{:>8.0f}  {}\n", name, values.size(), it.least, it.median, it.most, note);
}

nlohmann::ordered_json json(const Spread& it, std::size_t runs) {
    return {{"runs", runs}, {"min_ms", it.least}, {"median_ms", it.median}, {"max_ms", it.most}};
}

nlohmann::ordered_json json(const std::vector<Run>& runs) {
    auto all = json(spread(times(runs)), runs.size());
    all["writer_gap"] = json(spread(gaps(runs)), gaps(runs).size());
    all["lost_rows"] = lost(runs);
    all["each"] = nlohmann::ordered_json::array();
    for (const auto& run : runs) {
        nlohmann::ordered_json one{{"until_write_ms", run.until_write}, {"lost_rows", run.lost_rows}};
        if (run.writer_gap) one["writer_gap_ms"] = *run.writer_gap;
        if (run.announced) one["announced_loss"] = *run.announced;
        all["each"].push_back(std::move(one));
    }
    return all;
}

}  // namespace

std::vector<Bound> bounds(const std::vector<Series>& all) {
    std::vector<Bound> list;
    const auto at_most = [&](const std::string& promise, double measured, double bound) {
        list.push_back({fmt::format("{} at most {:.0f} ms", promise, bound), fmt::format("{:.0f} ms", measured), measured <= bound});
    };
    for (const auto& series : all) {
        if (!series.handyrep.empty()) {
            const Spread it = spread(times(series.handyrep));
            at_most(series.transport + ": median", it.median, median_bound);
            at_most(series.transport + ": maximum", it.most, longest_bound);
            if (!series.by_hand.empty()) {
                at_most(
                    series.transport + ": median minus that of pg_promote", it.median - spread(times(series.by_hand)).median,
                    over_hand_bound);
            }
        }
        if (!series.orphan.empty()) {
            const auto rows = rows_after(series.orphan);
            list.push_back({series.transport + ": rows on the old primary after promotion 0", fmt::format("{}", rows), rows == 0});
        }
        list.push_back(
            {series.transport + ": every run came to its end", fmt::format("{} did not", series.failures.size()), series.failures.empty()});
    }
    return list;
}

std::string table(const std::vector<Series>& all) {
    std::string text = fmt::format("{:<38}{:>5}{:>8}{:>8}{:>8}  {}\n", "milliseconds", "runs", "min", "median", "max", "lost rows");
    for (const auto& series : all) {
        const auto losses = [](const std::vector<Run>& runs) { return fmt::format("{} (max {})", lost(runs), most_lost(runs)); };
        text += row(series.transport + ": kill -9 to first write", times(series.handyrep), losses(series.handyrep));
        text += row(series.transport + ": gap the writer saw", gaps(series.handyrep), "");
        text += row(series.transport + ": pg_promote to first write", times(series.by_hand), losses(series.by_hand));
        text +=
            row(series.transport + ": orphan, kill to first write", times(series.orphan),
                fmt::format("{} after promotion", rows_after(series.orphan)));
        std::set<std::string> announced;
        for (const auto& run : series.handyrep) announced.insert(run.announced.value_or("nothing"));
        for (const auto& words : announced) text += fmt::format("  announced as loss: {}\n", words);
        const auto slowest = std::ranges::max_element(series.handyrep, {}, &Run::until_write);
        if (slowest != series.handyrep.end()) text += fmt::format("  the slowest run: {}\n", slowest->steps);
        for (const auto& failure : series.failures) text += fmt::format("  a run failed: {}\n", failure);
    }
    text += "\n";
    for (const auto& bound : bounds(all))
        text += fmt::format("{:<54}{:>10}  {}\n", bound.promise, bound.measured, bound.met ? "met" : "NOT MET");
    return text;
}

nlohmann::ordered_json json(const std::vector<Series>& all) {
    nlohmann::ordered_json document{{"series", nlohmann::ordered_json::array()}, {"bounds", nlohmann::ordered_json::array()}};
    for (const auto& series : all) {
        nlohmann::ordered_json one{
            {"transport", series.transport}, {"handyrep", json(series.handyrep)}, {"pg_promote", json(series.by_hand)}};
        auto orphan = json(spread(times(series.orphan)), series.orphan.size());
        orphan["rows_after_promotion"] = rows_after(series.orphan);
        one["orphan"] = std::move(orphan);
        one["failures"] = series.failures;
        document["series"].push_back(std::move(one));
    }
    for (const auto& bound : bounds(all))
        document["bounds"].push_back({{"promise", bound.promise}, {"measured", bound.measured}, {"met", bound.met}});
    return document;
}

}  // namespace handyrep::bench
