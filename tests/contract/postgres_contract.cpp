// What every adapter of the port `postgres` does.
#include "tests/contract/stage.hpp"

#include <gtest/gtest.h>

#include <variant>

namespace handyrep::contract {
namespace {

using namespace std::chrono_literals;
using model::DialOutcome;

constexpr Duration limit = 20s;

class PostgresContract : public testing::Test {
protected:
    std::unique_ptr<Stage> stage = make_stage();

    model::HeldSight poll(Which which, Duration within = limit, bool beat = true) {
        return stage->run(stage->postgres(which).poll(beat, stage->in(within)));
    }
    std::optional<model::PrimaryAnswer> primary_answer(Which which = Which::primary) {
        const auto sight = poll(which);
        const auto* const answer = std::get_if<model::Answered>(&sight);
        return answer != nullptr && answer->primary() != nullptr ? std::optional{*answer->primary()} : std::nullopt;
    }
    std::optional<model::StandbyAnswer> standby_answer(Which which = Which::replica) {
        const auto sight = poll(which);
        const auto* const answer = std::get_if<model::Answered>(&sight);
        return answer != nullptr && answer->standby() != nullptr ? std::optional{*answer->standby()} : std::nullopt;
    }
    /// Polls until the answer pleases.
    template <class Question>
    bool becomes(Question question) {
        const Instant end = stage->in(60s);
        while (stage->clock().now() < end) {
            if (question()) return true;
            stage->run(stage->clock().sleep_until(stage->in(20ms)));
        }
        return false;
    }
    WallTime server_time(Which which) {
        const auto sight = poll(which);
        const auto* const answer = std::get_if<model::Answered>(&sight);
        return answer == nullptr ? WallTime{} : answer->server_time;
    }
    DialOutcome dial(Which which, Duration within = limit) { return stage->run(stage->postgres(which).dial(stage->in(within))).outcome; }
};

TEST_F(PostgresContract, APrimaryAnswersWithItsPositionAndTheHistoryOfItsTimeline) {
    const auto seen = primary_answer();
    ASSERT_TRUE(seen);
    EXPECT_LE(seen->flushed, seen->inserted);
    ASSERT_TRUE(seen->history);
    EXPECT_EQ(seen->history->current(), seen->timeline);
    EXPECT_EQ(seen->senders.size(), 1U);
}

TEST_F(PostgresContract, AReplicaAnswersWithWhatItReceivesAndFromWhom) {
    const auto seen = standby_answer();
    ASSERT_TRUE(seen && seen->receiver);
    EXPECT_EQ(seen->receiver->status, "streaming");
    EXPECT_EQ(seen->receiver->sender_host, stage->address(Which::primary).hostname);
    EXPECT_EQ(seen->receiver->sender_port, stage->address(Which::primary).port);
    EXPECT_LE(seen->replayed, seen->received);
}

TEST_F(PostgresContract, AHeartbeatMovesThePrimarysWalAndTheReplicaGetsIt) {
    const auto first = primary_answer();
    ASSERT_TRUE(first);
    ASSERT_TRUE(becomes([&] {
        const auto now = primary_answer();
        return now && now->flushed > first->flushed;
    }));
    EXPECT_TRUE(becomes([&] {
        const auto now = standby_answer();
        return now && now->received > first->flushed;
    }));
}

TEST_F(PostgresContract, TheEndOfAKilledServersSessionIsReportedOnceAndThenItIsNotOpen) {
    static_cast<void>(poll(Which::primary));
    stage->kill(Which::primary);
    model::HeldSight sight = model::Silent{};
    ASSERT_TRUE(becomes([&] {
        sight = poll(Which::primary);
        return !std::holds_alternative<model::Answered>(sight) && !std::holds_alternative<model::Silent>(sight);
    }));
    EXPECT_TRUE(std::holds_alternative<model::Lost>(sight));
    const auto next = poll(Which::primary);
    ASSERT_TRUE(std::holds_alternative<model::NotOpen>(next));
    EXPECT_EQ(std::get<model::NotOpen>(next).why, DialOutcome::refused);
    EXPECT_EQ(dial(Which::primary), DialOutcome::refused);
}

TEST_F(PostgresContract, AStopByAPersonLeavesAnAdministratorsLastWords) {
    static_cast<void>(poll(Which::primary));
    stage->fast_stop(Which::primary);
    model::HeldSight sight = model::Silent{};
    ASSERT_TRUE(becomes([&] {
        sight = poll(Which::primary);
        return std::holds_alternative<model::Lost>(sight);
    }));
    EXPECT_EQ(std::get<model::Lost>(sight).words, model::LastWords::administrator);
    EXPECT_EQ(dial(Which::primary), DialOutcome::refused);
}

TEST_F(PostgresContract, AFrozenServerIsSilentKeepsItsQuestionAndAnswersWhenItGoesOn) {
    static_cast<void>(poll(Which::primary));
    stage->freeze(Which::primary);
    const auto first = poll(Which::primary, 300ms);
    const auto second = poll(Which::primary, 300ms);
    ASSERT_TRUE(std::holds_alternative<model::Silent>(first) && std::holds_alternative<model::Silent>(second));
    EXPECT_EQ(std::get<model::Silent>(first).since, std::get<model::Silent>(second).since);
    EXPECT_EQ(dial(Which::primary, 300ms), DialOutcome::startup_timeout);
    stage->thaw(Which::primary);
    EXPECT_TRUE(primary_answer());
}

TEST_F(PostgresContract, ADetachedReplicaHasNoReceiverAndFollowsAgainWhenTold) {
    static_cast<void>(standby_answer());
    ASSERT_TRUE(stage->run(stage->postgres(Which::replica).detach(stage->in(limit))));
    const auto detached = standby_answer();
    ASSERT_TRUE(detached);
    EXPECT_FALSE(detached->receiver);
    EXPECT_TRUE(stage->run(stage->postgres(Which::replica).detach(stage->in(limit)))) << "detached already";
    ASSERT_TRUE(stage->run(stage->postgres(Which::replica).follow(stage->address(Which::primary), stage->in(limit))));
    EXPECT_TRUE(becomes([&] {
        const auto now = standby_answer();
        return now && now->receiver && now->receiver->status == "streaming";
    }));
}

TEST_F(PostgresContract, APromotionPastItsExpiryIsRefusedAndTheServerStaysInRecovery) {
    const WallTime now = server_time(Which::replica);
    const auto answer = stage->run(stage->postgres(Which::replica).promote(now - 1s, stage->in(limit)));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, ErrorKind::refused);
    EXPECT_TRUE(standby_answer());
}

TEST_F(PostgresContract, QueriesAreEndedOnAReplicaAndNeverOnAPrimary) {
    static_cast<void>(standby_answer());
    const auto none = stage->run(stage->postgres(Which::replica).end_queries(stage->in(limit)));
    ASSERT_TRUE(none) << none.error().text();
    EXPECT_EQ(*none, 0U) << "its own session is no client's";
    EXPECT_TRUE(standby_answer());
    const auto refused = stage->run(stage->postgres(Which::primary).end_queries(stage->in(limit)));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::refused);
}

TEST_F(PostgresContract, APromotionOfAPrimaryIsRefused) {
    const WallTime now = server_time(Which::primary);
    const auto answer = stage->run(stage->postgres(Which::primary).promote(now + 20s, stage->in(limit)));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, ErrorKind::refused);
}

TEST_F(PostgresContract, APromotedReplicaIsOnTheNextTimelineWhoseHistoryHoldsTheFork) {
    const auto before = primary_answer();
    ASSERT_TRUE(before && standby_answer());
    ASSERT_TRUE(stage->run(stage->postgres(Which::replica).detach(stage->in(limit))));
    ASSERT_TRUE(stage->run(stage->postgres(Which::replica).promote(server_time(Which::replica) + 20s, stage->in(limit))));
    std::optional<model::PrimaryAnswer> after;
    ASSERT_TRUE(becomes([&] {
        static_cast<void>(stage->run(stage->postgres(Which::replica).nudge(stage->in(limit))));
        after = primary_answer(Which::replica);
        return after.has_value();
    }));
    EXPECT_EQ(after->timeline.id, before->timeline.id + 1);
    const auto history = stage->run(stage->postgres(Which::replica).timeline_history(stage->in(limit)));
    ASSERT_TRUE(history);
    EXPECT_EQ(history->current(), after->timeline);
    EXPECT_TRUE(history->left(before->timeline));
}

TEST_F(PostgresContract, TheSynchronousSetIsReadBackAfterItWasWritten) {
    static_cast<void>(primary_answer());
    ASSERT_TRUE(stage->run(stage->postgres(Which::primary).set_synchronous_standby_names("ANY 1 (a, b)", stage->in(limit))));
    EXPECT_TRUE(becomes([&] {
        const auto now = primary_answer();
        return now && now->synchronous_standby_names == "ANY 1 (a, b)";
    }));
    ASSERT_TRUE(stage->run(stage->postgres(Which::primary).set_synchronous_standby_names("", stage->in(limit))));
}

}  // namespace
}  // namespace handyrep::contract
