#include "control/explain.hpp"
#include "tests/unit/control/recorded_source.hpp"
#include "tests/unit/decide/scene.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace handyrep::control {
namespace {

using decide::testing::Scene;
using testing::HasSubstr;
using namespace std::chrono_literals;

model::Moment moment_of(const Scene& scene, WallTime at) {
    return {
        .at = at,
        .since = at,
        .now = scene.now,
        .settings = scene.settings,
        .saved = scene.saved,
        .evidence = scene.evidence,
        .guards = scene.guards};
}

/// A primary that was killed after a while of health.
saved::Recording a_story() {
    Scene scene;
    saved::Recording out{.handyrep = "0.1.0", .moments = {}};
    scene.healthy();
    out.moments.push_back(moment_of(scene, wall("2026-11-22T03:04:05Z")));
    scene.primary_killed();
    out.moments.push_back(moment_of(scene, wall("2026-11-22T03:05:00Z")));
    scene.pass(20ms);
    out.moments.push_back(moment_of(scene, wall("2026-11-22T03:05:01Z")));
    return out;
}

Json explained(const saved::Recording& recording, ExplainQuestion question) {
    const auto out = explain(recording, question);
    EXPECT_TRUE(out) << out.error().text();
    return out ? out->json : Json{};
}

TEST(ExplainJson, SaysTheVerdictAndListsTheChangesBefore) {
    const Json json = explained(a_story(), {});
    EXPECT_EQ(json["situation"], "PrimaryDead");
    EXPECT_EQ(json["decision"], "fail_over");
    EXPECT_EQ(json["reason"], "PrimaryIsDead");
    EXPECT_EQ(json["next"], "fails over from db1 to db2");
    EXPECT_EQ(json["gates"].size(), 2U);
    EXPECT_EQ(json["guards"].size(), 10U);
    ASSERT_EQ(json["earlier"].size(), 2U);
    EXPECT_EQ(json["earlier"][0]["back"], 1);
    EXPECT_EQ(json["earlier"][0]["situation"], "PrimaryDead");
    EXPECT_EQ(json["earlier"][1]["situation"], "Healthy");
    EXPECT_EQ(json["earlier"][1]["at"], "2026-11-22T03:04:05.000000Z");
}

TEST(ExplainJson, GoesBackToAnEarlierChange) {
    EXPECT_EQ(explained(a_story(), {.back = 2})["situation"], "Healthy");
    const auto none = explain(a_story(), {.back = 3});
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().kind, ErrorKind::invalid);
    EXPECT_THAT(none.error().text(), HasSubstr("only 2 earlier changes"));
}

TEST(ExplainJson, LooksAheadFromAnyMoment) {
    const Json json = explained(a_story(), {.if_primary_died = true, .back = 2});
    EXPECT_EQ(json["primary"], "db1");
    ASSERT_EQ(json["if_primary_died"].size(), 2U);
    EXPECT_EQ(json["if_primary_died"][0]["candidate"], "db2");
    EXPECT_EQ(json["if_primary_died"][0]["by_itself"], true);
    EXPECT_EQ(json["if_primary_died"][0]["loss"]["known_bytes"], 0);
}

TEST(ExplainJson, IsTheSameOfTheRecordingThatAUserSendsIn) {
    const saved::Recording live = a_story();
    const auto sent = saved::recording_from_text(saved::to_text(live));
    ASSERT_TRUE(sent) << sent.error().text();
    for (const bool if_died : {false, true}) {
        for (std::size_t back = 0; back < 3; ++back) {
            const ExplainQuestion question{.if_primary_died = if_died, .back = back};
            EXPECT_EQ(explained(live, question).dump(), explained(*sent, question).dump());
        }
    }
}

}  // namespace
}  // namespace handyrep::control
