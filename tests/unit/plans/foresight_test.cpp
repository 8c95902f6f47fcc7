#include "plans/foresight.hpp"
#include "tests/unit/decide/scene.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace handyrep::plans {
namespace {

using decide::Situation;
using decide::testing::Scene;
using decide::testing::server;
using model::Lsn;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

model::Moment moment_of(const Scene& scene) {
    return {
        .at = WallTime{1s},
        .since = WallTime{1s},
        .now = scene.now,
        .settings = scene.settings,
        .saved = scene.saved,
        .evidence = scene.evidence,
        .guards = scene.guards};
}

Foresight foresee(const Scene& scene, Death death) {
    const auto deaths = if_primary_died(moment_of(scene));
    EXPECT_TRUE(deaths) << deaths.error().text();
    EXPECT_EQ(deaths->size(), 2U);
    return *std::ranges::find(*deaths, death, &Foresight::death);
}

std::string gate_of(const Foresight& it, decide::GateName name) {
    const auto gate = std::ranges::find(it.gates, name, &decide::GateState::name);
    return gate == it.gates.end() ? "none" : fmt::format("{} {}", gate->open ? "open" : "closed", gate->word);
}

std::string text_of(const decide::Explanation& it) {
    return std::visit([](const auto& decision) { return decision.text; }, it.decision);
}

TEST(Foresight, OfADeadProcessIsAFailoverWithAFence) {
    Scene scene;
    scene.healthy();
    const Foresight it = foresee(scene, Death::process);
    EXPECT_TRUE(it.acts);
    EXPECT_LT(it.after, 1s) << "a refused port needs no silence_timeout";
    EXPECT_EQ(it.then.situation, Situation::primary_dead);
    EXPECT_EQ(it.candidate, server("db2"));
    EXPECT_EQ(gate_of(it, decide::GateName::fence), "open processes_gone");
    EXPECT_EQ(gate_of(it, decide::GateName::durability), "open open");
    ASSERT_FALSE(it.steps.empty());
    EXPECT_THAT(it.steps[1], HasSubstr("fence db1"));
}

TEST(Foresight, OfAVanishedHostWaitsForTheSilenceAndRestsOnWitnesses) {
    Scene scene;
    scene.healthy();
    const Foresight it = foresee(scene, Death::host);
    EXPECT_TRUE(it.acts);
    EXPECT_GE(it.after, scene.settings.silence_timeout);
    EXPECT_LT(it.after, scene.settings.silence_timeout + 1s);
    EXPECT_EQ(gate_of(it, decide::GateName::fence), "open witnessed");
    for (const std::string& step : it.steps) EXPECT_THAT(step, ::testing::Not(HasSubstr("fence db1")));
}

TEST(Foresight, ChangesNothingThatIsAndCanBeAskedAtAnyTime) {
    Scene scene;
    scene.healthy();
    const auto before = decide::explain(moment_of(scene));
    static_cast<void>(if_primary_died(moment_of(scene)));
    EXPECT_EQ(decide::explain(moment_of(scene)).situation, before.situation);
    scene.primary_vanished(4s);
    EXPECT_TRUE(if_primary_died(moment_of(scene)));
}

TEST(Foresight, CountsTheBytesThatTheCandidateWasNotSeenToHave) {
    Scene scene;
    scene.healthy();
    scene.pass(300ms);
    scene.primary_answers(Lsn{0x3000400});
    const Foresight it = foresee(scene, Death::process);
    ASSERT_TRUE(it.loss);
    EXPECT_EQ(it.loss->known, model::Bytes{0x400});
    EXPECT_EQ(it.loss->primary_age, 0s);
    EXPECT_EQ(it.loss->candidate_age, 300ms);
}

TEST(Foresight, SaysThatTooMuchWouldBeLost) {
    Scene scene;
    scene.healthy();
    scene.primary_answers(Lsn{0x3000000 + (32U << 20U)});
    const Foresight it = foresee(scene, Death::process);
    EXPECT_FALSE(it.acts);
    EXPECT_EQ(gate_of(it, decide::GateName::durability), "closed LossTooLarge");
    EXPECT_THAT(it.order, HasSubstr("at least 32 MB of flushed WAL would be lost"));
    EXPECT_THAT(it.steps, IsEmpty());
}

TEST(Foresight, SaysBeforehandThatAStrictPolicyFindsNoFence) {
    Scene scene;
    scene.healthy();
    scene.settings.fencing = model::Fencing::strict;
    EXPECT_TRUE(foresee(scene, Death::process).acts);
    const Foresight it = foresee(scene, Death::host);
    EXPECT_FALSE(it.acts);
    EXPECT_EQ(gate_of(it, decide::GateName::fence), "closed FenceUnreachable");
}

TEST(Foresight, OfAHostThatCannotBeLookedIntoNamesTheWitnessThatIsMissing) {
    Scene scene;
    scene.healthy();
    scene.host_is_mute("db3");
    const Foresight it = foresee(scene, Death::host);
    EXPECT_FALSE(it.acts);
    EXPECT_EQ(gate_of(it, decide::GateName::fence), "closed WitnessMissing");
    EXPECT_THAT(text_of(it.then), HasSubstr("the host of db3 cannot say"));
}

TEST(Foresight, KeepsWhatIsAlreadyBroken) {
    Scene scene;
    scene.healthy();
    scene.see("db3", model::HeldSight{model::NotOpen{model::DialOutcome::refused, {}}});
    scene.see("db3", model::DialOutcome::refused);
    for (const Death death : {Death::process, Death::host}) {
        const Foresight it = foresee(scene, death);
        EXPECT_EQ(it.then.situation, Situation::primary_dead_some_replicas_lost);
        EXPECT_EQ(it.acts, death == Death::process) << "only where the primary's processes can be ended for sure";
    }
}

TEST(Foresight, TakesWhatStandsOnThePrimarysHostAwayWithIt) {
    Scene scene;
    for (const auto* const name : {"db1", "db2", "db3"}) scene.define(name).hostname = "one-host";
    scene.healthy();
    const Foresight it = foresee(scene, Death::host);
    EXPECT_EQ(it.then.situation, Situation::all_dark);
    EXPECT_EQ(it.with_it, (std::vector{server("db2"), server("db3")}));
    EXPECT_TRUE(foresee(scene, Death::process).with_it.empty());
    EXPECT_EQ(it.candidate, std::nullopt);
    EXPECT_EQ(it.loss, std::nullopt);
    EXPECT_THAT(it.order, HasSubstr("no replica can take over"));
}

TEST(Foresight, LeavesAReplicaOfAReplicaWithItsUpstream) {
    Scene scene;
    scene.healthy();
    scene.see("db3", model::HeldSight{scene.as_standby(Lsn{0x3000000}, model::WalReceiver{"streaming", "host-of-db2", 5432, 100ms})});
    for (const Death death : {Death::process, Death::host}) {
        const Foresight it = foresee(scene, death);
        const auto receiver = std::ranges::find_if(
            it.then.clues, [](const decide::Clue& clue) { return clue.server == server("db3") && clue.source == "wal receiver"; });
        ASSERT_NE(receiver, it.then.clues.end());
        EXPECT_EQ(receiver->text, "streams from another server");
    }
}

TEST(Foresight, ShowsTheGuardThatWouldHoldItBackAndWhatAPersonCouldOrder) {
    Scene scene;
    scene.healthy();
    scene.settings.auto_failover = false;
    const Foresight it = foresee(scene, Death::process);
    EXPECT_FALSE(it.acts);
    EXPECT_THAT(text_of(it.then), HasSubstr("auto_failover is false"));
    EXPECT_EQ(it.order, "fails over from db1 to db2");
    EXPECT_FALSE(it.steps.empty());
}

TEST(Foresight, IsRefusedWhereNobodyIsPrimary) {
    Scene scene;
    scene.healthy();
    scene.saved.primary.reset();
    const auto deaths = if_primary_died(moment_of(scene));
    ASSERT_FALSE(deaths);
    EXPECT_EQ(deaths.error().kind, ErrorKind::refused);
}

}  // namespace
}  // namespace handyrep::plans
