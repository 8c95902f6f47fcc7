#include "control/check.hpp"

#include "decide/situation.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace handyrep::control {

namespace {

std::string_view nagios_word(model::ClusterStatus status) {
    switch (status) {
        case model::ClusterStatus::healthy: return "OK";
        case model::ClusterStatus::warning: return "WARNING";
        case model::ClusterStatus::down: return "CRITICAL";
        case model::ClusterStatus::unknown: return "UNKNOWN";
    }
    return "UNKNOWN";
}

/// A monitoring line is one line, and the bar begins its numbers.
std::string flat(std::string text) {
    std::ranges::replace_if(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '|'; }, ' ');
    return text;
}

struct Counts {
    std::size_t replicas = 0;
    std::size_t healthy = 0;
    std::uint64_t most_lag_bytes = 0;
};

Counts count(const engine::ClusterReport& report) {
    Counts counts;
    for (const engine::ServerReport& server : report.servers) {
        if (server.role != model::Role::replica || !server.enabled || server.must_be_down) continue;
        ++counts.replicas;
        if (server.status == model::ServerStatus::healthy) ++counts.healthy;
        if (server.lag) counts.most_lag_bytes = std::max(counts.most_lag_bytes, server.lag->count);
    }
    return counts;
}

}  // namespace

int exit_code_for(model::ClusterStatus status) {
    switch (status) {
        case model::ClusterStatus::healthy: return 0;
        case model::ClusterStatus::warning: return 1;
        case model::ClusterStatus::down: return 2;
        case model::ClusterStatus::unknown: return 3;
    }
    return 3;
}

int exit_code_for(const decide::CheckCounts& counts) {
    if (counts.broken > 0) return 2;
    if (counts.debts > 0) return 1;
    return counts.unknown > 0 ? 3 : 0;
}

Check check(const engine::ClusterReport& report) {
    const Counts counts = count(report);
    std::string primary = "no primary";
    for (const engine::ServerReport& server : report.servers) {
        if (server.role == model::Role::primary) primary = fmt::format("primary {} is {}", server.name.text(), word_for(server.status));
    }
    std::string line = fmt::format(
        "HANDYREP {} - {} {}: {}; {}, {} of {} replicas healthy", nagios_word(report.status), report.cluster.text(),
        word_for(report.situation), report.situation_text, primary, counts.healthy, counts.replicas);
    for (const decide::Finding& finding : report.findings) {
        line += fmt::format("; {}{}{}", word_for(finding.kind), finding.server ? " " : "", finding.server ? finding.server->text() : "");
    }
    if (report.maintenance) line += "; " + text(*report.maintenance);
    if (report.paused) line += "; automation is " + text(*report.paused);
    return Check{
        .cluster = report.cluster,
        .exit_code = exit_code_for(report.status),
        .word = std::string(nagios_word(report.status)),
        .text = fmt::format(
            "{} | replicas={} healthy={} lag={}B", flat(std::move(line)), counts.replicas, counts.healthy, counts.most_lag_bytes),
    };
}

}  // namespace handyrep::control
