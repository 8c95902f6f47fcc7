#include "adapters/ssh/quote.hpp"
#include "adapters/ssh/report.hpp"
#include "adapters/ssh/scripts.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <memory>
#include <string>

namespace handyrep::adapters::ssh {
namespace {

/// What a real sh makes of `word`.
std::string as_sh_reads(const std::string& word) {
    const std::string command = "printf '%s|' " + quote(word);
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe{popen(command.c_str(), "r"), &pclose};
    std::string out;
    std::array<char, 256> buffer{};
    while (pipe && fgets(buffer.data(), static_cast<int>(buffer.size()), pipe.get()) != nullptr) out += buffer.data();
    return out;
}

TEST(Quote, MakesExactlyOneWordOfAnything) {
    for (const std::string word :
         {"", "plain", "it's", "''", "a b", "$(reboot)", "`reboot`", "\\", "a\nb", "*", "~", "-n", "; rm -rf /", "\"", "!x", "#", "é"}) {
        EXPECT_EQ(as_sh_reads(word), word + "|");
    }
}

constexpr std::string_view good_look =
    "system_id 7300000000000000001\nstate 6\nprocesses 8\nmarked 0\ndata_room 1 1\nwal_room 1 1\nservice none\nend\n";

TEST(LookReport, IsReadWhenItIsWhole) {
    const auto look = read_look(good_look);
    ASSERT_TRUE(look);
    EXPECT_EQ(look->system_id, model::SystemId{7300000000000000001});
    EXPECT_EQ(look->state, model::ControlState::in_production);
    EXPECT_EQ(look->processes, 8U);
    EXPECT_FALSE(look->marked_standby);
}

TEST(LookReport, IsAnErrorWhenAnythingIsDamaged) {
    for (std::size_t length = 0; length + 1 < good_look.size(); ++length) EXPECT_FALSE(read_look(good_look.substr(0, length))) << length;
    EXPECT_FALSE(read_look("system_id 1\nstate 9\nprocesses 0\nmarked 0\ndata_room 1 1\nwal_room 1 1\nservice none\nend\n"));
    EXPECT_FALSE(read_look("system_id 1\nstate 6\nprocesses -1\nmarked 0\ndata_room 1 1\nwal_room 1 1\nservice none\nend\n"));
    EXPECT_FALSE(read_look("system_id 1\nstate 6\nprocesses 0\nmarked 2\ndata_room 1 1\nwal_room 1 1\nservice none\nend\n"));
    EXPECT_FALSE(read_look(std::string(good_look) + "more\n"));
}

constexpr std::string_view good_fence = "autostart_off 1\nautostart none found\nmarked 1\nkilled 9\nleft 0\nend\n";

TEST(FenceReport, ProvesWhatItSays) {
    const auto report = read_fence(good_fence);
    ASSERT_TRUE(report);
    EXPECT_TRUE(report->processes_gone());
    EXPECT_EQ(report->killed, 9U);
    EXPECT_EQ(report->autostart, "none found");
}

TEST(FenceReport, ProvesNothingWhenItIsCutShort) {
    for (std::size_t length = 0; length + 1 < good_fence.size(); ++length) EXPECT_FALSE(read_fence(good_fence.substr(0, length))) << length;
}

TEST(FenceReport, OfAnotherSystemIsARefusal) {
    const auto report = read_fence("foreign 42\nend\n");
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().kind, ErrorKind::refused);
    EXPECT_NE(report.error().what.find("42"), std::string::npos);
}

}  // namespace
}  // namespace handyrep::adapters::ssh
