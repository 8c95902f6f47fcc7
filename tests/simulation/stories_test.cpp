// Every story of scenarios/ in virtual time, each with several seeds: the order of what happens at once differs.
#include "decide/decision.hpp"
#include "decide/situation.hpp"
#include "sim/player.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace handyrep::sim {
namespace {

using scenarios::PlayerKind;
using Words = std::set<std::string>;

constexpr std::uint64_t seeds = 5;

std::vector<std::string> files() {
    std::vector<std::string> out;
    for (const auto& it : std::filesystem::directory_iterator{HANDYREP_SCENARIOS}) {
        if (it.path().extension() == ".yaml") out.push_back(it.path().filename().string());
    }
    std::ranges::sort(out);
    return out;
}

std::string content_of(const std::string& file) {
    std::ifstream in{std::filesystem::path{HANDYREP_SCENARIOS} / file};
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

scenarios::Scenario story_of(const std::string& file) {
    auto scenario = scenarios::read(content_of(file), file);
    if (!scenario) throw std::runtime_error(scenario.error().text());
    return *std::move(scenario);
}

class Story : public testing::TestWithParam<std::string> {};

TEST_P(Story, EndsAsItSays) {
    const auto scenario = scenarios::read(content_of(GetParam()), GetParam());
    ASSERT_TRUE(scenario) << scenario.error().text();
    if (const auto why = why_not(*scenario, PlayerKind::simulator)) GTEST_SKIP() << *why;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        const auto told = play(*scenario, seed);
        ASSERT_TRUE(told) << told.error().text();
        if (told->failures.empty()) continue;
        std::string all;
        for (const std::string& it : told->failures) all += it + "\n";
        for (const Trace::Line& line : told->lines) all += line.text() + "\n";
        FAIL() << "seed " << seed << ": " << all;
    }
}

std::string name_of(const testing::TestParamInfo<std::string>& it) {
    std::string out = it.param.substr(0, it.param.rfind('.'));
    std::ranges::replace_if(out, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
    return out;
}
INSTANTIATE_TEST_SUITE_P(Scenarios, Story, testing::ValuesIn(files()), name_of);

template <class Set>
Words words_of(const Set& all) {
    Words out;
    for (const auto it : all) out.emplace(word_for(it));
    return out;
}
const Words situations = words_of(decide::all_situations);
const Words findings = words_of(decide::all_finding_kinds);
const Words reasons = words_of(decide::all_reasons);

void add(Words& to, const Words& more) { to.insert(more.begin(), more.end()); }

Words missing_of(const Words& all, const Words& reached) {
    Words out;
    std::ranges::set_difference(all, reached, std::inserter(out, out.end()));
    return out;
}

TEST(Stories, ReachEverySituationFindingAndReason) {
    scenarios::Reached reached;
    for (const std::string& file : files()) {
        const scenarios::Scenario story = story_of(file);
        if (why_not(story, PlayerKind::simulator)) continue;
        const auto told = play(story);
        ASSERT_TRUE(told) << told.error().text();
        add(reached.situations, told->reached.situations);
        add(reached.findings, told->reached.findings);
        add(reached.reasons, told->reached.reasons);
    }
    Words missing = missing_of(situations, reached.situations);
    add(missing, missing_of(findings, reached.findings));
    add(missing, missing_of(reasons, reached.reasons));
    EXPECT_EQ(missing, Words{});
}

/// Failures of the analysis of other programs (F), accidents of the safety rules (S), and those that nobody tests.
const Words must_be_covered{
    "F1",
    "F2",
    "F3",
    "F4",
    "F5",
    "F6",
    "F7",
    "F8",
    "F9",
    "F10",
    "F11",
    "F13",
    "F14",
    "F15",
    "F16",
    "F17",
    "F18",
    "F19",
    "F20",
    "F21",
    "F22",
    "F23",
    "F24",
    "F26",
    "F27",
    "F28",
    "F29",
    "F30",
    "F31",
    "F32",
    "F33",
    "F34",
    "S3",
    "S4",
    "S6",
    "S7",
    "S8",
    "S10",
    "S11",
    "S12",
    "S13",
    "S19",
    "S21",
    "S22",
    "SSH down + libpq down",
    "SSH down + libpq up",
    "SSH up + libpq down",
    "DNS blackhole",
    "a backup that ended",
    "a name that DNS does not know",
    "a postmaster that hangs",
    "a version from the future",
    "an isolated manager",
    "expired certificate",
    "full disk on the manager",
    "max_connections exhaustion",
    "out-of-memory kills of backends",
    "packet loss and delay",
    "read-only primary",
    "pg_hba broken",
    "read-only remount",
    "rights revoked",
    "storage hang",
    "sudo denied in mid-action",
    "walsender exhaustion",
    "what a failover would miss",
};

TEST(Stories, CoverEveryFailureThatCanBePlayed) {
    Words covered;
    for (const std::string& file : files()) {
        for (const std::string& it : story_of(file).covers) covered.insert(it);
    }
    EXPECT_EQ(covered, must_be_covered);
}

/// The rows of the README's table of stories that one player alone plays.
Words rows_of_the_readme() {
    Words out;
    std::istringstream lines{content_of("README.md")};
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("| [") && line.find(".yaml)") != std::string::npos) out.insert(line);
    }
    return out;
}

TEST(Stories, ThatOnlyOnePlayerPlaysAreListedWithTheReason) {
    Words wanted;
    for (const std::string& file : files()) {
        const auto only = story_of(file).only;
        if (!only) continue;
        const std::string name = file.substr(0, file.rfind('.'));
        wanted.insert("| [" + name + "](" + file + ") | " + std::string(word_for(only->player)) + " | " + only->reason + " |");
    }
    EXPECT_EQ(rows_of_the_readme(), wanted);
}

class Spelling {
public:
    explicit Spelling(std::string file) : file_{std::move(file)} {}
    void check(const scenarios::Question& it) const {
        check(situations, it.situation);
        check(findings, it.finding);
        check(reasons, it.reason);
    }
    void check(const Words& known, const std::vector<std::string>& said) const {
        for (const std::string& it : said) EXPECT_TRUE(known.contains(it)) << file_ << " says " << it;
    }

private:
    void check(const Words& known, const std::optional<std::string>& said) const {
        if (said) check(known, std::vector{*said});
    }
    std::string file_;
};

TEST(Stories, SayOnlyWordsThatExist) {
    for (const std::string& file : files()) {
        const scenarios::Scenario story = story_of(file);
        const Spelling spelling{file};
        for (const scenarios::Step& step : story.steps) {
            if (const auto* until = std::get_if<scenarios::Until>(&step.what)) spelling.check(until->question);
        }
        spelling.check(story.expect.at_end);
        spelling.check(situations, story.expect.situations_seen);
        spelling.check(situations, story.expect.situations_never);
        spelling.check(findings, story.expect.findings_seen);
        spelling.check(reasons, story.expect.reasons_seen);
    }
}

}  // namespace
}  // namespace handyrep::sim
