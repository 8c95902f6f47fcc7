#include "sim/host.hpp"

#include "sim/rewind.hpp"
#include "sim/salvage.hpp"
#include "sim/service_scripts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace handyrep::sim {

using namespace std::chrono_literals;

namespace {

/// So much earlier than we stop waiting does a script on the node stop trying, so that it can still say so.
constexpr Duration way_back = 50ms;

/// The steps of S7 in their order, each taking time and each checking the script's own time limit. What was done stays done.
struct FenceScript {
    World& world;
    ServerIndex server;
    Node answer_from;
    Instant expires;
    std::shared_ptr<Reply<ports::FenceReport>> reply;
    ports::FenceReport report{};

    [[nodiscard]] bool over() const { return !world.at(server).powered || world.agenda.now() >= expires; }
    void then(Duration shortest, Duration longest, void (FenceScript::*next)()) const {
        world.agenda.after(world.random.between(shortest, longest), [copy = *this, next]() mutable {
            if (!copy.over()) (copy.*next)();
        });
    }

    void disable_autostart() {
        Server& it = world.at(server);
        report.autostart = it.disk.autostart ? "start.conf: manual" : "none found";
        it.disk.autostart = false;
        report.autostart_disabled = true;
        if (it.sudo_denied_halfway) {  // what was begun by that right ends without an answer
            it.sudo_denied = true;
            return world.note(it.name.text(), "sudo is denied while it is being fenced");
        }
        then(2ms, 10ms, &FenceScript::mark);
    }
    void mark() {
        const Server& it = world.at(server);
        if (it.mark_denied || it.disk_read_only) {  // and without the mark nothing is killed
            report.left = it.processes();
            return answer(world, answer_from, reply, report);
        }
        world.at(server).disk.standby_mark = true;
        world.at(server).disk.fenced = true;
        report.marked = true;
        then(1ms, 25ms, &FenceScript::kill);
    }
    void kill() {
        const Server& it = world.at(server);
        report.killed = it.processes();
        if (it.has_processes()) {
            if (world.on_fenced) world.on_fenced(server);
            world.note(it.name.text(), "is fenced");
            world.kill_all(server);
        } else {
            world.note(it.name.text(), "is fenced, nothing ran");
        }
        then(1ms, 4ms, &FenceScript::look_again);
    }
    void look_again() {
        const Server& it = world.at(server);
        report.left = it.processes();
        report.marked = it.disk.standby_mark;
        answer(world, answer_from, reply, report);
    }
};

}  // namespace

SimHost::SimHost(World& world, std::shared_ptr<Waits> waits, ServerIndex server, model::Transport transport)
    : Errands{world, std::move(waits), server, transport} {}

Async<model::HostLook> SimHost::look(Instant deadline) {
    const Node from = transport_ == model::Transport::local ? 0 : world_.at(server_).node;
    std::function<void(std::shared_ptr<Reply<model::HostLook>>)> script = [&world = world_, server = server_, from](const auto& reply) {
        const Server& it = world.at(server);
        constexpr model::Bytes size{100ULL << 30U};
        const model::Room room{size, model::Bytes{it.disk_full ? 0 : it.disk_nearly_full ? 1ULL << 30U : size.count / 2}};
        const model::Room data_room = it.data_full ? model::Room{size, model::Bytes{0}} : room;
        answer(
            world, from, reply,
            model::HostLook{world.system_of(server), it.disk.control, it.processes(), it.disk.standby_mark, data_room, room});
    };
    auto seen = co_await run<model::HostLook>("look at the host", deadline, std::move(script));
    // Whoever got there may still not be the owner of the data.
    if (seen && world_.at(server_).place != Place::database) co_return Error{ErrorKind::unreachable, "no such directory"};
    if (seen && world_.at(server_).sudo_denied) co_return Error{ErrorKind::denied, "sudo: a password is required"};
    co_return seen;
}

Async<ports::FenceReport> SimHost::fence(model::SystemId expected, Instant deadline) {
    if (expected != world_.system_of(server_)) co_return Error{ErrorKind::refused, "the directory belongs to another system"};
    if (world_.at(server_).sudo_denied) {
        const auto tried = co_await look(deadline);
        if (!tried) co_return tried.error();
    }
    const Node from = transport_ == model::Transport::local ? 0 : world_.at(server_).node;
    std::function<void(std::shared_ptr<Reply<ports::FenceReport>>)> script = [&world = world_, server = server_, from,
                                                                              expires = waits_->truly(deadline)](const auto& reply) {
        FenceScript{world, server, from, expires, reply}.then(2ms, 10ms, &FenceScript::disable_autostart);
    };
    co_return co_await run<ports::FenceReport>("fence", deadline, std::move(script));
}

Async<ports::StopReport> SimHost::stop(model::SystemId expected, Instant deadline) {
    if (expected != world_.system_of(server_)) co_return Error{ErrorKind::refused, "the directory belongs to another system"};
    if (world_.at(server_).sudo_denied) co_return Error{ErrorKind::denied, "sudo: a password is required"};
    const Node from = transport_ == model::Transport::local ? 0 : world_.at(server_).node;
    using Outcome = Said<ports::StopReport>;
    std::function<void(std::shared_ptr<Reply<Outcome>>)> script = [&world = world_, server = server_, from,
                                                                   expires = waits_->truly(deadline) - way_back](const auto& reply) {
        run_stop(world, server, from, expires, reply);
    };
    const auto outcome = co_await run<Outcome>("stop", deadline, std::move(script));
    if (!outcome) co_return outcome.error();
    if (outcome->refusal) co_return *outcome->refusal;
    co_return outcome->value.value_or(ports::StopReport{});
}

Async<void> SimHost::start(model::SystemId expected, ports::StartAs as, Instant deadline) {
    if (world_.at(server_).sudo_denied) co_return Error{ErrorKind::denied, "sudo: a password is required"};
    const Node from = transport_ == model::Transport::local ? 0 : world_.at(server_).node;
    using Outcome = Done;
    std::function<void(std::shared_ptr<Reply<Outcome>>)> script = [&world = world_, server = server_, from,
                                                                   wanted = StartWanted{expected, as, waits_->truly(deadline) - way_back}](
                                                                      const auto& reply) { run_start(world, server, from, wanted, reply); };
    const auto outcome = co_await run<Outcome>("start", deadline, std::move(script));
    if (!outcome) co_return outcome.error();
    if (outcome->refusal) co_return *outcome->refusal;
    co_return Result<void>{};
}

namespace {

/// What was read, or why it could not be: an answer either way.
struct ReadEnd {
    std::optional<model::WalEnd> end{};
    std::optional<Error> refusal{};
};

/// What the disk holds of the branch that the question's timeline means there: the one it was written on last.
ReadEnd end_on_disk(const World& world, ServerIndex server, const model::WalEndQuestion& question) {
    const Server& it = world.at(server);
    if (question.system_id != world.system_of(server))
        return {.refusal = Error{ErrorKind::refused, "the data directory belongs to another system"}};
    if (it.has_processes()) return {.refusal = Error{ErrorKind::conflict, "processes hold the data directory: its WAL has no end yet"}};
    if (world.branches.timeline(it.disk.branch) != question.from.timeline)
        return {.refusal = Error{ErrorKind::failed, "the directory has gone on to another timeline"}};
    const auto lies_behind = [&](const CommitRecord& commit) {
        return commit.branch == it.disk.branch && commit.end > question.from.lsn && commit.end <= it.disk.end;
    };
    return {
        .end = model::WalEnd{
            std::max(it.disk.end, question.from.lsn), static_cast<std::uint64_t>(std::ranges::count_if(world.commits, lies_behind)), true}};
}

}  // namespace

Async<model::WalEnd> SimHost::read_wal_end(const model::WalEndQuestion& question, Instant deadline) {
    const Node from = transport_ == model::Transport::local ? 0 : world_.at(server_).node;
    std::function<void(std::shared_ptr<Reply<ReadEnd>>)> script = [&world = world_, server = server_, from, question](const auto& reply) {
        world.agenda.after(world.random.between(Duration{5ms}, 60ms), [&world, server, from, question, reply] {
            if (world.at(server).powered) answer(world, from, reply, end_on_disk(world, server, question));
        });
    };
    if (world_.at(server_).sudo_denied) co_return Error{ErrorKind::denied, "sudo: a password is required"};
    const auto read = co_await run<ReadEnd>("read the end of the WAL", deadline, std::move(script));
    if (!read) co_return read.error();
    if (read->refusal) co_return *read->refusal;
    co_return read->end.value_or(model::WalEnd{model::Lsn{0}});
}

template <class T>
Async<T> SimHost::do_there(std::string what, Instant deadline, std::function<Result<T>()> deed) {
    const Node from = transport_ == model::Transport::local ? 0 : world_.at(server_).node;
    std::function<void(std::shared_ptr<Reply<Said<T>>>)> script = [&world = world_, server = server_, from,
                                                                   deed = std::move(deed)](const auto& reply) {
        world.agenda.after(world.random.between(Duration{5ms}, 60ms), [&world, server, from, deed, reply] {
            if (!world.at(server).powered) return;
            Said<T> said;
            auto came = deed();
            if (came)
                said.value = *std::move(came);
            else
                said.refusal = came.error();
            answer(world, from, reply, std::move(said));
        });
    };
    if (world_.at(server_).sudo_denied) co_return Error{ErrorKind::denied, "sudo: a password is required"};
    const auto said = co_await run<Said<T>>(std::move(what), deadline, std::move(script));
    if (!said) co_return said.error();
    if (said->refusal) co_return *said->refusal;
    co_return said->value.value_or(T{});
}

Async<model::RewindLook> SimHost::look_for_rewind(Instant deadline) {
    std::function<Result<model::RewindLook>()> deed = [&world = world_, server = server_] {
        return Result<model::RewindLook>{sim::look_for_rewind(world, server)};
    };
    co_return co_await do_there<model::RewindLook>("look before a rewind", deadline, std::move(deed));
}

Async<model::Divergence> SimHost::measure_divergence(const model::DivergenceQuestion& question, Instant deadline) {
    std::function<Result<model::Divergence>()> deed = [&world = world_, server = server_, question] {
        return sim::measure_divergence(world, server, question);
    };
    co_return co_await do_there<model::Divergence>("measure the divergence", deadline, std::move(deed));
}

Async<model::RewindProgress> SimHost::rewind(const ports::RewindWanted& wanted, Instant deadline) {
    std::function<Result<model::RewindProgress>()> deed = [&world = world_, server = server_, wanted] {
        return sim::rewind(world, server, wanted);
    };
    co_return co_await do_there<model::RewindProgress>("rewind", deadline, std::move(deed));
}

Async<void> SimHost::end_rewind(model::SystemId expected, Instant deadline) {
    std::function<Result<Started>()> deed = [&world = world_, server = server_, expected] {
        const auto ended = sim::end_rewind(world, server, expected);
        return ended ? Result<Started>{Started{}} : Result<Started>{ended.error()};
    };
    const auto ended = co_await do_there<Started>("end a rewind", deadline, std::move(deed));
    if (!ended) co_return ended.error();
    co_return Result<void>{};
}

template <class T>
Async<T> SimHost::work_there(std::string what, Instant deadline, std::function<Said<T>()> work) {
    if (world_.at(server_).sudo_denied) co_return Error{ErrorKind::denied, "sudo: a password is required"};
    const Node from = transport_ == model::Transport::local ? 0 : world_.at(server_).node;
    std::function<void(std::shared_ptr<Reply<Said<T>>>)> script =
        [&world = world_, server = server_, from, expires = waits_->truly(deadline) - way_back, work = std::move(work)](const auto& reply) {
            world.agenda.after(world.random.between(Duration{2ms}, 30ms), [&world, server, from, expires, work, reply] {
                if (world.at(server).powered && world.agenda.now() < expires) answer(world, from, reply, work());
            });
        };
    const auto said = co_await run<Said<T>>(std::move(what), deadline, std::move(script));
    if (!said) co_return said.error();
    if (said->value) co_return *said->value;
    co_return said->refusal.value_or(Error{ErrorKind::failed, "nothing was said"});
}

Async<model::PackedWal> SimHost::read_wal(const model::WalStretch& stretch, Instant deadline) {
    std::function<Said<model::PackedWal>()> work = [&world = world_, server = server_, stretch] {
        return read_stretch(world, server, stretch);
    };
    co_return co_await work_there<model::PackedWal>("read WAL", deadline, std::move(work));
}

Async<model::WalPlace> SimHost::make_wal_place(const model::WalStretch& stretch, Instant deadline) {
    std::function<Said<model::WalPlace>()> work = [&world = world_, server = server_, stretch] {
        return make_place(world, server, stretch);
    };
    co_return co_await work_there<model::WalPlace>("make a place for WAL", deadline, std::move(work));
}

Async<void> SimHost::put_wal(const model::WalStretch& stretch, const model::PackedWal& wal, Instant deadline) {
    std::function<Said<Started>()> work = [&world = world_, server = server_, stretch, wal] {
        return put_stretch(world, server, stretch, wal);
    };
    const auto put = co_await work_there<Started>("bring WAL", deadline, std::move(work));
    if (!put) co_return put.error();
    co_return Result<void>{};
}

Async<void> SimHost::remove_wal_place(Instant deadline) {
    std::function<Said<Started>()> work = [&world = world_, server = server_] {
        world.at(server).disk.brought.reset();
        return Said<Started>{.value = Started{}};
    };
    const auto removed = co_await work_there<Started>("remove the place for WAL", deadline, std::move(work));
    if (!removed) co_return removed.error();
    co_return Result<void>{};
}

/// What is done to a standby only, and to one that runs.
Async<void> SimHost::change(
    std::string what, model::SystemId expected, Instant deadline, std::function<void(std::shared_ptr<Reply<Done>>)> script) {
    if (expected != world_.system_of(server_)) co_return Error{ErrorKind::refused, "the directory belongs to another system"};
    if (world_.at(server_).sudo_denied) {
        const auto tried = co_await look(deadline);
        if (!tried) co_return tried.error();
    }
    const Node from = transport_ == model::Transport::local ? 0 : world_.at(server_).node;
    std::function<void(std::shared_ptr<Reply<Done>>)> checked = [&world = world_, server = server_, from,
                                                                 script = std::move(script)](const auto& reply) {
        const Server& it = world.at(server);
        const auto refuse = [&](const char* why) { answer(world, from, reply, Done{.refusal = Error{ErrorKind::refused, why}}); };
        if (!it.disk.standby_mark) return refuse("the data directory is not marked standby");
        if (it.postmaster == Server::Postmaster::none) return refuse("no server runs there");
        script(reply);
    };
    const auto outcome = co_await run<Done>(std::move(what), deadline, std::move(checked));
    if (!outcome) co_return outcome.error();
    if (outcome->refusal) co_return *outcome->refusal;
    co_return Result<void>{};
}

Async<void> SimHost::promote(model::SystemId expected, WallTime expires, Instant deadline) {
    if (world_.on_promotion_asked) world_.on_promotion_asked();
    const Node from = transport_ == model::Transport::local ? 0 : world_.at(server_).node;
    std::function<void(std::shared_ptr<Reply<Done>>)> script = [&world = world_, server = server_, from, expires](const auto& reply) {
        const auto arrive = [&world, server, from, expires, reply] {
            const Server& it = world.at(server);
            if (SimClock::wall_of(world.agenda.now() + it.clock_ahead) >= expires) {
                world.note(it.name.text(), "drops a promotion that came too late");
                return answer(
                    world, from, reply, Done{.refusal = Error{ErrorKind::refused, "its time had passed by the clock of that host"}});
            }
            if (it.refuses_promotion)
                return answer(world, from, reply, Done{.refusal = Error{ErrorKind::failed, "pg_ctl: could not send promote signal"}});
            world.when_running(server, [&world, server] { world.begin_promotion(server); });
            answer(world, from, reply, Done{});
        };
        Server& it = world.at(server);
        if (!it.holds_promotions) return arrive();
        it.held_promotions.emplace_back(arrive);
    };
    co_return co_await change("promote over the host", expected, deadline, std::move(script));
}

Async<void> SimHost::restart_standby(model::SystemId expected, Instant deadline) {
    const Node from = transport_ == model::Transport::local ? 0 : world_.at(server_).node;
    std::function<void(std::shared_ptr<Reply<Done>>)> script = [&world = world_, server = server_, from](const auto& reply) {
        world.note(world.at(server).name.text(), "is restarted over its host");
        world.fast_stop(server, [&world, server, from, reply] {
            world.start(server, false);
            answer(world, from, reply, Done{});
        });
    };
    co_return co_await change("restart", expected, deadline, std::move(script));
}

asio::awaitable<model::Reach> SimHost::reach(const std::string& hostname, std::uint16_t /*port*/, Duration patience, Instant deadline) {
    const Node from = transport_ == model::Transport::local ? 0 : world_.at(server_).node;
    std::function<void(std::shared_ptr<Reply<model::Reach>>)> script = [&world = world_, server = server_, from, hostname,
                                                                        patience](const auto& reply) {
        const Node here = world.at(server).node;
        for (const Server& other : world.servers) {
            if (other.name.text() + ".example" != hostname) continue;
            if (world.network.refusing(here, other.node)) return answer(world, from, reply, model::Reach::refused);
            if (!other.powered || other.frozen || other.postmaster_stopped || !world.network.up_both(here, other.node)) {
                world.agenda.after(patience, [&world, from, reply] { answer(world, from, reply, model::Reach::silent); });
                return;
            }
            return answer(
                world, from, reply,
                other.postmaster == Server::Postmaster::none || other.port_closed ? model::Reach::refused : model::Reach::accepted);
        }
        answer(world, from, reply, model::Reach::unknown);
    };
    const auto reached = co_await run<model::Reach>("reach", deadline, std::move(script));
    co_return reached ? *reached : model::Reach::unknown;
}

}  // namespace handyrep::sim
