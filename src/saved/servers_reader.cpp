#include "saved/servers_reader.hpp"

#include "base/text.hpp"
#include "base/yaml_fields.hpp"
#include "saved/servers_file.hpp"

#include <fmt/format.h>

#include <charconv>
#include <concepts>
#include <functional>
#include <limits>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace handyrep::saved {

namespace {

/// "3:16/B374D848".
model::WalPosition position(std::string_view text, YamlPlace at, std::string_view key) {
    const auto colon = text.find(':');
    std::uint32_t timeline = 0;
    bool whole = false;
    if (colon != std::string_view::npos) {
        const auto [end, error] = std::from_chars(text.data(), text.data() + colon, timeline);
        if (error == std::errc{} && end == text.data() + colon) whole = true;
    }
    if (!whole) fault(at, key, fmt::format("'{}' is not a position such as 3:16/B374D848", text.substr(0, 80)));
    return {model::Timeline{timeline}, must(model::Lsn::parse(text.substr(colon + 1)), at, key)};
}

model::Transport transport(YamlFields& fields) {
    const YamlPlace at = fields.place("transport");
    const std::string word = fields.text("transport");
    if (word == word_for(model::Transport::ssh)) return model::Transport::ssh;
    if (word == word_for(model::Transport::local)) return model::Transport::local;
    fault(at, fields.path("transport"), fmt::format("'{}' is not ssh or local", word.substr(0, 80)));
}

model::ServerDefinition server(const YamlNode& node) {
    YamlFields fields{node, "servers"};
    const YamlPlace role_at = fields.place("role");
    model::ServerDefinition it{
        .name = fields.name<model::ServerName>("name"),
        .hostname = fields.text("hostname"),
        .port = fields.number<std::uint16_t>("port", 1),
        .role = must(model::parse_role(fields.text("role")), role_at, "servers.role"),
        .enabled = fields.flag("enabled"),
        .failover_priority = fields.number<int>("failover_priority"),
        .lag_limit = model::Bytes{fields.number<std::uint64_t>("lag_limit_bytes")},
        .transport = transport(fields),
        .ssh_user = fields.text("ssh_user"),
        .ssh_key = fields.text("ssh_key"),
        .ssh_config = fields.text("ssh_config"),
        .database_user = fields.text("database_user"),
        .pgdata = fields.text("pgdata"),
    };
    fields.end();
    return it;
}

model::TimelineHistory history(YamlFields& fields) {
    const model::Timeline current{fields.number<std::uint32_t>("successor_timeline", 1)};
    const std::string key = fields.path("successor_history");
    std::vector<model::TimelineSwitch> switches;
    for (const YamlNode& item : fields.list("successor_history")) {
        const model::WalPosition fork = position(item.text, item.at, key);
        const bool rises = switches.empty() || switches.back().from < fork.timeline;
        if (!rises || fork.timeline >= current) fault(item.at, key, fmt::format("timeline {} is out of order", fork.timeline.id));
        switches.push_back({fork.timeline, fork.lsn});
    }
    return {current, std::move(switches)};
}

model::MustBeDown barred(const YamlNode& node) {
    YamlFields fields{node, "must_be_down"};
    const YamlPlace fork_at = fields.place("fork");
    model::MustBeDown it{
        .server = fields.name<model::ServerName>("server"),
        .system_id = model::SystemId{fields.number<std::uint64_t>("system_id")},
        .hostname = fields.text("hostname"),
        .pgdata = fields.text("pgdata"),
        .fork = position(fields.text("fork"), fork_at, "must_be_down.fork"),
        .successor = fields.name<model::ServerName>("successor"),
        .successor_history = history(fields),
        .epoch = fields.number<std::uint64_t>("epoch"),
    };
    fields.end();
    return it;
}

model::PossiblePrimary possible_primary(const YamlNode& node) {
    YamlFields fields{node, "possible_primary"};
    model::PossiblePrimary it{.server = fields.name<model::ServerName>("server"), .expires = fields.time("expires")};
    if (fields.has("taken")) it.taken = fields.time("taken");
    fields.end();
    return it;
}

model::LastFailover last_failover(const YamlNode& node) {
    YamlFields fields{node, "last_failover"};
    model::LastFailover it{
        .at = fields.time("at"),
        .from = fields.name<model::ServerName>("from"),
        .to = fields.name<model::ServerName>("to"),
        .acknowledged = fields.flag("acknowledged")};
    fields.end();
    return it;
}

model::Maintenance maintenance(const YamlNode& node) {
    YamlFields fields{node, "maintenance"};
    model::Maintenance it{
        .since = fields.time("since"), .until = fields.time("until"), .by = fields.text("by"), .reason = fields.text("reason")};
    fields.end();
    return it;
}

model::Pause paused(const YamlNode& node) {
    YamlFields fields{node, "paused"};
    model::Pause it{.since = fields.time("since"), .by = fields.text("by"), .reason = fields.text("reason")};
    fields.end();
    return it;
}

model::Disabled disabled(const YamlNode& node) {
    YamlFields fields{node, "disabled"};
    model::Disabled it{.server = fields.name<model::ServerName>("server"), .since = fields.time("since")};
    if (fields.has("until")) it.until = fields.time("until");
    it.by = fields.text("by");
    it.reason = fields.text("reason");
    fields.end();
    return it;
}

model::ScheduledSwitchover scheduled(const YamlNode& node) {
    YamlFields fields{node, "scheduled_switchover"};
    model::ScheduledSwitchover it{
        .at = fields.time("at"), .drop_logical = fields.flag("drop_logical"), .since = fields.time("since"), .by = fields.text("by")};
    const YamlPlace to_at = fields.place("to");
    const std::string to = fields.text("to");
    if (!to.empty()) it.to = must(model::ServerName::parse(to), to_at, "scheduled_switchover.to");
    fields.end();
    return it;
}

model::HighestSeen highest(const YamlNode& node) {
    YamlFields fields{node, "highest"};
    const YamlPlace at = fields.place("position");
    model::HighestSeen it{
        .server = fields.name<model::ServerName>("server"), .position = position(fields.text("position"), at, "highest.position")};
    fields.end();
    return it;
}

model::UpstreamSettings upstream_settings(const YamlNode& node) {
    YamlFields fields{node, "upstream_settings"};
    model::UpstreamSettings it{.server = fields.name<model::ServerName>("server"), .conninfo = fields.text("conninfo")};
    fields.end();
    return it;
}

model::SyncMember sync_member(const YamlNode& node) {
    YamlFields fields{node, "sync_members"};
    model::SyncMember it{
        .application_name = fields.text("application_name"), .address = fields.text("address"), .seen = fields.time("seen")};
    fields.end();
    return it;
}

/// The items of a list of maps, no two about the same server.
template <class T, class Read, class Name>
std::vector<T> each(YamlFields& fields, std::string_view key, Read read, Name name) {
    std::vector<T> out;
    std::set<std::string> seen;
    for (const YamlNode& node : fields.list(key)) {
        out.push_back(read(node));
        const std::string& server_name = std::invoke(name, out.back()).text();
        if (!seen.insert(server_name).second) fault(node.at, key, fmt::format("server '{}' is here twice", server_name));
    }
    return out;
}

void check_format(YamlFields& fields) {
    const YamlPlace at = fields.place("format");
    const int format = fields.number<int>("format", 1);
    if (format > servers_file_format) {
        fault(at, "format", fmt::format("{} was written by a newer HandyRep; this one reads up to {}", format, servers_file_format));
    }
}

void check_roles(const model::SavedState& state, YamlPlace servers_at, YamlPlace primary_at) {
    const model::ServerDefinition* holder = nullptr;
    bool primary_is_here = false;
    for (const model::ServerDefinition& it : state.servers) {
        if (state.primary == it.name) primary_is_here = true;
        if (it.role != model::Role::primary) continue;
        if (holder != nullptr)
            fault(servers_at, "servers", fmt::format("two primaries, '{}' and '{}'", holder->name.text(), it.name.text()));
        holder = &it;
    }
    if (state.primary && !primary_is_here)
        fault(primary_at, "primary", fmt::format("'{}' is not among the servers", state.primary->text()));
}

model::SavedState state_of(const YamlNode& root) {
    YamlFields fields{root, ""};
    check_format(fields);
    const YamlPlace servers_at = fields.place("servers");
    const YamlPlace primary_at = fields.place("primary");
    model::SavedState state{
        .cluster = fields.name<model::ClusterName>("cluster"),
        .epoch = fields.number<std::uint64_t>("epoch"),
        .version = fields.number<std::uint64_t>("version"),
        .written = fields.time("written"),
        .system_id = {},
        .primary = {},
        .servers = each<model::ServerDefinition>(fields, "servers", server, &model::ServerDefinition::name),
        .must_be_down = each<model::MustBeDown>(fields, "must_be_down", barred, &model::MustBeDown::server),
        .possible_primary = {},
        .last_failover = {},
        .highest = each<model::HighestSeen>(fields, "highest", highest, &model::HighestSeen::server),
        .upstream_settings =
            each<model::UpstreamSettings>(fields, "upstream_settings", upstream_settings, &model::UpstreamSettings::server),
        .synchronous_standby_names = {},
        .provisional = false};
    if (fields.has("system_id")) state.system_id = model::SystemId{fields.number<std::uint64_t>("system_id")};
    if (fields.has("primary")) state.primary = fields.name<model::ServerName>("primary");
    if (fields.has("synchronous_standby_names")) state.synchronous_standby_names = fields.text("synchronous_standby_names");
    if (fields.has("former_synchronous_standby_names"))
        state.former_synchronous_standby_names = fields.text("former_synchronous_standby_names");
    if (fields.has("sync_members")) {
        for (const YamlNode& node : fields.list("sync_members")) state.sync_members.push_back(sync_member(node));
    }
    if (fields.has("acknowledged")) {
        const YamlPlace at = fields.place("acknowledged");
        state.acknowledged = position(fields.text("acknowledged"), at, "acknowledged");
    }
    if (fields.has("provisional")) state.provisional = fields.flag("provisional");
    if (const YamlNode* node = fields.take_if("possible_primary")) state.possible_primary = possible_primary(*node);
    if (const YamlNode* node = fields.take_if("last_failover")) state.last_failover = last_failover(*node);
    if (const YamlNode* node = fields.take_if("maintenance")) state.maintenance = maintenance(*node);
    if (const YamlNode* node = fields.take_if("paused")) state.paused = paused(*node);
    if (const YamlNode* node = fields.take_if("scheduled_switchover")) state.scheduled = scheduled(*node);
    if (fields.has("disabled")) state.disabled = each<model::Disabled>(fields, "disabled", disabled, &model::Disabled::server);
    fields.end();
    check_roles(state, servers_at, primary_at);
    return state;
}

}  // namespace

Result<model::SavedState> read_servers(std::string_view text) {
    const auto yaml = read_yaml(text, {.bytes = 16U << 20U, .depth = 8});
    if (const auto* trouble = std::get_if<YamlTrouble>(&yaml)) {
        return Error{ErrorKind::invalid, fmt::format("line {}: {}", trouble->at.line, trouble->text)};
    }
    try {
        return state_of(std::get<YamlNode>(yaml));
    } catch (const YamlFault& found) {
        return found.error;
    }
}

}  // namespace handyrep::saved
