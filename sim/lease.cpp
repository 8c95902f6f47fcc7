// The lease on a simulated machine (S6): a script that lives apart from PostgreSQL and ends with the machine.
#include "sim/world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace handyrep::sim {

using namespace std::chrono_literals;

namespace {

/// A round, and then what an immediate stop is given before SIGKILL.
constexpr Duration quit_patience = 2s;
constexpr Duration kill_time = 500ms;

Duration tick_of(Duration ttl) { return std::clamp<Duration>(ttl / 10, 100ms, 1s); }

}  // namespace

model::LeaseAnswer World::lease_word(ServerIndex server) const {
    const Server& it = at(server);
    const bool off = !it.disk.autostart;
    if (!it.lease) return {};
    return {
        .pid = it.lease->pid,
        .ttl = it.lease->ttl,
        .sequence = it.lease->sequence,
        .stop_time = tick_of(it.lease->ttl) + quit_patience + kill_time,
        .asks = true,
        .autostart_off = off,
        .autostart = off ? "start.conf: manual" : "start.conf: auto"};
}

bool World::arm_lease(ServerIndex server, const model::LeaseTerms& terms, Instant sent) {
    Server& it = at(server);
    if (!it.has_processes() || it.disk.control != model::ControlState::in_production) return false;
    if (!it.lease || it.lease->ttl != terms.ttl) {
        it.lease = Lease{.pid = ++it.lease_scripts, .ttl = terms.ttl, .sequence = 0, .last = sent, .heard = sent, .listed = {}};
        note(it.name.text(), fmt::format("a lease of {} is armed there", text(terms.ttl)));
        tick_lease(server, it.lease->pid);
    }
    it.had_lease = true;
    renew_lease(server, terms, it.lease->sequence + 1, sent);
    return true;
}

void World::renew_lease(ServerIndex server, const model::LeaseTerms& terms, std::uint64_t sequence, Instant sent) {
    auto& lease = at(server).lease;
    if (!lease || sequence <= lease->sequence || sent > agenda.now()) return;
    lease->sequence = sequence;
    lease->last = std::max(lease->last, sent);
    lease->listed = terms.listed;
}

void World::end_lease(ServerIndex server) {
    if (std::exchange(at(server).lease, std::nullopt)) note(at(server).name.text(), "its lease is taken away");
}

/// PostgreSQL can be asked while it runs; a reply counts from when it was said.
void World::hear_replicas(ServerIndex server) {
    Server& it = at(server);
    if (!it.runs() || it.postmaster_stopped) return;
    for (const Sender& sender : it.senders) {
        const std::string& name = at(sender.replica).name.text();
        const bool listed = std::ranges::any_of(it.lease->listed, [&](const model::ListedReplica& replica) {
            return replica.application_name == name && replica.address == name + ".example";
        });
        if (listed) it.lease->heard = std::max(it.lease->heard, sender.said_at);
    }
}

void World::tick_lease(ServerIndex server, std::uint32_t pid) {
    agenda.after(tick_of(at(server).lease->ttl), [this, server, pid] {
        Server& it = at(server);
        if (!it.lease || it.lease->pid != pid) return;
        hear_replicas(server);
        if (agenda.now() - std::max(it.lease->last, it.lease->heard) <= it.lease->ttl) return tick_lease(server, pid);
        run_out_lease(server);
    });
}

void World::run_out_lease(ServerIndex server) {
    Server& it = at(server);
    const bool standby = it.disk.control == model::ControlState::in_archive_recovery;
    note(it.name.text(), standby ? "its lease ran out over a standby" : "its lease ran out: it is stopped");
    const auto ended = std::exchange(it.lease, std::nullopt);
    if (standby || !it.has_processes()) return;
    if (on_lease_ran_out && ended) on_lease_ran_out(server, *ended);
    agenda.after(random.between(Duration{10ms}, 300ms), [this, server, life = it.life] {
        if (at(server).life == life) immediate_stop(server);
    });
    agenda.after(quit_patience, [this, server] {
        const Server& left = at(server);
        if (left.has_processes() && left.disk.control != model::ControlState::in_archive_recovery) kill_all(server);
    });
}

}  // namespace handyrep::sim
