#include "saved/servers_file.hpp"

#include "base/text.hpp"
#include "base/yaml.hpp"
#include "saved/servers_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace handyrep::saved {

namespace {

constexpr std::string_view checksum_mark = "# checksum: fnv1a64 ";

/// Against a cut file and a slip of the hand, not against an attacker: who can write this file can do worse.
std::string checksum(std::string_view text) {
    std::uint64_t hash = 0xCBF29CE484222325ULL;
    for (const char c : text) {
        hash ^= static_cast<unsigned char>(c);
        hash *= 0x100000001B3ULL;
    }
    return fmt::format("{:016x}", hash);
}

std::string flag(bool value) { return value ? "true" : "false"; }

void add_server(std::string& out, const model::ServerDefinition& it) {
    out += fmt::format("  - name: {}\n", yaml_text(it.name.text()));
    out += fmt::format("    hostname: {}\n", yaml_text(it.hostname));
    out += fmt::format("    port: {}\n", it.port);
    out += fmt::format("    role: {}\n", word_for(it.role));
    out += fmt::format("    enabled: {}\n", flag(it.enabled));
    out += fmt::format("    failover_priority: {}\n", it.failover_priority);
    out += fmt::format("    lag_limit_bytes: {}\n", it.lag_limit.count);
    out += fmt::format("    transport: {}\n", word_for(it.transport));
    out += fmt::format("    ssh_user: {}\n", yaml_text(it.ssh_user));
    out += fmt::format("    ssh_key: {}\n", yaml_text(it.ssh_key));
    out += fmt::format("    ssh_config: {}\n", yaml_text(it.ssh_config));
    out += fmt::format("    database_user: {}\n", yaml_text(it.database_user));
    out += fmt::format("    pgdata: {}\n", yaml_text(it.pgdata));
}

void add_barred(std::string& out, const model::MustBeDown& it) {
    out += fmt::format("  - server: {}\n", yaml_text(it.server.text()));
    out += fmt::format("    system_id: {}\n", it.system_id.value);
    out += fmt::format("    hostname: {}\n", yaml_text(it.hostname));
    out += fmt::format("    pgdata: {}\n", yaml_text(it.pgdata));
    out += fmt::format("    fork: \"{}\"\n", text(it.fork));
    out += fmt::format("    successor: {}\n", yaml_text(it.successor.text()));
    out += fmt::format("    successor_timeline: {}\n", it.successor_history.current().id);
    out += fmt::format("    successor_history:{}\n", it.successor_history.switches().empty() ? " []" : "");
    for (const model::TimelineSwitch& fork : it.successor_history.switches()) {
        out += fmt::format("      - \"{}:{}\"\n", fork.from.id, fork.at.text());
    }
    out += fmt::format("    epoch: {}\n", it.epoch);
}

std::string body(const model::SavedState& state) {
    std::string out =
        "# What HandyRep must still know after it was killed. HandyRep writes this file; to change a server, change it through HandyRep.\n"
        "# The last line is a checksum of all lines above it, so that a cut or damaged file is noticed.\n";
    out += fmt::format("format: {}\n", servers_file_format);
    out += fmt::format("cluster: {}\n", yaml_text(state.cluster.text()));
    out += fmt::format("epoch: {}\n", state.epoch);
    out += fmt::format("version: {}\n", state.version);
    out += fmt::format("written: \"{}\"\n", text(state.written));
    if (state.system_id) out += fmt::format("system_id: {}\n", state.system_id->value);
    if (state.primary) out += fmt::format("primary: {}\n", yaml_text(state.primary->text()));
    out += fmt::format("servers:{}\n", state.servers.empty() ? " []" : "");
    for (const model::ServerDefinition& it : state.servers) add_server(out, it);
    out += fmt::format("must_be_down:{}\n", state.must_be_down.empty() ? " []" : "");
    for (const model::MustBeDown& it : state.must_be_down) add_barred(out, it);
    if (state.possible_primary) {
        out += fmt::format(
            "possible_primary:\n  server: {}\n  expires: \"{}\"\n", yaml_text(state.possible_primary->server.text()),
            text(state.possible_primary->expires));
        if (state.possible_primary->taken) out += fmt::format("  taken: \"{}\"\n", text(*state.possible_primary->taken));
    }
    if (state.last_failover) {
        out += fmt::format(
            "last_failover:\n  at: \"{}\"\n  from: {}\n  to: {}\n  acknowledged: {}\n", text(state.last_failover->at),
            yaml_text(state.last_failover->from.text()), yaml_text(state.last_failover->to.text()),
            flag(state.last_failover->acknowledged));
    }
    out += fmt::format("highest:{}\n", state.highest.empty() ? " []" : "");
    for (const model::HighestSeen& it : state.highest) {
        out += fmt::format("  - server: {}\n    position: \"{}\"\n", yaml_text(it.server.text()), text(it.position));
    }
    out += fmt::format("upstream_settings:{}\n", state.upstream_settings.empty() ? " []" : "");
    for (const model::UpstreamSettings& it : state.upstream_settings) {
        out += fmt::format("  - server: {}\n    conninfo: {}\n", yaml_text(it.server.text()), yaml_text(it.conninfo));
    }
    if (state.provisional) out += "provisional: true\n";
    if (state.synchronous_standby_names) out += fmt::format("synchronous_standby_names: {}\n", yaml_text(*state.synchronous_standby_names));
    if (state.former_synchronous_standby_names)
        out += fmt::format("former_synchronous_standby_names: {}\n", yaml_text(*state.former_synchronous_standby_names));
    if (!state.sync_members.empty()) out += "sync_members:\n";
    for (const model::SyncMember& it : state.sync_members) {
        out += fmt::format(
            "  - application_name: {}\n    address: {}\n    seen: \"{}\"\n", yaml_text(it.application_name), yaml_text(it.address),
            text(it.seen));
    }
    if (state.acknowledged) out += fmt::format("acknowledged: \"{}\"\n", text(*state.acknowledged));
    if (state.maintenance) {
        out += fmt::format(
            "maintenance:\n  since: \"{}\"\n  until: \"{}\"\n  by: {}\n  reason: {}\n", text(state.maintenance->since),
            text(state.maintenance->until), yaml_text(state.maintenance->by), yaml_text(state.maintenance->reason));
    }
    if (state.paused) {
        out += fmt::format(
            "paused:\n  since: \"{}\"\n  by: {}\n  reason: {}\n", text(state.paused->since), yaml_text(state.paused->by),
            yaml_text(state.paused->reason));
    }
    if (const auto& it = state.scheduled) {
        out += fmt::format(
            "scheduled_switchover:\n  at: \"{}\"\n  to: {}\n  drop_logical: {}\n  since: \"{}\"\n  by: {}\n", text(it->at),
            yaml_text(it->to ? it->to->text() : ""), flag(it->drop_logical), text(it->since), yaml_text(it->by));
    }
    if (!state.disabled.empty()) out += "disabled:\n";
    for (const model::Disabled& it : state.disabled) {
        out += fmt::format("  - server: {}\n    since: \"{}\"\n", yaml_text(it.server.text()), text(it.since));
        if (it.until) out += fmt::format("    until: \"{}\"\n", text(*it.until));
        out += fmt::format("    by: {}\n    reason: {}\n", yaml_text(it.by), yaml_text(it.reason));
    }
    return out;
}

Error damaged(std::string what) {
    return {
        ErrorKind::invalid, std::move(what) +
                                ". Put an intact copy of servers.save in its place; without one, HandyRep begins "
                                "with the servers of its configuration and acts only after a complete look"};
}

}  // namespace

std::string to_text(const model::SavedState& state) {
    std::string out = body(state);
    const std::string sum = checksum(out);
    return fmt::format("{}{}{}\n", out, checksum_mark, sum);
}

Result<model::SavedState> from_text(std::string_view text) {
    const auto mark = text.rfind(checksum_mark);
    const bool at_line_start = mark != std::string_view::npos && (mark == 0 || text[mark - 1] == '\n');
    if (!at_line_start) return damaged("servers.save is cut short or damaged: its last line is not the checksum");
    const std::string_view content = text.substr(0, mark);
    const std::string_view sum = text.substr(mark + checksum_mark.size());
    auto state = read_servers(content);
    // A line at fault says more than the sum does, so it is named first.
    if (!state) return damaged("servers.save " + std::move(state).error().what);
    const std::string expected = checksum(content);
    if (sum != expected + "\n") {
        return damaged(fmt::format(
            "servers.save was changed by hand or is damaged: its checksum does not match. If the change is meant, make its last line '{}{}'",
            checksum_mark, expected));
    }
    return state;
}

}  // namespace handyrep::saved
