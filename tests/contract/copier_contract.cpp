// What every adapter of the port `copier` does.
#include "tests/contract/stage.hpp"

#include <gtest/gtest.h>

namespace handyrep::contract {
namespace {

using namespace std::chrono_literals;
using model::CopyProgress;
using State = CopyProgress::State;

constexpr Duration limit = 20s;
constexpr model::ServerVersion version{150000};

class CopierContract : public testing::Test {
protected:
    std::unique_ptr<Stage> stage = make_stage();

    ports::Copier& copier(Which which = Which::replica) { return stage->copier(which); }
    model::SystemId system_id() {
        const auto look = stage->run(stage->host(Which::primary).look(stage->in(limit)));
        return look ? look->system_id : model::SystemId{0};
    }
    std::string conninfo() {
        const auto own = stage->run(copier().own_conninfo(stage->in(limit)));
        if (!own) return {};
        const auto out = stage->run(stage->postgres(Which::replica).conninfo_to(stage->address(Which::primary), *own, stage->in(limit)));
        return out ? *out : std::string{};
    }
    Result<void> begin(std::uint64_t operation, model::SystemId expected, Which which = Which::replica) {
        const ports::CopyOrder order{
            .operation = operation, .system_id = expected, .version = version, .source = conninfo(), .upstream = conninfo()};
        return stage->run(copier(which).begin(order, stage->in(limit)));
    }
    State state(std::uint64_t operation) {
        const auto seen = stage->run(copier().progress(operation, stage->in(limit)));
        return seen ? seen->state : State::lost;
    }
    State end_of(std::uint64_t operation) {
        for (const Instant until = stage->in(120s); stage->clock().now() < until;) {
            if (const State seen = state(operation); seen != State::running) return seen;
            stage->run(stage->clock().sleep_until(stage->in(50ms)));
        }
        return State::running;
    }
    Result<void> place(std::uint64_t operation, model::SystemId expected) {
        const ports::Placing placing{
            .operation = operation, .system_id = expected, .version = version, .port = 5432, .upstream = conninfo()};
        return stage->run(copier().put_in_place(placing, stage->in(60s)));
    }
    bool replica_streams() {
        for (const Instant until = stage->in(60s); stage->clock().now() < until;) {
            const model::HeldSight sight = stage->run(stage->postgres(Which::replica).poll(false, stage->in(1s)));
            const auto* const answer = std::get_if<model::Answered>(&sight);
            const auto* const standby = answer != nullptr ? answer->standby() : nullptr;
            if (standby != nullptr && standby->receiver && standby->receiver->status == "streaming") return true;
            stage->run(stage->clock().sleep_until(stage->in(20ms)));
        }
        return false;
    }
};

void expect_refused(const Result<void>& outcome) {
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind, ErrorKind::refused) << outcome.error().text();
}

TEST_F(CopierContract, NothingIsBegunOverAServerThatRuns) {
    const auto seen = stage->run(copier().look(version, stage->in(limit)));
    ASSERT_TRUE(seen) << seen.error().text();
    EXPECT_EQ(seen->standing, model::Standing::database);
    EXPECT_EQ(seen->system_id, system_id());
    EXPECT_GT(seen->processes, 0U);
    expect_refused(begin(1, system_id()));
    expect_refused(begin(1, system_id(), Which::primary));
    EXPECT_EQ(state(1), State::none);
}

TEST_F(CopierContract, AWholeCopyTakesThePlaceOfAStoppedStandbyAndStreams) {
    const model::SystemId id = system_id();
    stage->fast_stop(Which::replica);
    expect_refused(begin(1, model::SystemId{id.value + 1}));
    const auto begun = begin(2, id);
    ASSERT_TRUE(begun) << begun.error().text();
    EXPECT_TRUE(begin(2, id)) << "the same once more changes nothing";
    ASSERT_EQ(end_of(2), State::whole);
    const auto placed = place(2, id);
    ASSERT_TRUE(placed) << placed.error().text();
    EXPECT_TRUE(place(2, id)) << "the same once more changes nothing";
    EXPECT_EQ(state(2), State::in_place);
    expect_refused(stage->run(copier().abandon(2, stage->in(limit))));
    const auto started = stage->run(stage->host(Which::replica).start(id, ports::StartAs::standby, stage->in(limit)));
    ASSERT_TRUE(started) << started.error().text();
    EXPECT_TRUE(replica_streams());
    const auto discarded = stage->run(copier().discard_old(2, stage->in(limit)));
    EXPECT_TRUE(discarded) << discarded.error().text();
}

TEST_F(CopierContract, AnAbandonedCopyIsGoneAndNothingTakesItsPlace) {
    const model::SystemId id = system_id();
    stage->fast_stop(Which::replica);
    const auto begun = begin(3, id);
    ASSERT_TRUE(begun) << begun.error().text();
    expect_refused(begin(4, id));
    EXPECT_TRUE(stage->run(copier().abandon(3, stage->in(limit))));
    EXPECT_EQ(state(3), State::none);
    expect_refused(place(3, id));
    EXPECT_TRUE(stage->run(copier().abandon(3, stage->in(limit))));
    const auto started = stage->run(stage->host(Which::replica).start(id, ports::StartAs::standby, stage->in(limit)));
    ASSERT_TRUE(started) << started.error().text();
    EXPECT_TRUE(replica_streams()) << "the old directory is as it was";
}

}  // namespace
}  // namespace handyrep::contract
