#include "api/orders.hpp"

#include "api/members.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace handyrep::api {

namespace {

Result<decide::Overrides> read_overrides(const Json& object) {
    const auto gates = object.find("override");
    if (gates == object.end()) return decide::Overrides{};
    const bool strings = gates->is_array() && std::ranges::all_of(*gates, [](const Json& it) { return it.is_string(); });
    if (!strings) return invalid("override: expected a list of gates, such as [\"fence\"]");
    return decide::parse_overrides(gates->get<std::vector<std::string>>());
}

/// Of a failover, or of a promotion alone; `server` is how the member is called that names the candidate.
Result<OrderBody> failover_of(const Json& object, const char* server, bool alone) {
    auto to = read_server(object, server);
    if (!to) return to.error();
    const auto overrides = read_overrides(object);
    if (!overrides) return overrides.error();
    const auto dry_run = read_flag(object, "dry_run");
    if (!dry_run) return dry_run.error();
    return OrderBody{engine::FailoverWanted{.to = *std::move(to), .overrides = *overrides, .alone = alone}, *dry_run};
}

}  // namespace

Result<OrderBody> parse_failover_body(std::string_view body) {
    const auto members = parse_members(body, {"to", "dry_run", "override"});
    if (!members) return members.error();
    return failover_of(members->object, "to", false);
}

Result<OrderBody> parse_promote_body(std::string_view body) {
    const auto members = parse_members(body, {"server", "dry_run", "override"});
    if (!members) return members.error();
    if (!members->object.contains("server") || members->object["server"].is_null()) return invalid("server: say which");
    return failover_of(members->object, "server", true);
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

Result<std::string> read_absolute(const Json& object, const char* name) {
    const auto found = object.find(name);
    if (found == object.end() || found->is_null()) return std::string{};
    if (!found->is_string()) return wrong_type(name, "an absolute path", *found);
    auto path = found->get<std::string>();
    if (!path.starts_with('/') || path.find_first_of("\n\r") != std::string::npos)
        return invalid(fmt::format("{}: expected an absolute path, not {}", name, shown(path)));
    return path;
}

Result<std::vector<model::TablespacePlace>> read_tablespaces(const Json& object) {
    std::vector<model::TablespacePlace> out;
    const auto found = object.find("tablespaces");
    if (found == object.end() || found->is_null()) return out;
    if (!found->is_object()) return wrong_type("tablespaces", "an object of paths", *found);
    for (const auto& [from, to] : found->items()) {
        auto there = read_absolute(*found, from.c_str());
        if (!there) return there.error();
        if (!from.starts_with('/') || from.find_first_of("\n\r") != std::string::npos || there->empty())
            return invalid(fmt::format("tablespaces: expected absolute paths, not {}", shown(from)));
        out.push_back({from, *std::move(there)});
    }
    return out;
}

Result<std::string> read_slot(const Json& object) {
    const auto found = object.find("slot");
    if (found == object.end() || found->is_null()) return std::string{};
    if (!found->is_string()) return wrong_type("slot", "the name of a slot", *found);
    auto slot = found->get<std::string>();
    const bool plain = std::ranges::all_of(slot, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
    if (slot.empty() || slot.size() > 63 || !plain)
        return invalid(fmt::format("slot: expected lower-case letters, digits and _, at most 63, not {}", shown(slot)));
    return slot;
}

Result<model::CopyWishes> read_wishes(const Json& object) {
    model::CopyWishes out;
    if (const auto rate = object.find("rate_bytes_per_second"); rate != object.end() && !rate->is_null()) {
        if (!rate->is_number_unsigned()) return wrong_type("rate_bytes_per_second", "a number of bytes", *rate);
        out.rate = model::Bytes{rate->get<std::uint64_t>()};
        // What pg_basebackup takes.
        if (out.rate->count < (32ULL << 10U) || out.rate->count > (1ULL << 30U))
            return invalid("rate_bytes_per_second: expected 32 kB to 1 GB");
    }
    auto slot = read_slot(object);
    if (!slot) return slot.error();
    out.slot = *std::move(slot);
    auto wal_directory = read_absolute(object, "wal_directory");
    if (!wal_directory) return wal_directory.error();
    out.wal_directory = *std::move(wal_directory);
    auto tablespaces = read_tablespaces(object);
    if (!tablespaces) return tablespaces.error();
    out.tablespaces = *std::move(tablespaces);
    return out;
}

Result<OrderBody> copy_of(const Json& object, bool replaces) {
    auto server = read_server(object, "server");
    if (!server) return server.error();
    if (!*server) return invalid("server: whose data directory is to be made anew?");
    auto from = read_server(object, "from");
    if (!from) return from.error();
    auto wishes = read_wishes(object);
    if (!wishes) return wishes.error();
    const auto dry_run = read_flag(object, "dry_run");
    if (!dry_run) return dry_run.error();
    const auto keep_old = read_flag(object, "keep_old");
    if (!keep_old) return keep_old.error();
    return OrderBody{
        decide::CopyWanted{
            .server = **std::move(server),
            .replaces = replaces,
            .from = *std::move(from),
            .keep_old = *keep_old,
            .wishes = *std::move(wishes)},
        *dry_run};
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

Result<OrderBody> parse_clone_body(std::string_view body) {
    const auto members =
        parse_members(body, {"server", "from", "rate_bytes_per_second", "slot", "wal_directory", "tablespaces", "dry_run"});
    if (!members) return members.error();
    return copy_of(members->object, false);
}

Result<OrderBody> parse_reclone_body(std::string_view body) {
    const auto members =
        parse_members(body, {"server", "from", "rate_bytes_per_second", "slot", "wal_directory", "tablespaces", "keep_old", "dry_run"});
    if (!members) return members.error();
    return copy_of(members->object, true);
}

std::span<const OrderPath> order_paths() {
    static constexpr std::array paths{
        OrderPath{"/v1/failover", &parse_failover_body},
        OrderPath{"/v1/promote", &parse_promote_body},
        OrderPath{"/v1/switchover", &parse_switchover_body},
        OrderPath{"/v1/follow", &parse_follow_body},
        OrderPath{"/v1/shutdown", &parse_service<decide::ServiceDeed::stop>},
        OrderPath{"/v1/startup", &parse_service<decide::ServiceDeed::start>},
        OrderPath{"/v1/restart", &parse_service<decide::ServiceDeed::restart>},
        OrderPath{"/v1/fence", &parse_service<decide::ServiceDeed::fence>},
        OrderPath{"/v1/rejoin", &parse_rejoin_body},
        OrderPath{"/v1/clone", &parse_clone_body},
        OrderPath{"/v1/reclone", &parse_reclone_body},
    };
    return paths;
}

}  // namespace handyrep::api
