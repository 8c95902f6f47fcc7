// A replica becomes a primary: when it does, where it forks, and what keeps it from doing so.
#include "sim/world.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace handyrep::sim {

using namespace std::chrono_literals;

void World::begin_promotion(ServerIndex server) {
    Server& it = at(server);
    if (it.promoting || !it.in_recovery || it.postmaster != Server::Postmaster::running) return;
    it.promoting = true;
    const std::uint64_t promotion = ++it.promotions;
    // T10: the startup process has just begun to sleep in wal_retrieve_retry_interval and misses the request.
    const bool just_lost = it.receiver_lost && agenda.now() - *it.receiver_lost < 5s;
    const bool asleep = just_lost && random.chance(options.stall_percent);
    end_receiver(server, false);
    note(it.name.text(), asleep ? "is told to promote, and sleeps" : "is told to promote");
    if (on_promotion_begun) on_promotion_begun(server);
    if (it.hangs_at_promotion) return;
    const Duration takes = random.between(Duration{15ms}, 60ms);
    if (asleep) it.promotion_asleep = promotion;
    agenda.after(takes + (asleep ? Duration{5s} : Duration{}), [this, server, promotion] { finish_promotion(server, promotion); });
}

void World::nudge(ServerIndex server) {
    Server& it = at(server);
    it.unread = 0;
    restore_brought(server);
    if (!it.promotion_asleep) return;
    const std::uint64_t promotion = *it.promotion_asleep;
    it.promotion_asleep.reset();
    agenda.after(random.between(Duration{10ms}, 40ms), [this, server, promotion] { finish_promotion(server, promotion); });
}

void World::end_hang(ServerIndex server) {
    Server& it = at(server);
    it.hangs_at_promotion = false;
    if (it.promoting) finish_promotion(server, it.promotions);
}

void World::finish_promotion(ServerIndex server, std::uint64_t promotion) {
    when_running(server, [this, server, promotion] {
        Server& it = at(server);
        if (!it.promoting || it.promotions != promotion || it.postmaster != Server::Postmaster::running) return;
        if (it.replay_blocked_until && *it.replay_blocked_until > agenda.now()) {
            agenda.at(*it.replay_blocked_until, [this, server, promotion] { finish_promotion(server, promotion); });
            return;
        }
        it.disk.replayed = it.disk.end;  // a promotion ends a delay and a pause of replay
        it.promoting = false;
        it.promotion_asleep.reset();
        it.in_recovery = false;
        it.disk.standby_mark = false;
        it.disk.control = model::ControlState::in_production;
        it.disk.partial = 0;
        const model::Timeline next{branches.timeline(it.disk.branch).id + 1};
        it.disk.branch = branches.fork(it.disk.branch, it.disk.replayed, next);
        it.disk.end = it.disk.replayed + model::Bytes{42};
        it.disk.replayed = it.disk.end;
        note(it.name.text(), fmt::format("is promoted: {}", text(model::WalPosition{next, it.disk.end})));
        if (on_promoted) on_promoted(server);
        push(server);
        changed();
    });
}

}  // namespace handyrep::sim
