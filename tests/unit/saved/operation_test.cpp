#include "saved/journal.hpp"
#include "saved/operation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace handyrep::saved {
namespace {

using testing::HasSubstr;

OperationBegun sample() {
    return {
        .kind = "failover",
        .by = "automation",
        .reason = "db1 is \"dead\"\n",
        .automatic = false,
        .old_primary = *model::ServerName::parse("db1"),
        .candidate = *model::ServerName::parse("db2"),
        .epoch = 18446744073709551615ULL,
        .commit_step = "promote db2",
        .plan = {" 1. secure", " 2. promote db2"},
        .undo = {{"secure", R"([{"do":"reattach","replica":"db2","upstream":"db1"}])"}}};
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

TEST(OperationBegun, IsReadBackAsItWasWritten) {
    const auto read = operation_begun_from_text(to_text(sample()));
    ASSERT_TRUE(read) << read.error().what;
    EXPECT_EQ(*read, sample());
}

TEST(OperationBegun, WithoutServersIsReadBackWithoutThem) {
    OperationBegun operation = sample();
    operation.candidate.reset();
    operation.old_primary.reset();
    operation.undo.clear();
    const auto read = operation_begun_from_text(to_text(operation));
    ASSERT_TRUE(read) << read.error().what;
    EXPECT_EQ(*read, operation);
}

TEST(OperationBegun, SaysWhatALaterLifeGoesOnWith) {
    OperationBegun operation = sample();
    operation.work = R"({"server":"db3"})";
    const auto read = operation_begun_from_text(to_text(operation));
    ASSERT_TRUE(read) << read.error().what;
    EXPECT_EQ(*read, operation);
}

TEST(OperationBegun, WithAReasonInAnotherEncodingIsWrittenAndReadable) {
    OperationBegun operation = sample();
    operation.reason = "caf\xE9";
    EXPECT_TRUE(operation_begun_from_text(to_text(operation)));
}

TEST(OperationBegun, ThatIsNoObjectIsRefused) {
    for (const std::string_view text : {"", "[]", "one sentence", "{\"kind\": \"x\"", "{}"})
        EXPECT_FALSE(operation_begun_from_text(text)) << text;
}

struct Wrong {
    std::string_view name, from, to;
};
class WrongMember : public testing::TestWithParam<Wrong> {};

TEST_P(WrongMember, IsRefusedByItsName) {
    const auto read = operation_begun_from_text(replaced(to_text(sample()), GetParam().from, GetParam().to));
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().kind, ErrorKind::invalid);
    EXPECT_THAT(read.error().what, HasSubstr("member '" + std::string(GetParam().name) + "'"));
}

INSTANTIATE_TEST_SUITE_P(
    OperationBegun, WrongMember,
    testing::Values(
        Wrong{"more", "\"kind\":", "\"more\":1,\"kind\":"}, Wrong{"kind", "\"kind\":\"failover\"", "\"kind\":7"},
        Wrong{"epoch", "18446744073709551615", "-1"}, Wrong{"epoch", "18446744073709551615", "1.5"},
        Wrong{"candidate", "\"candidate\":\"db2\"", "\"candidate\":\"a b\""}, Wrong{"candidate", "\"candidate\":\"db2\",", ""},
        Wrong{"old_primary", "\"old_primary\":\"db1\"", "\"old_primary\":1"}, Wrong{"undo", "[[\"secure\",", "[[7,"},
        Wrong{"plan", "\"plan\":[", "\"plan\":[1,"}, Wrong{"automatic", "\"automatic\":false,", ""},
        Wrong{"commit_step", "\"promote db2\"", "null"}));

TEST(Expiry, IsReadBackAsItWasWritten) {
    const WallTime expires = *parse_wall_time("2026-11-22T03:04:05.123456Z");
    const auto read = expiry_from_text(expiry_to_text(expires));
    ASSERT_TRUE(read) << read.error().what;
    EXPECT_EQ(*read, expires);
}

TEST(Expiry, ThatIsNoneIsRefused) {
    EXPECT_FALSE(expiry_from_text(""));
    EXPECT_FALSE(expiry_from_text("2026-11-22T03:04:05Z"));
    EXPECT_FALSE(expiry_from_text("expires soon"));
}

TEST(JournalEntry, IsReadBackFromItsWord) {
    for (const JournalEntry entry :
         {JournalEntry::begun, JournalEntry::starting, JournalEntry::done, JournalEntry::failed, JournalEntry::unknown,
          JournalEntry::undone, JournalEntry::ended}) {
        const auto read = parse_journal_entry(word_for(entry));
        ASSERT_TRUE(read);
        EXPECT_EQ(*read, entry);
    }
    EXPECT_FALSE(parse_journal_entry("Done"));
}

}  // namespace
}  // namespace handyrep::saved
