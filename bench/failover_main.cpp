// The bench of `./dev bench failover`.

#include "bench/failover_report.hpp"
#include "bench/failover_runs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iostream>
#include <optional>
#include <span>
#include <string_view>

namespace {

using namespace handyrep;
using namespace handyrep::bench;

constexpr std::string_view usage = R"(./dev bench failover [OPTIONS]

Kills the primary of a real cluster on this machine again and again, and measures
how long clients cannot write: with HandyRep, and with pg_promote alone.

  --runs N             runs of each kind per transport (default 20)
  --orphan-runs N      runs with the postmaster alone killed (default 5)
  --transport WHICH    local, ssh or both (default both)
  --json               numbers for programs on standard output
  --check              exit code 1 when a bound is not met
)";

struct Options {
    int runs = 20;
    int orphan_runs = 5;
    bool local = true;
    bool ssh = true;
    bool json = false;
    bool check = false;
};

bool read_count(std::string_view text, int& into) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
    return error == std::errc{} && end == text.data() + text.size() && into >= 0;
}

bool read_transport(std::string_view text, Options& options) {
    options.local = text == "local" || text == "both";
    options.ssh = text == "ssh" || text == "both";
    return options.local || options.ssh;
}

std::optional<Options> read(std::span<char*> arguments) {
    Options options;
    for (std::size_t at = 1; at < arguments.size(); ++at) {
        const std::string_view word = arguments[at];
        const std::string_view value = at + 1 < arguments.size() ? std::string_view{arguments[at + 1]} : std::string_view{};
        bool good = true;
        if (word == "--runs")
            good = read_count(value, options.runs), ++at;
        else if (word == "--orphan-runs")
            good = read_count(value, options.orphan_runs), ++at;
        else if (word == "--transport")
            good = read_transport(value, options), ++at;
        else if (word == "--json")
            options.json = true;
        else if (word == "--check")
            options.check = true;
        else
            good = false;
        if (!good) {
            std::cerr << fmt::format("not understood: {} {}\n\n{}", word, value, usage);
            return std::nullopt;
        }
    }
    return options;
}

template <class One>
void note(Series& series, std::vector<One>& into, const Result<One>& run, const std::string& what) {
    if (!run) {
        series.failures.push_back(what + ": " + run.error().text());
        std::cerr << fmt::format("{} {}: failed: {}\n", series.transport, what, run.error().text());
        return;
    }
    into.push_back(*run);
    std::cerr << fmt::format("{} {}: {:.0f} ms\n", series.transport, what, run->until_write);
}

/// A run that failed leaves a cluster in an unknown state: the next one gets a new one.
class Clusters {
public:
    explicit Clusters(bool over_ssh) : over_ssh_{over_ssh} {}

    template <class One>
    void play(Series& series, std::vector<One>& into, Result<One> (FailoverBench::*kind)(), const std::string& what) {
        if (!bench_) {
            auto made = FailoverBench::make(over_ssh_);
            if (!made) return note(series, into, Result<One>{made.error()}, what);
            bench_ = std::move(*made);
        }
        const Result<One> run = (bench_.get()->*kind)();
        note(series, into, run, what);
        if (!run) bench_.reset();
    }

private:
    bool over_ssh_;
    std::unique_ptr<FailoverBench> bench_;
};

Series measure(bool over_ssh, const Options& options) {
    Series series{.transport = over_ssh ? "ssh" : "local"};
    Clusters clusters{over_ssh};
    for (int run = 1; run <= options.runs; ++run) {
        // By turns, so that whatever else this machine does falls on both.
        clusters.play(series, series.handyrep, &FailoverBench::with_handyrep, fmt::format("run {} of {}, HandyRep", run, options.runs));
        clusters.play(series, series.by_hand, &FailoverBench::by_hand, fmt::format("run {} of {}, pg_promote", run, options.runs));
    }
    for (int run = 1; run <= options.orphan_runs; ++run) {
        clusters.play(series, series.orphan, &FailoverBench::with_orphan, fmt::format("run {} of {}, orphan", run, options.orphan_runs));
    }
    return series;
}

}  // namespace

int main(int count, char** words) {
    const std::span<char*> arguments{words, static_cast<std::size_t>(count)};
    if (std::ranges::any_of(arguments, [](std::string_view word) { return word == "--help" || word == "-h"; })) {
        std::cout << usage;
        return 0;
    }
    const auto options = read(arguments);
    if (!options) return 4;
    std::vector<Series> all;
    if (options->local) all.push_back(measure(false, *options));
    if (options->ssh) all.push_back(measure(true, *options));
    if (options->json) {
        std::cout << json(all).dump(2) << "\n";
    } else {
        std::cout << table(all);
    }
    const auto promises = bounds(all);
    const bool met = std::ranges::all_of(promises, [](const Bound& bound) { return bound.met; });
    return options->check && !met ? 1 : 0;
}
