// A simulated cluster that is healthy when a test begins with it.
#pragma once

#include "sim/run.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace handyrep::sim {

inline constexpr ServerIndex db1 = 0;
inline constexpr ServerIndex db2 = 1;
inline constexpr ServerIndex db3 = 2;
inline constexpr Duration until_healthy = std::chrono::seconds{8};

/// Says in a failure what led to it.
[[nodiscard]] inline std::string story(Run& run) {
    std::string out;
    for (const Trace::Line& line : run.world().trace.lines()) out += line.text() + "\n";
    return out;
}

/// What strikes an operation in the middle.
struct Cut {
    FaultKind kind;
    Duration lasts;
    /// A new primary that dies for good before anybody followed it leaves nobody who has what it may have acknowledged: the cluster then
    /// stands still, and says why.
    bool may_stand_still = false;
};
/// "manager_killed_2s".
[[nodiscard]] inline std::string text(const Cut& cut) {
    return fmt::format("{}_{}s", word_for(cut.kind), std::chrono::duration_cast<std::chrono::seconds>(cut.lasts).count());
}

struct Scenario {
    explicit Scenario(const Draw& draw = plain(1)) : run{draw} { run.run_for(until_healthy); }

    void strike(FaultKind kind, Duration lasts, std::uint64_t choice = 0) { put_on_agenda(run.stage(), Fault{kind, {}, lasts, choice}); }
    /// When the journal gets its n-th record.
    void strike_at(std::size_t record, const Cut& cut) {
        run.disk().after_append = [this, record, cut, seen = std::size_t{0}]() mutable {
            if (seen++ != record) return;
            // Not from within the append: whoever is killed by it must not be what calls.
            run.world().agenda.after(Duration::zero(), [this, cut] { strike(cut.kind, cut.lasts); });
        };
    }
    [[nodiscard]] bool somebody_was_promoted_within(Duration limit) {
        return run.run_until([&] { return run.invariants().promotions() > 0; }, limit);
    }
    [[nodiscard]] std::size_t failovers_after(Duration length) {
        run.run_for(length);
        return run.invariants().failovers_begun();
    }
    [[nodiscard]] std::string broken() {
        run.invariants().judge_end();
        std::string out;
        for (const Violation& it : run.invariants().violations()) out += it.claim + ": " + it.text + "\n";
        return out;
    }
    [[nodiscard]] std::size_t writers() {
        std::size_t count = 0;
        for (ServerIndex it = 0; it < run.world().servers.size(); ++it) count += run.world().accepts_writes(it) ? 1 : 0;
        return count;
    }
    [[nodiscard]] std::string situation() const { return std::string(word_for(run.manager()->report().situation)); }
    [[nodiscard]] std::string reason() const { return std::string(word_for(run.manager()->report().reason)); }
    [[nodiscard]] std::string proof() {
        std::string found;
        for (const saved::Event& event : run.disk().events) {
            if (event.name != "promoted") continue;
            for (const Field& field : event.fields) {
                if (field.name == "proof") found = field.value;
            }
        }
        return found;
    }

    Run run;
};

}  // namespace handyrep::sim
