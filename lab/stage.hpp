// lab/stage.hpp — plays a story of scenarios/ on real hosts, and tells what came of it.
#pragma once

#include "lab/announced.hpp"
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
    std::size_t lost = 0;         // rows that were promised and are missing on the primary of the end
    std::vector<Announced> announced{};
    std::string rest{};   // of a drawn one: what it came to, once all that ends had ended
    std::string story{};  // of a drawn one, to be played again
    Duration took{};
    std::vector<Line> lines{};
    [[nodiscard]] bool passed() const { return skipped.empty() && told.failures.empty(); }
};

/// Makes a lab for it, plays, judges, and takes the lab down. A deed of a drawn story that comes to a server that is down is only
/// noted; and it must come to an end: once all its faults have ended the cluster is healthy, or stands still for a named reason.
/// `side_by_side`: so many labs share this machine.
[[nodiscard]] Report play(const scenarios::Scenario& scenario, std::size_t side_by_side = 1);

/// One line, and behind it what went wrong.
[[nodiscard]] std::string text(const Report& report, bool with_lines);
/// All of them as JSON.
[[nodiscard]] std::string json(const std::vector<Report>& reports);

}  // namespace handyrep::lab
