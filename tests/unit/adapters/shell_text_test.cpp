#include "adapters/ssh/quote.hpp"
#include "adapters/ssh/report.hpp"
#include "adapters/ssh/scripts.hpp"

#include <fmt/format.h>
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

const model::WalEndQuestion from_fork{model::SystemId{7}, {model::Timeline{2}, model::Lsn{0x1516868}}};

std::string wal_end_answer(std::string_view last, std::string_view why, std::string_view timeline = "2") {
    return fmt::format(
        "control_timeline {}\ncounted 1\ncommits 5\n{}\npage 8192\nsegment 16777216\nstatus 1\nwhy pg_waldump: error: {}\nend\n", timeline,
        last, why);
}

TEST(WalEndReport, EndsWhereItsLastRecordEnds) {
    const auto read = read_wal_end(
        wal_end_answer("last 0/01516A40\nlength 34\nswitches 0", "error in WAL record at 0/1516A40: invalid record length at 0/1516A68"),
        from_fork);
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(*read, (model::WalEnd{model::Lsn{0x1516A68}, 5, true}));
}

TEST(WalEndReport, OfARecordThatSwitchesEndsWithTheSegment) {
    const auto read = read_wal_end(wal_end_answer("last 0/01516A40\nlength 24\nswitches 1", "could not find file \"x\""), from_fork);
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(read->end, model::Lsn{0x2000000});
}

TEST(WalEndReport, EndsAtTheForkWhereNothingFollows) {
    const auto read =
        read_wal_end(wal_end_answer("last -\nlength 0\nswitches 0", "could not find a valid record after 0/1516868"), from_fork);
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(read->end, from_fork.from.lsn);
}

/// The next file is there in advance, and nothing was written into it yet.
TEST(WalEndReport, EndsWhereASegmentEndsAndTheNextOneIsUnwritten) {
    const std::string none = "last -\nlength 0\nswitches 0";
    constexpr std::string_view unwritten =
        "WAL segment size must be a power of two between 1 MB and 1 GB, but the WAL file \"x\" header specifies 0 bytes";
    const model::WalEndQuestion at_segment{model::SystemId{1}, {model::Timeline{2}, *model::Lsn::parse("0/2000000")}};
    const auto read = read_wal_end(wal_end_answer(none, unwritten), at_segment);
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(*read, (model::WalEnd{at_segment.from.lsn, 0, true}));
    EXPECT_FALSE(read_wal_end(wal_end_answer(none, unwritten), from_fork)) << "within a segment there was something";
}

TEST(WalEndReport, TakesSilenceForAnEndOnlyBehindARecord) {
    const auto silent = [](std::string_view last) {
        return fmt::format("control_timeline 2\ncounted 1\ncommits 5\n{}\npage 8192\nsegment 16777216\nstatus 0\nwhy -\nend\n", last);
    };
    EXPECT_TRUE(read_wal_end(silent("last 0/01516A40\nlength 34\nswitches 0"), from_fork));
    EXPECT_FALSE(read_wal_end(silent("last -\nlength 0\nswitches 0"), from_fork));
}

TEST(WalEndReport, KnowsNoEndThatItWasNotTold) {
    const std::string none = "last -\nlength 0\nswitches 0";
    // The segment that the fork lies in was there once.
    EXPECT_FALSE(read_wal_end(wal_end_answer(none, "could not find file \"x\""), from_fork));
    EXPECT_FALSE(read_wal_end(wal_end_answer(none, "could not open directory"), from_fork));
    EXPECT_FALSE(read_wal_end(wal_end_answer(none, "could not find a valid record after 0/1516868", "3"), from_fork));
    EXPECT_EQ(read_wal_end("held 3\nend\n", from_fork).error().kind, ErrorKind::conflict);
    EXPECT_EQ(read_wal_end("foreign 8\nend\n", from_fork).error().kind, ErrorKind::refused);
}

const model::WalStretch stretch{
    model::SystemId{7}, model::Timeline{2}, model::Lsn{0x1516868}, model::Lsn{0x1600000}, model::Bytes{16U << 20U}};

TEST(PackedWalReport, IsWhatBase64MakesAndNothingElse) {
    const auto read = read_packed_wal("wal H4sIAAAAAAAEA+==\nend\n");
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(read->text, "H4sIAAAAAAAEA+==");
    for (const std::string_view text : {"wal H4s\n", "wal \nend\n", "wal H4$\nend\n", "wal H4s'\nend\n", "end\n", ""})
        EXPECT_FALSE(read_packed_wal(text)) << text;
    EXPECT_EQ(read_packed_wal("held 3\nend\n").error().kind, ErrorKind::conflict);
    EXPECT_EQ(read_packed_wal("foreign 8\nend\n").error().kind, ErrorKind::refused);
}

TEST(WalPlaceReport, SaysWhereTheCopyBegins) {
    const auto place = read_wal_place("folder /home/it/.handyrep/salvage.1.2\nhead 5324800\nend\n", stretch);
    ASSERT_TRUE(place) << place.error().text();
    EXPECT_EQ(place->folder, "/home/it/.handyrep/salvage.1.2");
    EXPECT_EQ(place->from, model::Lsn{0x1514000});
    EXPECT_FALSE(read_wal_place("folder /x\nhead 8388608\nend\n", stretch)) << "behind what is asked for";
    EXPECT_FALSE(read_wal_place("folder x\nhead 0\nend\n", stretch));
    EXPECT_FALSE(read_wal_place("done\nend\n", stretch));
    EXPECT_EQ(read_wal_place("refused there is no room\nend\n", stretch).error().kind, ErrorKind::refused);
}

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
