// What every adapter of the port `host` does.
#include "tests/contract/stage.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace handyrep::contract {
namespace {

using namespace std::chrono_literals;

constexpr Duration limit = 20s;

class HostContract : public testing::Test {
protected:
    std::unique_ptr<Stage> stage = make_stage();

    Result<model::HostLook> look(Which which) { return stage->run(stage->host(which).look(stage->in(limit))); }
    Result<ports::FenceReport> fence(model::SystemId expected) {
        return stage->run(stage->host(Which::primary).fence(expected, stage->in(limit)));
    }
    /// The replica's answer, while it is a standby.
    std::optional<model::Answered> standby() {
        const model::HeldSight sight = stage->run(stage->postgres(Which::replica).poll(false, stage->in(limit)));
        const auto* const answer = std::get_if<model::Answered>(&sight);
        return answer != nullptr && answer->standby() != nullptr ? std::optional{*answer} : std::nullopt;
    }
    /// With an expiry `ahead` by the replica's own clock.
    Result<void> promote(model::SystemId expected, Duration ahead) {
        const model::HeldSight sight = stage->run(stage->postgres(Which::replica).poll(false, stage->in(limit)));
        const WallTime expires =
            std::get<model::Answered>(sight).server_time + std::chrono::duration_cast<std::chrono::microseconds>(ahead);
        return stage->run(stage->host(Which::replica).promote(expected, expires, stage->in(limit)));
    }
    Result<void> restart(Which which, model::SystemId expected) {
        return stage->run(stage->host(which).restart_standby(expected, stage->in(60s)));
    }
    /// Looks until it answers.
    bool answers_as_primary() {
        for (const Instant until = stage->in(limit); stage->clock().now() < until;) {
            const model::HeldSight sight = stage->run(stage->postgres(Which::primary).poll(false, stage->in(1s)));
            if (const auto* const answer = std::get_if<model::Answered>(&sight)) return answer->primary() != nullptr;
            stage->run(stage->clock().sleep_until(stage->in(20ms)));
        }
        return false;
    }
    /// The replica is the primary now, and the old one wrote more than it has.
    void let_them_part(bool crashes) {
        const auto seen = look(Which::primary);
        ASSERT_TRUE(seen) << seen.error().text();
        ASSERT_TRUE(stage->run(stage->postgres(Which::replica).detach(stage->in(limit))));
        ASSERT_TRUE(stage->run(stage->postgres(Which::primary).checkpoint(stage->in(limit))));
        if (crashes)
            stage->kill(Which::primary);
        else
            stage->fast_stop(Which::primary);
        ASSERT_TRUE(promote(seen->system_id, 60s));
        for (const Instant until = stage->in(limit); standby() && stage->clock().now() < until;) {
            static_cast<void>(stage->run(stage->postgres(Which::replica).nudge(until)));
            stage->run(stage->clock().sleep_until(stage->in(10ms)));
        }
        ASSERT_TRUE(stage->run(stage->postgres(Which::replica).checkpoint(stage->in(limit))));
    }
    /// The old primary's, to the other one.
    ports::RewindWanted rewind_of_primary(const std::string& ticket) {
        const auto seen = stage->run(stage->host(Which::primary).look_for_rewind(stage->in(limit)));
        const auto history = stage->run(stage->postgres(Which::replica).timeline_history(stage->in(limit)));
        EXPECT_TRUE(seen) << seen.error().text();
        EXPECT_TRUE(history) << history.error().text();
        if (!seen || !history) return {ticket, "db1", {model::SystemId{0}, {model::Timeline{1}, model::Lsn{0}}, model::Timeline{1}}, ""};
        EXPECT_TRUE(seen->programs && seen->protects_pages && seen->configured);
        EXPECT_EQ(seen->processes, 0U);
        EXPECT_EQ(seen->phase, model::RewindPhase::none);
        const auto fork = model::common_end(seen->history, *history);
        EXPECT_TRUE(fork);
        const ports::Login login = stage->postgres(Which::primary).login_at(stage->address(Which::replica));
        const model::WalPosition at = fork.value_or(model::WalPosition{model::Timeline{1}, model::Lsn{0}});
        return {ticket, "db1", {seen->system_id, at, seen->history.current()}, login.conninfo, login.passfile_line};
    }
    Result<model::RewindProgress> rewind_to_its_end(const ports::RewindWanted& wanted) {
        for (;;) {
            auto progress = stage->run(stage->host(Which::primary).rewind(wanted, stage->in(limit)));
            if (!progress || !model::under_way(progress->phase)) return progress;
            stage->run(stage->clock().sleep_until(stage->in(100ms)));
        }
    }
    Result<void> start_primary_as_standby(model::SystemId expected) {
        return stage->run(stage->host(Which::primary).start(expected, ports::StartAs::standby, stage->in(limit)));
    }
    model::Reach reach_of_primary(Duration patience = 5s) {
        const ports::Upstream to = stage->address(Which::primary);
        return stage->run(stage->host(Which::replica).reach(to.hostname, to.port, patience, stage->in(limit)));
    }
};

TEST_F(HostContract, ARunningPrimaryHasProcessesAndNoMark) {
    const auto seen = look(Which::primary);
    ASSERT_TRUE(seen) << seen.error().text();
    EXPECT_GT(seen->processes, 0U);
    EXPECT_FALSE(seen->marked_standby);
    EXPECT_EQ(seen->state, model::ControlState::in_production);
}

TEST_F(HostContract, ARunningReplicaIsMarkedAndInRecovery) {
    const auto seen = look(Which::replica);
    ASSERT_TRUE(seen) << seen.error().text();
    EXPECT_GT(seen->processes, 0U);
    EXPECT_TRUE(seen->marked_standby);
    EXPECT_EQ(seen->state, model::ControlState::in_archive_recovery);
}

TEST_F(HostContract, AKilledPrimaryHasNoProcessAndItsControlFileStillSaysInProduction) {
    stage->kill(Which::primary);
    const auto seen = look(Which::primary);
    ASSERT_TRUE(seen) << seen.error().text();
    EXPECT_EQ(seen->processes, 0U);
    EXPECT_EQ(seen->state, model::ControlState::in_production);
}

TEST_F(HostContract, AStoppedPrimarysControlFileSaysShutDown) {
    stage->fast_stop(Which::primary);
    const auto seen = look(Which::primary);
    ASSERT_TRUE(seen) << seen.error().text();
    EXPECT_EQ(seen->processes, 0U);
    EXPECT_EQ(seen->state, model::ControlState::shut_down);
}

TEST_F(HostContract, AFenceEndsEveryProcessAndMarksTheDirectory) {
    const auto before = look(Which::primary);
    ASSERT_TRUE(before) << before.error().text();
    const auto fenced = fence(before->system_id);
    ASSERT_TRUE(fenced) << fenced.error().text();
    EXPECT_TRUE(fenced->processes_gone());
    const auto after = look(Which::primary);
    ASSERT_TRUE(after) << after.error().text();
    EXPECT_EQ(after->processes, 0U);
    EXPECT_TRUE(after->marked_standby);
}

TEST_F(HostContract, AFenceEndsAFrozenServerToo) {
    const auto before = look(Which::primary);
    ASSERT_TRUE(before) << before.error().text();
    stage->freeze(Which::primary);
    const auto fenced = fence(before->system_id);
    ASSERT_TRUE(fenced) << fenced.error().text();
    EXPECT_TRUE(fenced->processes_gone());
}

TEST_F(HostContract, AFenceOfAnotherSystemIsRefusedAndTouchesNothing) {
    const auto before = look(Which::primary);
    ASSERT_TRUE(before) << before.error().text();
    const auto fenced = fence(model::SystemId{before->system_id.value + 1});
    ASSERT_FALSE(fenced);
    EXPECT_EQ(fenced.error().kind, ErrorKind::refused);
    const auto after = look(Which::primary);
    ASSERT_TRUE(after) << after.error().text();
    EXPECT_GT(after->processes, 0U);
    EXPECT_FALSE(after->marked_standby);
}

TEST_F(HostContract, AStoppedPrimaryIsDownCleanlyAndMarkedAndComesBackAsWhatItIsStartedAs) {
    const auto before = look(Which::primary);
    ASSERT_TRUE(before) << before.error().text();
    ports::Host& host = stage->host(Which::primary);
    const auto foreign = stage->run(host.stop(model::SystemId{before->system_id.value + 1}, stage->in(limit)));
    ASSERT_FALSE(foreign);
    EXPECT_EQ(foreign.error().kind, ErrorKind::refused);
    const auto early = stage->run(host.start(before->system_id, ports::StartAs::standby, stage->in(limit)));
    ASSERT_FALSE(early) << "it is not marked";
    EXPECT_EQ(early.error().kind, ErrorKind::refused);
    ASSERT_TRUE(stage->run(host.start(before->system_id, ports::StartAs::primary, stage->in(limit)))) << "it runs, and as that";

    const auto stopped = stage->run(host.stop(before->system_id, stage->in(limit)));
    ASSERT_TRUE(stopped) << stopped.error().text();
    EXPECT_TRUE(stopped->processes_gone());
    EXPECT_EQ(stopped->state, model::ControlState::shut_down);
    EXPECT_GT(stopped->checkpoint, model::Lsn{0});
    const auto down = look(Which::primary);
    ASSERT_TRUE(down) << down.error().text();
    EXPECT_TRUE(down->marked_standby);
    EXPECT_EQ(down->processes, 0U);

    const auto again = stage->run(host.start(before->system_id, ports::StartAs::primary, stage->in(limit)));
    ASSERT_TRUE(again) << again.error().text();
    EXPECT_TRUE(answers_as_primary());
    const auto back = look(Which::primary);
    ASSERT_TRUE(back) << back.error().text();
    EXPECT_FALSE(back->marked_standby);
}

TEST_F(HostContract, APrimaryThatWasToldWhomToFollowFollowsOnceItIsStartedAsAStandby) {
    const auto before = look(Which::primary);
    ASSERT_TRUE(before) << before.error().text();
    const auto checkpoint = stage->run(stage->postgres(Which::primary).checkpoint(stage->in(limit)));
    ASSERT_TRUE(checkpoint) << checkpoint.error().text();
    const auto told = stage->run(stage->postgres(Which::primary).prepare_to_follow(stage->address(Which::replica), stage->in(limit)));
    ASSERT_TRUE(told) << told.error().text();
    const auto refused = stage->run(stage->postgres(Which::replica).prepare_to_follow(stage->address(Which::primary), stage->in(limit)));
    ASSERT_FALSE(refused) << "it is a standby: it is told to follow at once, or not at all";
    EXPECT_TRUE(answers_as_primary()) << "it takes no notice before";
    const auto stopped = stage->run(stage->host(Which::primary).stop(before->system_id, stage->in(limit)));
    ASSERT_TRUE(stopped) << stopped.error().text();
    const auto started = stage->run(stage->host(Which::primary).start(before->system_id, ports::StartAs::standby, stage->in(limit)));
    ASSERT_TRUE(started) << started.error().text();
    EXPECT_FALSE(answers_as_primary());
}

TEST_F(HostContract, APromotionOverTheHostIsTakenByAReplica) {
    const auto before = look(Which::replica);
    ASSERT_TRUE(before) << before.error().text();
    const auto late = promote(before->system_id, -1s);
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().kind, ErrorKind::refused);
    const auto foreign = promote(model::SystemId{before->system_id.value + 1}, 60s);
    ASSERT_FALSE(foreign);
    EXPECT_EQ(foreign.error().kind, ErrorKind::refused);
    EXPECT_NE(standby(), std::nullopt) << "nothing was touched";
    stage->kill(Which::primary);
    const auto asked = promote(before->system_id, 60s);
    ASSERT_TRUE(asked) << asked.error().text();
    for (const Instant until = stage->in(limit); standby() && stage->clock().now() < until;) {
        static_cast<void>(stage->run(stage->postgres(Which::replica).nudge(until)));
        stage->run(stage->clock().sleep_until(stage->in(10ms)));
    }
    EXPECT_EQ(standby(), std::nullopt);
    const auto again = promote(before->system_id, 60s);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().kind, ErrorKind::refused) << "it is marked standby no more";
}

class SalvageContract : public HostContract {
protected:
    /// A detached replica that lacks something, and a primary that is dead.
    void hold_behind() {
        const auto detached = stage->run(stage->postgres(Which::replica).detach(stage->in(limit)));
        ASSERT_TRUE(detached) << detached.error().text();
        const model::HeldSight sight = stage->run(stage->postgres(Which::primary).poll(true, stage->in(limit)));
        timeline = std::get<model::Answered>(sight).primary()->timeline;
        for (int beat = 0; beat < 20; ++beat) static_cast<void>(stage->run(stage->postgres(Which::primary).poll(true, stage->in(limit))));
        ASSERT_TRUE(stage->run(stage->postgres(Which::primary).checkpoint(stage->in(limit))));
        const auto before = look(Which::primary);
        ASSERT_TRUE(before) << before.error().text();
        id = before->system_id;
        replayed = standby()->standby()->replayed;
    }
    Result<model::WalEnd> end_on_disk() {
        const model::WalEndQuestion question{id, {timeline, replayed}};
        return stage->run(stage->host(Which::primary).read_wal_end(question, stage->in(limit)));
    }
    Result<model::WalPlace> copy(const model::WalEnd& end) {
        const model::WalStretch all{id, timeline, replayed, end.end, end.segment};
        auto place = stage->run(stage->host(Which::replica).make_wal_place(all, stage->in(limit)));
        if (!place) return place;
        for (model::Lsn at = place->from; at < end.end;) {
            const model::WalStretch piece{
                id, timeline, at, std::min({end.end, at + model::Bytes{1U << 20U}, begin_of_segment(at, end.segment) + end.segment}),
                end.segment};
            const auto wal = stage->run(stage->host(Which::primary).read_wal(piece, stage->in(limit)));
            if (!wal) return wal.error();
            for (int twice = 0; twice < 2; ++twice) {
                const auto put = stage->run(stage->host(Which::replica).put_wal(piece, *wal, stage->in(limit)));
                if (!put) return put.error();
            }
            at = piece.to;
        }
        return place;
    }
    bool replays_to(model::Lsn end) {
        for (const Instant until = stage->in(limit); stage->clock().now() < until;) {
            static_cast<void>(stage->run(stage->postgres(Which::replica).nudge(until)));
            if (const auto now = standby(); now && now->standby()->replayed >= end) return true;
            stage->run(stage->clock().sleep_until(stage->in(10ms)));
        }
        return false;
    }
    model::SystemId id{};
    model::Timeline timeline{1};
    model::Lsn replayed{0};
};

TEST_F(SalvageContract, WhatAReplicaLacksIsBroughtToItFromADeadPrimary) {
    hold_behind();
    stage->kill(Which::primary);
    const auto end = end_on_disk();
    ASSERT_TRUE(end) << end.error().text();
    ASSERT_GT(end->end, replayed);
    const auto place = copy(*end);
    ASSERT_TRUE(place) << place.error().text();
    const auto offered = stage->run(stage->postgres(Which::replica).offer_wal(place->folder, 7, stage->in(limit)));
    ASSERT_TRUE(offered) << offered.error().text();
    EXPECT_TRUE(replays_to(end->end));
    const auto details = stage->run(stage->postgres(Which::replica).details(stage->in(limit)));
    ASSERT_TRUE(details) << details.error().text();
    EXPECT_EQ(details->offers_wal, true);
    for (int twice = 0; twice < 2; ++twice) {
        const auto ended = stage->run(stage->postgres(Which::replica).end_offer(stage->in(limit)));
        ASSERT_TRUE(ended) << ended.error().text();
        const auto removed = stage->run(stage->host(Which::replica).remove_wal_place(stage->in(limit)));
        ASSERT_TRUE(removed) << removed.error().text();
    }
    EXPECT_EQ(stage->run(stage->postgres(Which::replica).details(stage->in(limit)))->offers_wal, false);
}

TEST_F(SalvageContract, NothingIsReadWhileThePrimaryRunsNorOfferedToIt) {
    hold_behind();
    const model::WalStretch stretch{id, timeline, begin_of_segment(replayed, model::Bytes{16U << 20U}), replayed, model::Bytes{16U << 20U}};
    const auto early = stage->run(stage->host(Which::primary).read_wal(stretch, stage->in(limit)));
    ASSERT_FALSE(early);
    EXPECT_EQ(early.error().kind, ErrorKind::conflict);
    const auto offered = stage->run(stage->postgres(Which::primary).offer_wal("/kept", 7, stage->in(limit)));
    ASSERT_FALSE(offered);
    EXPECT_EQ(offered.error().kind, ErrorKind::refused);
    model::WalStretch foreign = stretch;
    foreign.system_id.value += 1;
    const auto place = stage->run(stage->host(Which::replica).make_wal_place(foreign, stage->in(limit)));
    ASSERT_FALSE(place);
    EXPECT_EQ(place.error().kind, ErrorKind::refused);
    const auto put = stage->run(stage->host(Which::replica).put_wal(stretch, model::PackedWal{"AAAA"}, stage->in(limit)));
    EXPECT_FALSE(put) << "there is no place for it";
}

TEST_F(HostContract, ARestartedStandbyIsAStandbyAgainAndStreams) {
    const auto before = look(Which::replica);
    ASSERT_TRUE(before) << before.error().text();
    const auto first = standby();
    ASSERT_TRUE(first);
    const auto foreign = restart(Which::replica, model::SystemId{before->system_id.value + 1});
    ASSERT_FALSE(foreign);
    EXPECT_EQ(foreign.error().kind, ErrorKind::refused);
    const auto done = restart(Which::replica, before->system_id);
    ASSERT_TRUE(done) << done.error().text();
    std::optional<model::Answered> second;
    for (const Instant until = stage->in(limit); stage->clock().now() < until;) {
        second = standby();
        if (second && second->standby()->receiver && second->standby()->receiver->status == "streaming") break;
        stage->run(stage->clock().sleep_until(stage->in(10ms)));
    }
    ASSERT_TRUE(second);
    EXPECT_GT(second->started, first->started);
    ASSERT_TRUE(second->standby()->receiver);
    EXPECT_EQ(second->standby()->receiver->status, "streaming");
}

TEST_F(HostContract, APrimaryIsNeitherRestartedAsAStandbyNorPromoted) {
    const auto before = look(Which::primary);
    ASSERT_TRUE(before) << before.error().text();
    const auto done = restart(Which::primary, before->system_id);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, ErrorKind::refused);
    const auto after = look(Which::primary);
    ASSERT_TRUE(after) << after.error().text();
    EXPECT_EQ(after->state, model::ControlState::in_production);
    EXPECT_GT(after->processes, 0U);
}

TEST_F(HostContract, AStandbyThatWasStoppedIsNotStarted) {
    const auto before = look(Which::replica);
    ASSERT_TRUE(before) << before.error().text();
    stage->fast_stop(Which::replica);
    const auto done = restart(Which::replica, before->system_id);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, ErrorKind::refused);
}

class RewindContract : public HostContract, public testing::WithParamInterface<bool> {};

TEST_P(RewindContract, ARewoundServerIsStartedOnlyOnceItsMarksAreChecked) {
    let_them_part(GetParam());
    if (HasFatalFailure()) return;
    ports::RewindWanted wanted = rewind_of_primary("1");
    const model::SystemId id = wanted.divergence.system_id;
    ports::Host& host = stage->host(Which::primary);
    const auto divergence = stage->run(host.measure_divergence(wanted.divergence, stage->in(limit)));
    ASSERT_TRUE(divergence) << divergence.error().text();
    EXPECT_GT(divergence->to_save, model::Bytes{0});
    EXPECT_TRUE(divergence->common_checkpoint);
    wanted.divergence.system_id = model::SystemId{id.value + 1};
    const auto foreign = stage->run(host.rewind(wanted, stage->in(limit)));
    ASSERT_FALSE(foreign);
    EXPECT_EQ(foreign.error().kind, ErrorKind::refused);
    wanted.divergence.system_id = id;

    const auto done = rewind_to_its_end(wanted);
    ASSERT_TRUE(done) << done.error().text();
    ASSERT_EQ(done->phase, model::RewindPhase::done) << done->why;
    EXPECT_TRUE(done->saved);
    const auto early = start_primary_as_standby(id);
    ASSERT_FALSE(early);
    EXPECT_EQ(early.error().kind, ErrorKind::refused);
    const auto told = stage->run(stage->postgres(Which::primary).prepare_while_down(stage->address(Which::replica), id, stage->in(limit)));
    ASSERT_TRUE(told) << told.error().text();
    const auto ended = stage->run(host.end_rewind(id, stage->in(limit)));
    ASSERT_TRUE(ended) << ended.error().text();
    EXPECT_TRUE(stage->run(host.end_rewind(id, stage->in(limit)))) << "again changes nothing";
    const auto started = start_primary_as_standby(id);
    ASSERT_TRUE(started) << started.error().text();
    std::optional<model::Answered> answer;
    for (const Instant until = stage->in(limit); !answer && stage->clock().now() < until;) {
        const model::HeldSight sight = stage->run(stage->postgres(Which::primary).poll(false, stage->in(1s)));
        if (const auto* const it = std::get_if<model::Answered>(&sight)) answer = *it;
        stage->run(stage->clock().sleep_until(stage->in(20ms)));
    }
    ASSERT_TRUE(answer);
    EXPECT_NE(answer->standby(), nullptr);
}

INSTANTIATE_TEST_SUITE_P(Ends, RewindContract, testing::Bool(), [](const auto& it) { return it.param ? "crashed" : "stopped_cleanly"; });

TEST_F(HostContract, ARunningServerIsNotRewound) {
    const auto seen = look(Which::primary);
    ASSERT_TRUE(seen) << seen.error().text();
    const ports::Login login = stage->postgres(Which::primary).login_at(stage->address(Which::replica));
    const ports::RewindWanted wanted{
        "1",
        "db1",
        {seen->system_id, {model::Timeline{1}, model::Lsn{0x3000000}}, model::Timeline{1}},
        login.conninfo,
        login.passfile_line};
    const auto begun = stage->run(stage->host(Which::primary).rewind(wanted, stage->in(limit)));
    ASSERT_FALSE(begun);
    EXPECT_EQ(begun.error().kind, ErrorKind::refused);
    EXPECT_TRUE(answers_as_primary());
}

TEST_F(HostContract, TheReplicasHostReachesAPrimaryThatRunsAndIsRefusedByOneThatIsDead) {
    EXPECT_EQ(reach_of_primary(), model::Reach::accepted);
    stage->kill(Which::primary);
    EXPECT_EQ(reach_of_primary(), model::Reach::refused);
}

/// Although its kernel still takes the connection.
TEST_F(HostContract, TheReplicasHostGetsNoAnswerOfAFrozenPrimary) {
    stage->freeze(Which::primary);
    EXPECT_EQ(reach_of_primary(1s), model::Reach::silent);
}

}  // namespace
}  // namespace handyrep::contract
