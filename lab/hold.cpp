#include "lab/hold.hpp"

#include "base/text.hpp"
#include "lab/deeds.hpp"
#include "scenarios/words.hpp"
#include "tests/harness/moment.hpp"
#include "tests/harness/process.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iostream>

namespace handyrep::lab {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr Duration begin_limit = seconds{90};
constexpr Duration end_limit = seconds{60};
constexpr const char* folder_name = "faults";

/// "db1 wal_log_hints=off" becomes {db1: {wal_log_hints: 'off'}}, and without a server {name: 'value'}.
std::string pairs_of(const std::vector<std::string>& on, scenarios::Takes takes) {
    std::vector<std::string> pairs;
    std::string server;
    for (const std::string& it : on) {
        const auto equals = it.find('=');
        if (equals == std::string::npos) {
            server = it;
        } else {
            pairs.push_back(fmt::format("'{}': '{}'", it.substr(0, equals), it.substr(equals + 1)));
        }
    }
    const std::string all = fmt::format("{{{}}}", fmt::join(pairs, ", "));
    return takes == scenarios::Takes::settings ? fmt::format("{{'{}': {}}}", server, all) : all;
}

/// "db1", "db1 db2", "db1,db2 db3".
std::string groups_of(const std::vector<std::string>& on) {
    std::vector<std::string> groups;
    for (const std::string& it : on) groups.push_back(it.find(',') == std::string::npos ? it : "[" + it + "]");
    if (groups.empty()) return {};
    return groups.size() == 1 ? groups.front() : fmt::format("[{}]", fmt::join(groups, ", "));
}

/// By the reader of stories, so that the words, and what each takes, are the same.
Result<scenarios::Deed> read_deed(const std::string& word, const std::vector<std::string>& on) {
    const auto known = std::ranges::find(scenarios::words(), word, &scenarios::Word::word);
    const bool has_pairs = known != scenarios::words().end() &&
                           (known->takes == scenarios::Takes::settings || known->takes == scenarios::Takes::pairs);
    const std::string arguments = has_pairs ? pairs_of(on, known->takes) : groups_of(on);
    const std::string text = fmt::format(
        "scenario: a fault by hand\ncluster: {{servers: 7}}\nsteps:\n  - fault: {{{}: {}}}\nexpect: {{}}\n", word, arguments);
    auto scenario = scenarios::read(text, "the command line");
    if (!scenario) return scenario.error();
    return std::get<scenarios::Deed>(scenario->steps.front().what);
}

std::string said_in(const std::filesystem::path& file) {
    std::ifstream in(file);
    std::string line;
    std::getline(in, line);
    return line;
}

void say_in(const std::filesystem::path& file, const std::string& line) { std::ofstream{file} << line << std::endl; }

}  // namespace

int hold(const std::string& folder, const std::string& word, const std::vector<std::string>& on) {
    sigset_t ends;
    sigemptyset(&ends);
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&ends, number);
    sigprocmask(SIG_BLOCK, &ends, nullptr);
    const std::filesystem::path said = std::filesystem::path{folder} / folder_name / fmt::format("{}", ::getpid());
    auto site = Site::open(folder);
    const auto deed = read_deed(word, on);
    if (!site || !deed) {
        say_in(said, "failed: " + (site ? deed.error() : site.error()).text());
        return 1;
    }
    Deeds deeds{**site, [](const std::string& line) { std::cerr << line << std::endl; }};
    if (const auto begun = deeds.begin(*deed); !begun) {
        say_in(said, "failed: " + begun.error().text());
        return 1;
    }
    if (!deeds.has_open()) {
        say_in(said, "done");
        return 0;
    }
    say_in(said, fmt::format("holds {} {}", word, fmt::join(on, " ")));
    int number = 0;
    ::sigwait(&ends, &number);
    deeds.end_all();
    std::error_code ignored;
    std::filesystem::remove(said, ignored);
    return 0;
}

Result<void> begin_fault(const Site& site, const std::string& word, const std::vector<std::string>& on) {
    if (const auto deed = read_deed(word, on); !deed) return deed.error();
    const auto folder = site.folder() / folder_name;
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    std::vector<std::string> words{std::filesystem::read_symlink("/proc/self/exe", error), "hold", site.folder(), word};
    words.insert(words.end(), on.begin(), on.end());
    auto started = harness::Background::start({.arguments = words, .folder = "/"}, site.folder() / "faults.log");
    if (!started) return started.error();
    const auto said = folder / fmt::format("{}", started->pid());
    auto begun = harness::wait_until([&] { return !said_in(said).empty() || !started->running(); }, begin_limit, "the fault has begun");
    const std::string line = said_in(said);
    if (begun && (line.empty() || line.starts_with("failed: ")))
        begun = Error{
            ErrorKind::failed,
            line.empty() ? "see faults.log in " + site.folder().string() : line.substr(std::string_view{"failed: "}.size())};
    if (!begun || line == "done") std::filesystem::remove(said, error);
    if (begun) started->release();
    return begun;
}

Result<std::size_t> heal(const Site& site) {
    std::size_t count = 0;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(site.folder() / folder_name, error)) {
        const std::string name = entry.path().filename().string();
        pid_t process = 0;
        std::from_chars(name.data(), name.data() + name.size(), process);
        // A number may be somebody else's by now: only a process that says that it holds a fault is told to end.
        if (process <= 0 || command_line_of(process).find(site.folder().string()) == std::string::npos) continue;
        ::kill(process, SIGTERM);
        auto gone = harness::wait_until(
            [&] { return !std::filesystem::exists(entry.path()); }, end_limit, "a fault has ended: " + said_in(entry.path()));
        if (!gone) return gone.error();
        ++count;
    }
    return count;
}

}  // namespace handyrep::lab
