// decide/rights.hpp — what an order needs on the nodes beyond what SQL shows: programs, logins, rights, tried by a readiness round.
#pragma once

#include "decide/obstacle.hpp"
#include "decide/readiness.hpp"

#include <optional>
#include <span>

namespace handyrep::decide {

/// Of a primary that is stopped and started over its host, and of the one that takes over, where there is one. What the round found
/// missing, each with its remedy; nothing when nothing is.
[[nodiscard]] std::optional<Error> rights_missing(
    std::span<const Check> checks, const model::ServerName& primary, const std::optional<model::ServerName>& candidate);

}  // namespace handyrep::decide
