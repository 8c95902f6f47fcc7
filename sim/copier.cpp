#include "sim/copier.hpp"

#include "model/saved_state.hpp"

#include <fmt/format.h>

#include <utility>

namespace handyrep::sim {

using namespace std::chrono_literals;
using State = model::CopyProgress::State;

namespace {

constexpr model::Bytes whole_size{2ULL << 30U};
constexpr Duration tick = 500ms;
constexpr Duration shortest_copy = 4s;
constexpr Duration longest_copy = 25s;

Error refused(std::string why) { return {ErrorKind::refused, std::move(why)}; }

std::optional<ServerIndex> host_in(const World& world, const std::string& conninfo) {
    const auto host = model::value_in(conninfo, "host");
    return host ? world.named(*host) : std::nullopt;
}

bool is_number(const Server& it, std::uint64_t operation) { return it.copy && it.copy->operation == operation; }

void end(World& world, ServerIndex server, State state, std::string said) {
    world.note(world.at(server).name.text(), fmt::format("its copy is {}: {}", model::word_for(state), said));
    world.at(server).copy->state = state;
    world.at(server).copy->said = std::move(said);
}

/// A piece of it, as long as both machines and the way between them are there.
void go_on(World& world, ServerIndex server, std::uint64_t operation, Duration takes) {
    world.agenda.after(tick, [&world, server, operation, takes] {
        Server& it = world.at(server);
        if (!is_number(it, operation) || it.copy->state != State::running) return;
        if (!it.powered) return end(world, server, State::lost, "its machine lost power");
        const Server& source = world.at(it.copy->source);
        if (!source.powered || source.postmaster != Server::Postmaster::running)
            return end(world, server, State::failed, "pg_basebackup: error: could not receive data: server closed the connection");
        if (it.disk_full || it.data_full || it.disk_read_only)
            return end(world, server, State::failed, "pg_basebackup: error: could not write to file: No space left on device");
        if (!source.frozen && world.network.up_both(it.node, source.node))
            it.copy->part += static_cast<double>(tick.count()) / static_cast<double>(takes.count());
        if (it.copy->part < 1) return go_on(world, server, operation, takes);
        it.copy->part = 1;
        it.copy->made = source.disk;
        end(world, server, State::whole, "done");
    });
}

Result<void> must_be_replaceable(World& world, ServerIndex server) {
    const Server& it = world.at(server);
    if (it.place == Place::unidentified) return refused("what stands there could not be identified as a data directory");
    if (it.place == Place::database && it.foreign) return refused("the data directory belongs to another system");
    if (it.has_processes()) return refused("processes hold the data directory");
    return {};
}

Result<void> begin_here(World& world, ServerIndex server, const ports::CopyOrder& order) {
    Server& it = world.at(server);
    if (is_number(it, order.operation)) return {};
    if (it.copy && it.copy->state == State::running) return refused("another copy is being made there");
    if (auto free = must_be_replaceable(world, server); !free) return free;
    if (it.old_aside) return refused("what was set aside is in the way");
    const auto source = host_in(world, order.source);
    if (!source) return refused("nobody knows that host");
    it.copy = CopyJob{.operation = order.operation, .source = *source, .began = world.agenda.now()};
    world.note(it.name.text(), fmt::format("a copy of {} is begun there", world.at(*source).name.text()));
    go_on(world, server, order.operation, world.random.between(shortest_copy, longest_copy));
    return {};
}

Result<void> place_here(World& world, ServerIndex server, const ports::Placing& placing) {
    Server& it = world.at(server);
    if (!is_number(it, placing.operation)) return refused("there is no copy for that operation there");
    if (it.copy->state == State::in_place) return {};
    if (it.copy->state != State::whole) return refused("the copy is not whole");
    if (auto free = must_be_replaceable(world, server); !free) return free;
    const auto upstream = host_in(world, placing.upstream);
    if (!upstream) return refused("nobody knows that host");
    if (it.mark_denied || it.disk_read_only) return Error{ErrorKind::failed, "the copy could not be put there"};
    Disk disk = it.copy->made;
    disk.control = model::ControlState::in_archive_recovery;
    disk.standby_mark = true;
    disk.autostart = it.disk.autostart;
    disk.fenced = it.disk.fenced;
    disk.follows = upstream;
    disk.follows_from_start.reset();
    disk.synchronous_standby_names = it.place == Place::database ? it.disk.synchronous_standby_names : "";
    disk.partial = 0;
    disk.replayed = disk.end;
    it.old_aside = it.place == Place::database;
    it.place = Place::database;
    it.disk = std::move(disk);
    it.copy->state = State::in_place;
    world.note(it.name.text(), "the copy stands in its place");
    world.changed();
    return {};
}

model::TargetLook look_here(const World& world, ServerIndex server) {
    const Server& it = world.at(server);
    model::TargetLook out;
    out.standing = it.place == Place::absent         ? model::Standing::absent
                   : it.place == Place::unidentified ? model::Standing::unidentified
                                                     : model::Standing::database;
    if (it.place == Place::database) out.system_id = world.system_of(server);
    out.state = it.disk.control;
    out.processes = it.processes();
    constexpr model::Bytes size{100ULL << 30U};
    const bool full = it.disk_full || it.data_full;
    out.room = model::Room{size, model::Bytes{full ? 0 : it.disk_nearly_full ? 1ULL << 30U : size.count / 2}};
    if (it.mark_denied || it.disk_read_only) out.impediment = "nobody may write there";
    if (it.old_aside) out.impediment = "what was set aside is in the way";
    if (it.copy && it.copy->state == State::running) out.impediment = "a copy is being made there already";
    return out;
}

}  // namespace

SimCopier::SimCopier(World& world, std::shared_ptr<Waits> waits, ServerIndex server, model::Transport transport)
    : Errands{world, std::move(waits), server, transport} {}

Async<void> SimCopier::change(std::string what, Instant deadline, std::function<Result<void>(World&, ServerIndex)> deed) {
    if (world_.at(server_).sudo_denied) co_return Error{ErrorKind::denied, "sudo: a password is required"};
    using Outcome = Said<Started>;
    std::function<void(std::shared_ptr<Reply<Outcome>>)> script = [&world = world_, server = server_, from = node(),
                                                                   deed = std::move(deed)](const auto& reply) {
        world.agenda.after(world.random.between(Duration{2ms}, 60ms), [&world, server, from, deed, reply] {
            if (!world.at(server).powered) return;
            Outcome said;
            if (auto done = deed(world, server); done)
                said.value = Started{};
            else
                said.refusal = done.error();
            answer(world, from, reply, said);
        });
    };
    const auto outcome = co_await run<Outcome>(std::move(what), deadline, std::move(script));
    if (!outcome) co_return outcome.error();
    if (outcome->refusal) co_return *outcome->refusal;
    co_return Result<void>{};
}

Async<model::TargetLook> SimCopier::look(model::ServerVersion /*version*/, Instant deadline) {
    if (world_.at(server_).sudo_denied) co_return Error{ErrorKind::denied, "sudo: a password is required"};
    std::function<void(std::shared_ptr<Reply<model::TargetLook>>)> script =
        [&world = world_, server = server_, from = node()](const auto& reply) { answer(world, from, reply, look_here(world, server)); };
    co_return co_await run<model::TargetLook>("look at the place of its data", deadline, std::move(script));
}

Async<void> SimCopier::make_directory(Instant deadline) {
    co_return co_await change("make the data directory", deadline, [](World& world, ServerIndex server) -> Result<void> {
        if (world.at(server).disk_read_only) return Error{ErrorKind::failed, "it could not be made"};
        return {};
    });
}

Async<Secret> SimCopier::own_conninfo(Instant deadline) {
    auto seen = co_await look({}, deadline);
    if (!seen) co_return seen.error();
    co_return Secret{};
}

Async<void> SimCopier::begin(const ports::CopyOrder& order, Instant deadline) {
    co_return co_await change(
        "begin a copy", deadline, [order](World& world, ServerIndex server) { return begin_here(world, server, order); });
}

Async<model::CopyProgress> SimCopier::progress(std::uint64_t operation, Instant deadline) {
    if (world_.at(server_).sudo_denied) co_return Error{ErrorKind::denied, "sudo: a password is required"};
    std::function<void(std::shared_ptr<Reply<model::CopyProgress>>)> script = [&world = world_, server = server_, from = node(),
                                                                               operation](const auto& reply) {
        const Server& it = world.at(server);
        model::CopyProgress out;
        if (is_number(it, operation)) {
            out.state = it.copy->state;
            out.copied = model::Bytes{static_cast<std::uint64_t>(it.copy->part * static_cast<double>(whole_size.count))};
            out.total = whole_size;
            out.running_for = world.agenda.now() - it.copy->began;
            out.said = it.copy->said;
        }
        answer(world, from, reply, out);
    };
    co_return co_await run<model::CopyProgress>("ask how far the copy is", deadline, std::move(script));
}

Async<void> SimCopier::abandon(std::uint64_t operation, Instant deadline) {
    co_return co_await change("end a copy", deadline, [operation](World& world, ServerIndex server) -> Result<void> {
        Server& it = world.at(server);
        if (!is_number(it, operation)) return {};
        if (it.copy->state == State::in_place) return refused("the copy stands in its place already");
        world.note(it.name.text(), "its copy is taken away");
        it.copy.reset();
        return {};
    });
}

Async<void> SimCopier::put_in_place(const ports::Placing& placing, Instant deadline) {
    co_return co_await change(
        "put the copy in place", deadline, [placing](World& world, ServerIndex server) { return place_here(world, server, placing); });
}

Async<void> SimCopier::discard_old(std::uint64_t operation, Instant deadline) {
    co_return co_await change("remove what was set aside", deadline, [operation](World& world, ServerIndex server) -> Result<void> {
        Server& it = world.at(server);
        if (!is_number(it, operation)) return {};
        it.old_aside = false;
        it.copy.reset();
        return {};
    });
}

}  // namespace handyrep::sim
