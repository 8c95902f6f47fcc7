#include "adapters/postgres/details.hpp"
#include "adapters/postgres/statements.hpp"

#include <gtest/gtest.h>

namespace handyrep::adapters::postgres {
namespace {

using std::chrono::milliseconds;

TEST(Details, AreReadFromTheirRow) {
    const model::Details it = read_details(
        {{"sync_wait", R"({"backends":2,"oldest_us":1500000})"},
         {"slots", R"([{"slot_name":"db2","active":true,"restart_lsn":"0/3000000","wal_status":"extended","safe_wal_size":4096},
                       {"slot_name":"old","active":false,"restart_lsn":null,"wal_status":"lost","safe_wal_size":null}])"},
         {"archive_failing", "t"},
         {"can_rewind", "f"},
         {"keeps_wal", "t"},
         {"collation", "2.36"},
         {"built_with_collation", "2.31"},
         {"recovery_target_timeline", "latest"},
         {"capacity",
          R"({"max_connections":100,"max_worker_processes":8,"max_wal_senders":10,"max_prepared_transactions":0,"max_locks_per_transaction":64})"}});
    EXPECT_EQ(it.sync_wait, (model::SyncWait{2, milliseconds{1500}}));
    ASSERT_EQ(it.slots.size(), 2U);
    EXPECT_EQ(it.slots[0], (model::Slot{"db2", true, model::Lsn{0x3000000}, "extended", model::Bytes{4096}}));
    EXPECT_EQ(it.slots[1], (model::Slot{"old", false, std::nullopt, "lost", std::nullopt}));
    EXPECT_EQ(it.archive_failing, true);
    EXPECT_EQ(it.can_rewind, false);
    EXPECT_EQ(it.keeps_wal, true);
    EXPECT_EQ(it.stale_collation, "2.31");
    EXPECT_EQ(it.capacity, (model::Capacity{100, 8, 10, 0, 64}));
}

TEST(Details, ThatAreMissingOrOddWereNotTold) {
    EXPECT_EQ(read_details({}), model::Details{});
    EXPECT_EQ(
        read_details({{"sync_wait", R"({"backends":-1})"}, {"slots", "{"}, {"capacity", "[]"}, {"archive_failing", std::nullopt}}),
        model::Details{});
}

TEST(Details, OfEqualCollationsAreNotStale) {
    EXPECT_EQ(read_details({{"collation", "2.36"}, {"built_with_collation", "2.36"}}).stale_collation, "");
}

TEST(Details, SayWhetherASalvageLeftItsRestoreCommand) {
    EXPECT_EQ(read_details({{"restore_command", ""}}).offers_wal, false);
    EXPECT_EQ(read_details({{"restore_command", "cp /archive/%f %p"}}).offers_wal, false);
    EXPECT_EQ(read_details({{"restore_command", "[ -f x ] # handyrep operation 3 replaced nothing"}}).offers_wal, true);
}

TEST(DetailsStatement, AsksOnlyWhatTheVersionKnows) {
    for (const int number : {90400, 90600, 100000, 120000, 130000, 150000, 180000}) {
        const std::string it = details_statement(model::ServerVersion{number});
        EXPECT_EQ(it.find("wal_status") != std::string::npos, number >= 130000) << number;
        EXPECT_EQ(it.find("wal_keep_segments") != std::string::npos, number < 130000) << number;
        EXPECT_EQ(it.find("datcollversion") != std::string::npos, number >= 150000) << number;
        EXPECT_EQ(it.find("recovery_target_timeline')") != std::string::npos, number >= 120000) << number;
    }
}

}  // namespace
}  // namespace handyrep::adapters::postgres
