// Every story of scenarios/ in virtual time, each with several seeds: the order of what happens at once differs.
#include "sim/player.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace handyrep::sim {
namespace {

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

class Story : public testing::TestWithParam<std::string> {};

TEST_P(Story, EndsAsItSays) {
    const auto scenario = scenarios::read(content_of(GetParam()), GetParam());
    ASSERT_TRUE(scenario) << scenario.error().text();
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

TEST(Stories, CoverEveryFailureThatIsPlayedElsewhere) {
    std::string covered;
    for (const std::string& file : files()) {
        const auto scenario = scenarios::read(content_of(file), file);
        ASSERT_TRUE(scenario) << scenario.error().text();
        for (const std::string& it : scenario->covers) covered += it + " ";
    }
    EXPECT_NE(covered, "");
}

}  // namespace
}  // namespace handyrep::sim
