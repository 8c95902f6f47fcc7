// decide/loss.hpp — what a failover loses, from below and from above.
//
// From below: what the old primary was seen to have flushed and the candidate does not have. From above: how far it can have
// come until the moment from which it acknowledges nothing more, at the highest pace that was seen of it. Where nothing proves
// that there was such a moment there is no bound, and that is said. Pure; the exact figure is read from its disk afterwards,
// where its host answers.
#pragma once

#include "decide/gates.hpp"
#include "model/lsn.hpp"

#include <optional>
#include <string>

namespace handyrep::decide {

struct LossBounds {
    std::optional<model::Bytes> at_least{};
    std::optional<model::Bytes> at_most{};  // an estimate
    std::string unbounded{};                // why there is no `at_most`; empty when there is one
    friend bool operator==(const LossBounds&, const LossBounds&) = default;
};

/// Of a promotion of a server that stands at `candidate`. `silenced`: when `proof` held of the old primary.
[[nodiscard]] LossBounds loss_bounds(const AnalysisInput& input, model::Lsn candidate, Proof proof, std::optional<Instant> silenced);

/// The same of `chosen`, and exact where the end of the WAL on the fenced old primary's disk was read before.
[[nodiscard]] LossBounds loss_bounds(
    const AnalysisInput& input, const FinalPosition& chosen, Proof proof, std::optional<Instant> silenced,
    const std::optional<model::WalPosition>& on_disk);

/// "at least 12 kB, at most 96 kB (estimated)".
[[nodiscard]] std::string text(const LossBounds& loss);

}  // namespace handyrep::decide
