// Where WAL is inserted, when it is on the disk, and which settings its committers see.
#include "sim/world.hpp"

#include <fmt/format.h>

#include <utility>

namespace handyrep::sim {

using namespace std::chrono_literals;

/// False: there is no room for it, or no right to write it, and the server dies of that.
bool World::takes_wal(ServerIndex server) {
    const Server& it = at(server);
    if (it.can_write_wal()) return true;
    agenda.after(100us, [this, server, life = it.life] {
        when_running(server, [this, server, life] {
            if (at(server).life != life) return;
            note(at(server).name.text(), "PANIC: could not write to its WAL");
            crash_backend(server);
        });
    });
    return false;
}

void World::insert_wal(ServerIndex server, std::uint64_t bytes) {
    if (!takes_wal(server)) return;
    at(server).unflushed += bytes;
    flush_after(server, random.between(Duration{20ms}, 200ms));  // wal_writer_delay
}

void World::write_wal(ServerIndex server, std::uint64_t bytes) {
    if (!takes_wal(server)) return;
    Server& it = at(server);
    it.unflushed += bytes;
    if (it.flush_takes == Duration{}) {
        flush(server);
    } else {
        flush_after(server, it.flush_takes);
    }
}

void World::flush_after(ServerIndex server, Duration wait) {
    Server& it = at(server);
    const Instant due = agenda.now() + wait;
    if (it.flush_due && *it.flush_due <= due) return;
    it.flush_due = due;
    agenda.at(due, [this, server, due, life = it.life] {
        when_running(server, [this, server, due, life] {
            if (at(server).life == life && at(server).flush_due == due) flush(server);
        });
    });
}

void World::flush(ServerIndex server) {
    Server& it = at(server);
    it.flush_due.reset();
    if (it.storage_stalled) return;
    it.disk.end = it.disk.end + model::Bytes{it.unflushed};
    it.disk.replayed = it.disk.end;
    it.unflushed = 0;
    push(server);
    release_waiting(server);
}

void World::stall_storage(ServerIndex server, bool stalled) {
    Server& it = at(server);
    if (it.storage_stalled == stalled) return;
    it.storage_stalled = stalled;
    note(it.name.text(), stalled ? "its storage stalls" : "its storage answers again");
    if (!stalled && it.is_primary()) when_running(server, [this, server] { flush(server); });
    changed();
}

void World::slow_storage(ServerIndex server, Duration flush_takes) {
    if (std::exchange(at(server).flush_takes, flush_takes) == flush_takes) return;
    note(at(server).name.text(), fmt::format("a flush takes {} on its storage", text(flush_takes)));
}

void World::fill_disk(ServerIndex server) {
    at(server).disk_full = true;
    note(at(server).name.text(), "its disk is full");
}

void World::free_disk(ServerIndex server) {
    if (!std::exchange(at(server).disk_full, false)) return;
    note(at(server).name.text(), "its disk has room again");
}

void World::apply_settings(ServerIndex server) {
    Server& it = at(server);
    it.rule = nullptr;
    const std::string& names = it.disk.synchronous_standby_names;
    if (!names.empty()) {
        auto known = parsed_rules_.find(names);
        if (known == parsed_rules_.end()) {
            std::optional<model::SyncStandbys> rule;
            if (auto parsed = model::SyncStandbys::parse(names)) rule = *std::move(parsed);
            known = parsed_rules_.emplace(names, std::move(rule)).first;
        }
        if (known->second) it.rule = &*known->second;
    }
    release_waiting(server);
    changed();
}

void World::reload_settings(ServerIndex server) {
    const Server& it = at(server);
    if (!it.checkpointer_busy_until || *it.checkpointer_busy_until <= agenda.now()) return apply_settings(server);
    agenda.at(*it.checkpointer_busy_until, [this, server, life = it.life] {
        when_running(server, [this, server, life] {
            if (at(server).life == life) reload_settings(server);
        });
    });
}

void World::occupy_checkpointer(ServerIndex server, Duration length) {
    at(server).checkpointer_busy_until = agenda.now() + length;
    note(at(server).name.text(), "its checkpointer is busy: a reload takes effect when it has time");
}

}  // namespace handyrep::sim
