#include "adapters/postgres/answer.hpp"

#include <gtest/gtest.h>

namespace handyrep::adapters::postgres {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Identity identity{model::SystemId{7'000'000'000'000'000'001}, model::ServerVersion{150018}};

Row primary_row() {
    return {
        {"in_recovery", "f"},
        {"started_us", "1700000000000000"},
        {"server_time_us", "1700000060000001"},
        {"inserted", "0/3000100"},
        {"flushed", "0/3000060"},
        {"wal_file", "000000020000000000000003"},
        {"read_only", "off"},
        {"synchronous_standby_names", "ANY 1 (db2, db3)"},
        {"synchronous_commit", "on"},
        {"senders",
         R"([{"application_name":"db2","state":"streaming","sync_state":"quorum"},{"application_name":"db3","state":null,"sync_state":null}])"}};
}

Row standby_row() {
    return {
        {"in_recovery", "t"},
        {"started_us", "1700000000000000"},
        {"server_time_us", "1700000060000001"},
        {"received", "0/3000000"},
        {"replayed", "0/3000100"},
        {"replay_paused", "f"},
        {"replay_waits", "t"},
        {"apply_delay", "5min"},
        {"replay_delay_us", "1500000"},
        {"receiver_pid", "77"},
        {"receiver_status", "streaming"},
        {"receiver_timeline", "2"},
        {"receiver_age_us", "12000"},
        {"sender_host", "db1"},
        {"sender_port", "5433"}};
}

TEST(PollAnswer, OfAPrimaryHasItsPositionsAndItsSenders) {
    const auto read = read_answer(primary_row(), identity);
    const auto* answered = std::get_if<model::Answered>(&read);
    ASSERT_NE(answered, nullptr);
    const auto* primary = answered->primary();
    ASSERT_NE(primary, nullptr);
    EXPECT_EQ(primary->timeline, model::Timeline{2});
    EXPECT_EQ(primary->inserted, model::Lsn{0x3000100});
    EXPECT_EQ(primary->flushed, model::Lsn{0x3000060});
    EXPECT_EQ(primary->synchronous_standby_names, "ANY 1 (db2, db3)");
    ASSERT_EQ(primary->senders.size(), 2U);
    EXPECT_EQ(primary->senders[0].sync_state, "quorum");
    EXPECT_EQ(primary->senders[1].state, "");
    EXPECT_EQ(answered->server_time - answered->started, std::chrono::microseconds{60000001});
}

TEST(PollAnswer, OfAStandbyTakesTheGreaterOfReceivedAndReplayed) {
    const auto read = read_answer(standby_row(), identity);
    const auto* answered = std::get_if<model::Answered>(&read);
    ASSERT_NE(answered, nullptr);
    const auto* standby = answered->standby();
    ASSERT_NE(standby, nullptr);
    EXPECT_EQ(standby->received, model::Lsn{0x3000100});
    ASSERT_TRUE(standby->receiver);
    EXPECT_EQ(standby->receiver->sender_port, 5433);
    EXPECT_EQ(standby->receiver->message_age, milliseconds{12});
    EXPECT_EQ(standby->timeline, model::Timeline{2});
    EXPECT_TRUE(standby->replay_waits);
    EXPECT_EQ(standby->apply_delay, std::chrono::minutes{5});
    EXPECT_EQ(standby->replay_delay, milliseconds{1500});
}

TEST(PollAnswer, OfAStandbyWithoutReceiverHasNoneAndNoTimeline) {
    Row row = standby_row();
    for (const char* column : {"receiver_pid", "receiver_status", "receiver_timeline", "receiver_age_us", "sender_host", "sender_port"})
        row[column].reset();
    const auto read = read_answer(row, identity);
    const auto* answered = std::get_if<model::Answered>(&read);
    ASSERT_NE(answered, nullptr);
    EXPECT_FALSE(answered->standby()->receiver);
    EXPECT_FALSE(answered->standby()->timeline);
}

TEST(PollAnswer, IsAComplaintWhenTheReceiverMayNotBeLookedAt) {
    Row row = standby_row();
    for (const char* column : {"receiver_status", "receiver_timeline", "receiver_age_us", "sender_host", "sender_port"})
        row[column].reset();
    const auto read = read_answer(row, identity);
    const auto* complained = std::get_if<model::Complained>(&read);
    ASSERT_NE(complained, nullptr);
    EXPECT_EQ(complained->sqlstate, "42501");
}

TEST(PollAnswer, OfVersionTenTakesTheUpstreamFromTheConnectionString) {
    Row row = standby_row();
    row["sender_host"].reset();
    row["sender_port"].reset();
    row["receiver_conninfo"] = "user=rep host=db9 port=5999";
    const auto read = read_answer(row, identity);
    const auto* answered = std::get_if<model::Answered>(&read);
    ASSERT_NE(answered, nullptr);
    EXPECT_EQ(answered->standby()->receiver->sender_host, "db9");
    EXPECT_EQ(answered->standby()->receiver->sender_port, 5999);
}

TEST(PollAnswer, IsAComplaintAndNeverAGuessWhenAPositionIsMissing) {
    for (const char* column : {"in_recovery", "started_us", "server_time_us", "inserted", "flushed", "wal_file"}) {
        Row row = primary_row();
        row[column].reset();
        EXPECT_TRUE(std::holds_alternative<model::Complained>(read_answer(row, identity))) << column;
    }
}

}  // namespace
}  // namespace handyrep::adapters::postgres
