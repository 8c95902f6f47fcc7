// A recording taken at any time of any history says, read back, what the daemon would have said.
#include "control/explain.hpp"
#include "decide/explain.hpp"
#include "sim/run.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <string>

namespace handyrep::sim {
namespace {

using namespace std::chrono_literals;

std::string explained(const saved::Recording& recording, const control::ExplainQuestion& question) {
    const auto out = control::explain(recording, question);
    return out ? control::document(out->json) : out.error().text();
}

/// What differs between the recording and what is read from its text; empty when nothing does.
std::string difference(const saved::Recording& live) {
    const std::string text = saved::to_text(live);
    const auto read = saved::recording_from_text(text);
    if (!read) return read.error().text();
    if (saved::to_text(*read) != text) return "the text of what was read is another";
    for (std::size_t back = 0; back < live.moments.size(); ++back) {
        for (const bool if_died : {false, true}) {
            // Looking ahead costs hundreds of analyses: of now, and of the last change.
            if (if_died && back > 1) continue;
            const control::ExplainQuestion question{.if_primary_died = if_died, .back = back};
            const std::string said = explained(live, question);
            const std::string replayed = explained(*read, question);
            const auto [from, other] = std::ranges::mismatch(said, replayed);
            if (from != said.end() || other != replayed.end())
                return std::to_string(back) + " back: ..." + std::string(from, std::min(said.end(), from + 80)) + "... is ..." +
                       std::string(other, std::min(replayed.end(), other + 80));
        }
    }
    return {};
}

/// "situation=PrimaryDead reason=PrimaryIsDead" as the manager told it last; empty before the first time.
std::string last_told(const Trace& trace) {
    for (auto line = trace.lines().rbegin(); line != trace.lines().rend(); ++line) {
        const bool tells = line->what.starts_with("situation ") || line->what.starts_with("decision ");
        if (line->who != "manager" || !tells) continue;
        const auto from = line->what.find("situation=");
        const auto reason = line->what.find("reason=", from);
        return line->what.substr(from, line->what.find(' ', reason) - from);
    }
    return {};
}

std::string explained_last_change(const std::vector<model::Moment>& moments) {
    if (moments.size() < 2) return {};
    const decide::Explanation it = decide::explain(moments[moments.size() - 2]);
    const decide::Reason reason = std::visit([](const auto& decision) { return decision.reason; }, it.decision);
    return "situation=" + std::string(word_for(it.situation)) + " reason=" + std::string(word_for(reason));
}

TEST(Recordings, ReplayToTheSameAnswersAtAnyTimeOfAnyHistory) {
    std::size_t taken = 0;
    for (std::uint64_t seed = 1; seed <= 24; ++seed) {
        const Draw drawn = draw({.number = seed});
        class Run run{drawn};
        for (const Fault& fault : drawn.faults) put_on_agenda(run.stage(), fault);
        for (int sample = 0; sample < 5; ++sample) {
            run.run_for(6700ms);
            if (run.manager() == nullptr) continue;
            const saved::Recording live{.handyrep = "sim", .moments = run.manager()->moments()};
            EXPECT_EQ(difference(live), "") << "seed " << seed << ", sample " << sample;
            ++taken;
        }
    }
    EXPECT_GT(taken, 80U);
}

TEST(Recordings, ExplainEachChangeAsItWasTold) {
    std::size_t changes = 0;
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        const Draw drawn = draw({.number = seed});
        class Run run{drawn};
        for (const Fault& fault : drawn.faults) put_on_agenda(run.stage(), fault);
        for (int sample = 0; sample < 100; ++sample) {
            run.run_for(331ms);
            // What an earlier life told is not in this one's memory.
            if (run.manager() == nullptr || run.manager()->moments().size() < 2) continue;
            EXPECT_EQ(explained_last_change(run.manager()->moments()), last_told(run.world().trace))
                << "seed " << seed << ", sample " << sample;
            ++changes;
        }
    }
    EXPECT_GT(changes, 500U);
}

}  // namespace
}  // namespace handyrep::sim
