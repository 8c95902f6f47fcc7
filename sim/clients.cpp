// Clients of the cluster: they write to any server that takes writes and that they reach, and remember what they were told.
#include "sim/world.hpp"

#include <algorithm>

namespace handyrep::sim {

using namespace std::chrono_literals;

namespace {
constexpr Duration patience = 3s;
constexpr std::uint64_t smallest_write = 120;
constexpr std::uint64_t largest_write = 4000;
}  // namespace

void World::add_client(Client client) {
    clients.push_back(client);
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
    const std::uint64_t request = ++it.request;
    it.outstanding = true;
    it.sent_at = agenda.now();
    const ServerIndex server = *it.server;
    const auto sent = network.send(it.node, at(server).node, [this, number, server, life = it.life, request] {
        when_running(server, [this, number, server, life, request] { execute_write(number, server, life, request); });
    });
    if (sent == Network::Sent::refused) client_lost(number, request);
}

void World::client_connects(std::size_t number) {
    Client& it = clients[number];
    const ServerIndex server = it.next_try++ % servers.size();
    const Server& other = at(server);
    if (!network.up_both(it.node, other.node) || !other.runs() || !other.is_primary() || other.connections_full) return;
    it.server = server;
    it.life = other.life;
}

void World::client_lost(std::size_t number, std::uint64_t request) {
    Client& it = clients[number];
    if (it.request != request) return;
    it.outstanding = false;
    it.server.reset();
}

void World::execute_write(std::size_t number, ServerIndex server, std::uint64_t life, std::uint64_t request) {
    Server& it = at(server);
    if (it.life != life || !it.is_primary()) {
        network.send(it.node, clients[number].node, [this, number, request] { client_lost(number, request); });
        return;
    }
    write_wal(server, random.between(smallest_write, largest_write));
    if (it.storage_stalled) return;
    const WaitingCommit commit{number, request, it.disk.end};
    if (clients[number].local_commit || sync_rule(server) == nullptr) {
        acknowledge(number, request, {server, it.disk.branch, it.disk.end, agenda.now(), false});
    } else {
        it.waiting.push_back(commit);
    }
}

void World::write_wal(ServerIndex server, std::uint64_t bytes) {
    Server& it = at(server);
    if (it.storage_stalled) {
        it.unflushed += bytes;
        return;
    }
    it.disk.end = it.disk.end + model::Bytes{bytes + it.unflushed};
    it.disk.replayed = it.disk.end;
    it.unflushed = 0;
    push(server);
}

void World::acknowledge(std::size_t number, std::uint64_t request, const Acknowledged& what) {
    network.send(at(what.server).node, clients[number].node, [this, number, request, what] {
        acknowledged.push_back(what);
        trace.count(static_cast<std::uint64_t>(agenda.now().time_since_epoch().count()));
        if (clients[number].request == request) clients[number].outstanding = false;
    });
}

}  // namespace handyrep::sim
