// decide/follow.hpp — whether replicas can be made to follow another upstream now, and which of them.
//
// Pure. A person's order about replicas: the role of primary stays where it is. Any server that streams from the primary may be
// an upstream (cascading). Who went past the point where the upstream's timeline left its own is not re-pointed: it would wait
// there for ever (failure analysis, T4).
#pragma once

#include "decide/analysis.hpp"
#include "decide/obstacle.hpp"

#include <optional>
#include <string>
#include <vector>

namespace handyrep::decide {

struct FollowWanted {
    std::vector<model::ServerName> replicas{};    // none: every one that does not follow the upstream yet and can
    std::optional<model::ServerName> upstream{};  // nothing: the primary
};

struct Follow {
    struct Replica {
        model::ServerName name;
        std::optional<model::ServerName> former;  // whom it follows now, where that is one of ours
        friend bool operator==(const Replica&, const Replica&) = default;
    };
    std::vector<Replica> replicas;
    model::ServerName upstream;
    std::string text;
};

/// Fails with `refused`, or with `invalid` for a name that nobody has; the text begins with the obstacle's name.
[[nodiscard]] Result<Follow> decide_follow(const AnalysisInput& input, const Analysis& analysis, const FollowWanted& wanted);

}  // namespace handyrep::decide
