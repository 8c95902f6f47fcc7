// What the adapters make one version's servers do, or say that it cannot be done.
#include "tests/integration/adapters/postgres_fixture.hpp"

#include <fmt/format.h>

namespace handyrep {
namespace {

using std::chrono::seconds;

class VersionCommands : public RealPostgres {
protected:
    [[nodiscard]] int major() const { return primary().major(); }
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
