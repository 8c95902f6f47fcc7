// engine/start.cpp — how a life of the manager begins: what the disk remembers, under what the configuration says.
#include "engine/loop.hpp"
#include "saved/servers_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace handyrep::engine {

namespace {

constexpr Duration store_limit = std::chrono::seconds{10};

}  // namespace

asio::awaitable<void> Cluster::Loop::load() {
    if (!co_await try_load()) begin_without_memory("servers.save or the journal cannot be read");
    ready_ = true;
}

/// False when the disk cannot be asked: that is not the same as a first start, and nothing may be written over what it holds.
asio::awaitable<bool> Cluster::Loop::try_load() {
    const auto text = co_await state_.store().read_servers(state_.clock().now() + store_limit);
    if (!text) co_return false;
    const model::SavedState present = state_.saved;
    bool first_start = true;
    if (*text) {
        auto saved = saved::from_text(**text);
        if (saved) {
            state_.saved = *std::move(saved);
            first_start = false;
        } else {
            state_.tell(
                Level::error, "saved_state_damaged",
                fmt::format("servers.save is damaged: {}; starting provisionally from the configuration", saved.error().text()));
        }
    }
    adopt_definition(first_start);
    state_.note_loaded();
    if (!co_await resume()) {
        state_.saved = present;
        waiting_.clear();
        co_return false;
    }
    loaded_ = true;
    journal_available_ = true;
    if (first_start || state_.store().journal_lost()) state_.saved.provisional = true;
    for (const model::UpstreamSettings& it : state_.saved.upstream_settings) {
        if (state_.definition().find(it.server) != nullptr) state_.postgres(it.server).remember_upstream_settings(it.conninfo);
    }
    state_.tell(
        Level::info, "started",
        fmt::format(
            "watching cluster {}: {} servers, automatic failover {}", state_.saved.cluster.text(), state_.saved.servers.size(),
            state_.settings().auto_failover ? "on" : "off"),
        {{"epoch", fmt::format("{}", state_.saved.epoch)},
         {"primary", state_.saved.primary ? state_.saved.primary->text() : "none"},
         {"fencing", std::string(word_for(state_.settings().fencing))}});
    want_save();
    work_bell_.ring();
    co_return true;
}

/// Seeing goes on by the configuration's word; acting and writing wait until the disk can be read.
void Cluster::Loop::begin_without_memory(const std::string& why) {
    adopt_definition(true);
    journal_available_ = false;
    state_.saved.provisional = true;
    state_.tell(
        Level::error, "saved_state_unreadable",
        fmt::format("{}: watching by the configuration, and nothing is done before it can; check the manager's disk", why));
}

/// Addresses and limits come from the configuration, roles and what must be down from the saved state.
void Cluster::Loop::adopt_definition(bool first_start) {
    std::vector<model::ServerDefinition> servers = state_.definition().servers;
    if (!first_start) {
        for (model::ServerDefinition& it : servers) {
            const auto known = std::ranges::find(state_.saved.servers, it.name, &model::ServerDefinition::name);
            if (known == state_.saved.servers.end())
                state_.tell(
                    Level::info, "server_added", fmt::format("{} is new in the configuration", it.name.text()),
                    {{"server", it.name.text()}});
            it.role = known == state_.saved.servers.end() ? model::Role::replica : known->role;
        }
        for (const model::ServerDefinition& it : state_.saved.servers) {
            if (state_.definition().find(it.name) == nullptr)
                state_.tell(
                    Level::warning, "server_dropped", fmt::format("{} is no longer in the configuration", it.name.text()),
                    {{"server", it.name.text()}});
        }
    }
    state_.saved.servers = std::move(servers);
    const auto primary = std::ranges::find(state_.saved.servers, model::Role::primary, &model::ServerDefinition::role);
    state_.saved.primary = primary == state_.saved.servers.end() ? std::nullopt : std::optional{primary->name};
    const auto gone = [&](const auto& it) { return state_.definition().find(it.server) == nullptr; };
    std::erase_if(state_.saved.must_be_down, gone);
    std::erase_if(state_.saved.highest, gone);
    std::erase_if(state_.saved.upstream_settings, gone);
    std::erase_if(state_.saved.disabled, gone);
    apply_disabled();
}

}  // namespace handyrep::engine
