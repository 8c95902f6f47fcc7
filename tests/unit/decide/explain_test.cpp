#include "base/text.hpp"
#include "decide/explain.hpp"
#include "tests/unit/decide/scene.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace handyrep::decide {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

model::Moment moment_of(const Scene& scene) {
    return {
        .at = WallTime{std::chrono::duration_cast<std::chrono::microseconds>(scene.now.time_since_epoch())},
        .since = WallTime{1s},
        .now = scene.now,
        .settings = scene.settings,
        .saved = scene.saved,
        .evidence = scene.evidence,
        .guards = scene.guards};
}

Explanation explained(const Scene& scene) { return explain(moment_of(scene)); }

std::vector<std::string> clues(const Explanation& it) {
    std::vector<std::string> out;
    for (const Clue& clue : it.clues) {
        const char* const weight = clue.weight == Weight::supports ? "for" : clue.weight == Weight::contradicts ? "against" : "unknown";
        out.push_back(fmt::format(
            "{} {} {}: {}, {}", weight, clue.server.text(), clue.source, clue.text,
            clue.age ? text(std::chrono::floor<std::chrono::milliseconds>(*clue.age)) : "never"));
    }
    return out;
}

std::vector<std::string> not_these_of(const Explanation& it) {
    std::vector<std::string> out;
    for (const NotThis& other : it.not_these) out.push_back(fmt::format("{}: {}", word_for(other.situation), other.text));
    return out;
}

std::vector<std::string> holding(const Explanation& it) {
    std::vector<std::string> out;
    for (const GuardState& guard : it.guards) {
        if (guard.holds) out.push_back(fmt::format("{}: {}", word_for(guard.reason), guard.text));
    }
    return out;
}

std::vector<std::string> gates_of(const Explanation& it) {
    std::vector<std::string> out;
    for (const GateState& gate : it.gates)
        out.push_back(fmt::format("{} {} ({}): {}", word_for(gate.name), gate.open ? "open" : "closed", gate.word, gate.text));
    return out;
}

std::vector<std::string> candidates_of(const Explanation& it) {
    std::vector<std::string> out;
    for (const CandidateState& one : it.candidates) out.push_back(fmt::format("{} {}", one.server.text(), one.text));
    return out;
}

bool says(const std::vector<std::string>& lines, const std::string& line) { return std::ranges::find(lines, line) != lines.end(); }

TEST(Explanation, OfAHealthyClusterSaysWhoTakesWritesAndWhyItIsNotDead) {
    Scene scene;
    scene.healthy();
    scene.pass(200ms);
    const Explanation it = explained(scene);
    EXPECT_EQ(it.situation, Situation::healthy);
    EXPECT_EQ(it.sentence, "the primary takes writes");
    ASSERT_TRUE(it.writes);
    EXPECT_EQ(it.writes->server.text(), "db1");
    EXPECT_EQ(text(it.writes->flushed), "1:0/3000000");
    EXPECT_EQ(it.writes->age, 200ms);
    EXPECT_EQ(it.writes->moved_ago, 200ms);
    EXPECT_THAT(
        clues(it),
        ElementsAre(
            "against db1 held session: answers, 200ms", "against db1 dial: accepted, 200ms",
            "against db1 host: control file says in production, 6 processes hold the data directory, 200ms",
            "against db2 wal receiver: streams from the primary, 200ms", "against db3 wal receiver: streams from the primary, 200ms"));
    EXPECT_THAT(
        not_these_of(it),
        ElementsAre("StorageStalled: all WAL that was inserted is flushed", "PrimaryDead: its held session answered 200ms ago"));
    EXPECT_THAT(gates_of(it), IsEmpty()) << "a gate in front of a living primary says nothing";
}

TEST(Explanation, RanksEveryServerOfTheClusterWithTheReasonAgainstIt) {
    Scene scene;
    for (const auto* const name : {"db4", "db5", "db6", "db7"}) scene.add(name, std::string("host-of-") + name);
    scene.define("db3").failover_priority = 50;
    scene.define("db5").failover_priority = 0;
    scene.define("db6").enabled = false;
    scene.saved.must_be_down.push_back(
        {server("db7"),
         our_system,
         "host-of-db7",
         {},
         {Timeline{1}, Lsn{0x100}},
         server("db1"),
         model::TimelineHistory{Timeline{1}, {}},
         2});
    scene.healthy();
    scene.attached("db2", Lsn{0x2FFFC00});
    scene.attached("db4", Lsn{0x3000000});
    scene.attached("db5", Lsn{0x3000000});
    EXPECT_THAT(
        candidates_of(explained(scene)),
        ElementsAre(
            "db3 would take over: it is at 1:0/3000000 and has failover_priority 50",
            "db4 could, and is as far, but has failover_priority 100 and db3 has 50", "db2 could, but is 1 kB behind db3",
            "db5 has failover_priority 0: never", "db1 is the primary", "db6 is disabled in the configuration",
            "db7 must not run as primary since db1 took over in epoch 2"));
}

TEST(Explanation, OfADeadPrimaryShowsWhatOpensTheGatesAndWhyItIsNothingElse) {
    Scene scene;
    scene.primary_killed();
    const Explanation it = explained(scene);
    EXPECT_EQ(it.situation, Situation::primary_dead);
    EXPECT_TRUE(std::holds_alternative<FailOver>(it.decision));
    EXPECT_EQ(it.next_in, Duration::zero());
    EXPECT_THAT(holding(it), IsEmpty());
    EXPECT_THAT(
        gates_of(it), ElementsAre(
                          "durability open (open): no WAL that the primary was seen to flush would be lost",
                          "fence open (processes_gone): the primary's host answers: every PostgreSQL process there can be ended and "
                          "its directory marked standby"));
    EXPECT_THAT(
        not_these_of(it),
        ElementsAre(
            "ManagerIsolated: the host of db2 answers, so the manager's network works",
            "PrimaryCrashRecovery: no fresh connection is told that it recovers: the last one ended with: connection refused",
            "PrimaryShutDownCleanly: no administrator stopped it; its last words: its postmaster died",
            "PrimaryUnreachableFromHere: no replica that is seen still hears from it; no replica's host reaches it (2 of 2 hosts not "
            "asked, or cannot tell)",
            "AllDark: 2 of 2 replicas are seen",
            "PrimaryStalled: no fresh connection is accepted and then left mute: the last one ended with: connection refused",
            "PrimaryDeadSomeReplicasLost: every replica is seen"));
}

TEST(Explanation, OfASuspicionSaysWhatItStillLacksAndWhenItIsDue) {
    Scene scene;
    scene.primary_vanished(2s);
    const Explanation it = explained(scene);
    EXPECT_EQ(it.sentence, "the primary is not answering at this moment");
    EXPECT_EQ(it.next_in, 1s);
    EXPECT_TRUE(says(not_these_of(it), "PrimaryDead: it has been bad for 2s; silence counts after 3s"));
    EXPECT_TRUE(says(clues(it), "unknown db1 host: cannot be looked into, 0s"));
}

TEST(Explanation, NamesTheReplicaThatSpeaksForThePrimary) {
    Scene scene;
    scene.primary_vanished(4s);
    scene.attached("db2");
    const Explanation it = explained(scene);
    EXPECT_EQ(it.situation, Situation::primary_unreachable_from_here);
    EXPECT_TRUE(says(clues(it), "against db2 wal receiver: streams from the primary, 0s"));
    EXPECT_TRUE(says(not_these_of(it), "PrimaryDead: db2 still streams from it"));
    EXPECT_THAT(gates_of(it), IsEmpty());
    EXPECT_FALSE(it.writes);
}

TEST(Explanation, NamesTheHostThatReachesThePrimary) {
    Scene scene;
    scene.primary_vanished(4s);
    scene.witness("db3", model::Reach::accepted);
    EXPECT_TRUE(says(not_these_of(explained(scene)), "PrimaryDead: the host of db3 reaches it"));
}

TEST(Explanation, SaysWhichReplicaIsMissingAndWhichGateThatCloses) {
    Scene scene;
    scene.primary_vanished(4s);
    scene.silent("db3", scene.now - 2s);
    const Explanation it = explained(scene);
    EXPECT_EQ(it.situation, Situation::primary_dead_some_replicas_lost);
    EXPECT_TRUE(says(not_these_of(it), "PrimaryDead: db3 is not seen: it may still serve clients on the primary's side"));
    EXPECT_TRUE(says(candidates_of(it), "db3 is not seen as a standby"));
    EXPECT_TRUE(says(
        gates_of(it),
        "fence closed (FenceUnreachable): policy 'witnessed' applies to PrimaryDead only, not to PrimaryDeadSomeReplicasLost; the "
        "primary's host must be fenced"));
}

TEST(Explanation, OfAStopByAnAdministratorSaysHowLongItWaits) {
    Scene scene;
    scene.healthy();
    scene.lost("db1", model::LastWords::administrator);
    scene.refused_twice();
    scene.pass(10s);
    scene.refused_twice();
    scene.detached("db2");
    scene.detached("db3");
    const Explanation it = explained(scene);
    EXPECT_EQ(it.situation, Situation::primary_shut_down_cleanly);
    ASSERT_TRUE(it.next_in);
    EXPECT_NEAR(std::chrono::duration<double>(*it.next_in).count(), 50, 1);
    EXPECT_FALSE(it.gates.empty()) << "it would be failed over from when the grace is over";
}

TEST(Explanation, OfAStalledStorageTellsFromWhenItWouldCount) {
    Scene scene;
    scene.healthy();
    model::Answered stuck = scene.as_primary(Lsn{0x3000000});
    std::get<model::PrimaryAnswer>(stuck.as).inserted = Lsn{0x3000100};
    scene.see("db1", model::HeldSight{stuck});
    scene.pass(500ms);
    scene.see("db1", model::HeldSight{stuck});
    EXPECT_TRUE(says(not_these_of(explained(scene)), "StorageStalled: WAL inserted 500ms ago is not flushed yet; that counts after 5s"));
}

TEST(Explanation, OfASynchronousClusterTellsWhyNoCommitCountsAsBlocked) {
    Scene scene;
    scene.healthy();
    model::Answered answer = scene.as_primary(Lsn{0x3000000});
    auto& primary = std::get<model::PrimaryAnswer>(answer.as);
    primary.synchronous_standby_names = "ANY 1 (db2)";
    primary.senders = {{"db2", "streaming", "quorum", "", Lsn{0x3000000}}};
    scene.see("db1", model::HeldSight{answer});
    EXPECT_TRUE(says(
        not_these_of(explained(scene)),
        "SyncCommitBlocked: 1 of 1 synchronous standbys that a commit needs are attached; whether commits wait was not asked lately"));
}

TEST(Explanation, SaysWhatEverySensorLastSaidAndHowLongAgo) {
    Scene scene;
    scene.primary_vanished(2s);
    scene.pass(100ms);
    const Explanation it = explained(scene);
    std::vector<std::string> lines;
    for (const SensorSight& sight : it.servers[0].sensors) lines.push_back(sight.sensor + ": " + sight.text + ", " + text(sight.age));
    EXPECT_THAT(
        lines, ElementsAre("held session: silent for 2.1s, 100ms", "dial: no answer to connect, 100ms", "host: no route to host, 100ms"));
    lines.clear();
    for (const SensorSight& sight : it.servers[1].sensors) lines.push_back(sight.sensor + ": " + sight.text + ", " + text(sight.age));
    EXPECT_THAT(
        lines, ElementsAre(
                   "held session: answers as standby, 100ms",
                   "wal receiver: streaming from host-of-db1:5432, last message 2s before, 100ms", "dial: accepted, 2.1s",
                   "host: 6 processes, control file says in production, 2.1s", "witness: asked about db1: gets no answer, 100ms"));
}

TEST(Explanation, BeforeTheFirstLookSaysWhatIsMissing) {
    Scene scene;
    scene.primary_answers();
    const Explanation it = explained(scene);
    EXPECT_EQ(it.situation, Situation::unknown);
    EXPECT_EQ(it.sentence, "not every server has been looked at since the start: not looked at yet: db2, db3");
    EXPECT_TRUE(it.servers[2].sensors.empty());
}

TEST(Explanation, WithoutAPrimaryIsStillAnExplanation) {
    Scene scene;
    scene.healthy();
    scene.saved.primary.reset();
    const Explanation it = explained(scene);
    EXPECT_THAT(it.not_these, IsEmpty());
    EXPECT_FALSE(it.candidates.empty());
}

/// Each guard by the reason that the decision gives when it alone holds: the list and the decision cannot drift apart.
TEST(Explanation, ShowsTheGuardThatTheDecisionNames) {
    const std::vector<std::pair<Reason, void (*)(Scene&)>> rows{
        {Reason::operation_running, [](Scene& it) { it.guards.operation_running = true; }},
        {Reason::provisional_start, [](Scene& it) { it.guards.provisional = true; }},
        {Reason::auto_failover_off, [](Scene& it) { it.settings.auto_failover = false; }},
        {Reason::auto_failover_off, [](Scene& it) { it.guards.paused = true; }},
        {Reason::maintenance, [](Scene& it) { it.guards.maintenance = true; }},
        {Reason::cooldown, [](Scene& it) { it.guards.cooldown_left = 1min; }},
        {Reason::possible_primary_unresolved, [](Scene& it) { it.saved.possible_primary = model::PossiblePrimary{server("db2"), {}}; }},
        {Reason::recently_refused, [](Scene& it) { it.guards.refused = model::Refusal{.until = it.now + 1s}; }},
        {Reason::journal_unavailable, [](Scene& it) { it.guards.journal_available = false; }},
        {Reason::writable_sighting, [](Scene& it) {
             it = Scene{};
             it.settings.silence_timeout = 1s;
             it.primary_vanished(1500ms);
             it.detached("db2");
             it.detached("db3");
         }}};
    for (const auto& [reason, hold] : rows) {
        Scene scene;
        scene.primary_killed();
        EXPECT_THAT(holding(explained(scene)), IsEmpty());
        hold(scene);
        const Explanation it = explained(scene);
        ASSERT_TRUE(std::holds_alternative<Hold>(it.decision)) << word_for(reason);
        const Hold& decided = std::get<Hold>(it.decision);
        const auto first = std::ranges::find_if(it.guards, &GuardState::holds);
        ASSERT_NE(first, it.guards.end()) << word_for(reason);
        EXPECT_EQ(first->reason, decided.reason) << decided.text;
    }
}

}  // namespace
}  // namespace handyrep::decide
