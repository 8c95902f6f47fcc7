#include "model/lsn.hpp"
#include "model/names.hpp"
#include "model/saved_state.hpp"
#include "model/server.hpp"
#include "model/sync_standbys.hpp"
#include "model/timeline.hpp"
#include "model/wal_end.hpp"
#include "model/wal_stretch.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <type_traits>

namespace handyrep::model {
namespace {

TEST(Lsn, IsReadAndShownAsPostgresqlShowsIt) {
    for (const std::string_view text : {"0/0", "16/B374D848", "FFFFFFFF/FFFFFFFF", "0/3000060"}) {
        const auto read = Lsn::parse(text);
        ASSERT_TRUE(read) << text;
        EXPECT_EQ(read->text(), text);
    }
    EXPECT_EQ(*Lsn::parse("1/0"), Lsn{1ULL << 32U});
    EXPECT_EQ(*Lsn::parse("a/b"), *Lsn::parse("A/B"));
}

TEST(Lsn, ThatIsNoneIsRefused) {
    for (const std::string_view text :
         {"", "/", "0", "0/", "/0", "0/0/0", "123456789/0", "0/123456789", "-1/0", "0/-1", "0x1/0", "G/0", " 0/0", "0/0 ", "+1/0"}) {
        EXPECT_FALSE(Lsn::parse(text)) << text;
    }
}

TEST(Gap, IsWhatIsMissingAndZeroWhenNothingIs) {
    EXPECT_EQ(gap(Lsn{10}, Lsn{15}), Bytes{5});
    EXPECT_EQ(gap(Lsn{15}, Lsn{10}), Bytes{0});
    EXPECT_EQ(gap(Lsn{15}, Lsn{15}), Bytes{0});
}

TEST(Bytes, AreReadInTheUnitsOfPostgresql) {
    EXPECT_EQ(*parse_bytes("16MB"), Bytes{16ULL << 20U});
    EXPECT_EQ(*parse_bytes("64 kB"), Bytes{64ULL << 10U});
    EXPECT_EQ(*parse_bytes("1gb"), Bytes{1ULL << 30U});
    EXPECT_EQ(*parse_bytes("2TB"), Bytes{2ULL << 40U});
    EXPECT_EQ(*parse_bytes("7B"), Bytes{7});
    EXPECT_EQ(*parse_bytes("7"), Bytes{7});
}

TEST(Bytes, ThatAreNoneAreRefused) {
    for (const std::string_view text : {"", "MB", "-1", "1.5MB", "16XB", "99999999999TB", "99999999999999999999", "16 M B", "0x10", "1 6"})
        EXPECT_FALSE(parse_bytes(text)) << text;
}

TEST(Name, TakesLettersDigitsDotUnderscoreAndDash) {
    for (const std::string_view text :
         {"db1", "DB-1.example_net", "_x", "0", "a23456789012345678901234567890123456789012345678901234567890123"})
        EXPECT_TRUE(ServerName::parse(text)) << text;
}

TEST(Name, RefusesWhatCouldBeMisreadSomewhere) {
    EXPECT_FALSE(ServerName::parse(std::string_view{"a\0b", 3}));
    for (const std::string_view text :
         {"", "-x", ".x", "a b", "a/b", "a;b", "ä", "a\n", "a234567890123456789012345678901234567890123456789012345678901234"})
        EXPECT_FALSE(ServerName::parse(text)) << text;
}

TEST(Name, OfAServerIsNotTheNameOfACluster) { static_assert(!std::is_convertible_v<ServerName, ClusterName>); }

TEST(Role, IsReadInEveryWordThatPeopleUse) {
    for (const std::string_view text : {"primary", "master", "Master", "PRIMARY"}) EXPECT_EQ(*parse_role(text), Role::primary);
    for (const std::string_view text : {"replica", "standby", "slave"}) EXPECT_EQ(*parse_role(text), Role::replica);
    EXPECT_FALSE(parse_role("proxy"));
    EXPECT_EQ(word_for(Role::primary), "primary");
}

TEST(Status, HasTheNumbersThatUsersOfTheOriginalKnow) {
    EXPECT_EQ(static_cast<int>(ServerStatus::unknown), 0);
    EXPECT_EQ(static_cast<int>(ServerStatus::lagged), 2);
    EXPECT_EQ(static_cast<int>(ServerStatus::unavailable), 4);
    EXPECT_EQ(static_cast<int>(ServerStatus::down), 5);
    EXPECT_EQ(static_cast<int>(ClusterStatus::warning), 3);
    EXPECT_EQ(static_cast<int>(ClusterStatus::down), 5);
}

TEST(ServerVersion, KnowsItsMajorVersionBeforeAndAfterTen) {
    EXPECT_EQ(ServerVersion{150018}.major(), 15);
    EXPECT_EQ(ServerVersion{90624}.major(), 9);
}

TEST(TimelineHistory, IsReadFromWhatTheServerSends) {
    const auto history = TimelineHistory::parse(Timeline{3}, "1\t0/3000060\tno recovery target specified\n\n2\t0/5000000\treason: a; b\n");
    ASSERT_TRUE(history) << history.error().what;
    ASSERT_EQ(history->switches().size(), 2U);
    EXPECT_EQ(history->left(Timeline{1}), Lsn{0x3000060});
    EXPECT_EQ(history->left(Timeline{2}), Lsn{0x5000000});
    EXPECT_FALSE(history->left(Timeline{3}));
    EXPECT_EQ(*TimelineHistory::parse(Timeline{3}, history->text()), *history);
}

TEST(TimelineHistory, OfTimelineOneIsEmpty) {
    const auto history = TimelineHistory::parse(Timeline{1}, "");
    ASSERT_TRUE(history);
    EXPECT_TRUE(history->switches().empty());
}

TEST(TimelineHistory, ThatContradictsItselfIsRefused) {
    for (const std::string_view text :
         {"x\t0/1\n", "1\n", "1\tx\n", "2\t0/1\n1\t0/2\n", "1\t0/1\n1\t0/2\n", "3\t0/1\n", "4\t0/1\n", "0\t0/1\n"})
        EXPECT_FALSE(TimelineHistory::parse(Timeline{3}, text)) << text;
}

TEST(TimelineHistory, ContainsAPositionUpToTheForkAndNotPastIt) {
    const TimelineHistory history{Timeline{2}, {{Timeline{1}, Lsn{100}}}};
    EXPECT_TRUE(history.contains({Timeline{1}, Lsn{100}}));
    EXPECT_FALSE(history.contains({Timeline{1}, Lsn{101}}));
    EXPECT_TRUE(history.contains({Timeline{2}, Lsn{5000}}));
    EXPECT_FALSE(history.contains({Timeline{3}, Lsn{50}})) << "a timeline that is no ancestor";
}

SyncStandbys set_of(std::string_view text) {
    const auto read = SyncStandbys::parse(text);
    EXPECT_TRUE(read && *read) << text;
    return read && *read ? **read : SyncStandbys{};
}

TEST(SyncStandbys, AreReadInEveryFormOfTheSetting) {
    using Method = SyncStandbys::Method;
    EXPECT_EQ(set_of("db2"), (SyncStandbys{Method::first, 1, {"db2"}}));
    EXPECT_EQ(set_of("db2, DB3"), (SyncStandbys{Method::first, 1, {"db2", "db3"}}));
    EXPECT_EQ(set_of("2 (a, b, c)"), (SyncStandbys{Method::first, 2, {"a", "b", "c"}}));
    EXPECT_EQ(set_of("FIRST 2 (a, b)"), (SyncStandbys{Method::first, 2, {"a", "b"}}));
    EXPECT_EQ(set_of("any 1(a,\"B b\")"), (SyncStandbys{Method::any, 1, {"a", "b b"}}));
    EXPECT_EQ(set_of("any"), (SyncStandbys{Method::first, 1, {"any"}})) << "a standby may be called any";
    EXPECT_EQ(set_of("\"any\", b"), (SyncStandbys{Method::first, 1, {"any", "b"}}));
    EXPECT_EQ(set_of("\"say \"\"hi\"\"\""), (SyncStandbys{Method::first, 1, {"say \"hi\""}}));
}

TEST(SyncStandbys, AreNoneWhenTheSettingIsEmpty) {
    for (const std::string_view text : {"", "  "}) {
        const auto read = SyncStandbys::parse(text);
        ASSERT_TRUE(read);
        EXPECT_FALSE(*read);
    }
}

TEST(SyncStandbys, ThatPostgresqlWouldNotTakeAreRefused) {
    for (const std::string_view text :
         {",", "a,", ",a", "a b", "0 (a)", "ANY (a)", "ANY 1 (a", "ANY 1 ()", "ANY 1 a", "\"a", "a;b", "2 (a))", "(a)", "ANY 1 (a) b",
          "FIRST -1 (a)"})
        EXPECT_FALSE(SyncStandbys::parse(text)) << text;
}

TEST(SyncStandbys, AreOpenWithAStarAndOnlyThen) {
    EXPECT_TRUE(set_of("*").open());
    EXPECT_TRUE(set_of("ANY 1 (a, *)").open());
    EXPECT_FALSE(set_of("a, b").open());
    EXPECT_FALSE(set_of("\"*x\"").open());
}

TEST(SyncStandbys, AreRevokedWhenFewerThanTheRequiredAreLeft) {
    EXPECT_EQ(set_of("ANY 1 (a, b, c)").to_revoke(), 3U);
    EXPECT_EQ(set_of("ANY 2 (a, b, c)").to_revoke(), 2U);
    EXPECT_EQ(set_of("FIRST 3 (a, b, c)").to_revoke(), 1U);
    EXPECT_EQ(set_of("a").to_revoke(), 1U);
    EXPECT_EQ(set_of("ANY 3 (a)").to_revoke(), 0U) << "it can never acknowledge";
}

TEST(EndOfRecord, IsAlignedAndCountsTheHeadersOfPages) {
    const WalLayout layout{};
    EXPECT_EQ(end_of_record(Lsn{0x1516A40}, Bytes{34}, layout), Lsn{0x1516A68});
    // Ends with the page: the next header is not part of it.
    EXPECT_EQ(end_of_record(Lsn{0x1001F00}, Bytes{0x100}, layout), Lsn{0x1002000});
    EXPECT_EQ(end_of_record(Lsn{0x1001F00}, Bytes{0x108}, layout), Lsn{0x1002000 + 24 + 8});
    EXPECT_EQ(end_of_record(Lsn{0x1FFFF00}, Bytes{0x108}, layout), Lsn{0x2000000 + 40 + 8});
}

TEST(WalFileName, IsPostgreSqls) {
    const Bytes usual{16U << 20U};
    EXPECT_EQ(wal_file_name(Timeline{1}, Lsn{0x1516868}, usual), "000000010000000000000001");
    EXPECT_EQ(wal_file_name(Timeline{0x1A}, Lsn{0xAB'CD000000}, usual), "0000001A000000AB000000CD");
    EXPECT_EQ(wal_file_name(Timeline{2}, Lsn{0x1'40000000}, Bytes{1U << 30U}), "000000020000000100000001");
    EXPECT_EQ(wal_file_name(Timeline{2}, Lsn{0x1'3FFFFFFF}, Bytes{1U << 30U}), "000000020000000100000000");
    EXPECT_EQ(begin_of_segment(Lsn{0x1516868}, usual), Lsn{0x1000000});
    EXPECT_EQ(begin_of_segment(Lsn{0x2000000}, usual), Lsn{0x2000000});
}

TEST(SavedState, KnowsWhoIsBarred) {
    const ServerName db1 = *ServerName::parse("db1");
    SavedState state{
        .cluster = *ClusterName::parse("pay"),
        .system_id = {},
        .primary = {},
        .servers = {},
        .must_be_down = {},
        .possible_primary = {},
        .last_failover = {},
        .highest = {},
        .upstream_settings = {},
        .synchronous_standby_names = {}};
    EXPECT_EQ(state.barred(db1), nullptr);
    state.must_be_down.push_back(
        {.server = db1,
         .system_id = {1},
         .hostname = {},
         .pgdata = {},
         .fork = {Timeline{1}, Lsn{0}},
         .successor = db1,
         .successor_history = {Timeline{2}, {}},
         .epoch = 1});
    ASSERT_NE(state.barred(db1), nullptr);
    EXPECT_EQ(state.barred(db1)->epoch, 1U);
}

}  // namespace
}  // namespace handyrep::model
