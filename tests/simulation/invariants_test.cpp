// A checker that never complains proves nothing: each claim is broken once here, on purpose.
#include "saved/operation.hpp"
#include "sim/clock.hpp"
#include "sim/invariants.hpp"

#include <gtest/gtest.h>

#include <string>

namespace handyrep::sim {
namespace {

using namespace std::chrono_literals;

constexpr ServerIndex db1 = 0;
constexpr ServerIndex db2 = 1;

struct Bench {
    Bench() {
        for (ServerIndex it = 0; it < world.servers.size(); ++it) {
            world.at(it).disk.control = it == 0 ? model::ControlState::shut_down : model::ControlState::shut_down_in_recovery;
            world.start(it, false);
        }
        world.add_client({.node = 4, .period = 50ms});
        advance(12s);
    }
    void advance(Duration length) {
        const Instant end = world.agenda.now() + length;
        world.agenda.at(end, [] {});
        while (world.agenda.next() && *world.agenda.next() <= end) world.agenda.run_next();
    }
    void journal(saved::JournalEntry entry, std::string step) {
        std::string detail;
        if (entry == saved::JournalEntry::begun) {
            saved::OperationBegun begun{
                .kind = "failover",
                .by = "automation",
                .reason = "PrimaryIsDead",
                .old_primary = world.at(db1).name,
                .candidate = world.at(db2).name,
                .commit_step = "promote db2"};
            detail = saved::to_text(begun);
        }
        const saved::JournalRecord record{1, ++sequence, SimClock::wall_of(world.agenda.now()), entry, std::move(step), std::move(detail)};
        disk.records.push_back(record);
        disk.last_operation = 1;
        disk.on_append(record);
    }
    void tell_proof(std::string proof) const {
        disk.on_event(
            {.at = SimClock::wall_of(world.agenda.now()),
             .name = "gates_open",
             .text = "",
             .operation = 1,
             .fields = {{"proof", std::move(proof)}}});
    }
    [[nodiscard]] std::string broken() const {
        std::string out;
        for (const Violation& it : invariants.violations()) out += it.claim + "; ";
        return out;
    }

    World world{WorldOptions{}, 1};
    StoreDisk disk{};
    Invariants invariants{world, disk};
    std::uint64_t sequence = 0;
};

TEST(Invariants, HoldInACalmWorld) {
    Bench it;
    it.invariants.judge_end();
    EXPECT_EQ(it.broken(), "");
}

TEST(Invariants, AreBrokenByTwoServersThatTakeWrites) {
    Bench it;
    it.world.at(db1).storage_stalled = true;  // so that the failover has a cause
    it.world.changed();
    it.journal(saved::JournalEntry::begun, "failover");
    it.tell_proof("processes_gone");
    it.world.begin_promotion(db2);
    it.advance(1s);
    it.world.at(db1).storage_stalled = false;
    it.world.changed();
    it.world.kill_all(db1);  // over at once, and still seen: nothing is sampled
    it.journal(saved::JournalEntry::ended, "operation");
    it.invariants.judge_end();
    EXPECT_EQ(it.broken(), "never two servers that take writes; ");
}

TEST(Invariants, ExcuseTwoWritersWhereTheFailoverSaidThatNothingWasProved) {
    Bench it;
    it.world.at(db1).storage_stalled = true;
    it.world.changed();
    it.journal(saved::JournalEntry::begun, "failover");
    it.tell_proof("witnessed");
    it.world.begin_promotion(db2);
    it.advance(1s);
    it.world.at(db1).storage_stalled = false;
    it.world.changed();
    it.world.kill_all(db1);
    it.journal(saved::JournalEntry::ended, "operation");
    it.invariants.judge_end();
    EXPECT_EQ(it.broken(), "");
}

TEST(Invariants, AreBrokenByTwoWritersThatNobodyEnds) {
    Bench it;
    it.world.at(db1).storage_stalled = true;
    it.world.changed();
    it.journal(saved::JournalEntry::begun, "failover");
    it.tell_proof("witnessed");
    it.world.begin_promotion(db2);
    it.advance(1s);
    it.world.at(db1).storage_stalled = false;
    it.journal(saved::JournalEntry::ended, "operation");
    it.invariants.judge_end();
    EXPECT_EQ(it.broken(), "once all is repaired, one server takes writes; ");
}

TEST(Invariants, AreBrokenByAFailoverOfAHealthyPrimary) {
    Bench it;
    it.journal(saved::JournalEntry::begun, "failover");
    EXPECT_EQ(it.broken(), "no failover of a healthy primary; ");
}

TEST(Invariants, AreBrokenByAnOperationThatDoesNotEnd) {
    Bench it;
    it.world.kill_all(db1);
    it.journal(saved::JournalEntry::begun, "failover");
    it.advance(300s);
    it.invariants.judge_end();
    EXPECT_EQ(it.broken(), "every plan ends; ");
}

TEST(Invariants, AreBrokenByAnOperationThatEndsTooLate) {
    Bench it;
    it.world.kill_all(db1);
    it.journal(saved::JournalEntry::begun, "failover");
    it.advance(300s);
    it.journal(saved::JournalEntry::ended, "operation");
    EXPECT_EQ(it.broken(), "every plan ends; ");
}

TEST(Invariants, AreBrokenByThePromotionOfAServerThatLacksASynchronousCommit) {
    Bench it;
    const model::Lsn beyond = it.world.at(db2).disk.end + model::Bytes{100};
    it.world.acknowledged.push_back({db1, it.world.at(db1).disk.branch, beyond, it.world.agenda.now(), true});
    it.world.kill_all(db1);
    it.journal(saved::JournalEntry::begun, "failover");
    it.world.begin_promotion(db2);
    it.advance(1s);
    EXPECT_EQ(it.broken(), "no acknowledged synchronous commit is lost; ");
}

TEST(Invariants, AreBrokenByAPromotionWithoutAJournal) {
    Bench it;
    it.world.kill_all(db1);
    it.world.begin_promotion(db2);
    it.advance(1s);
    EXPECT_EQ(it.broken(), "no journal, no action; ");
}

TEST(Invariants, AreBrokenByFencingTheOnlyPrimaryWhileItIsHealthy) {
    Bench it;
    it.disk.last_operation = 1;
    it.world.on_fenced(db1);
    EXPECT_EQ(it.broken(), "the only primary is not fenced while it is healthy; ");
}

TEST(Invariants, AreBrokenByAFailoverThatDoesNotSayWhatItLost) {
    Bench it;
    it.disk.on_event({.at = {}, .name = "promoted", .text = "db2 is the primary now", .operation = 1, .fields = {{"proof", "witnessed"}}});
    EXPECT_EQ(it.broken(), "a failover says what it lost; ");
}

/// What the manager's held session would have seen of db1.
void show(Bench& it, model::Lsn flushed) {
    const model::Answered answer{
        it.world.system_id,
        model::ServerVersion{150000},
        {},
        {},
        model::PrimaryAnswer{
            .timeline = model::Timeline{1},
            .inserted = flushed,
            .flushed = flushed,
            .synchronous_standby_names = {},
            .synchronous_commit = "on",
            .senders = {},
            .history = {}}};
    it.world.on_sighted(db1, answer, it.world.agenda.now());
}

TEST(Invariants, AreBrokenByAPromotionRightAfterAWritableSighting) {
    Bench it;
    it.world.at(db1).storage_stalled = true;
    it.world.changed();
    it.journal(saved::JournalEntry::begun, "failover");
    show(it, model::Lsn{100});
    show(it, model::Lsn{200});
    it.tell_proof("witnessed");
    it.world.on_promotion_asked();
    EXPECT_EQ(it.broken(), "no promotion after a writable sighting younger than its limit; ");
}

TEST(Invariants, ExcuseAWritableSightingThatTheFenceHasAnswered) {
    Bench it;
    it.world.at(db1).storage_stalled = true;
    it.world.changed();
    it.journal(saved::JournalEntry::begun, "failover");
    show(it, model::Lsn{100});
    show(it, model::Lsn{200});
    it.tell_proof("processes_gone");
    it.world.on_promotion_asked();
    EXPECT_EQ(it.broken(), "");
}

TEST(Invariants, AreBrokenByALossAboveTheOneThatWasAnnounced) {
    Bench it;
    show(it, model::Lsn{100});
    it.world.acknowledged.push_back(
        {db1, it.world.at(db1).disk.branch, it.world.at(db2).disk.end + model::Bytes{100000}, it.world.agenda.now() - 1s, false});
    it.world.kill_all(db1);
    it.journal(saved::JournalEntry::begun, "failover");
    it.tell_proof("processes_gone");
    it.world.begin_promotion(db2);
    it.advance(1s);
    it.disk.on_event(
        {.at = {},
         .name = "promoted",
         .text = "",
         .operation = 1,
         .fields = {{"server", "db2"}, {"loss_at_least_bytes", "50"}, {"loss_seen_before", "0s"}}});
    EXPECT_EQ(it.broken(), "no failover loses more than it announced; ");
}

/// 100,000 acknowledged bytes are lost; the last word about them is `event`.
std::string judged_with_the_last_word(const saved::Event& event) {
    Bench it;
    it.world.kill_all(db1);
    it.journal(saved::JournalEntry::begun, "failover");
    it.tell_proof("processes_gone");
    const model::Lsn fork = it.world.at(db2).disk.end;
    it.world.begin_promotion(db2);
    it.advance(1s);
    const saved::Event promoted{
        .at = {},
        .name = "promoted",
        .text = "",
        .operation = 1,
        .fields = {{"server", "db2"}, {"loss_at_least_bytes", "0"}, {"loss_at_most_bytes", "1000000"}}};
    it.disk.on_event(promoted);
    it.disk.on_event(event);
    // Heard of after the announcement: judged at the end.
    it.world.acknowledged.push_back({db1, it.world.at(db1).disk.branch, fork + model::Bytes{100000}, it.world.agenda.now(), false});
    it.journal(saved::JournalEntry::ended, "operation");
    it.invariants.judge_end();
    return it.broken();
}

TEST(Invariants, AreBrokenByALossAboveTheLastWordAboutIt) {
    const auto known = [](std::string bytes) {
        return saved::Event{.at = {}, .name = "loss_known", .text = "", .operation = 1, .fields = {{"loss_bytes", std::move(bytes)}}};
    };
    EXPECT_EQ(judged_with_the_last_word(known("100000")), "");
    EXPECT_EQ(judged_with_the_last_word(known("90000")), "no failover loses more than it announced as at most; ");
}

}  // namespace
}  // namespace handyrep::sim
