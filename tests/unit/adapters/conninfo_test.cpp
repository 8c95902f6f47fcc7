#include "adapters/postgres/conninfo.hpp"
#include "adapters/postgres/postgres_server.hpp"
#include "adapters/postgres/statements.hpp"

#include <gtest/gtest.h>

namespace handyrep::adapters::postgres {
namespace {

TEST(Conninfo, KeepsEveryOtherWordWhenTheUpstreamChanges) {
    auto conninfo = Conninfo::parse("user=rep host=10.0.0.1 hostaddr=10.0.0.1 port=5433 sslmode=verify-full application_name=db2");
    ASSERT_TRUE(conninfo);
    conninfo->erase("hostaddr");
    conninfo->set("host", "db3");
    conninfo->set("port", "5555");
    const auto again = Conninfo::parse(conninfo->text());
    ASSERT_TRUE(again);
    EXPECT_EQ(again->get("user"), "rep");
    EXPECT_EQ(again->get("host"), "db3");
    EXPECT_EQ(again->get("port"), "5555");
    EXPECT_EQ(again->get("sslmode"), "verify-full");
    EXPECT_EQ(again->get("application_name"), "db2");
    EXPECT_EQ(again->get("hostaddr"), std::nullopt);
}

TEST(Conninfo, ReadsAnAddressOfTheOtherForm) {
    const auto conninfo = Conninfo::parse("postgresql://rep@db1:5434/?application_name=db2");
    ASSERT_TRUE(conninfo);
    EXPECT_EQ(conninfo->get("host"), "db1");
    EXPECT_EQ(conninfo->get("port"), "5434");
}

TEST(Conninfo, SurvivesQuotesBackslashesAndSpacesInItsValues) {
    Conninfo conninfo;
    conninfo.set("application_name", R"(it's a \ name)");
    const auto again = Conninfo::parse(conninfo.text());
    ASSERT_TRUE(again);
    EXPECT_EQ(again->get("application_name"), R"(it's a \ name)");
}

TEST(Conninfo, GivesThePasswordOnceAndWritesItNoMore) {
    auto conninfo = Conninfo::parse("user=rep password='s ecret' host=db1");
    ASSERT_TRUE(conninfo);
    const auto password = conninfo->take_password();
    ASSERT_TRUE(password);
    EXPECT_TRUE(password->reveal() == "s ecret");
    EXPECT_EQ(conninfo->text().find("ecret"), std::string::npos);
    EXPECT_FALSE(conninfo->take_password());
}

TEST(Conninfo, DoesNotRepeatABrokenTextWhichMayHoldAPassword) {
    const auto conninfo = Conninfo::parse("password=hidden nonsense");
    ASSERT_FALSE(conninfo);
    EXPECT_EQ(conninfo.error().text().find("hidden"), std::string::npos);
}

TEST(MadeConninfo, InsistsOnTlsWhereTheManagerDoesAndNamesNoFileOfItsMachine) {
    PostgresSettings settings{
        .server = {.name = *model::ServerName::parse("db2"), .hostname = "db2", .ssh_key = {}, .ssh_config = {}, .pgdata = "/d"}};
    for (const auto& [managers, nodes] :
         {std::pair{"verify-full", "require"}, {"verify-ca", "require"}, {"require", "require"}, {"disable", "disable"}}) {
        settings.options = {{"sslmode", managers}, {"sslrootcert", "/m/ca"}, {"sslcert", "/m/crt"}, {"sslkey", "/m/key"}};
        EXPECT_EQ(made_conninfo(settings).get("sslmode"), nodes);
        EXPECT_EQ(made_conninfo(settings).text().find("/m/"), std::string::npos) << made_conninfo(settings).text();
    }
    settings.options = {{"sslmode", "prefer"}};
    EXPECT_EQ(made_conninfo(settings).get("sslmode"), std::nullopt);
}

TEST(PassfileLine, EscapesWhatTheFormatGivesAMeaning) {
    EXPECT_TRUE(passfile_line("a:b", Secret{"c\\d:e"}).reveal() == "*:*:replication:a\\:b:c\\\\d\\:e");
}

TEST(SqlLiteral, IsOneLiteralWhateverTheTextHolds) {
    EXPECT_EQ(literal("plain"), "'plain'");
    EXPECT_EQ(literal("it's"), "'it''s'");
    EXPECT_EQ(literal("a\\'b"), "E'a\\\\''b'");
}

TEST(PollStatement, SpeaksTheNamesOfEachVersion) {
    const std::string nine = poll_statement(model::ServerVersion{90600}, true);
    EXPECT_NE(nine.find("pg_current_xlog_flush_location"), std::string::npos);
    EXPECT_NE(nine.find("w.conninfo"), std::string::npos);
    EXPECT_NE(nine.find("NULL AS replay_waits"), std::string::npos);
    const std::string ten = poll_statement(model::ServerVersion{100000}, true);
    EXPECT_NE(ten.find("pg_current_wal_flush_lsn"), std::string::npos);
    EXPECT_EQ(ten.find("w.sender_host"), std::string::npos);
    EXPECT_NE(ten.find("backend_type = 'startup'"), std::string::npos);
    const std::string fifteen = poll_statement(model::ServerVersion{150018}, true);
    EXPECT_NE(fifteen.find("w.sender_host"), std::string::npos);
    EXPECT_NE(fifteen.find("recovery_min_apply_delay"), std::string::npos);
}

TEST(PollStatement, WritesAHeartbeatOnlyWhenAskedTo) {
    EXPECT_NE(poll_statement(model::ServerVersion{150018}, true).find("pg_logical_emit_message"), std::string::npos);
    EXPECT_EQ(poll_statement(model::ServerVersion{150018}, false).find("pg_logical_emit_message"), std::string::npos);
}

}  // namespace
}  // namespace handyrep::adapters::postgres
