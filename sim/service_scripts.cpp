#include "sim/service_scripts.hpp"

#include <fmt/format.h>

namespace handyrep::sim {

using namespace std::chrono_literals;

namespace {

constexpr Duration look_interval = 10ms;

struct StopScript {
    World& world;
    ServerIndex server;
    Node from;
    Instant expires;
    std::shared_ptr<Reply<Said<ports::StopReport>>> reply;
    ports::StopReport report{};

    [[nodiscard]] bool over() const { return !world.at(server).powered || world.agenda.now() >= expires; }
    void then(Duration shortest, Duration longest, void (StopScript::*next)()) const {
        world.agenda.after(world.random.between(shortest, longest), [copy = *this, next]() mutable {
            if (copy.world.at(copy.server).powered) (copy.*next)();
        });
    }
    void answer() {
        const Server& it = world.at(server);
        report.left = it.processes();
        report.marked = it.disk.standby_mark;
        report.state = it.disk.control;
        report.checkpoint = it.disk.checkpoint;
        world.network.send(from, 0, [reply = reply, value = report] { reply->give({.value = value}); });
    }
    void disable_autostart() {
        Server& it = world.at(server);
        report.autostart = it.disk.autostart ? "start.conf: manual" : "none found";
        it.disk.autostart = false;
        report.autostart_disabled = true;
        then(2ms, 10ms, &StopScript::mark);
    }
    void mark() {
        Server& it = world.at(server);
        if (it.mark_denied || it.disk_read_only) return answer();
        it.disk.standby_mark = true;
        world.end_lease(server);
        then(1ms, 10ms, &StopScript::stop);
    }
    void stop() {
        world.fast_stop(server, {});
        wait();
    }
    void wait() {
        if (over() || !world.at(server).has_processes()) return answer();
        then(look_interval, look_interval, &StopScript::wait);
    }
};

struct StartScript {
    World& world;
    ServerIndex server;
    Node from;
    StartWanted wanted;
    std::shared_ptr<Reply<Said<Started>>> reply;
    Instant began = world.agenda.now();

    void answer(const Result<void>& result) const {
        Said<Started> said;
        if (result) said.value = Started{};
        if (!result) said.refusal = result.error();
        world.network.send(from, 0, [reply = reply, said = std::move(said)] { reply->give(said); });
    }
    void again() const {
        world.agenda.after(look_interval, [copy = *this] {
            if (copy.world.at(copy.server).powered) copy.look();
        });
    }
    /// The mark as it is wanted, and autostart as it was.
    [[nodiscard]] bool ready() const {
        Server& it = world.at(server);
        if (wanted.as == ports::StartAs::primary) {
            if (it.mark_denied || it.disk_read_only) return false;
            it.disk.standby_mark = false;
        }
        it.disk.autostart = true;
        it.disk.fenced = false;
        return true;
    }
    void look() const {
        Server& it = world.at(server);
        const bool as_primary = wanted.as == ports::StartAs::primary;
        if (!it.has_processes()) {
            if (!ready()) return answer(Error{ErrorKind::failed, "the mark could not be taken away"});
            world.note(it.name.text(), as_primary ? "is given back, and started as primary" : "is started as a replica");
            world.start(server, false);
            return answer({});
        }
        if (it.postmaster == Server::Postmaster::running) {
            if (it.in_recovery && as_primary) {
                world.fast_stop(server, {});
                return again();
            }
            if (!it.in_recovery && !as_primary) return answer(Error{ErrorKind::refused, "it runs as a primary"});
            return answer(ready() ? Result<void>{} : Error{ErrorKind::failed, "the mark could not be taken away"});
        }
        if (world.agenda.now() >= wanted.expires) return answer(Error{ErrorKind::failed, "it was not down in time"});
        if (it.postmaster == Server::Postmaster::stopping && world.agenda.now() - began > (wanted.expires - began) / 2) {
            world.note(it.name.text(), "takes too long to stop: it is cut short");
            world.kill_all(server);
        }
        again();
    }
};

}  // namespace

void run_stop(World& world, ServerIndex server, Node from, Instant expires, const std::shared_ptr<Reply<Said<ports::StopReport>>>& reply) {
    StopScript{world, server, from, expires, reply}.then(2ms, 10ms, &StopScript::disable_autostart);
}

void run_start(World& world, ServerIndex server, Node from, const StartWanted& wanted, const std::shared_ptr<Reply<Said<Started>>>& reply) {
    const StartScript script{world, server, from, wanted, reply};
    if (wanted.expected != world.system_of(server))
        return script.answer(Error{ErrorKind::refused, "the data directory belongs to another system"});
    if (wanted.as == ports::StartAs::standby && !world.at(server).disk.standby_mark)
        return script.answer(Error{ErrorKind::refused, "the data directory is not marked standby"});
    script.look();
}

}  // namespace handyrep::sim
