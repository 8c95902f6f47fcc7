// What the adapters make one version's servers do, or say that it cannot be done.
#include "adapters/ssh/shell_host.hpp"
#include "model/version_facts.hpp"
#include "tests/integration/adapters/postgres_fixture.hpp"

#include <fmt/format.h>

#include <chrono>

namespace handyrep {
namespace {

using std::chrono::seconds;

class VersionCommands : public RealPostgres {
protected:
    [[nodiscard]] int major() const { return primary().major(); }
    std::unique_ptr<adapters::ssh::ShellHost> host(const harness::RealServer& of) {
        return std::make_unique<adapters::ssh::ShellHost>(
            adapters::ssh::ShellHostSettings{.server = definition(of), .kept_folder = (owners_folder() / "passwords").string()},
            loop.executor(), loop.clock, loop.log);
    }
    static bool streams(const model::Answered& it) {
        return it.standby() != nullptr && it.standby()->receiver && it.standby()->receiver->status == "streaming";
    }
};

TEST_F(VersionCommands, DetachEndsTheReceiverOrSaysThatThisVersionCannot) {
    const auto server = connect(replica());
    ASSERT_TRUE(poll_until(*server, streams));
    const auto detached = loop.run(server->detach(loop.in(seconds{20})));
    if (major() < 13) {
        ASSERT_FALSE(detached);
        EXPECT_EQ(detached.error().kind, ErrorKind::unsupported);
        EXPECT_TRUE(poll_until(*server, streams)) << "and nothing was touched";
        return;
    }
    ASSERT_TRUE(detached) << detached.error().text();
    const auto sight = poll(*server);
    const auto* const answered = std::get_if<model::Answered>(&sight);
    ASSERT_NE(answered, nullptr) << describe(sight);
    ASSERT_NE(answered->standby(), nullptr);
    EXPECT_FALSE(answered->standby()->receiver);
    const auto followed = loop.run(server->follow({"127.0.0.1", primary().port}, loop.in(seconds{20})));
    ASSERT_TRUE(followed) << followed.error().text();
    EXPECT_TRUE(poll_until(*server, streams));
}

TEST_F(VersionCommands, FollowTakesEffectByAReloadOrByARestartOverTheHost) {
    const auto machine = host(replica());
    const auto server = connect(replica(), machine.get());
    const auto first = poll_until(*server, streams);
    ASSERT_TRUE(first);
    const std::uint16_t nobody = *harness::free_port();
    const auto facts = model::facts_of(first->version);
    const auto go_to = [&](std::uint16_t port) {
        const auto told = loop.run(server->follow({"127.0.0.1", port}, loop.in(seconds{20})));
        ASSERT_TRUE(told) << told.error().text();
        if (!model::needs_restart(facts.repointing)) return;
        const auto restarted = loop.run(machine->restart_standby(first->system_id, loop.in(seconds{60})));
        ASSERT_TRUE(restarted) << restarted.error().text();
    };
    go_to(nobody);
    EXPECT_TRUE(poll_until(*server, [](const model::Answered& it) { return it.standby() != nullptr && !it.standby()->receiver; }));
    go_to(primary().port);
    const auto last = poll_until(*server, streams);
    ASSERT_TRUE(last);
    EXPECT_EQ(last->standby()->receiver->sender_port, primary().port);
    EXPECT_EQ(last->started == first->started, !model::needs_restart(facts.repointing));
    if (major() < 12) {
        const auto file = *harness::read_file(replica().mark());
        EXPECT_EQ(file.find("primary_conninfo"), file.rfind("primary_conninfo")) << file;
        EXPECT_NE(file.find("recovery_target_timeline = 'latest'"), std::string::npos) << file;
        EXPECT_NE(file.find("application_name=''db2''"), std::string::npos) << file;
    }
}

TEST_F(VersionCommands, PromoteOverTheHostIsTakenUnlessItIsLateOrForeign) {
    const auto machine = host(replica());
    const auto server = connect(replica());
    const auto seen = poll_until(*server, streams);
    ASSERT_TRUE(seen);
    const auto promote = [&](model::SystemId expected, Duration ahead) {
        const auto expires = seen->server_time + std::chrono::duration_cast<std::chrono::microseconds>(ahead);
        return loop.run(machine->promote(expected, expires, loop.in(seconds{20})));
    };
    EXPECT_EQ(promote(seen->system_id, -seconds{1}).error().kind, ErrorKind::refused);
    EXPECT_EQ(promote(model::SystemId{7}, seconds{120}).error().kind, ErrorKind::refused);
    EXPECT_EQ(replica().in_recovery(), std::optional{true});
    primary().kill_all();
    const auto asked = promote(seen->system_id, seconds{120});
    ASSERT_TRUE(asked) << asked.error().text();
    const auto promoted = poll_until(*server, [&](const model::Answered& it) {
        static_cast<void>(loop.run(server->nudge(loop.in(seconds{20}))));
        return it.primary() != nullptr && it.primary()->history;
    });
    ASSERT_TRUE(promoted);
    EXPECT_EQ(promoted->primary()->timeline, model::Timeline{2});
    EXPECT_EQ(loop.run(server->timeline_history(loop.in(seconds{20})))->current(), model::Timeline{2});
    EXPECT_EQ(promote(seen->system_id, seconds{120}).error().kind, ErrorKind::refused) << "it is marked standby no more";
}

TEST_F(VersionCommands, TheFenceMarksTheDirectoryAsThisVersionReadsIt) {
    const auto machine = host(primary());
    const model::SystemId id{std::stoull(*primary().ask("SELECT system_identifier FROM pg_control_system()"))};
    const auto fenced = loop.run(machine->fence(id, loop.in(seconds{20})));
    ASSERT_TRUE(fenced) << fenced.error().text();
    EXPECT_TRUE(fenced->processes_gone());
    EXPECT_TRUE(primary().processes().empty());
    EXPECT_TRUE(primary().marked_standby());
    ASSERT_TRUE(primary().start());
    EXPECT_EQ(primary().in_recovery(), std::optional{true}) << "whatever starts it again gets a standby";
}

TEST_F(VersionCommands, SetSynchronousStandbyNamesIsReadBack) {
    const auto server = connect(primary());
    const auto set = loop.run(server->set_synchronous_standby_names("ANY 1 (\"db2\")", loop.in(seconds{20})));
    ASSERT_TRUE(set) << set.error().text();
    EXPECT_EQ(*primary().ask("SHOW synchronous_standby_names"), "ANY 1 (\"db2\")");
    EXPECT_TRUE(loop.run(server->set_synchronous_standby_names("", loop.in(seconds{20}))));
}

TEST_F(VersionCommands, PromoteBySqlIsTakenOrNotKnown) {
    const auto server = connect(replica());
    const auto seen = poll_until(*server, streams);
    ASSERT_TRUE(seen);
    if (major() < 12) {
        const auto asked = loop.run(server->promote(seen->server_time + seconds{60}, loop.in(seconds{20})));
        ASSERT_FALSE(asked);
        EXPECT_EQ(asked.error().kind, ErrorKind::unsupported);
        EXPECT_EQ(replica().in_recovery(), std::optional{true});
        return;
    }
    const auto late = loop.run(server->promote(seen->server_time - seconds{1}, loop.in(seconds{20})));
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().kind, ErrorKind::refused);
    EXPECT_EQ(replica().in_recovery(), std::optional{true});
    primary().kill_all();
    const auto asked = loop.run(server->promote(seen->server_time + seconds{120}, loop.in(seconds{20})));
    ASSERT_TRUE(asked) << asked.error().text();
    const auto promoted = poll_until(*server, [&](const model::Answered& it) {
        static_cast<void>(loop.run(server->nudge(loop.in(seconds{20}))));
        return it.primary() != nullptr && it.primary()->history;
    });
    ASSERT_TRUE(promoted);
    EXPECT_EQ(promoted->primary()->timeline, model::Timeline{2});
    const auto history = loop.run(server->timeline_history(loop.in(seconds{20})));
    ASSERT_TRUE(history) << history.error().text();
    EXPECT_EQ(history->current(), model::Timeline{2});
    EXPECT_EQ(*history, *promoted->primary()->history);
    EXPECT_TRUE(history->contains({model::Timeline{1}, seen->standby()->replayed}));
    EXPECT_FALSE(history->contains({model::Timeline{1}, promoted->primary()->flushed + model::Bytes{1U << 30U}}));
}

}  // namespace
}  // namespace handyrep
