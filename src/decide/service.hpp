// decide/service.hpp — whether one server's service can be stopped, started, restarted or fenced by a person's order.
//
// Pure. The role of primary stays where it is: what would take it from its holder is a switchover's or a failover's to do.
#pragma once

#include "decide/analysis.hpp"
#include "decide/obstacle.hpp"
#include "decide/readiness.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace handyrep::decide {

enum class ServiceDeed {
    stop,     // cleanly, and nothing starts it again but an order
    start,    // as what it was, with autostart as it was
    restart,  // so that it reads its settings anew
    fence,    // at once: every process of it is killed
};
[[nodiscard]] std::string_view word_for(ServiceDeed deed);

struct ServiceWanted {
    ServiceDeed deed;
    model::ServerName server;
};

struct ServiceOrder {
    ServiceDeed deed;
    model::ServerName server;
    bool holds_role = false;                      // of primary
    std::optional<model::ServerName> upstream{};  // whom it streams from, where that is one of ours
    std::string text;
};

/// `checks`: of the last readiness round; a primary that is restarted needs the rights of a switchover. Fails with `refused`, or with
/// `invalid` for a name that nobody has.
[[nodiscard]] Result<ServiceOrder> decide_service(
    const AnalysisInput& input, const Analysis& analysis, std::span<const Check> checks, const ServiceWanted& wanted);

}  // namespace handyrep::decide
