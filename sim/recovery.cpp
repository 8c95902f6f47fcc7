#include "sim/recovery.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace handyrep::sim {

namespace {

/// A reason that will be another by itself.
bool passes(decide::Reason reason) {
    return reason == decide::Reason::first_look_incomplete || reason == decide::Reason::suspicion_too_young ||
           reason == decide::Reason::operation_running || reason == decide::Reason::waiting_for_grace ||
           reason == decide::Reason::primary_is_dead || reason == decide::Reason::crash_recovery_overran ||
           reason == decide::Reason::planned_stop_overran || reason == decide::Reason::returned_primary_must_stop;
}

/// It streams from `primary`, or from one that does.
bool follows(const World& world, ServerIndex server, ServerIndex primary) {
    for (std::size_t hops = 0; hops < world.servers.size(); ++hops) {
        const Server& it = world.at(server);
        if (!it.runs() || !it.receiver || it.receiver->state != Receiver::State::streaming) return false;
        server = it.receiver->upstream;
        if (server == primary) return it.disk.branch == world.at(primary).disk.branch;
    }
    return false;
}

bool is_named(const engine::ClusterReport& report, const model::ServerName& server) {
    return std::ranges::any_of(report.findings, [&](const decide::Finding& it) { return it.server == server; });
}

std::string findings_of(const engine::ClusterReport& report, const model::ServerName& server) {
    std::vector<std::string> words;
    for (const decide::Finding& it : report.findings) {
        if (it.server == server) words.emplace_back(word_for(it.kind));
    }
    return join(words, ", ");
}

bool has_the_role(const engine::ClusterReport& report, const model::ServerName& server) {
    return std::ranges::any_of(
        report.servers, [&](const engine::ServerReport& it) { return it.name == server && it.role == model::Role::primary; });
}

Verdict judge_followers(const World& world, const engine::ClusterReport& report, ServerIndex primary) {
    Verdict out{Ending::well, {}};
    for (ServerIndex it = 0; it < world.servers.size(); ++it) {
        if (it == primary || follows(world, it, primary)) continue;
        const model::ServerName& name = world.at(it).name;
        const auto& upstream = world.at(it).disk.follows;
        const bool above_is_named = upstream && *upstream != primary && is_named(report, world.at(*upstream).name);
        if (!is_named(report, name) && !above_is_named)
            return {Ending::unsettled, fmt::format("{} does not follow, and no finding says so", name.text())};
        out.ending = Ending::parked;
        out.text += fmt::format("{}{} does not follow ({})", out.text.empty() ? "" : ", ", name.text(), findings_of(report, name));
    }
    return out;
}

}  // namespace

std::string_view word_for(Ending ending) {
    switch (ending) {
        case Ending::well: return "well";
        case Ending::parked: return "parked";
        case Ending::unsettled: return "unsettled";
    }
    return "";
}

Verdict judge_recovery(const World& world, const StoreDisk& disk, const engine::ClusterReport& report) {
    if (!disk.open().empty()) return {Ending::unsettled, "an operation is open"};
    if (passes(report.reason)) return {Ending::unsettled, fmt::format("{}: {}", word_for(report.reason), report.next)};
    std::vector<ServerIndex> writers;
    for (ServerIndex it = 0; it < world.servers.size(); ++it) {
        const Server& server = world.at(it);
        if (server.postmaster == Server::Postmaster::starting || server.postmaster == Server::Postmaster::stopping || server.promoting)
            return {Ending::unsettled, fmt::format("{} is starting, stopping or being promoted", server.name.text())};
        if (world.accepts_writes(it)) writers.push_back(it);
    }
    const bool calm = report.reason == decide::Reason::primary_answers;
    if (writers.size() == 1) {
        if (!calm) return {Ending::parked, fmt::format("{}: {}", word_for(report.reason), report.next)};
        const model::ServerName& name = world.at(writers.front()).name;
        if (!has_the_role(report, name))
            return {Ending::unsettled, fmt::format("{} takes writes, and the manager takes another for the primary", name.text())};
        return judge_followers(world, report, writers.front());
    }
    if (calm && report.findings.empty())
        return {Ending::unsettled, fmt::format("{} servers take writes, and the manager finds nothing wrong", writers.size())};
    return {Ending::parked, fmt::format("{} take writes; {}: {}", writers.size(), word_for(report.reason), report.next)};
}

}  // namespace handyrep::sim
