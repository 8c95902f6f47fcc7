// What a failover loses, from below and from above.
#include "decide/loss.hpp"
#include "scene.hpp"

#include <gtest/gtest.h>

namespace handyrep::decide::testing {
namespace {

using model::Bytes;

/// db1 wrote 4 MiB a second in the last look, and stands at 8 MiB.
Scene busy() {
    Scene scene;
    for (const std::uint64_t mebibytes : {4U, 8U}) {
        auto answer = scene.as_primary(Lsn{mebibytes << 20U});
        answer.server_time = WallTime{} + std::chrono::seconds{mebibytes / 4};
        scene.see("db1", model::HeldSight{answer});
        scene.pass(500ms);
    }
    return scene;
}

TEST(LossBounds, FromAboveAreTwiceTheHighestPaceSinceTheAnswerBeforeTheLast) {
    const Scene scene = busy();
    const LossBounds loss = loss_bounds(scene.input(), Lsn{7ULL << 20U}, Proof::processes_gone, scene.now);
    EXPECT_EQ(loss.at_least, Bytes{1ULL << 20U});
    // One second at 8 MiB, on top of what was seen.
    EXPECT_EQ(loss.at_most, Bytes{9ULL << 20U});
    EXPECT_EQ(loss.unbounded, "");
}

TEST(LossBounds, TakeAnIdlePrimaryForOneThatMayHaveBegunToWork) {
    Scene scene;
    for (int look = 0; look < 2; ++look) {
        scene.see("db1", model::HeldSight{scene.as_primary(Lsn{100})});
        scene.pass(500ms);
    }
    EXPECT_EQ(loss_bounds(scene.input(), Lsn{100}, Proof::processes_gone, scene.now).at_most, Bytes{1ULL << 20U});
}

TEST(LossBounds, KnowNoMostWhereTheOldPrimaryMayGoOnWriting) {
    const Scene scene = busy();
    for (const Proof proof : {Proof::witnessed, Proof::nothing}) {
        const LossBounds loss = loss_bounds(scene.input(), Lsn{7ULL << 20U}, proof, std::nullopt);
        EXPECT_EQ(loss.at_least, Bytes{1ULL << 20U});
        EXPECT_FALSE(loss.at_most);
        EXPECT_EQ(text(loss), "at least 1 MB, at most: unknown (the old primary may go on writing where clients reach it)");
    }
}

FinalPosition at(Lsn lsn) { return {server("db2"), {}, true, {model::Timeline{1}, lsn}}; }
model::WalPosition disk(Lsn lsn) { return {model::Timeline{1}, lsn}; }

TEST(LossBounds, AreNothingOnceAllThatIsOnTheDiskWasBrought) {
    const Scene scene = busy();
    const Lsn end{9ULL << 20U};
    const LossBounds loss = loss_bounds(scene.input(), at(end), Proof::processes_gone, scene.now, disk(end));
    EXPECT_EQ(loss.at_least, Bytes{0});
    EXPECT_EQ(loss.at_most, Bytes{0});
}

TEST(LossBounds, AreReadOnTheDiskWhereItWasNotBrought) {
    const Scene scene = busy();
    const LossBounds loss = loss_bounds(scene.input(), at(Lsn{7ULL << 20U}), Proof::processes_gone, scene.now, disk(Lsn{12ULL << 20U}));
    EXPECT_EQ(loss.at_least, Bytes{5ULL << 20U});
}

TEST(LossBounds, DoNotTrustADiskThatLostWhatWasSeenOnIt) {
    const Scene scene = busy();
    const LossBounds loss = loss_bounds(scene.input(), at(Lsn{7ULL << 20U}), Proof::processes_gone, scene.now, disk(Lsn{7ULL << 20U}));
    EXPECT_EQ(loss.at_least, Bytes{1ULL << 20U});
}

TEST(LossBounds, SayThatThePrimaryWasNeverRead) {
    const Scene scene;
    const LossBounds loss = loss_bounds(scene.input(), Lsn{100}, Proof::processes_gone, scene.now);
    EXPECT_EQ(text(loss), "at least: unknown, at most: unknown (this life of the manager never read the old primary)");
}

}  // namespace
}  // namespace handyrep::decide::testing
