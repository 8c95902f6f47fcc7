// tests/unit/control/recorded_source.hpp — a cluster that answers with what was recorded, and notes what it was told.
#pragma once

#include "control/source.hpp"
#include "model/moment.hpp"
#include "ports/clock.hpp"

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace handyrep::control {

inline model::ServerName server_name(std::string_view text) { return *model::ServerName::parse(text); }
inline model::ClusterName cluster_name(std::string_view text) { return *model::ClusterName::parse(text); }
inline WallTime wall(std::string_view text) { return *parse_wall_time(text); }

/// A primary and two replicas, the second of which lags.
inline engine::ClusterReport recorded_report() {
    engine::ClusterReport report{
        .cluster = cluster_name("pay"),
        .status = model::ClusterStatus::warning,
        .situation = decide::Situation::healthy,
        .situation_text = "the primary takes writes",
        .since = wall("2026-11-22T03:04:05Z"),
        .next = "nothing to do",
        .reason = decide::Reason::primary_answers,
        .automation = "on",
        .fence_outlook = "processes_gone over ssh",
        .lease = "off",
        .epoch = 3,
        .servers = {},
        .findings = {},
        .operation = {}};
    report.servers.push_back(
        {.name = server_name("db1"),
         .role = model::Role::primary,
         .seen_as = "primary",
         .status = model::ServerStatus::healthy,
         .host = "10.0.0.1:5432",
         .timeline = model::Timeline{4},
         .lsn = model::Lsn{0x16B374D848},
         .lag = {},
         .lag_time = {},
         .seen_ago = std::chrono::milliseconds{250},
         .message = ""});
    report.servers.push_back(
        {.name = server_name("db2"),
         .role = model::Role::replica,
         .seen_as = "replica",
         .status = model::ServerStatus::healthy,
         .host = "10.0.0.2:5432",
         .timeline = model::Timeline{4},
         .lsn = model::Lsn{0x16B374D848},
         .lag = model::Bytes{0},
         .lag_time = std::chrono::milliseconds{100},
         .seen_ago = std::chrono::milliseconds{250},
         .message = ""});
    report.servers.push_back(
        {.name = server_name("db3"),
         .role = model::Role::replica,
         .seen_as = "replica",
         .status = model::ServerStatus::lagged,
         .host = "10.0.0.3:5432",
         .timeline = model::Timeline{4},
         .lsn = model::Lsn{0x16B234D848},
         .lag = model::Bytes{20 << 20},
         .lag_time = std::chrono::seconds{42},
         .seen_ago = std::chrono::seconds{12},
         .message = "replay waits for a query"});
    report.findings.push_back({decide::FindingKind::replica_lagged, server_name("db3"), "20 MB behind, more than its lag_limit of 16 MB"});
    return report;
}

/// The same cluster, its primary just read.
inline model::Moment recorded_moment() {
    const auto define = [](std::string_view name, std::string hostname, model::Role role) {
        return model::ServerDefinition{
            .name = server_name(name), .hostname = std::move(hostname), .role = role, .ssh_key = {}, .ssh_config = {}, .pgdata = {}};
    };
    const Instant now{std::chrono::hours{1}};
    model::Moment moment{
        .at = wall("2026-11-22T03:04:46Z"),
        .since = wall("2026-11-22T03:04:05Z"),
        .now = now,
        .settings = {},
        .saved =
            {.cluster = cluster_name("pay"),
             .system_id = model::SystemId{7},
             .primary = server_name("db1"),
             .servers =
                 {define("db1", "10.0.0.1", model::Role::primary), define("db2", "10.0.0.2", model::Role::replica),
                  define("db3", "10.0.0.3", model::Role::replica)},
             .must_be_down = {},
             .possible_primary = {},
             .last_failover = {},
             .highest = {},
             .upstream_settings = {}},
        .evidence = {},
        .guards = {}};
    absorb(moment.evidence, {server_name("db1"), now, model::DialSight{model::DialOutcome::accepted, {}}});
    return moment;
}

inline plans::Plan recorded_plan() {
    return plans::Plan{
        .kind = plans::OperationKind::failover,
        .cluster = cluster_name("pay"),
        .reversible = {},
        .commit =
            plans::Step{
                .name = "promote db2",
                .why = "it is the furthest ahead",
                .apply = {plans::Promote{server_name("db2")}},
                .limit = std::chrono::seconds{5}},
        .finish = {}};
}

inline engine::Readiness recorded_readiness() {
    return {
        .cluster = cluster_name("pay"),
        .at = wall("2026-11-22T03:04:05Z"),
        .hosts_at = wall("2026-11-22T03:04:05Z"),
        .took = std::chrono::milliseconds{1500},
        .checks = {
            {.name = decide::CheckName::clock,
             .server = server_name("db1"),
             .outcome = decide::CheckOutcome::ok,
             .text = "its clock is right",
             .remedy = {}},
            {.name = decide::CheckName::replication_timeouts,
             .server = server_name("db2"),
             .outcome = decide::CheckOutcome::debt,
             .text = "wal_receiver_timeout is 1min",
             .remedy = "set it to 5s"}}};
}

inline engine::OperationReport recorded_operation() {
    return {
        .id = 7,
        .kind = "failover",
        .by = "automation",
        .reason = "PrimaryIsDead",
        .plan = {" 1. secure (at most 5s) — db1 must not acknowledge anything more"},
        .began = wall("2026-11-22T03:04:05Z"),
        .ended = wall("2026-11-22T03:04:06Z"),
        .steps =
            {{.name = "secure", .began = wall("2026-11-22T03:04:05Z"), .took = std::chrono::microseconds{1500}, .outcome = "done"},
             {.name = "re-point db3",
              .began = wall("2026-11-22T03:04:05.5Z"),
              .took = std::chrono::microseconds{40000},
              .outcome = "failed",
              .text = "db3 does not answer"}},
        .outcome = "done, but: re-point db3: db3 does not answer"};
}

class RecordedSource final : public Source {
public:
    explicit RecordedSource(ports::Clock* clock = nullptr) : clock_{clock} {}

    [[nodiscard]] engine::ClusterReport report() const override { return recorded_report(); }
    [[nodiscard]] std::vector<model::Moment> moments() const override { return {recorded_moment(), recorded_moment()}; }

    Async<engine::OrderAnswer> order(engine::Order order) override {
        orders.push_back(order);
        ++begun;
        if (clock_ != nullptr && takes > Duration::zero()) co_await clock_->sleep_until(clock_->now() + takes);
        ++ended;
        if (refusal) co_return *refusal;
        engine::OrderAnswer answer{.operation = {}, .plan = recorded_plan(), .text = "db2 would be promoted"};
        if (!order.dry_run) answer.operation = 7;
        if (!order.dry_run) answer.text = "db2 is the primary";
        co_return answer;
    }
    Result<void> cancel(std::uint64_t operation, const std::string& by) override {
        called_off.emplace_back(operation, by);
        return {};
    }
    Async<void> acknowledge(std::string by) override {
        acknowledged_by.push_back(std::move(by));
        co_return Result<void>{};
    }
    Async<model::StandingAnswer> obey(model::StandingOrder order) override {
        standing.push_back(order);
        co_return model::obey(saved, order, wall("2026-11-22T04:00:00Z"));
    }
    Async<std::vector<saved::Event>> events(std::size_t count, Instant /*deadline*/) override {
        std::vector<saved::Event> out;
        for (std::size_t number = 1; number <= count && number <= 3; ++number) {
            out.push_back(
                {.at = wall("2026-11-22T03:04:05.678Z"),
                 .level = Level::warning,
                 .name = "promoted",
                 .text = "db2 is the primary",
                 .operation = number,
                 .fields = {{"server", "db2"}}});
        }
        co_return out;
    }

    Async<std::vector<engine::OperationReport>> operations(std::size_t count, Instant /*deadline*/) override {
        std::vector<engine::OperationReport> out{recorded_operation()};
        if (count == 0) out.clear();
        co_return out;
    }

    Async<engine::Readiness> verify() override {
        ++verified;
        co_return recorded_readiness();
    }
    [[nodiscard]] std::optional<engine::Readiness> readiness() const override {
        return verified == 0 ? std::nullopt : std::optional{recorded_readiness()};
    }

    int verified = 0;
    std::vector<engine::Order> orders;
    std::vector<std::pair<std::uint64_t, std::string>> called_off;
    std::vector<std::string> acknowledged_by;
    std::vector<model::StandingOrder> standing;
    model::SavedState saved{.cluster = cluster_name("pay")};
    std::optional<Error> refusal;
    Duration takes{};
    std::atomic<int> begun = 0;  // orders, also for another thread to look at
    std::atomic<int> ended = 0;

private:
    ports::Clock* clock_;
};

}  // namespace handyrep::control
