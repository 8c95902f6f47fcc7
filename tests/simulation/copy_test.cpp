// A data directory that is made anew: cut at every record of the journal, in spite of a failover in between, and given up where it must be.
#include "tests/simulation/scenario.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>

namespace handyrep::sim {
namespace {

using namespace std::chrono_literals;

struct Cut {
    FaultKind kind;
    Duration lasts;
    ServerIndex choice = 0;  // of the replicas, where it strikes one
};

/// db3 is dead, and is made anew.
struct Copying : Scenario {
    explicit Copying(std::uint64_t seed) : Scenario{plain(seed)} {
        run.world().kill_all(db3);
        run.run_for(3s);
    }

    void begin(scenarios::Verb verb = scenarios::Verb::reclone, std::optional<std::string> from = {}) {
        run.order({.verb = verb, .to = "db3", .from = std::move(from)}, [this](const std::string& refusal) { answer = refusal; });
    }
    void strike_at(std::size_t record, const Cut& cut) {
        run.disk().after_append = [this, record, cut, seen = std::size_t{0}]() mutable {
            if (seen++ != record) return;
            // Not from within the append: whoever is killed by it must not be what calls.
            run.world().agenda.after(0s, [this, cut] { strike(cut.kind, cut.lasts, cut.choice); });
        };
    }
    [[nodiscard]] bool streams(ServerIndex replica = db3) {
        const auto& receiver = run.world().at(replica).receiver;
        return receiver && receiver->state == Receiver::State::streaming;
    }
    [[nodiscard]] std::string outcome() const {
        const auto operation = run.manager() != nullptr ? run.manager()->report().operation : std::nullopt;
        return operation ? operation->outcome : "none";
    }
    [[nodiscard]] std::size_t told(const std::string& event) {
        return static_cast<std::size_t>(std::ranges::count_if(run.disk().events, [&](const saved::Event& it) { return it.name == event; }));
    }

    std::optional<std::string> answer;
};

/// Begun, two for each of six steps, ended.
constexpr std::size_t records = 14;

class CutCopy : public testing::TestWithParam<Cut> {};

TEST_P(CutCopy, EndsWithNothingOpenAndOnePrimaryAtWhicheverStepItIsCut) {
    for (std::size_t record = 0; record < records; ++record) {
        Copying it{record + 1};
        it.strike_at(record, GetParam());
        it.begin();
        it.run.run_for(GetParam().lasts + 400s);
        EXPECT_EQ(it.writers(), 1U) << "record " << record << "\n" << story(it.run);
        EXPECT_TRUE(it.run.settled()) << "record " << record << "\n" << story(it.run);
        EXPECT_EQ(it.broken(), "") << "record " << record;
        const auto& job = it.run.world().at(db3).copy;
        EXPECT_TRUE(!job || job->state != model::CopyProgress::State::running) << "record " << record << "\n" << story(it.run);
    }
}

INSTANTIATE_TEST_SUITE_P(
    Cuts, CutCopy,
    testing::Values(
        Cut{FaultKind::manager_killed, 2s}, Cut{FaultKind::manager_killed, 90s}, Cut{FaultKind::manager_stopped, 20s},
        Cut{FaultKind::kill_primary, 10s}, Cut{FaultKind::freeze_primary, 20s}, Cut{FaultKind::power_loss, 20s},
        Cut{FaultKind::replica_power_loss, 20s, 0}, Cut{FaultKind::replica_power_loss, 20s, 1}, Cut{FaultKind::freeze_replica, 20s},
        Cut{FaultKind::manager_cut_off, 20s}, Cut{FaultKind::isolate_primary, 20s}, Cut{FaultKind::store_fails, 20s},
        Cut{FaultKind::store_hangs, 20s}),
    [](const auto& cut) {
        return fmt::format(
            "{}_{}_{}s", word_for(cut.param.kind), cut.param.choice,
            std::chrono::duration_cast<std::chrono::seconds>(cut.param.lasts).count());
    });

TEST(Copy, IsDoneInTheStepsThatAreCut) {
    Copying it{1};
    std::size_t seen = 0;
    it.run.disk().after_append = [&seen] { ++seen; };
    it.begin();
    it.run.run_for(2s);
    ASSERT_EQ(it.answer, "") << "it is answered as soon as it is begun\n" << story(it.run);
    EXPECT_EQ(it.outcome(), "running");
    it.run.run_for(3s);
    const auto progress = it.run.manager()->report().operation->progress;
    ASSERT_TRUE(progress);
    EXPECT_GT(progress->done.count, 0U);
    EXPECT_TRUE(progress->rate && progress->left);
    it.run.run_for(60s);
    EXPECT_EQ(it.outcome(), "done") << story(it.run);
    EXPECT_EQ(seen, records);
    EXPECT_TRUE(it.streams());
    EXPECT_FALSE(it.run.world().at(db3).old_aside) << "what was set aside is deleted";
    EXPECT_EQ(it.broken(), "");
}

TEST(Copy, IsFoundAgainByTheNextLifeOfTheManagerAndIsNotBegunTwice) {
    Copying it{1};
    it.begin();
    it.run.run_for(3s);
    ASSERT_EQ(it.answer, "");
    it.run.kill_manager();
    it.run.run_for(5s);
    it.run.start_manager();
    it.run.run_for(90s);
    EXPECT_EQ(it.outcome(), "done") << story(it.run);
    EXPECT_TRUE(it.streams()) << story(it.run);
    EXPECT_EQ(it.told("copy_begun"), 1U);
    EXPECT_EQ(it.told("copy_goes_on"), 1U);
}

/// A copy of a replica takes hours; the primary's death must not wait for it, and it outlives the failover.
TEST(Copy, LetsAFailoverThroughAndFollowsTheNewPrimary) {
    Copying it{1};
    it.begin(scenarios::Verb::reclone, "db2");
    it.run.run_for(3s);
    ASSERT_EQ(it.answer, "");
    it.strike(FaultKind::kill_primary, 300s);
    EXPECT_TRUE(it.somebody_was_promoted_within(20s)) << story(it.run);
    it.run.run_for(120s);
    EXPECT_EQ(it.told("copy_set_aside"), 1U) << story(it.run);
    EXPECT_EQ(it.told("copy_begun"), 1U);
    EXPECT_TRUE(it.streams()) << story(it.run);
    EXPECT_EQ(it.run.world().at(db3).receiver->upstream, db2);
    EXPECT_EQ(it.broken(), "");
}

TEST(Copy, IsTakenAwayWhenAPersonCallsItOff) {
    Copying it{1};
    it.begin();
    it.run.run_for(3s);
    ASSERT_TRUE(it.run.cancel(it.run.manager()->report().operation->id));
    it.run.run_for(20s);
    EXPECT_FALSE(it.run.world().at(db3).copy) << story(it.run);
    EXPECT_EQ(it.outcome(), "refused: called off by person");
    EXPECT_TRUE(it.run.settled());
}

TEST(Copy, ThatFailsLeavesTheOldDirectoryAsItWas) {
    Copying it{1};
    const auto before = it.run.world().at(db3).disk.end;
    it.begin();
    it.run.run_for(3s);
    it.run.world().at(db3).data_full = true;
    it.run.run_for(60s);
    EXPECT_NE(it.outcome().find("No space left"), std::string::npos) << it.outcome();
    EXPECT_FALSE(it.run.world().at(db3).copy);
    EXPECT_FALSE(it.run.world().at(db3).old_aside);
    EXPECT_EQ(it.run.world().at(db3).disk.end, before);
    EXPECT_TRUE(it.run.settled());
}

TEST(Copy, GoesIntoNothingAndIsRefusedOverWhatIsNotIdentified) {
    Copying it{1};
    it.run.world().at(db3).place = Place::unidentified;
    it.begin(scenarios::Verb::clone);
    it.run.run_for(10s);
    ASSERT_TRUE(it.answer);
    EXPECT_TRUE(it.answer->starts_with("DirectoryUnidentified")) << *it.answer;
    it.run.world().at(db3).place = Place::absent;
    it.answer.reset();
    it.begin(scenarios::Verb::clone);
    it.run.run_for(90s);
    EXPECT_EQ(it.answer, "");
    EXPECT_EQ(it.outcome(), "done") << story(it.run);
    EXPECT_TRUE(it.streams());
}

TEST(Copy, IsRefusedOfAnotherSystemAndWhereNobodyMayWrite) {
    Copying it{1};
    const auto refused = [&it](std::string_view name) {
        it.answer.reset();
        it.begin();
        it.run.run_for(10s);
        return it.answer && it.answer->starts_with(name);
    };
    it.run.world().at(db3).foreign = model::SystemId{1};
    EXPECT_TRUE(refused("ForeignSystem")) << it.answer.value_or("no answer");
    it.run.world().at(db3).foreign.reset();
    it.run.world().at(db3).mark_denied = true;
    EXPECT_TRUE(refused("NoRights")) << it.answer.value_or("no answer");
    it.run.world().at(db3).mark_denied = false;
    it.run.world().at(db3).data_full = true;
    EXPECT_TRUE(refused("NoSpace")) << it.answer.value_or("no answer");
    it.run.world().at(db3).data_full = false;
    it.run.world().at(db3).ssh_answers = false;
    EXPECT_TRUE(refused("HostNotReached")) << it.answer.value_or("no answer");
}

}  // namespace
}  // namespace handyrep::sim
