#include "decide/loss.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace handyrep::decide {

using model::Bytes;

namespace {

/// What a server may write that was seen idle: work begins at any moment.
constexpr double idle_pace = 1 << 20;
/// The pace is an average over a look; within one it is uneven.
constexpr double unevenness = 2;

Bytes written_within(const model::WalPace& pace, Duration time) {
    const double rate = std::max(idle_pace, unevenness * static_cast<double>(pace.highest().count));
    return {static_cast<std::uint64_t>(std::ceil(rate * std::max(0.0, std::chrono::duration<double>(time).count())))};
}

bool may_go_on(Proof proof) { return proof == Proof::nothing || proof == Proof::witnessed; }

}  // namespace

LossBounds loss_bounds(const AnalysisInput& input, model::Lsn candidate, Proof proof, std::optional<Instant> silenced) {
    LossBounds out{.at_least = estimated_loss(input, candidate)};
    const model::ServerEvidence* const seen = input.saved.primary ? input.evidence.find(*input.saved.primary) : nullptr;
    const model::PrimaryAnswer* const last = seen != nullptr && seen->last_answer ? seen->last_answer->what.primary() : nullptr;
    if (may_go_on(proof) || !silenced) {
        out.unbounded = "the old primary may go on writing where clients reach it";
    } else if (last == nullptr || !seen->pace) {
        out.unbounded = "this life of the manager never read the old primary";
    } else {
        // The answer was given some time between the answer before it and its own arrival.
        const Bytes since = written_within(*seen->pace, *silenced - seen->pace->asked_after);
        out.at_most = Bytes{gap(candidate, last->inserted).count + since.count};
    }
    return out;
}

LossBounds loss_bounds(
    const AnalysisInput& input, const FinalPosition& chosen, Proof proof, std::optional<Instant> silenced,
    const std::optional<model::WalPosition>& on_disk) {
    if (holds_all(input, chosen, on_disk)) return {.at_least = Bytes{0}, .at_most = Bytes{0}};
    LossBounds out = loss_bounds(input, chosen.position.lsn, proof, silenced);
    if (on_disk && on_disk->timeline == chosen.position.timeline)
        out.at_least = std::max(out.at_least.value_or(Bytes{0}), gap(chosen.position.lsn, on_disk->lsn));
    return out;
}

std::string text(const LossBounds& loss) {
    const std::string least = loss.at_least ? fmt::format("at least {}", text(*loss.at_least)) : "at least: unknown";
    if (loss.at_most) return fmt::format("{}, at most {} (estimated)", least, text(*loss.at_most));
    return fmt::format("{}, at most: unknown ({})", least, loss.unbounded);
}

}  // namespace handyrep::decide
