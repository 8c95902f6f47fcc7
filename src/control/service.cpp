#include "control/service.hpp"

#include "base/overloaded.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace handyrep::control {

namespace {

constexpr Duration history_limit = std::chrono::seconds{5};

Result<void> must_be_admin(const Caller& caller, std::string_view order) {
    if (caller.access == Access::admin) return {};
    return Error{ErrorKind::denied, fmt::format("'{}' may ask, but not order: {} needs the role admin", caller.name, order)};
}

Result<void> must_be_known(const Source& source, const ServerChoice& server) {
    if (!server) return {};
    std::vector<std::string> names;
    for (const engine::ServerReport& it : source.report().servers) {
        if (it.name.text() == *server) return {};
        names.push_back(it.name.text());
    }
    return Error{ErrorKind::invalid, fmt::format("there is no server '{}' in this cluster, only: {}", *server, join(names, ", "))};
}

std::string_view name_of(const engine::Wanted& what) {
    return std::visit(
        Overloaded{
            [](const engine::FailoverWanted& it) { return it.alone ? "a promotion" : "a failover"; },
            [](const decide::SwitchoverWanted&) { return "a switchover"; },
            [](const decide::FollowWanted&) { return "to re-point a replica"; },
            [](const decide::ServiceWanted&) { return "to stop, start, restart or fence a server"; },
            [](const decide::RejoinWanted&) { return "to bring a server back"; },
            [](const decide::CopyWanted&) { return "to make a data directory anew"; },
        },
        what);
}

engine::Readiness about(engine::Readiness readiness, const ServerChoice& server) {
    if (server) std::erase_if(readiness.checks, [&](const decide::Check& it) { return it.server.text() != *server; });
    return readiness;
}

}  // namespace

std::string_view word_for(Access access) { return access == Access::admin ? "admin" : "read"; }

Service::Service(ports::Clock& clock, Versions versions) : clock_{clock}, versions_{std::move(versions)} {}

void Service::add(model::ClusterName name, Source& source) { clusters_.emplace_back(std::move(name), &source); }

Result<Source*> Service::find(const ClusterChoice& cluster) const {
    std::vector<std::string> names;
    for (const auto& [name, source] : clusters_) {
        if (cluster ? name.text() == *cluster : clusters_.size() == 1) return source;
        names.push_back(name.text());
    }
    if (cluster) return Error{ErrorKind::invalid, fmt::format("there is no cluster '{}' here, only: {}", *cluster, join(names, ", "))};
    return Error{ErrorKind::invalid, fmt::format("say which cluster is meant: {}", join(names, ", "))};
}

Result<engine::ClusterReport> Service::status(const Caller& /*caller*/, const ClusterChoice& cluster) const {
    const auto source = find(cluster);
    if (!source) return source.error();
    return (*source)->report();
}

Result<Check> Service::check(const Caller& caller, const ClusterChoice& cluster) const {
    const auto report = status(caller, cluster);
    if (!report) return report.error();
    return control::check(*report);
}

Result<saved::Recording> Service::recording(const Caller& /*caller*/, const ClusterChoice& cluster) const {
    const auto source = find(cluster);
    if (!source) return source.error();
    return saved::Recording{.handyrep = versions_.handyrep, .moments = (*source)->moments()};
}

Result<Versions> Service::version(const Caller& /*caller*/) const { return versions_; }

Async<std::vector<saved::Event>> Service::events(Caller /*caller*/, ClusterChoice cluster, std::size_t count) {
    const auto source = find(cluster);
    if (!source) co_return source.error();
    co_return co_await (*source)->events(std::min(count, most_events), clock_.now() + history_limit);
}

Async<std::vector<engine::OperationReport>> Service::operations(Caller /*caller*/, ClusterChoice cluster, std::size_t count) {
    const auto source = find(cluster);
    if (!source) co_return source.error();
    co_return co_await (*source)->operations(std::min(count, most_operations), clock_.now() + history_limit);
}

Async<engine::OperationReport> Service::operation(Caller caller, ClusterChoice cluster, std::uint64_t id) {
    const auto all = co_await operations(std::move(caller), std::move(cluster), most_operations);
    if (!all) co_return all.error();
    const auto found = std::ranges::find(*all, id, &engine::OperationReport::id);
    if (found != all->end()) co_return *found;
    co_return Error{ErrorKind::invalid, fmt::format("there is no operation {} among the last {}", id, most_operations)};
}

Async<engine::OrderAnswer> Service::order(Caller caller, ClusterChoice cluster, engine::Wanted what, bool dry_run) {
    if (auto allowed = must_be_admin(caller, name_of(what)); !allowed) co_return allowed.error();
    const auto source = find(cluster);
    if (!source) co_return source.error();
    co_return co_await (*source)->order({.what = std::move(what), .dry_run = dry_run, .by = caller.text()});
}

Result<void> Service::cancel(const Caller& caller, const ClusterChoice& cluster, std::uint64_t operation) const {
    if (auto allowed = must_be_admin(caller, "to call an operation off"); !allowed) return allowed;
    const auto source = find(cluster);
    if (!source) return source.error();
    return (*source)->cancel(operation, caller.text());
}

Async<void> Service::acknowledge(Caller caller, ClusterChoice cluster) {
    if (auto allowed = must_be_admin(caller, "an acknowledgement"); !allowed) co_return allowed.error();
    const auto source = find(cluster);
    if (!source) co_return source.error();
    co_return co_await (*source)->acknowledge(caller.text());
}

Async<model::StandingAnswer> Service::obey(Caller caller, ClusterChoice cluster, StandingRequest request) {
    if (auto allowed = must_be_admin(caller, "to hold automation back, or to let it go on,"); !allowed) co_return allowed.error();
    const auto source = find(cluster);
    if (!source) co_return source.error();
    co_return co_await (*source)->obey(model::StandingOrder{.what = std::move(request), .by = caller.text()});
}

Async<engine::Readiness> Service::verify(Caller caller, ClusterChoice cluster, ServerChoice server) {
    if (auto allowed = must_be_admin(caller, "to have everything tried anew"); !allowed) co_return allowed.error();
    const auto source = find(cluster);
    if (!source) co_return source.error();
    if (auto known = must_be_known(**source, server); !known) co_return known.error();
    auto found = co_await (*source)->verify();
    if (!found) co_return found.error();
    co_return about(*std::move(found), server);
}

Result<engine::Readiness> Service::readiness(const Caller& /*caller*/, const ClusterChoice& cluster, const ServerChoice& server) const {
    const auto source = find(cluster);
    if (!source) return source.error();
    if (auto known = must_be_known(**source, server); !known) return known.error();
    auto last = (*source)->readiness();
    if (!last) return Error{ErrorKind::refused, "nothing was verified since the daemon began; order it with POST"};
    return about(*std::move(last), server);
}

}  // namespace handyrep::control
