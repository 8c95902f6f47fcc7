// Clients of the cluster: they write to any server that takes writes and that they reach, and remember what they were told.
#include "sim/world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace handyrep::sim {

using namespace std::chrono_literals;

namespace {
constexpr Duration patience = 3s;
constexpr std::uint64_t smallest_write = 120;
constexpr std::uint64_t largest_write = 4000;
constexpr Duration router_checks = 500ms;
}  // namespace

std::string_view word_for(CommitMode mode) {
    switch (mode) {
        case CommitMode::on: return "on";
        case CommitMode::local: return "local";
        case CommitMode::off: return "off";
    }
    return "";
}

const Router* World::router_of(const Client& client) const {
    const auto found = std::ranges::find(routers, client.router, [](const Router& it) { return std::optional{it.node}; });
    return found == routers.end() ? nullptr : &*found;
}

bool World::answers_as_primary(Node from, ServerIndex server) const {
    const Server& it = at(server);
    return network.up_both(from, it.node) && it.takes_connections() && it.is_primary() && !it.connections_full && !it.hba_broken;
}

void World::router_tick(std::size_t number) {
    Router& it = routers[number];
    agenda.after(router_checks, [this, number] { router_tick(number); });
    if (it.points_to && answers_as_primary(it.node, *it.points_to)) return;
    if (it.points_to) {
        for (Client& client : clients) {
            if (client.router != it.node) continue;
            client.outstanding = false;
            client.server.reset();
        }
    }
    it.points_to.reset();
    for (ServerIndex server = 0; server < servers.size() && !it.points_to; ++server) {
        if (answers_as_primary(it.node, server)) it.points_to = server;
    }
    if (it.points_to) note("router", fmt::format("on machine {} points to {}", it.node, at(*it.points_to).name.text()));
}

Network::Sent World::to_server(std::size_t number, ServerIndex server, Task deliver) {
    const Client& it = clients[number];
    if (!it.router) return network.send(it.node, at(server).node, std::move(deliver));
    return network.send(
        it.node, *it.router, [this, router = *it.router, number, server, request = it.request, deliver = std::move(deliver)]() mutable {
            const auto sent = network.send(router, at(server).node, std::move(deliver));
            if (sent == Network::Sent::refused) client_lost(number, request);
        });
}

void World::to_client(ServerIndex server, std::size_t number, Task deliver) {
    const Client& it = clients[number];
    if (!it.router) {
        network.send(at(server).node, it.node, std::move(deliver));
        return;
    }
    network.send(at(server).node, *it.router, [this, router = *it.router, node = it.node, deliver = std::move(deliver)]() mutable {
        network.send(router, node, std::move(deliver));
    });
}

void World::add_client(Client client) {
    clients.push_back(client);
    if (client.router && router_of(client) == nullptr) {
        routers.push_back({.node = *client.router});
        router_tick(routers.size() - 1);
    }
    const std::size_t number = clients.size() - 1;
    agenda.after(random.between(Duration{}, client.period), [this, number] { client_tick(number); });
}

void World::client_tick(std::size_t number) {
    Client& it = clients[number];
    agenda.after(it.period, [this, number] { client_tick(number); });
    if (it.outstanding) {
        if (agenda.now() - it.sent_at < patience) return;
        it.outstanding = false;
        it.server.reset();
    }
    if (!it.server) return client_connects(number);
    if (quiet) return;
    const std::uint64_t request = ++it.request;
    it.outstanding = true;
    it.sent_at = agenda.now();
    const ServerIndex server = *it.server;
    const auto sent = to_server(number, server, [this, number, server, life = it.life, request] {
        when_running(server, [this, number, server, life, request] { execute_write(number, server, life, request); });
    });
    if (sent == Network::Sent::refused) client_lost(number, request);
    if (it.cancels_after) agenda.after(*it.cancels_after, [this, number, server, request] { client_cancels(number, server, request); });
}

void World::client_connects(std::size_t number) {
    Client& it = clients[number];
    ServerIndex server = it.next_try++ % servers.size();
    Node from = it.node;
    if (it.router) {
        const Router* const router = router_of(it);
        if (router == nullptr || !router->points_to || !network.up_both(it.node, router->node)) return;
        server = *router->points_to;
        from = router->node;
    }
    if (!answers_as_primary(from, server)) return;
    it.server = server;
    it.life = at(server).life;
}

void World::client_lost(std::size_t number, std::uint64_t request) {
    Client& it = clients[number];
    if (it.request != request) return;
    it.outstanding = false;
    it.server.reset();
}

void World::execute_write(std::size_t number, ServerIndex server, std::uint64_t life, std::uint64_t request) {
    Server& it = at(server);
    if (it.life != life || !it.is_primary() || it.setup.read_only) {
        to_client(server, number, [this, number, request] { client_lost(number, request); });
        return;
    }
    const std::uint64_t bytes = random.between(smallest_write, largest_write);
    const CommitMode mode = clients[number].commit;
    if (!it.can_write_wal()) return write_wal(server, bytes);
    const model::Lsn end = it.disk.end + model::Bytes{it.unflushed + bytes};
    commits.push_back({it.disk.branch, end});
    if (mode == CommitMode::off) {
        insert_wal(server, bytes);
        acknowledge(number, request, {server, it.disk.branch, end, agenda.now(), false, false});
        return;
    }
    it.waiting.push_back({number, request, end, mode == CommitMode::local, agenda.now()});
    write_wal(server, bytes);
}

/// A waiting COMMIT that is cancelled is over for its client, and every reader sees its data, although no standby has it (S4).
void World::client_cancels(std::size_t number, ServerIndex server, std::uint64_t request) {
    if (!clients[number].outstanding || clients[number].request != request) return;
    to_server(number, server, [this, number, server, request] {
        when_running(server, [this, number, server, request] {
            Server& it = at(server);
            std::erase_if(it.waiting, [&](const WaitingCommit& commit) {
                if (commit.client != number || commit.request != request || commit.end > it.disk.end) return false;
                acknowledge(number, request, {server, it.disk.branch, commit.end, agenda.now(), false});
                return true;
            });
        });
    });
}

void World::acknowledge(std::size_t number, std::uint64_t request, const Acknowledged& what) {
    to_client(what.server, number, [this, number, request, what] {
        acknowledged.push_back(what);
        trace.count(static_cast<std::uint64_t>(agenda.now().time_since_epoch().count()));
        if (clients[number].request == request) clients[number].outstanding = false;
    });
}

}  // namespace handyrep::sim
