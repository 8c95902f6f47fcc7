#include "model/server.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace handyrep::model {

std::string_view word_for(Role role) { return role == Role::primary ? "primary" : "replica"; }

Result<Role> parse_role(std::string_view text) {
    const std::string wanted = lower(text);
    if (wanted == "primary" || wanted == "master") return Role::primary;
    if (wanted == "replica" || wanted == "standby" || wanted == "slave") return Role::replica;
    return Error{ErrorKind::invalid, fmt::format("'{}' is not a role; expected primary or replica", text)};
}

std::string_view word_for(ServerStatus status) {
    switch (status) {
        case ServerStatus::unknown: return "unknown";
        case ServerStatus::healthy: return "healthy";
        case ServerStatus::lagged: return "lagged";
        case ServerStatus::warning: return "warning";
        case ServerStatus::unavailable: return "unavailable";
        case ServerStatus::down: return "down";
    }
    return "";
}

std::string_view word_for(ClusterStatus status) {
    switch (status) {
        case ClusterStatus::unknown: return "unknown";
        case ClusterStatus::healthy: return "healthy";
        case ClusterStatus::warning: return "warning";
        case ClusterStatus::down: return "down";
    }
    return "";
}

std::string_view word_for(Transport transport) { return transport == Transport::ssh ? "ssh" : "local"; }

std::string_view word_for(Fencing fencing) {
    switch (fencing) {
        case Fencing::strict: return "strict";
        case Fencing::witnessed: return "witnessed";
        case Fencing::none: return "none";
    }
    return "";
}

std::string_view word_for(SelectionMethod method) {
    return method == SelectionMethod::priority_then_furthest ? "priority_then_furthest" : "furthest_ahead";
}

const ServerDefinition* ClusterDefinition::find(const ServerName& server) const {
    const auto found = std::ranges::find(servers, server, &ServerDefinition::name);
    return found == servers.end() ? nullptr : &*found;
}

}  // namespace handyrep::model
