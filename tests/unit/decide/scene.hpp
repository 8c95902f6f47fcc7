// A cluster of three on three hosts, db1 the primary, seen by sightings that a test gives one by one.
#pragma once

#include "decide/decision.hpp"
#include "model/evidence.hpp"
#include "model/saved_state.hpp"

#include <string>
#include <utility>

namespace handyrep::decide::testing {

using namespace std::chrono_literals;
using model::Lsn;
using model::Timeline;

inline model::ServerName server(std::string_view name) { return *model::ServerName::parse(name); }

inline constexpr model::SystemId our_system{7000000000000000001ULL};

class Scene {
public:
    Scene() {
        saved.primary = server("db1");
        saved.system_id = our_system;
        saved.synchronous_standby_names = "";
        for (const auto* const name : {"db1", "db2", "db3"}) add(name, std::string("host-of-") + name);
        saved.servers.front().role = model::Role::primary;
    }

    void add(std::string_view name, std::string hostname) {
        saved.servers.push_back(
            {server(name),
             std::move(hostname),
             5432,
             model::Role::replica,
             true,
             100,
             model::Bytes{16ULL << 20U},
             model::Transport::ssh,
             "handyrep",
             {},
             {},
             "postgres",
             {}});
    }
    model::ServerDefinition& define(std::string_view name) {
        for (auto& it : saved.servers) {
            if (it.name.text() == name) return it;
        }
        std::abort();
    }

    void pass(Duration time) { now += time; }
    void see(std::string_view name, model::HeldSight sight) { absorb(evidence, {server(name), now, std::move(sight)}); }
    void see(std::string_view name, model::DialOutcome outcome) { absorb(evidence, {server(name), now, model::DialSight{outcome, ""}}); }
    void see(std::string_view name, model::HostSight sight) { absorb(evidence, {server(name), now, std::move(sight)}); }
    void witness(std::string_view name, model::Reach reach) {
        absorb(evidence, {server(name), now, model::WitnessSight{server("db1"), reach}});
    }

    void lost(std::string_view name, model::LastWords words) { see(name, model::HeldSight{model::Lost{words}}); }
    void silent(std::string_view name, Instant since) { see(name, model::HeldSight{model::Silent{since}}); }

    model::Answered as_primary(Lsn flushed, Timeline timeline = Timeline{1}) const {
        model::PrimaryAnswer answer{
            .timeline = timeline,
            .inserted = flushed,
            .flushed = flushed,
            .synchronous_standby_names = {},
            .synchronous_commit = "on",
            .senders = {},
            .history = model::TimelineHistory{timeline, {}}};
        return {our_system, model::ServerVersion{150020}, wall(), {}, std::move(answer)};
    }
    model::Answered as_standby(Lsn received, std::optional<model::WalReceiver> receiver, Timeline timeline = Timeline{1}) const {
        model::StandbyAnswer answer{
            .timeline = timeline, .received = received, .replayed = received, .receiver = std::move(receiver), .replay_delay = {}};
        return {our_system, model::ServerVersion{150020}, wall(), {}, std::move(answer)};
    }
    static model::WalReceiver streaming(Duration age = 100ms) { return {"streaming", "host-of-db1", 5432, age}; }

    void primary_answers(Lsn flushed = Lsn{0x3000000}) { see("db1", model::HeldSight{as_primary(flushed)}); }
    void attached(std::string_view name, Lsn received = Lsn{0x3000000}) { see(name, model::HeldSight{as_standby(received, streaming())}); }
    void detached(std::string_view name, Lsn received = Lsn{0x3000000}) { see(name, model::HeldSight{as_standby(received, std::nullopt)}); }
    void host_answers(std::string_view name, model::ControlState state = model::ControlState::in_production, std::uint32_t processes = 6) {
        see(name, model::HostSight{model::HostLook{our_system, state, processes, false}});
    }
    void host_is_mute(std::string_view name) { see(name, model::HostSight{Error{ErrorKind::unreachable, "no route to host"}}); }

    /// All well, at two looks, so that the flush position was seen to move.
    void healthy() {
        for (const auto flushed : {Lsn{0x2FFFF00}, Lsn{0x3000000}}) {
            pass(500ms);
            primary_answers(flushed);
            attached("db2", flushed);
            attached("db3", flushed);
            for (const auto* const name : {"db1", "db2", "db3"}) {
                see(name, model::DialOutcome::accepted);
                host_answers(name);
            }
        }
    }
    /// Open sessions go on, and a fresh one is accepted by the machine and never answered.
    void new_sessions_are_mute(Duration time) {
        for (Duration passed{}; passed < time; passed += 500ms) {
            pass(500ms);
            primary_answers(Lsn{0x3000000});
            see("db1", model::DialOutcome::startup_timeout);
        }
    }
    /// kill -9 of everything on db1, as the sensors see it in the first 100 ms.
    void primary_killed() {
        healthy();
        pass(200ms);
        lost("db1", model::LastWords::postmaster_died);
        refused_twice();
        detached("db2");
        detached("db3");
        host_answers("db1", model::ControlState::in_production, 0);
    }
    void refused_twice() {
        for (int look = 0; look < 2; ++look) {
            pass(10ms);
            see("db1", model::DialOutcome::refused);
            see("db1", model::HeldSight{model::NotOpen{model::DialOutcome::refused, ""}});
        }
    }
    /// Power or network of db1's host gone: everything about it is silent for `time`, and no replica's host reaches it.
    void primary_vanished(Duration time) {
        healthy();
        vanished_at = now;
        stays_vanished(time);
    }
    void stays_vanished(Duration time) {
        for (Duration passed{}; passed < time; passed += 500ms) {
            pass(500ms);
            silent("db1", vanished_at);
            see("db1", model::DialOutcome::connect_timeout);
            for (const auto* const name : {"db2", "db3"})
                see(name, model::HeldSight{as_standby(Lsn{0x3000000}, streaming(now - vanished_at))});
        }
        host_is_mute("db1");
        witness("db2", model::Reach::silent);
        witness("db3", model::Reach::silent);
    }

    [[nodiscard]] AnalysisInput input() const { return {settings, saved, evidence, now}; }
    [[nodiscard]] Analysis analysis() const { return analyse(input()); }
    [[nodiscard]] std::vector<Finding> findings() const { return decide::findings(input(), analysis()); }
    [[nodiscard]] bool finds(FindingKind kind) const { return has(findings(), kind); }
    [[nodiscard]] Decision decision() const { return decide(input(), analysis(), guards); }
    [[nodiscard]] Reason reason() const {
        return std::visit([](const auto& it) { return it.reason; }, decision());
    }
    [[nodiscard]] std::string text() const {
        return std::visit([](const auto& it) { return it.text; }, decision());
    }

    model::FailoverSettings settings;
    model::SavedState saved{
        .cluster = *model::ClusterName::parse("pay"),
        .system_id = {},
        .primary = {},
        .servers = {},
        .must_be_down = {},
        .possible_primary = {},
        .last_failover = {},
        .highest = {},
        .upstream_settings = {},
        .synchronous_standby_names = {}};
    model::Evidence evidence;
    Guards guards;
    Instant now{1000s};
    Instant vanished_at{};

private:
    [[nodiscard]] WallTime wall() const { return WallTime{std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch())}; }
};

inline std::ostream& operator<<(std::ostream& out, Situation situation) { return out << word_for(situation); }

}  // namespace handyrep::decide::testing

namespace handyrep::decide {
inline void PrintTo(Situation situation, std::ostream* out) { *out << word_for(situation); }
inline void PrintTo(Reason reason, std::ostream* out) { *out << word_for(reason); }
inline void PrintTo(Eligibility eligibility, std::ostream* out) { *out << sentence_for(eligibility); }
}  // namespace handyrep::decide
