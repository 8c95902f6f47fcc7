// What stands in the way of a copy, each by name, and from whom it is made where nothing does.
#include "decide/copying.hpp"
#include "scene.hpp"

#include <gtest/gtest.h>

#include <string>

namespace handyrep::decide::testing {

using model::Standing;

class Copying : public ::testing::Test {
protected:
    Copying() {
        scene.healthy();
        for (auto& it : scene.saved.servers) it.pgdata = "/data";
        look.standing = Standing::database;
        look.system_id = our_system;
        look.room = model::Room{model::Bytes{100ULL << 30U}, model::Bytes{50ULL << 30U}};
    }

    [[nodiscard]] Result<CopyServer> decided() const {
        const CopyGround ground{unreached ? Result<model::TargetLook>{*unreached} : Result<model::TargetLook>{look}, size};
        return decide_copy(scene.input(), scene.analysis(), ground, wanted);
    }
    /// The name that a refusal begins with.
    [[nodiscard]] std::string obstacle() const {
        const auto decision = decided();
        return decision ? "none" : decision.error().what.substr(0, decision.error().what.find(':'));
    }

    Scene scene;
    model::TargetLook look;
    std::optional<Error> unreached;
    std::optional<model::Bytes> size{model::Bytes{1ULL << 30U}};
    CopyWanted wanted{.server = server("db3"), .replaces = true};
};

TEST_F(Copying, IsOfThePrimaryUnlessAnotherIsNamedAndFollowsThePrimary) {
    const auto decision = decided();
    ASSERT_TRUE(decision) << decision.error().what;
    EXPECT_EQ(decision->source, server("db1"));
    EXPECT_EQ(decision->upstream, server("db1"));
    EXPECT_EQ(decision->version.major(), 15);
    EXPECT_TRUE(decision->old_directory);
    EXPECT_NE(decision->text.find("DELETED"), std::string::npos) << decision->text;
    wanted.from = server("db2");
    wanted.keep_old = true;
    const auto other = decided();
    ASSERT_TRUE(other) << other.error().what;
    EXPECT_EQ(other->source, server("db2"));
    EXPECT_EQ(other->upstream, server("db1"));
    EXPECT_EQ(other->text.find("DELETED"), std::string::npos) << other->text;
}

TEST_F(Copying, IsRefusedForWhomItCannotBeMade) {
    wanted.server = server("db9");
    EXPECT_EQ(obstacle(), "UnknownServer");
    EXPECT_EQ(decided().error().kind, ErrorKind::invalid);
    wanted.server = server("db1");
    EXPECT_EQ(obstacle(), "IsPrimary");
    wanted.server = server("db3");
    scene.saved.possible_primary = model::PossiblePrimary{server("db3"), {}};
    EXPECT_EQ(obstacle(), "IsPrimary") << "it may have been promoted";
    scene.saved.possible_primary.reset();
    scene.saved.primary.reset();
    EXPECT_EQ(obstacle(), "NoPrimary");
}

TEST_F(Copying, IsRefusedWhileThePrimaryIsNotWell) {
    scene.primary_killed();
    EXPECT_EQ(obstacle(), "PrimaryNotHealthy");
}

TEST_F(Copying, IsRefusedOfAnUnfitSource) {
    wanted.from = server("db9");
    EXPECT_EQ(obstacle(), "UnknownServer");
    wanted.from = server("db3");
    EXPECT_EQ(obstacle(), "SourceUnfit") << "it cannot be copied to itself";
    wanted.from = server("db2");
    EXPECT_EQ(obstacle(), "none");
    auto paused = scene.as_standby(Lsn{0x3000000}, Scene::streaming());
    std::get<model::StandbyAnswer>(paused.as).replay_paused = true;
    scene.see("db2", model::HeldSight{paused});
    EXPECT_EQ(obstacle(), "SourceUnfit");
    auto delayed = scene.as_standby(Lsn{0x3000000}, Scene::streaming());
    std::get<model::StandbyAnswer>(delayed.as).apply_delay = 1h;
    scene.see("db2", model::HeldSight{delayed});
    EXPECT_EQ(obstacle(), "SourceUnfit");
    scene.detached("db2");
    EXPECT_EQ(obstacle(), "SourceUnfit");
    auto foreign = scene.as_standby(Lsn{0x3000000}, Scene::streaming());
    foreign.system_id = model::SystemId{1};
    scene.see("db2", model::HeldSight{foreign});
    EXPECT_EQ(obstacle(), "SourceUnfit");
    scene.attached("db2");
    scene.lost("db2", model::LastWords::none);
    EXPECT_EQ(obstacle(), "SourceUnfit");
}

TEST_F(Copying, IsRefusedOverWhatLivesOrIsNotIdentified) {
    look.processes = 3;
    EXPECT_EQ(obstacle(), "StillRuns");
    look.processes = 0;
    look.system_id = model::SystemId{1};
    EXPECT_EQ(obstacle(), "ForeignSystem");
    look.system_id = our_system;
    look.standing = Standing::unidentified;
    EXPECT_EQ(obstacle(), "DirectoryUnidentified");
    look.standing = Standing::database;
    wanted.replaces = false;
    EXPECT_EQ(obstacle(), "DirectoryNotEmpty");
    for (const Standing free : {Standing::absent, Standing::empty}) {
        look.standing = free;
        look.system_id.reset();
        EXPECT_EQ(obstacle(), "none");
        EXPECT_FALSE(decided()->old_directory);
    }
}

TEST_F(Copying, IsRefusedWhereNothingCanBePut) {
    look.impediment = "postgres may not write in /";
    EXPECT_EQ(obstacle(), "NoRights");
    look.impediment.clear();
    look.room->free = model::Bytes{1ULL << 30U};
    EXPECT_EQ(obstacle(), "NoSpace") << "the databases alone take as much";
    size.reset();
    EXPECT_EQ(obstacle(), "none") << "nobody knows how much it is";
    unreached = Error{ErrorKind::unreachable, "no route to host"};
    EXPECT_EQ(obstacle(), "HostNotReached");
    unreached = Error{ErrorKind::denied, "sudo: a password is required"};
    EXPECT_EQ(obstacle(), "NoRights");
}

}  // namespace handyrep::decide::testing
