// decide/rejoin.hpp — how a server that was failed over from, or went its own way, comes back as a replica.
//
// Pure. Judged by timeline histories and by where the WAL on its disk ends, never by the order that was used, a log line or the word
// streaming (S3, S11). The ways in their order: follow as it is, be rewound, be cloned anew; each that is skipped says why. What only its
// host can say comes in as a survey that was made for this order.
#pragma once

#include "decide/analysis.hpp"
#include "decide/obstacle.hpp"
#include "model/rewind.hpp"
#include "model/wal_end.hpp"

#include <optional>
#include <string>
#include <vector>

namespace handyrep::decide {

struct RejoinWanted {
    model::ServerName server;
    bool only_rewind = false;
};

/// Nothing: was not asked.
struct RejoinSurvey {
    model::ServerName server;
    std::optional<Result<model::RewindLook>> look{};
    std::optional<Result<model::WalEnd>> wal_end{};
    std::optional<Result<model::Divergence>> divergence{};
};

enum class Way { follow, rewind };

struct Rejoin {
    model::ServerName server;
    model::ServerName upstream;
    Way way = Way::follow;
    bool runs = false;                                  // as a standby: it is re-pointed, or stopped before it is rewound
    std::optional<model::DivergenceQuestion> behind{};  // where the upstream left its history; nothing: they are on one timeline
    std::string text;                                   // with the ways that are skipped, and why
};

/// Where the history of the primary left the one of `look`; nothing when neither says so, or the primary's is not known.
[[nodiscard]] std::optional<model::DivergenceQuestion> divergence_of(const AnalysisInput& input, const model::RewindLook& look);
/// Its host must be asked: it does not answer as a standby that could follow as it is.
[[nodiscard]] bool needs_survey(const AnalysisInput& input, const model::ServerName& server);

/// Fails with `refused`, or with `invalid` for a name that nobody has; the text begins with the obstacle's name. Where only a clone is
/// left it is refused too, with every way and why it is none.
[[nodiscard]] Result<Rejoin> decide_rejoin(
    const AnalysisInput& input, const Analysis& analysis, const RejoinSurvey& survey, const RejoinWanted& wanted);

}  // namespace handyrep::decide
