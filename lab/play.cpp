#include "lab/play.hpp"

#include "lab/drawn.hpp"
#include "lab/stage.hpp"
#include "tests/harness/temporary_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <mutex>
#include <thread>

namespace handyrep::lab {

namespace {

Result<std::vector<scenarios::Scenario>> read_all(const PlayOrder& order) {
    std::vector<std::string> files = order.files;
    if (files.empty()) {
        std::error_code error;
        for (const auto& it : std::filesystem::directory_iterator("scenarios", error)) {
            if (it.path().extension() == ".yaml") files.push_back(it.path());
        }
        if (files.empty()) return Error{ErrorKind::invalid, "there is no folder scenarios here: run it from the top folder"};
        std::ranges::sort(files);
    }
    std::vector<scenarios::Scenario> out;
    for (const std::string& file : files) {
        const auto text = harness::read_file(file);
        if (!text) return text.error();
        auto scenario = scenarios::read(*text, std::filesystem::path{file}.filename().string());
        if (!scenario) return scenario.error();
        out.push_back(*std::move(scenario));
    }
    return out;
}

/// Several at a time; whoever is done takes the next.
Result<std::size_t> play_all(
    const std::vector<const scenarios::Scenario*>& waiting, std::size_t jobs, bool lines, const std::string& json_file) {
    std::mutex guard;
    std::vector<Report> reports;
    std::size_t next = 0;
    const auto work = [&] {
        for (;;) {
            const scenarios::Scenario* mine = nullptr;
            {
                const std::scoped_lock lock{guard};
                if (next == waiting.size()) return;
                mine = waiting[next++];
            }
            Report report = play(*mine, jobs);
            const std::scoped_lock lock{guard};
            std::cout << text(report, lines) << std::flush;
            reports.push_back(std::move(report));
        }
    };
    std::vector<std::thread> players;
    for (std::size_t i = 0; i < std::min(jobs, waiting.size()); ++i) players.emplace_back(work);
    for (std::thread& it : players) it.join();

    const auto count = [&](auto which) { return static_cast<std::size_t>(std::ranges::count_if(reports, which)); };
    const std::size_t failed = count([](const Report& it) { return it.skipped.empty() && !it.passed(); });
    std::cout << fmt::format(
        "{} played, {} passed, {} failed, {} skipped\n", count([](const Report& it) { return it.skipped.empty(); }),
        count([](const Report& it) { return it.passed(); }), failed, count([](const Report& it) { return !it.skipped.empty(); }));
    if (!json_file.empty()) {
        std::ofstream file{json_file};
        file << json(reports);
        if (!file.flush()) return Error{ErrorKind::failed, fmt::format("{} cannot be written", json_file)};
    }
    return failed;
}

}  // namespace

Result<std::size_t> play_stories(const PlayOrder& order) {
    const auto stories = read_all(order);
    if (!stories) return stories.error();
    std::vector<const scenarios::Scenario*> waiting;
    for (std::size_t round = 0; round < order.times; ++round) {
        for (const scenarios::Scenario& it : *stories) waiting.push_back(&it);
    }
    return play_all(waiting, order.jobs, order.lines, order.json);
}

Result<std::size_t> play_random(const RandomOrder& order) {
    std::vector<scenarios::Scenario> stories;
    for (std::size_t i = 0; i < order.runs; ++i) stories.push_back(draw_story(order.from + i, order.replication));
    std::vector<const scenarios::Scenario*> waiting;
    for (const scenarios::Scenario& it : stories) waiting.push_back(&it);
    return play_all(waiting, order.jobs, order.lines, order.json);
}

}  // namespace handyrep::lab
