// WAL from server to server: receivers, senders, what fits, what is confirmed.
#include "sim/world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace handyrep::sim {

using namespace std::chrono_literals;

namespace {
constexpr Duration retry_interval = 5s;     // wal_retrieve_retry_interval
constexpr Duration receiver_timeout = 60s;  // wal_receiver_timeout, wal_sender_timeout
constexpr Duration keepalive_interval = 5s;
constexpr std::uint64_t since_checkpoint = 32ULL << 20U;  // is always there
}  // namespace

void World::end_receiver(ServerIndex replica, bool retry) {
    Server& it = at(replica);
    if (it.receiver) {
        const ServerIndex upstream = it.receiver->upstream;
        const std::uint64_t number = it.receiver->number;
        it.receiver.reset();
        it.receiver_lost = agenda.now();
        network.send(it.node, at(upstream).node, [this, upstream, replica, number] {
            std::erase_if(
                at(upstream).senders, [&](const Sender& sender) { return sender.replica == replica && sender.receiver == number; });
            changed();
        });
        changed();
    }
    if (!retry) return;
    const std::uint64_t life = it.life;
    const std::uint64_t receivers = it.receivers;
    agenda.after(retry_interval, [this, replica, life, receivers] {
        when_running(replica, [this, replica, life, receivers] {
            const Server& again = at(replica);
            if (again.life == life && again.receivers == receivers && !again.receiver) reload_receiver(replica);
        });
    });
}

void World::reload_receiver(ServerIndex replica) {
    Server& it = at(replica);
    if (it.postmaster != Server::Postmaster::running || !it.in_recovery || it.promoting) return;
    if (it.receiver && it.disk.follows && it.receiver->upstream == *it.disk.follows && it.receiver->state != Receiver::State::waiting)
        return;
    end_receiver(replica, false);
    if (!it.disk.follows || *it.disk.follows == replica) return;
    const std::uint64_t number = ++it.receivers;
    it.receiver = Receiver{Receiver::State::connecting, *it.disk.follows, agenda.now(), number};
    agenda.after(random.between(Duration{5ms}, 20ms), [this, replica, number] {
        when_running(replica, [this, replica, number] { dial_upstream(replica, number); });
    });
}

void World::dial_upstream(ServerIndex replica, std::uint64_t number) {
    Server& it = at(replica);
    if (!it.receiver || it.receiver->number != number || it.receiver->state != Receiver::State::connecting) return;
    const ServerIndex upstream = it.receiver->upstream;
    const Server& other = at(upstream);
    if (!network.up_both(it.node, other.node) || !other.takes_connections()) {
        it.receiver.reset();
        it.receiver_lost = agenda.now();
        return end_receiver(replica, true);
    }
    agenda.after(network.delay(it.node, other.node) * 2, [this, upstream, replica, number] { accept_receiver(upstream, replica, number); });
}

bool World::fits(ServerIndex replica, BranchId branch, model::Lsn end) const {
    const Server& it = at(replica);
    // The number of a timeline as its target: it goes on on that one only.
    if (branch != it.disk.branch && it.setup.recovery_target_timeline != "latest") return false;
    return branches.holds(branch, end, it.disk.branch, it.disk.replayed);
}

void World::accept_receiver(ServerIndex upstream, ServerIndex replica, std::uint64_t number) {
    Server& it = at(replica);
    Server& other = at(upstream);
    if (!it.receiver || it.receiver->number != number || it.receiver->state != Receiver::State::connecting) return;
    const bool lets_in =
        !other.walsenders_full && !other.hba_broken && !other.certificate_expired && system_of(upstream) == system_of(replica);
    if (!other.runs() || !network.up_both(it.node, other.node) || !lets_in) {
        it.receiver.reset();
        return end_receiver(replica, true);
    }
    it.receiver->last_message = agenda.now();
    const auto kept =
        other.setup.wal_kept ? std::optional{std::max(other.setup.wal_kept->count, since_checkpoint)} : options.wal_keep_bytes;
    if (kept && gap(it.disk.end, other.disk.end).count > *kept) {
        note(it.name.text(), fmt::format("needs WAL that {} has removed already", other.name.text()));
        it.receiver.reset();
        return end_receiver(replica, true);
    }
    if (!fits(replica, other.disk.branch, available(upstream))) {
        it.receiver->state = Receiver::State::waiting;
        note(it.name.text(), fmt::format("its WAL does not fit {}", other.name.text()));
        return;
    }
    it.receiver->state = Receiver::State::streaming;
    note(it.name.text(), fmt::format("streams from {}", other.name.text()));
    std::erase_if(other.senders, [&](const Sender& sender) { return sender.replica == replica; });
    other.senders.push_back({replica, number, it.disk.end, agenda.now()});
    deliver(upstream, replica, number, other.disk.branch, available(upstream));
    changed();
}

void World::push(ServerIndex upstream) {
    const Server& from = at(upstream);
    for (const Sender& sender : from.senders) {
        const Server& to = at(sender.replica);
        if (!network.up(from.node, to.node)) continue;  // sent again when the link heals
        network.send(
            from.node, to.node,
            [this, upstream, replica = sender.replica, number = sender.receiver, branch = from.disk.branch, end = available(upstream)] {
                when_running(replica, [this, upstream, replica, number, branch, end] { deliver(upstream, replica, number, branch, end); });
            });
    }
}

void World::deliver(ServerIndex upstream, ServerIndex replica, std::uint64_t number, BranchId branch, model::Lsn end) {
    Server& it = at(replica);
    if (!it.receiver || it.receiver->number != number || it.receiver->state != Receiver::State::streaming) return;
    it.receiver->last_message = agenda.now();
    bool news = false;
    if (it.disk.branch != branch) {
        if (!fits(replica, branch, end)) {
            it.receiver->state = Receiver::State::waiting;
            note(it.name.text(), "its upstream's new timeline leaves it behind");
            return;
        }
        if (const auto fork = branches.left(branch, it.disk.branch)) it.disk.end = std::min(it.disk.end, *fork);
        it.disk.branch = branch;
        it.disk.partial = 0;
        news = true;
    }
    if (end > it.disk.end) {
        it.disk.end = end;
        it.disk.partial = 0;
        news = true;
    }
    if (news) {
        settle_replay(replica);
        push(replica);
    }
    if (sync_rule(upstream) != nullptr) {
        network.send(it.node, at(upstream).node, [this, upstream, replica, number, got = it.disk.end] {
            confirmed(upstream, replica, number, got);
        });
    }
}

void World::confirmed(ServerIndex upstream, ServerIndex replica, std::uint64_t number, model::Lsn end) {
    when_running(upstream, [this, upstream, replica, number, end] {
        for (Sender& sender : at(upstream).senders) {
            if (sender.replica != replica || sender.receiver != number) continue;
            sender.confirmed = std::max(sender.confirmed, end);
            sender.last_reply = agenda.now();
            release_waiting(upstream);
            return;
        }
    });
}

std::size_t World::confirming(ServerIndex server, model::Lsn end) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        at(server).senders, [&](const Sender& sender) { return is_sync_member(server, sender.replica) && sender.confirmed >= end; }));
}

bool World::can_confirm(ServerIndex server) const {
    const model::SyncStandbys* const rule = sync_rule(server);
    if (rule == nullptr) return true;
    const Server& it = at(server);
    const auto able = std::ranges::count_if(it.senders, [&](const Sender& sender) {
        const Server& replica = at(sender.replica);
        return is_sync_member(server, sender.replica) && network.up_both(it.node, replica.node) && replica.runs() && replica.receiver &&
               replica.receiver->number == sender.receiver && replica.receiver->state == Receiver::State::streaming;
    });
    return static_cast<std::size_t>(able) >= rule->required;
}

void World::release_waiting(ServerIndex server) {
    Server& it = at(server);
    if (it.waiting.empty()) return;
    const model::SyncStandbys* const rule = sync_rule(server);
    std::erase_if(it.waiting, [&](const WaitingCommit& commit) {
        if (commit.end > it.disk.end) return false;
        const bool waits = rule != nullptr && !commit.local;
        if (waits && confirming(server, commit.end) < rule->required) return false;
        acknowledge(commit.client, commit.request, {server, it.disk.branch, commit.end, agenda.now(), waits});
        return true;
    });
}

void World::end_senders(ServerIndex server) {
    for (const Sender& sender : std::exchange(at(server).senders, {})) {
        network.send(at(server).node, at(sender.replica).node, [this, replica = sender.replica, number = sender.receiver] {
            when_running(replica, [this, replica, number] {
                const Server& it = at(replica);
                if (it.receiver && it.receiver->number == number) end_receiver(replica, true);
            });
        });
    }
}

void World::tick_replication(ServerIndex server) {
    const std::uint64_t life = at(server).life;
    agenda.after(keepalive_interval, [this, server, life] {
        Server& it = at(server);
        if (it.life != life || !it.powered) return;
        tick_replication(server);
        if (it.frozen) return;
        push(server);
        std::erase_if(it.senders, [&](Sender& sender) {
            const Server& replica = at(sender.replica);
            if (network.up_both(it.node, replica.node) && replica.runs()) sender.last_reply = agenda.now();
            return agenda.now() - sender.last_reply > receiver_timeout;
        });
        if (it.receiver && it.receiver->state == Receiver::State::streaming && agenda.now() - it.receiver->last_message > receiver_timeout)
            end_receiver(server, true);
        if (it.receiver && it.receiver->state == Receiver::State::waiting) reload_receiver(server);
    });
}

void World::settle_replay(ServerIndex server) {
    Server& it = at(server);
    if (it.replay_blocked_until && *it.replay_blocked_until > agenda.now()) return;
    if (it.setup.replay_paused) return;
    if (it.setup.apply_delay > Duration{}) return replay_later(server);
    it.disk.replayed = it.disk.end;
}

void World::restore_brought(ServerIndex server) {
    const Disk& disk = at(server).disk;
    if (!disk.offer || !disk.brought) return;
    agenda.after(random.between(Duration{2ms}, 25ms), [this, server, life = at(server).life] {
        when_running(server, [this, server, life] {
            Server& it = at(server);
            const auto& wal = it.disk.brought;
            if (it.life != life || it.receiver || !it.in_recovery || it.promoting || !it.disk.offer || !wal) return;
            if (wal->branch != it.disk.branch || wal->from > it.disk.end || wal->to <= it.disk.end || !it.can_write_wal()) return;
            note(it.name.text(), fmt::format("restores what was brought to it, up to {}", wal->to.text()));
            it.disk.end = wal->to;
            it.disk.partial = 0;
            settle_replay(server);
            push(server);
        });
    });
}

/// What is here now, after recovery_min_apply_delay; a restart and another timeline begin anew.
void World::replay_later(ServerIndex server) {
    const Disk& now = at(server).disk;
    agenda.after(at(server).setup.apply_delay, [this, server, life = at(server).life, branch = now.branch, end = now.end] {
        when_running(server, [this, server, life, branch, end] {
            Server& it = at(server);
            if (it.life != life || it.disk.branch != branch || !it.in_recovery || it.setup.replay_paused) return;
            it.disk.replayed = std::max(it.disk.replayed, std::min(end, it.disk.end));
        });
    });
}

std::size_t World::end_queries(ServerIndex server) {
    Server& it = at(server);
    if (!it.replay_blocked_until || *it.replay_blocked_until <= agenda.now()) return 0;
    it.replay_blocked_until.reset();
    note(it.name.text(), "the query that blocked its replay is ended");
    settle_replay(server);
    if (it.promoting && !it.hangs_at_promotion) finish_promotion(server, it.promotions);
    return 1;
}

void World::block_replay(ServerIndex server, Duration length) {
    Server& it = at(server);
    if (!it.runs() || !it.in_recovery) return;
    it.replay_blocked_until = agenda.now() + length;
    note(it.name.text(), "a query blocks its replay");
    agenda.after(length, [this, server] { when_running(server, [this, server] { settle_replay(server); }); });
}

}  // namespace handyrep::sim
