// The bench of `./dev bench switchover`.

#include "bench/switchover_runs.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iostream>
#include <numeric>
#include <string>
#include <vector>

namespace {

using namespace handyrep;
using namespace handyrep::bench;

/// The median of HandyRep's gaps is at most so many times that of the same steps by hand, in the same run.
constexpr double most_over_hand = 2;

struct Series {
    std::string transport;
    std::vector<Handover> handyrep{};
    std::vector<Handover> by_hand{};
    std::vector<std::string> failures{};
};

std::vector<double> gaps(const std::vector<Handover>& runs) {
    std::vector<double> out;
    for (const Handover& it : runs) out.push_back(it.writer_gap);
    std::ranges::sort(out);
    return out;
}

double median(const std::vector<Handover>& runs) {
    const auto sorted = gaps(runs);
    return sorted.empty() ? 0 : sorted[sorted.size() / 2];
}

std::size_t lost(const std::vector<Handover>& runs) {
    return std::accumulate(
        runs.begin(), runs.end(), std::size_t{0}, [](std::size_t sum, const Handover& it) { return sum + it.lost_rows; });
}

std::size_t astray(const std::vector<Handover>& runs) {
    return static_cast<std::size_t>(std::ranges::count(runs, false, &Handover::follows));
}

Series measure(bool over_ssh, int runs) {
    Series out{.transport = over_ssh ? "ssh" : "local"};
    auto bench = SwitchoverBench::make(over_ssh);
    if (!bench) {
        out.failures.push_back(bench.error().text());
        return out;
    }
    const auto play = [&](std::vector<Handover>& into, Result<Handover> (SwitchoverBench::*kind)(), const std::string& what) {
        const auto run = (bench->get()->*kind)();
        std::cerr << fmt::format("{} {}: {}\n", out.transport, what, run ? fmt::format("{:.0f} ms", run->writer_gap) : run.error().text());
        if (run)
            into.push_back(*run);
        else
            out.failures.push_back(what + ": " + run.error().text());
        return run.has_value();
    };
    // By turns, so that whatever else this machine does falls on both. A run that failed leaves the cluster in an unknown state.
    for (int run = 1; run <= runs; ++run) {
        if (!play(out.handyrep, &SwitchoverBench::with_handyrep, fmt::format("run {} of {}, HandyRep", run, runs))) break;
        if (!play(out.by_hand, &SwitchoverBench::by_hand, fmt::format("run {} of {}, by hand", run, runs))) break;
    }
    return out;
}

bool good(const Series& it) {
    return it.failures.empty() && lost(it.handyrep) == 0 && astray(it.handyrep) == 0 &&
           median(it.handyrep) <= most_over_hand * median(it.by_hand);
}

std::string row(const std::string& name, const std::vector<Handover>& runs) {
    const auto sorted = gaps(runs);
    if (sorted.empty()) return fmt::format("{:<32}{:>5}\n", name, 0);
    return fmt::format(
        "{:<32}{:>5}{:>8.0f}{:>8.0f}{:>8.0f}{:>8}{:>8}\n", name, runs.size(), sorted.front(), median(runs), sorted.back(), lost(runs),
        runs.size() - astray(runs));
}

std::string table(const std::vector<Series>& all) {
    std::string out =
        fmt::format("{:<32}{:>5}{:>8}{:>8}{:>8}{:>8}{:>8}\n", "gap in milliseconds", "runs", "min", "median", "max", "lost", "follow");
    for (const Series& it : all) {
        out += row(it.transport + ": switchover", it.handyrep) + row(it.transport + ": the same by hand", it.by_hand);
        const auto slowest = std::ranges::max_element(it.handyrep, {}, &Handover::writer_gap);
        if (slowest != it.handyrep.end()) out += fmt::format("  the slowest run: {}\n", slowest->steps);
        for (const std::string& failure : it.failures) out += fmt::format("  a run failed: {}\n", failure);
        if (median(it.by_hand) > 0)
            out += fmt::format(
                "{}: median {:.2f} times that by hand (at most {}), {} rows lost (0), {} of {} old primaries follow without a rewind: {}\n",
                it.transport, median(it.handyrep) / median(it.by_hand), most_over_hand, lost(it.handyrep),
                it.handyrep.size() - astray(it.handyrep), it.handyrep.size(), good(it) ? "met" : "NOT MET");
    }
    return out;
}

nlohmann::ordered_json json(const std::vector<Series>& all) {
    nlohmann::ordered_json out = nlohmann::ordered_json::array();
    for (const Series& it : all)
        out.push_back(
            {{"transport", it.transport},
             {"handyrep_gaps", gaps(it.handyrep)},
             {"by_hand_gaps", gaps(it.by_hand)},
             {"rows_lost", lost(it.handyrep)},
             {"old_primaries_that_do_not_follow", astray(it.handyrep)},
             {"failures", it.failures},
             {"met", good(it)}});
    return out;
}

}  // namespace

int main(int count, char** words) {
    int runs = 20;
    std::string transport = "both";
    bool as_json = false;
    bool check = false;
    CLI::App app{"Hands the role of primary to and fro under a writer, and does the same steps by hand.", "./dev bench switchover"};
    app.add_option("--runs", runs, "Runs of each kind per transport")->check(CLI::Range(1, 1000))->capture_default_str();
    app.add_option("--transport", transport, "local, ssh or both")->check(CLI::IsMember({"local", "ssh", "both"}))->capture_default_str();
    app.add_flag("--json", as_json, "Numbers for programs on standard output");
    app.add_flag("--check", check, "Exit code 1 when a bound is not met");
    CLI11_PARSE(app, count, words);
    std::vector<Series> all;
    if (transport != "ssh") all.push_back(measure(false, runs));
    if (transport != "local") all.push_back(measure(true, runs));
    std::cout << (as_json ? json(all).dump(2) + "\n" : table(all));
    return check && !std::ranges::all_of(all, good) ? 1 : 0;
}
