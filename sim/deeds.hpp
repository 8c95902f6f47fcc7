// sim/deeds.hpp — what a story says is done, done to the simulated world.
#pragma once

#include "scenarios/scenario.hpp"
#include "sim/run.hpp"

#include <functional>
#include <map>
#include <memory>
#include <vector>

namespace handyrep::sim {

class Deeds {
public:
    explicit Deeds(Run& run) : run_{run} {}

    /// `invalid` when it sets what cannot be set.
    [[nodiscard]] Result<void> begin(const scenarios::Deed& fault);
    /// What a cluster has from its beginning; before anything runs.
    [[nodiscard]] Result<void> set_up(const scenarios::ClusterWanted& wanted);
    /// Ends everything of this kind that was begun and has not ended. False when there is nothing.
    bool end(scenarios::DeedKind kind);

private:
    struct Open {
        scenarios::DeedKind kind;
        std::function<void()> end;  // empty once it has ended
    };
    /// Does it to one server; what is returned undoes it, empty for what has no end.
    std::function<void()> to_server(scenarios::DeedKind kind, ServerIndex server, Duration lasts);
    std::function<void()> to_machine(scenarios::DeedKind kind, ServerIndex server);
    std::function<void()> to_settings(scenarios::DeedKind kind, ServerIndex server);
    std::function<void()> to_network(const scenarios::Deed& fault);
    std::function<void()> to_manager(scenarios::DeedKind kind);
    std::function<void()> begin_maintenance(const std::optional<Duration>& lasts);
    std::function<void()> pause();
    std::function<void()> disable(const model::ServerName& server);
    Result<void> set_clock(const scenarios::Deed& fault);
    Result<void> begin_set(const scenarios::Deed& fault);
    Result<void> set(ServerIndex server, const scenarios::Settings& settings);
    void take_effect(ServerIndex server);
    std::function<void()> raise(ServerIndex server, bool Server::* flag);
    std::function<void()> detach(ServerIndex server);
    void replace_data(ServerIndex server, std::function<void(Server&)> change);
    void promote_by_hand(ServerIndex server);
    void start_as_primary(ServerIndex server);
    [[nodiscard]] std::vector<Node> nodes_of(const std::vector<scenarios::NodeName>& names) const;
    [[nodiscard]] ServerIndex server_of(const scenarios::NodeName& name) const;
    void keep(scenarios::DeedKind kind, const std::optional<Duration>& lasts, std::function<void()> end);

    Run& run_;
    std::map<ServerIndex, Disk> backups_;
    std::vector<std::shared_ptr<Open>> open_;
};

}  // namespace handyrep::sim
