// lab/stage.hpp — plays a story of scenarios/ on real hosts, and tells what came of it.
#pragma once

#include "lab/clients.hpp"
#include "lab/proof.hpp"
#include "scenarios/player.hpp"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace handyrep::lab {

/// A line of what happened, so long after the story began.
struct Line {
    Duration at;
    std::string who;
    std::string text;
};

/// An interval, told from when the story began.
struct TookWrites {
    std::string server;
    std::uint32_t timeline;
    Duration from;
    Duration to;
    std::size_t commits;
};

struct Report {
    std::string file;
    std::string title;
    /// Why it cannot be played here; then nothing else is said.
    std::string skipped{};
    scenarios::Told told{};
    std::vector<ClientReport> ways{};  // libpq's list of hosts first
    std::vector<TookWrites> took_writes{};
    double looks_per_second = 0;  // of the watchers, at one server
    std::size_t lost = 0;         // rows that were promised and are nowhere; counted where one server takes writes at the end
    std::string announced{};
    Duration took{};
    std::vector<Line> lines{};
    [[nodiscard]] bool passed() const { return skipped.empty() && told.failures.empty(); }
};

enum class Strictness { strict, lenient };
/// Makes a lab for it, plays, and takes the lab down. Lenient: a deed that comes to a server that is down is only noted.
[[nodiscard]] Report play(const scenarios::Scenario& scenario, Strictness strictness = Strictness::strict);

/// One line, and behind it what went wrong.
[[nodiscard]] std::string text(const Report& report, bool with_lines);
/// All of them as JSON.
[[nodiscard]] std::string json(const std::vector<Report>& reports);

}  // namespace handyrep::lab
