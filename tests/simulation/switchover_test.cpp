// A handover that is cut at every step: its manager killed, a server, a host or the network lost in that moment. Whatever comes of it,
// one server takes writes in the end, nothing is lost that was acknowledged, and no operation stays open.
#include "tests/simulation/scenario.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace handyrep::sim {
namespace {

using namespace std::chrono_literals;

struct Handover : Scenario {
    explicit Handover(std::uint64_t seed) : Scenario{plain(seed)} {}

    void begin() {
        run.order({.verb = scenarios::Verb::switchover, .to = "db2"}, [this](const std::string& refusal) { answer = refusal; });
    }

    std::optional<std::string> answer;
};

/// The journal's records of a handover of three servers: begun, two for each of ten steps, ended.
constexpr std::size_t records = 22;

class CutHandover : public testing::TestWithParam<Cut> {};

TEST_P(CutHandover, EndsInOnePrimaryAtWhicheverStepItIsCut) {
    for (std::size_t record = 0; record < records; ++record) {
        Handover it{record + 1};
        it.strike_at(record, GetParam());
        it.begin();
        it.run.run_for(GetParam().lasts + 200s);
        EXPECT_LE(it.writers(), 1U) << "record " << record << "\n" << story(it.run);
        EXPECT_TRUE(it.writers() == 1 || (GetParam().may_stand_still && it.run.verdict().ending == Ending::parked))
            << "record " << record << "\n"
            << story(it.run);
        EXPECT_TRUE(it.run.settled()) << "record " << record << "\n" << story(it.run);
        EXPECT_EQ(it.broken(), "") << "record " << record;
    }
}

INSTANTIATE_TEST_SUITE_P(
    Cuts, CutHandover,
    testing::Values(
        Cut{FaultKind::manager_killed, 2s}, Cut{FaultKind::manager_killed, 60s}, Cut{FaultKind::manager_stopped, 20s},
        Cut{FaultKind::kill_primary, 10s, true}, Cut{FaultKind::freeze_primary, 20s}, Cut{FaultKind::power_loss, 20s},
        Cut{FaultKind::replica_power_loss, 20s}, Cut{FaultKind::freeze_replica, 20s}, Cut{FaultKind::replica_dies, 20s},
        Cut{FaultKind::sshd_stopped, 20s}, Cut{FaultKind::isolate_primary, 20s}, Cut{FaultKind::manager_cut_off, 20s},
        Cut{FaultKind::storage_stalled, 60s}, Cut{FaultKind::promotion_hangs, 30s}, Cut{FaultKind::promotion_refused, 30s},
        Cut{FaultKind::store_fails, 20s}, Cut{FaultKind::store_hangs, 20s}),
    [](const auto& cut) { return text(cut.param); });

TEST(Handover, IsDoneInTheStepsThatAreCut) {
    Handover it{1};
    std::size_t seen = 0;
    it.run.disk().after_append = [&seen] { ++seen; };
    it.begin();
    it.run.run_for(20s);
    ASSERT_EQ(it.answer, "") << story(it.run);
    EXPECT_EQ(seen, records);
    EXPECT_TRUE(it.run.world().at(1).is_primary());
}

}  // namespace
}  // namespace handyrep::sim
