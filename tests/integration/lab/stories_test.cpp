// Fourteen stories on hosts of their own. All of them are played at once, several at a time; each has its test.
#include "tests/harness/process.hpp"
#include "tests/harness/temporary_folder.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace handyrep::integration {
namespace {

constexpr Duration all_limit = std::chrono::minutes{20};

constexpr std::array stories{
    "f01-kill-postmaster",
    "f02-machine-lost",
    "f03-frozen-and-thawed",
    "f04-manager-cut-from-primary",
    "f04-split-in-the-middle",
    "f05-crash-and-recovery",
    "f07-the-new-primary-dies-too",
    "f20-sync-failover-loses-nothing",
    "f26-the-primary-of-a-cascade-dies",
    "f31-name-lost",
    "f32-manager-killed-in-the-failover",
    "f34-haproxy-follows-by-itself",
    "n-storage-hangs",
    "n-sudo-denied",
};

class LabStory : public testing::TestWithParam<const char*> {
protected:
    static void SetUpTestSuite() {
        // The tests with a parameter are a suite of their own: what was played for the one holds for the other.
        if (::geteuid() != 0 || reports.is_array()) return;
        before = left_behind();
        folder = *harness::TemporaryFolder::make();
        const auto report = folder->path() / "report.json";
        harness::Command command{.arguments = {HANDYREP_LAB, "play", "--jobs", "2", "--json", report}, .folder = HANDYREP_TOP};
        for (const char* story : stories) command.arguments.push_back(std::string{"scenarios/"} + story + ".yaml");
        if (memory_takes_them()) command.environment.emplace_back("TMPDIR", "/dev/shm");
        const auto outcome = harness::run(command, all_limit);
        said = outcome ? outcome->output + outcome->errors : outcome.error().text();
        const auto text = harness::read_file(report);
        if (text) reports = nlohmann::json::parse(*text, nullptr, false);
    }
    static void TearDownTestSuite() { folder.reset(); }

    /// A dozen servers that all write through to one small machine's disk wait for it longer than the stories allow.
    static bool memory_takes_them() {
        constexpr std::uint64_t enough = 4ULL << 30U;
        std::error_code error;
        const auto there = std::filesystem::space("/dev/shm", error);
        const auto free_memory =
            static_cast<std::uint64_t>(::sysconf(_SC_AVPHYS_PAGES)) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
        return !error && there.available > enough && free_memory > enough;
    }

    [[nodiscard]] static std::optional<nlohmann::json> report_of(const std::string& story) {
        if (!reports.is_array()) return std::nullopt;
        const auto found = std::ranges::find_if(reports, [&](const auto& it) { return it.value("file", "") == story + ".yaml"; });
        return found == reports.end() ? std::nullopt : std::optional{*found};
    }

    /// What hosts are made of, a line each.
    static std::set<std::string> left_behind() {
        std::set<std::string> out;
        for (const std::vector<std::string>& question :
             {std::vector<std::string>{"ps", "-eo", "args"}, {"losetup", "--list", "--noheadings", "--output", "BACK-FILE"}}) {
            const auto answer = harness::run_well({.arguments = question}, std::chrono::seconds{10});
            std::istringstream lines{answer ? *answer : answer.error().text()};
            for (std::string line; std::getline(lines, line);) {
                if (line.find("handyrep-host ") != std::string::npos || line.find(".img") != std::string::npos) out.insert(line);
            }
        }
        std::error_code error;
        for (const auto& it : std::filesystem::directory_iterator("/dev/shm", error)) {
            if (const std::string name = it.path().filename(); name.starts_with("PostgreSQL.")) out.insert(it.path());
        }
        return out;
    }

    static inline std::unique_ptr<harness::TemporaryFolder> folder;
    static inline std::set<std::string> before;
    static inline nlohmann::json reports;
    static inline std::string said;
};

TEST_P(LabStory, EndsOnRealHostsAsItSays) {
    if (::geteuid() != 0) GTEST_SKIP() << "hosts of their own need root";
    const auto report = report_of(GetParam());
    ASSERT_TRUE(report) << said;
    EXPECT_EQ(report->value("outcome", ""), "passed") << report->dump(1);
}

TEST_F(LabStory, TellsOfEveryWayWhatIsProvedOfItsRows) {
    if (::geteuid() != 0) GTEST_SKIP() << "hosts of their own need root";
    const auto report = report_of("f34-haproxy-follows-by-itself");
    ASSERT_TRUE(report) << said;
    const auto ways = report->value("ways", nlohmann::json::array());
    ASSERT_EQ(ways.size(), 2U) << report->dump(1);
    EXPECT_EQ(ways[0].value("way", ""), "hosts");
    EXPECT_EQ(ways[1].value("way", ""), "haproxy");
    for (const auto& it : ways) {
        EXPECT_EQ(it.value("gap_from", ""), "db1") << it;
        EXPECT_GT(it.value("rows_acknowledged", 0), 0) << it;
        EXPECT_TRUE(it["rows_missing"].is_number()) << it;
        EXPECT_TRUE(it["rows_accepted_twice"].is_number()) << it;
        EXPECT_EQ(it.value("rows_after_another_was_promoted", -1), 0) << it;
    }
    EXPECT_EQ(ways[1].value("errors_on_a_read_only_server", -1), 0) << ways[1];
    const auto took = report->value("took_writes", nlohmann::json::array());
    ASSERT_GE(took.size(), 2U) << report->dump(1);
    EXPECT_EQ(took.front().value("server", ""), "db1");
    EXPECT_NE(took.back().value("server", "db1"), "db1");
    EXPECT_LT(took.front().value("to_seconds", 0.0), took.back().value("from_seconds", 0.0));
}

std::string name_of(const testing::TestParamInfo<const char*>& it) {
    std::string out{it.param};
    std::ranges::replace(out, '-', '_');
    return out;
}
INSTANTIATE_TEST_SUITE_P(Stories, LabStory, testing::ValuesIn(stories), name_of);

TEST_F(LabStory, LeavesNothingBehind) {
    if (::geteuid() != 0) GTEST_SKIP() << "hosts of their own need root";
    std::set<std::string> more;
    std::ranges::set_difference(left_behind(), before, std::inserter(more, more.end()));
    EXPECT_TRUE(more.empty()) << *more.begin();
}

}  // namespace
}  // namespace handyrep::integration
