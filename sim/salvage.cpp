#include "sim/salvage.hpp"

#include "model/version_facts.hpp"

#include <fmt/format.h>

#include <charconv>

namespace handyrep::sim {

namespace {

constexpr std::uint64_t page = 8192;

Error refused(const char* why) { return {ErrorKind::refused, why}; }

}  // namespace

Said<model::PackedWal> read_stretch(const World& world, ServerIndex server, const model::WalStretch& stretch) {
    const Server& it = world.at(server);
    if (stretch.system_id != world.system_of(server)) return {.refusal = refused("the data directory belongs to another system")};
    if (it.has_processes()) return {.refusal = Error{ErrorKind::conflict, "processes hold the data directory: its WAL has no end yet"}};
    if (world.branches.timeline(it.disk.branch) != stretch.timeline || stretch.to > it.disk.end)
        return {.refusal = Error{ErrorKind::failed, "there is no such WAL"}};
    return {.value = model::PackedWal{fmt::format("{}", it.disk.branch)}};
}

Said<model::WalPlace> make_place(World& world, ServerIndex server, const model::WalStretch& stretch) {
    Server& it = world.at(server);
    if (stretch.system_id != world.system_of(server)) return {.refusal = refused("the data directory belongs to another system")};
    const std::uint64_t begin = gap(model::Lsn{0}, stretch.from).count;
    const model::Lsn from{begin - begin % page};
    it.disk.brought = BroughtWal{it.disk.branch, from, from};
    return {.value = model::WalPlace{"/kept/salvage", from}};
}

Said<Started> put_stretch(World& world, ServerIndex server, const model::WalStretch& stretch, const model::PackedWal& wal) {
    Server& it = world.at(server);
    if (!it.disk.brought || it.disk.brought->to < stretch.from) return {.refusal = refused("there is no such place")};
    if (!it.can_write_wal()) return {.refusal = Error{ErrorKind::failed, "it could not be written"}};
    std::from_chars(wal.text.data(), wal.text.data() + wal.text.size(), it.disk.brought->branch);
    it.disk.brought->to = stretch.to;
    return {.value = Started{}};
}

std::optional<Error> offer(World& world, ServerIndex server, std::uint64_t operation) {
    Server& it = world.at(server);
    if (model::facts_of(model::ServerVersion{it.setup.version}).salvaging != model::Salvaging::by_reload)
        return Error{ErrorKind::unsupported, "this version cannot change restore_command without a restart"};
    if (!it.in_recovery) return refused("the server is not in recovery");
    it.disk.offer = Offer{operation, it.disk.offer ? it.disk.offer->replaced : it.disk.restore_command};
    world.note(it.name.text(), "is offered WAL that was brought to it");
    return std::nullopt;
}

void end_offer(World& world, ServerIndex server) {
    Server& it = world.at(server);
    if (!it.disk.offer) return;
    it.disk.restore_command = it.disk.offer->replaced;
    it.disk.offer.reset();
    world.note(it.name.text(), "restores from where it did before");
}

}  // namespace handyrep::sim
