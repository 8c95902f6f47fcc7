#include "api/orders.hpp"

#include "api/members.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

namespace handyrep::api {

Result<OrderBody> parse_failover_body(std::string_view body) {
    const auto members = parse_members(body, {"to", "dry_run", "override"});
    if (!members) return members.error();
    const Json& object = members->object;
    engine::FailoverWanted wanted;
    auto to = read_server(object, "to");
    if (!to) return to.error();
    wanted.to = *std::move(to);
    if (const auto gates = object.find("override"); gates != object.end()) {
        const bool strings = gates->is_array() && std::ranges::all_of(*gates, [](const Json& it) { return it.is_string(); });
        if (!strings) return invalid("override: expected a list of gates, such as [\"fence\"]");
        const auto overrides = decide::parse_overrides(gates->get<std::vector<std::string>>());
        if (!overrides) return overrides.error();
        wanted.overrides = *overrides;
    }
    const auto dry_run = read_flag(object, "dry_run");
    if (!dry_run) return dry_run.error();
    return OrderBody{std::move(wanted), *dry_run};
}

Result<OrderBody> parse_switchover_body(std::string_view body) {
    const auto members = parse_members(body, {"to", "dry_run", "drop_logical", "restart_all"});
    if (!members) return members.error();
    auto to = read_server(members->object, "to");
    if (!to) return to.error();
    const auto drop_logical = read_flag(members->object, "drop_logical");
    if (!drop_logical) return drop_logical.error();
    const auto restart_all = read_flag(members->object, "restart_all");
    if (!restart_all) return restart_all.error();
    const auto dry_run = read_flag(members->object, "dry_run");
    if (!dry_run) return dry_run.error();
    return OrderBody{decide::SwitchoverWanted{.to = *std::move(to), .drop_logical = *drop_logical, .restart_all = *restart_all}, *dry_run};
}

Result<OrderBody> parse_follow_body(std::string_view body) {
    const auto members = parse_members(body, {"replicas", "upstream", "dry_run"});
    if (!members) return members.error();
    auto replicas = read_servers(members->object, "replicas");
    if (!replicas) return replicas.error();
    auto upstream = read_server(members->object, "upstream");
    if (!upstream) return upstream.error();
    const auto dry_run = read_flag(members->object, "dry_run");
    if (!dry_run) return dry_run.error();
    return OrderBody{decide::FollowWanted{.replicas = *std::move(replicas), .upstream = *std::move(upstream)}, *dry_run};
}

Result<OrderBody> parse_service_body(std::string_view body, decide::ServiceDeed deed) {
    const auto members = parse_members(body, {"server", "dry_run"});
    if (!members) return members.error();
    auto server = read_server(members->object, "server");
    if (!server) return server.error();
    if (!server->has_value()) return invalid("server: say which");
    const auto dry_run = read_flag(members->object, "dry_run");
    if (!dry_run) return dry_run.error();
    return OrderBody{decide::ServiceWanted{.deed = deed, .server = server->value()}, *dry_run};
}

namespace {

template <decide::ServiceDeed deed>
Result<OrderBody> parse_service(std::string_view body) {
    return parse_service_body(body, deed);
}

}  // namespace

Result<OrderBody> parse_rejoin_body(std::string_view body) {
    const auto members = parse_members(body, {"server", "only_rewind", "dry_run"});
    if (!members) return members.error();
    auto server = read_server(members->object, "server");
    if (!server) return server.error();
    if (!server->has_value()) return invalid("server: say which");
    const auto only_rewind = read_flag(members->object, "only_rewind");
    if (!only_rewind) return only_rewind.error();
    const auto dry_run = read_flag(members->object, "dry_run");
    if (!dry_run) return dry_run.error();
    return OrderBody{decide::RejoinWanted{.server = server->value(), .only_rewind = *only_rewind}, *dry_run};
}

std::span<const OrderPath> order_paths() {
    static constexpr std::array paths{
        OrderPath{"/v1/failover", &parse_failover_body},
        OrderPath{"/v1/switchover", &parse_switchover_body},
        OrderPath{"/v1/follow", &parse_follow_body},
        OrderPath{"/v1/shutdown", &parse_service<decide::ServiceDeed::stop>},
        OrderPath{"/v1/startup", &parse_service<decide::ServiceDeed::start>},
        OrderPath{"/v1/restart", &parse_service<decide::ServiceDeed::restart>},
        OrderPath{"/v1/fence", &parse_service<decide::ServiceDeed::fence>},
        OrderPath{"/v1/rejoin", &parse_rejoin_body},
    };
    return paths;
}

}  // namespace handyrep::api
