// A dozen stories on hosts of their own. All of them are played at once, several at a time; each has its test.
#include "tests/harness/process.hpp"
#include "tests/harness/temporary_folder.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>
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
    "f20-sync-failover-loses-nothing",
    "f26-the-primary-of-a-cascade-dies",
    "f31-name-lost",
    "f32-manager-killed-in-the-failover",
    "n-storage-hangs",
    "n-sudo-denied",
};

class LabStory : public testing::TestWithParam<const char*> {
protected:
    static void SetUpTestSuite() {
        if (::geteuid() != 0) return;
        folder_ = *harness::TemporaryFolder::make();
        const auto report = folder_->path() / "report.json";
        harness::Command command{.arguments = {HANDYREP_LAB, "play", "--jobs", "4", "--json", report}, .folder = HANDYREP_TOP};
        for (const char* story : stories) command.arguments.push_back(std::string{"scenarios/"} + story + ".yaml");
        const auto outcome = harness::run(command, all_limit);
        said_ = outcome ? outcome->output + outcome->errors : outcome.error().text();
        const auto text = harness::read_file(report);
        if (text) reports_ = nlohmann::json::parse(*text, nullptr, false);
    }
    static void TearDownTestSuite() { folder_.reset(); }

    [[nodiscard]] static std::optional<nlohmann::json> report_of(const std::string& story) {
        if (!reports_.is_array()) return std::nullopt;
        const auto found = std::ranges::find_if(reports_, [&](const auto& it) { return it.value("file", "") == story + ".yaml"; });
        return found == reports_.end() ? std::nullopt : std::optional{*found};
    }

    static inline std::unique_ptr<harness::TemporaryFolder> folder_;
    static inline nlohmann::json reports_;
    static inline std::string said_;
};

TEST_P(LabStory, EndsOnRealHostsAsItSays) {
    if (::geteuid() != 0) GTEST_SKIP() << "hosts of their own need root";
    const auto report = report_of(GetParam());
    ASSERT_TRUE(report) << said_;
    EXPECT_EQ(report->value("outcome", ""), "passed") << report->dump(1);
}

std::string name_of(const testing::TestParamInfo<const char*>& it) {
    std::string out{it.param};
    std::ranges::replace(out, '-', '_');
    return out;
}
INSTANTIATE_TEST_SUITE_P(Stories, LabStory, testing::ValuesIn(stories), name_of);

TEST_F(LabStory, LeavesNothingBehind) {
    if (::geteuid() != 0) GTEST_SKIP() << "hosts of their own need root";
    const auto processes = harness::run_well({.arguments = {"ps", "-eo", "args"}}, std::chrono::seconds{10});
    ASSERT_TRUE(processes);
    EXPECT_EQ(processes->find("handyrep-host "), std::string::npos) << *processes;
    const auto loops =
        harness::run_well({.arguments = {"losetup", "--list", "--noheadings", "--output", "BACK-FILE"}}, std::chrono::seconds{10});
    ASSERT_TRUE(loops);
    EXPECT_EQ(loops->find("handyrep-"), std::string::npos) << *loops;
}

}  // namespace
}  // namespace handyrep::integration
