#include "engine/state.hpp"

#include "base/ensure.hpp"
#include "saved/servers_file.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace handyrep::engine {

namespace {

constexpr Duration save_limit = std::chrono::seconds{5};
/// Suspended for longer than this is a gap; less is clock noise.
constexpr Duration boot_slack = std::chrono::milliseconds{500};

const ServerPorts& find_ports(const std::vector<ServerPorts>& servers, const model::ServerName& server) {
    const auto found = std::ranges::find(servers, server, &ServerPorts::server);
    ensure(found != servers.end(), "every server of the definition has its ports");
    return *found;
}

}  // namespace

State::State(model::ClusterDefinition definition, Surroundings surroundings)
    : saved{.cluster = definition.name, .system_id = {}, .primary = {}, .servers = {}, .must_be_down = {}, .possible_primary = {}, .last_failover = {}, .highest = {}, .upstream_settings = {}, .synchronous_standby_names = {}},
      definition_{std::move(definition)},
      surroundings_{std::move(surroundings)} {}

ports::Postgres& State::postgres(const model::ServerName& server) const { return find_ports(surroundings_.servers, server).postgres; }
ports::Copier& State::copier(const model::ServerName& server) const { return find_ports(surroundings_.servers, server).copier; }
ports::Host& State::host(const model::ServerName& server) const { return find_ports(surroundings_.servers, server).host; }

const model::ServerDefinition& State::define(const model::ServerName& server) const {
    const auto found = std::ranges::find(saved.servers, server, &model::ServerDefinition::name);
    ensure(found != saved.servers.end(), "a server that is spoken of is defined");
    return *found;
}

std::optional<Duration> State::find_gap(Instant now) {
    const Duration longest = std::max<Duration>(3 * settings().poll_interval, std::chrono::seconds{2});
    const Duration ahead = clock().boot_now() - now;
    const bool stopped = last_sighting_ && now - *last_sighting_ > longest;
    const Duration slept = boot_ahead_ && ahead - *boot_ahead_ > boot_slack ? ahead - *boot_ahead_ : Duration::zero();
    last_sighting_ = now;
    boot_ahead_ = ahead;
    return stopped || slept > Duration::zero() ? std::optional{slept} : std::nullopt;
}

void State::absorb(const model::Sighting& sighting) {
    if (const auto slept = find_gap(clock().now())) {
        doubt("this program did not run for a while: what it thought to have seen is thrown away, and the count starts again", *slept);
        model::absorb_veto(evidence, sighting);
    } else {
        model::absorb(evidence, sighting);
    }
    if (on_sighting) on_sighting();
}

void State::doubt(std::string why, Duration slept) {
    ++doubts_;
    model::discard(evidence, clock().now(), slept);
    tell(Level::warning, "evidence_discarded", std::move(why));
}

void State::tell(Level level, std::string name, std::string text, std::vector<Field> fields, std::optional<std::uint64_t> operation) {
    std::vector<Field> logged{{"cluster", saved.cluster.text()}};
    if (operation) logged.push_back({"operation", fmt::format("{}", *operation)});
    logged.insert(logged.end(), fields.begin(), fields.end());
    logged.push_back({"text", text});
    surroundings_.log.write(level, name, logged);
    store().remember(
        {.at = clock().wall(),
         .level = level,
         .name = std::move(name),
         .text = std::move(text),
         .operation = operation,
         .fields = std::move(fields)});
}

Async<void> State::save() {
    const std::uint64_t wanted = ++saved.version;
    const Instant deadline = clock().now() + save_limit;
    while (saving_) co_await clock().wait(saved_bell_, saved_bell_.rung());
    if (stored_version_ >= wanted) co_return Result<void>{};

    struct Turn {
        State& state;
        explicit Turn(State& of) : state{of} { state.saving_ = true; }
        ~Turn() {
            state.saving_ = false;
            state.saved_bell_.ring();
        }
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;
    };
    const Turn turn{*this};
    saved.written = clock().wall();
    const std::uint64_t version = saved.version;
    const std::string text = saved::to_text(saved);
    auto outcome = co_await store().write_servers(text, deadline);
    if (!outcome) co_return outcome.error().during("write servers.save");
    stored_version_ = version;
    co_return Result<void>{};
}

void State::note_highest() {
    for (const model::ServerEvidence& it : evidence.servers) {
        if (!it.last_answer || (saved.system_id && it.last_answer->what.system_id != *saved.system_id)) continue;
        std::optional<model::WalPosition> position;
        if (const auto* primary = it.last_answer->what.primary()) position = model::WalPosition{primary->timeline, primary->flushed};
        if (const auto* standby = it.last_answer->what.standby(); standby != nullptr && standby->timeline)
            position = model::WalPosition{*standby->timeline, standby->received};
        if (!position) continue;
        const auto known = std::ranges::find(saved.highest, it.server, &model::HighestSeen::server);
        if (known == saved.highest.end()) {
            saved.highest.push_back({it.server, *position});
        } else if (
            known->position.timeline < position->timeline ||
            (known->position.timeline == position->timeline && known->position.lsn < position->lsn)) {
            known->position = *position;
        }
    }
}

}  // namespace handyrep::engine
