#include "model/evidence.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace handyrep::model {
namespace {

using namespace std::chrono_literals;

const ServerName db1 = *ServerName::parse("db1");

Instant at(Duration since_start) { return Instant{} + 1h + since_start; }

HeldSight answer(std::uint64_t inserted, std::uint64_t flushed) {
    return Answered{
        .system_id = {7},
        .version = {150000},
        .server_time = {},
        .started = {},
        .as = PrimaryAnswer{
            .timeline = {1},
            .inserted = Lsn{inserted},
            .flushed = Lsn{flushed},
            .synchronous_standby_names = {},
            .synchronous_commit = {},
            .senders = {},
            .history = {}}};
}

/// A story of sightings of one server.
struct Story {
    Evidence evidence{};

    Story& held(Duration when, HeldSight sight) {
        absorb(evidence, {db1, at(when), std::move(sight)});
        return *this;
    }
    Story& dial(Duration when, DialOutcome outcome) {
        absorb(evidence, {db1, at(when), DialSight{outcome, ""}});
        return *this;
    }
    ServerEvidence& of() { return evidence.of(db1); }
};

TEST(Evidence, KeepsTheLastAnswerOfAServerThatFellSilent) {
    Story story;
    story.held(0ms, answer(100, 100)).held(500ms, Silent{at(400ms)});
    const auto last = story.of().last_answer;
    EXPECT_EQ(last ? last->at : Instant{}, at(0ms));
    EXPECT_EQ(story.of().bad_since, at(400ms));
    EXPECT_EQ(story.of().silent_since, at(400ms));
}

TEST(Evidence, CountsTheSilenceFromTheFirstQuestionWithoutAnswer) {
    Story story;
    story.held(500ms, Silent{at(400ms)}).held(900ms, Silent{at(800ms)});
    EXPECT_EQ(story.of().silent_since, at(400ms));
}

TEST(Evidence, ForgetsABadSpellAtTheNextAnswer) {
    Story story;
    story.held(0ms, Lost{LastWords::postmaster_died})
        .dial(10ms, DialOutcome::refused)
        .dial(20ms, DialOutcome::starting_up)
        .dial(30ms, DialOutcome::shutting_down);
    EXPECT_TRUE(story.of().last_words && story.of().recovered && story.of().shut_down);
    story.held(100ms, answer(1, 1));
    EXPECT_FALSE(story.of().bad_since || story.of().last_words || story.of().recovered || story.of().shut_down);
    EXPECT_EQ(story.of().bad_looks, 0);
}

TEST(Evidence, CountsOnlyDeadDialsSinceTheSessionWentBad) {
    Story story;
    story.dial(0ms, DialOutcome::refused);
    EXPECT_EQ(story.of().bad_looks, 0);
    story.held(10ms, Lost{LastWords::none}).dial(20ms, DialOutcome::refused).dial(30ms, DialOutcome::connect_timeout);
    EXPECT_EQ(story.of().bad_looks, 2);
    story.dial(40ms, DialOutcome::too_many_connections);
    EXPECT_EQ(story.of().bad_looks, 0) << "somebody answered";
    EXPECT_FALSE(story.of().dials_bad_since);
}

TEST(Evidence, CountsARecoveryThroughALateLoginAndNotBeyondItsEnd) {
    Story story;
    story.dial(1s, DialOutcome::starting_up).dial(2s, DialOutcome::startup_timeout).dial(3s, DialOutcome::in_recovery);
    EXPECT_EQ(story.of().recovering_since, at(1s));
    story.dial(4s, DialOutcome::startup_timeout).held(5s, answer(100, 100));
    EXPECT_FALSE(story.of().recovering_since) << "it is over";
    for (const auto end : {DialOutcome::refused, DialOutcome::connect_timeout, DialOutcome::accepted}) {
        story.dial(6s, DialOutcome::starting_up).dial(7s, end).dial(8s, DialOutcome::starting_up);
        EXPECT_EQ(story.of().recovering_since, at(8s)) << word_for(end);
    }
}

TEST(Evidence, TakesARefusedQuestionForALivingServer) {
    Story story;
    story.held(0ms, Silent{at(0ms)}).held(10ms, Complained{"42501", "no right"});
    EXPECT_FALSE(story.of().bad_since);
}

HeldSight at_clock(std::uint64_t inserted, WallTime server_time) {
    auto sight = std::get<Answered>(answer(inserted, inserted));
    sight.server_time = server_time;
    return sight;
}

TEST(WalPace, IsTheHighestBetweenTwoAnswersByTheServersClock) {
    Story story;
    story.held(0s, at_clock(0, WallTime{} + 10s)).held(3s, at_clock(1000, WallTime{} + 11s)).held(4s, at_clock(1100, WallTime{} + 12s));
    ASSERT_TRUE(story.of().pace);
    EXPECT_EQ(story.of().pace->highest(), Bytes{1000});
    EXPECT_EQ(story.of().pace->asked_after, at(3s));
}

TEST(WalPace, IsForgottenAfterFiveToTenMinutes) {
    Story story;
    story.held(0s, at_clock(0, WallTime{})).held(1s, at_clock(1000, WallTime{} + 1s));
    story.held(6min, at_clock(1000, WallTime{} + 6min));
    EXPECT_EQ(story.of().pace->highest(), Bytes{1000});
    story.held(12min, at_clock(1000, WallTime{} + 12min));
    EXPECT_EQ(story.of().pace->highest(), Bytes{0});
}

TEST(WritableSighting, IsAnAnswerWhoseFlushPositionMoved) {
    Story story;
    story.held(0ms, answer(100, 100));
    EXPECT_FALSE(story.of().writable_at) << "one answer cannot move";
    story.held(500ms, answer(200, 200));
    EXPECT_EQ(story.of().writable_at, at(500ms));
    story.held(1s, answer(200, 200));
    EXPECT_EQ(story.of().writable_at, at(500ms));
}

TEST(Doubt, ForgetsEverySignButTheLastAnswerAndTheWritableSighting) {
    Story story;
    story.held(0ms, answer(100, 100)).held(500ms, answer(200, 200)).dial(600ms, DialOutcome::accepted).held(700ms, Lost{LastWords::none});
    discard(story.evidence, at(10s), 2s);
    EXPECT_FALSE(story.of().held || story.of().dial || story.of().bad_since);
    EXPECT_EQ(story.of().writable_at, at(-1500ms)) << "older by the sleep that our clock did not count";
    const auto last = story.of().last_answer;
    EXPECT_EQ(last ? last->at : Instant{}, at(-1500ms));
    EXPECT_EQ(story.evidence.counts_from, at(10s));
}

TEST(AnswerOnWaking, VetoesAndIsNoSignOfLife) {
    Story story;
    story.held(0ms, answer(100, 100));
    discard(story.evidence, at(10s));
    absorb_veto(story.evidence, {db1, at(10s), answer(200, 200)});
    EXPECT_EQ(story.of().writable_at, at(10s));
    EXPECT_FALSE(story.of().held);
    const auto last = story.of().last_answer;
    EXPECT_EQ(last ? last->at : Instant{}, at(0ms)) << "what was lost is not counted from an answer of unknown age";
}

TEST(AnswerOnWaking, DoesNotVetoWhenItShowsNoWrite) {
    Story story;
    story.held(0ms, answer(100, 100));
    discard(story.evidence, at(10s));
    absorb_veto(story.evidence, {db1, at(10s), answer(100, 100)});
    absorb_veto(story.evidence, {db1, at(10s), HeldSight{Silent{at(9s)}}});
    absorb_veto(story.evidence, {db1, at(10s), DialSight{DialOutcome::accepted, ""}});
    EXPECT_FALSE(story.of().writable_at);
}

TEST(StuckFlush, LastsFromTheInsertPositionThatIsNotFlushedUntilItIs) {
    Story story;
    story.held(0ms, answer(200, 100)).held(500ms, answer(300, 150));
    EXPECT_EQ(story.of().flush_stuck_since, at(0ms));
    story.held(1s, answer(400, 250));
    EXPECT_EQ(story.of().flush_stuck_since, at(1s)) << "what was waited for is flushed, something newer is not";
    story.held(2s, answer(400, 400));
    EXPECT_FALSE(story.of().flush_stuck_since);
}

TEST(Dial, IsDeadOnlyWhenNobodyAnswered) {
    for (const DialOutcome it :
         {DialOutcome::refused, DialOutcome::unreachable, DialOutcome::connect_timeout, DialOutcome::startup_timeout, DialOutcome::reset})
        EXPECT_TRUE(is_dead(it)) << word_for(it);
    for (const DialOutcome it :
         {DialOutcome::accepted, DialOutcome::shutting_down, DialOutcome::starting_up, DialOutcome::in_recovery,
          DialOutcome::not_yet_accepting, DialOutcome::too_many_connections, DialOutcome::authentication_failed, DialOutcome::tls_failed,
          DialOutcome::name_not_resolved, DialOutcome::other_refusal})
        EXPECT_FALSE(is_dead(it)) << word_for(it);
    EXPECT_FALSE(is_silence(DialOutcome::refused));
}

}  // namespace
}  // namespace handyrep::model
