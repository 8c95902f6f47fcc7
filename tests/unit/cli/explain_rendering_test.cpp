#include "base/text.hpp"
#include "cli/rendering.hpp"
#include "control/explain.hpp"
#include "tests/unit/decide/scene.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace handyrep::cli {
namespace {

using decide::testing::Scene;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using namespace std::chrono_literals;

model::Moment moment_of(const Scene& scene) {
    return {
        .at = WallTime{1'763'860'000'000'000us},
        .since = WallTime{1'763'859'959'000'000us},
        .now = scene.now,
        .settings = scene.settings,
        .saved = scene.saved,
        .evidence = scene.evidence,
        .guards = scene.guards};
}

std::string shown(const Scene& scene, bool if_died = false) {
    const saved::Recording recording{.handyrep = "0.1.0", .moments = {moment_of(scene), moment_of(scene)}};
    const auto json = control::explain(recording, {.if_primary_died = if_died});
    if (!json) return json.error().text();
    const auto text = if_died ? render_foresight(json->json, {.columns = 80}) : render_explanation(json->json, {.columns = 80});
    return text ? *text : text.error().text();
}

std::size_t widest_line(const std::string& text) {
    std::size_t widest = 0;
    for (const std::string_view line : split(text, '\n')) widest = std::max(widest, width_of(line));
    return widest;
}

TEST(ExplanationText, ReadsFromTheTopWhatAPersonAsksFirst) {
    Scene scene;
    scene.primary_vanished(4s);
    scene.settings.auto_failover = false;
    scene.attached("db2");
    EXPECT_EQ(
        shown(scene),
        "pay  PrimaryUnreachableFromHere  at 2025-11-23 01:06:40 UTC\n"
        "              the primary is alive for its replicas, only the manager cannot\n"
        "              reach it: db2 still streams from it\n"
        "  since       2025-11-23 01:05:59 UTC (41s before)\n"
        "  next        nothing: the primary is alive; check the network between the\n"
        "              manager and it (SituationHolds)\n"
        "  writes      nobody is seen to take writes\n"
        "  to do       Check the network between manager and primary.\n"
        "\n"
        "What holds an automatic failover back\n"
        "GUARD            WHY\n"
        "AutoFailoverOff  failover.auto_failover is false: only 'handyrep failover' fails\n"
        "                 over\n"
        "\n"
        "Is the primary dead?\n"
        "         SERVER  SENSOR        AGE  WHAT\n"
        "for      db1     held session   0s  no answer for 4s\n"
        "for      db1     dial           0s  no answer to connect\n"
        "unknown  db1     host           0s  cannot be looked into\n"
        "against  db2     wal receiver   0s  streams from the primary\n"
        "for      db2     witness        0s  its host gets no answer\n"
        "for      db3     wal receiver   0s  says streaming, but hears nothing\n"
        "for      db3     witness        0s  its host gets no answer\n"
        "\n"
        "Why it is nothing else\n"
        "NOT                          BECAUSE\n"
        "ManagerIsolated              the host of db2 answers, so the manager's network\n"
        "                             works\n"
        "PrimaryCrashRecovery         no fresh connection is told that it recovers: the\n"
        "                             last one ended with: no answer to connect\n"
        "PrimaryShutDownCleanly       nothing says that an administrator stopped it\n"
        "AllDark                      2 of 2 replicas are seen\n"
        "PrimaryStalled               no fresh connection is accepted and then left mute:\n"
        "                             the last one ended with: no answer to connect\n"
        "PrimaryDeadSomeReplicasLost  every replica is seen\n"
        "PrimaryDead                  db2 still streams from it\n"
        "\n"
        "Who could take over\n"
        "SERVER  WHY\n"
        "db2     would take over: it is at 1:0/3000000 and has failover_priority 100\n"
        "db3     could, and is as far; db2 comes first by its name\n"
        "db1     is the primary\n"
        "\n"
        "What the sensors last said\n"
        "SERVER  SENSOR         AGE  WHAT\n"
        "db1     primary       4.0s  at 1:0/3000000\n"
        "        held session    0s  silent for 4s\n"
        "        dial            0s  no answer to connect\n"
        "        host            0s  no route to host\n"
        "db2     replica         0s  at 1:0/3000000, 0 B behind the primary\n"
        "        held session    0s  answers as standby\n"
        "        wal receiver    0s  streaming from host-of-db1:5432, last message 100ms\n"
        "                            before\n"
        "        dial          4.0s  accepted\n"
        "        host          4.0s  6 processes, control file says in production\n"
        "        witness         0s  asked about db1: gets no answer\n"
        "db3     replica         0s  at 1:0/3000000, 0 B behind the primary\n"
        "        held session    0s  answers as standby\n"
        "        wal receiver    0s  streaming from host-of-db1:5432, last message 4s\n"
        "                            before\n"
        "        dial          4.0s  accepted\n"
        "        host          4.0s  6 processes, control file says in production\n"
        "        witness         0s  asked about db1: gets no answer\n"
        "\n"
        "What else is wrong\n"
        "FINDING          SERVER  WHAT\n"
        "HostUnreachable  db1     the host of db1 cannot be looked into: no route to\n"
        "                         host; it could not be fenced\n"
        "                         to do: Try 'ssh -F … user@host true' as the daemon's\n"
        "                         user; check keys and the host's sshd.\n"
        "\n"
        "Earlier changes (explain --back N)\n"
        "N  TIME (UTC)           SITUATION                   WHAT CAME NEXT\n"
        "1  2025-11-23 01:06:40  PrimaryUnreachableFromHere  nothing: the primary is\n"
        "                                                    alive; check the network\n"
        "                                                    between the manager and it\n");
}

TEST(ExplanationText, SaysNothingOfGatesAndGuardsThatNobodyAsksForWhenAllIsWell) {
    Scene scene;
    scene.healthy();
    scene.pass(200ms);
    const std::string text = shown(scene);
    EXPECT_THAT(text, StartsWith("pay  Healthy  at 2025-11-23 01:06:40 UTC\n"));
    EXPECT_THAT(text, HasSubstr("  writes      go to db1 at 1:0/3000000, seen 0.2s before; it wrote 0.2s before\n"));
    EXPECT_THAT(text, Not(HasSubstr("What holds")));
    EXPECT_THAT(text, Not(HasSubstr("gates")));
}

TEST(ExplanationText, ShowsBothGatesOfAFailover) {
    Scene scene;
    scene.primary_killed();
    const std::string text = shown(scene);
    EXPECT_THAT(text, HasSubstr("\ndurability  open   open            no WAL that the primary was seen to flush\n"));
    EXPECT_THAT(text, HasSubstr("\nfence       open   processes_gone  the primary's host answers"));
}

TEST(ForesightText, ShowsBothDeathsWithCandidateLossGatesAndSteps) {
    Scene scene;
    scene.healthy();
    scene.pass(200ms);
    const std::string text = shown(scene, true);
    EXPECT_THAT(
        text, StartsWith("pay  if db1 died now, 2025-11-23 01:06:40 UTC\n"
                         "\n"
                         "IF db1 DIED: its processes end, its host goes on\n"
                         "  situation   PrimaryDead: the primary is dead: no sensor reaches it and no\n"
                         "              replica hears from it\n"
                         "  outcome     after about 0.1s: fails over from db1 to db2\n"
                         "  candidate   db2\n"
                         "  lost        nothing known: the candidate had all that the primary was seen to\n"
                         "              have flushed (primary seen 0.2s before, candidate 0.2s); what was\n"
                         "              written after that and not sent comes on top: at most 716.8 kB in\n"
                         "              all, estimated by how fast it was seen to write\n"));
    EXPECT_THAT(
        text,
        HasSubstr("comes on top: nobody can say how\n              much: the old primary may go on writing where clients reach it\n"));
    EXPECT_THAT(text, HasSubstr("IF db1 DIED: its host vanishes, with everything on it\n"));
    EXPECT_THAT(text, HasSubstr("\n 5. promote db2  << point of no return (at most 10s)"));
}

TEST(ExplanationText, FitsEightyColumns) {
    Scene scene;
    scene.healthy();
    EXPECT_LE(widest_line(shown(scene, true)), 80U);
    scene.primary_vanished(4s);
    EXPECT_LE(widest_line(shown(scene)), 80U);
    EXPECT_LE(widest_line(shown(scene, true)), 80U);
}

TEST(ExplanationText, LetsNoServerMoveTheCursor) {
    Scene scene;
    scene.healthy();
    scene.see("db2", model::HostSight{Error{ErrorKind::failed, "\033[2Jgone\r\n"}});
    EXPECT_THAT(shown(scene), Not(HasSubstr("\033")));
}

TEST(ExplanationText, FailsInWordsOnADocumentOfAnotherVersion) {
    for (const bool if_died : {false, true}) {
        const control::Json other{{"cluster", "pay"}};
        const auto text = if_died ? render_foresight(other, {}) : render_explanation(other, {});
        ASSERT_FALSE(text);
        EXPECT_THAT(text.error().text(), HasSubstr("handyrep version"));
    }
}

}  // namespace
}  // namespace handyrep::cli
