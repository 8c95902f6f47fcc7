// Findings about the set-up: disks, slots, archive, synchronous set, versions, and what a failover would miss.
#include "base/text.hpp"
#include "decide/findings.hpp"
#include "decide/gates.hpp"
#include "model/sync_standbys.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace handyrep::decide {

using model::Bytes;
using model::ServerEvidence;
using model::ServerName;

namespace {

constexpr Bytes segment{16ULL << 20U};
constexpr Bytes few_segments{4 * segment.count};

/// Less than a twentieth, but never more than what is plenty for anybody; and in any case less than a few segments of WAL.
bool is_full(const model::Room& room) {
    constexpr Bytes plenty{10ULL << 30U};
    return room.free < std::max(few_segments, std::min(plenty, Bytes{room.size.count / 20}));
}

void find_disk(Finder& finder, const ServerName& server, const std::optional<model::Room>& room, std::string_view what) {
    if (!room || !is_full(*room)) return;
    finder.add(
        FindingKind::disk_full, server,
        fmt::format("{} has {} of {} left for its {}", server.text(), text(room->free), text(room->size), what));
}

void find_full_disks(Finder& finder, const ServerEvidence& seen) {
    const model::HostLook* const look = seen.host ? seen.host->what.look() : nullptr;
    if (look == nullptr) return;
    find_disk(finder, seen.server, look->data_room, "data");
    if (look->wal_room != look->data_room) find_disk(finder, seen.server, look->wal_room, "WAL");
}

void find_slot(Finder& finder, const ServerName& server, const model::Slot& slot, std::optional<model::Lsn> end) {
    const std::string who = fmt::format("the replication slot '{}' of {}", slot.name, server.text());
    if (slot.wal_status == "lost") {
        finder.add(FindingKind::slot_lost, server, who + " has lost WAL that it was to keep: whoever uses it must be cloned again");
    } else if (slot.wal_status == "unreserved" || (slot.safe_size && *slot.safe_size < few_segments && slot.restart)) {
        finder.add(
            FindingKind::slot_at_risk, server,
            who + (slot.safe_size ? fmt::format(" loses its WAL after another {}", text(*slot.safe_size)) : " is about to lose its WAL"));
    } else if (!slot.active && slot.restart && end && gap(*slot.restart, *end) > few_segments) {
        finder.add(
            FindingKind::slot_inactive, server,
            fmt::format("{} is used by nobody and keeps {} of WAL", who, text(gap(*slot.restart, *end))));
    }
}

void find_slots(Finder& finder, const ServerEvidence& seen) {
    const model::Details* const details = fresh_details(finder.input, seen.server);
    if (details == nullptr) return;
    std::optional<model::Lsn> end;
    if (seen.last_answer) {
        if (const auto* const primary = seen.last_answer->what.primary()) end = primary->flushed;
        if (const auto* const standby = seen.last_answer->what.standby()) end = standby->received;
    }
    for (const model::Slot& slot : details->slots) find_slot(finder, seen.server, slot, end);
}

void find_wal_sinks(Finder& finder, const ServerEvidence& primary) {
    const model::Details* const details = fresh_details(finder.input, primary.server);
    if (details != nullptr && details->archive_failing.value_or(false))
        finder.add(
            FindingKind::wal_sink_detached, primary.server,
            "archive_command fails: WAL piles up on the primary, and the archive lacks the newest");
    for (const std::string& sink : primary.wal_sinks) {
        const bool there =
            std::ranges::any_of(finder.primary_answer()->senders, [&](const model::WalSender& it) { return it.application_name == sink; });
        if (!there)
            finder.add(
                FindingKind::wal_sink_detached, primary.server,
                fmt::format("{} received WAL from the primary and does not any more: the backup's newest WAL is missing", sink));
    }
}

void find_sync_trouble(Finder& finder) {
    const auto sync = look_at_sync(finder.input, finder.primary);
    if (!sync) return;
    if (sync->attached < sync->required && sync->wait && sync->wait->backends == 0)
        finder.add(
            FindingKind::sync_shortfall, std::nullopt,
            fmt::format("{} of {} synchronous standbys are attached: the next commit will wait", sync->attached, sync->required));
    const auto set = model::SyncStandbys::parse(finder.primary_answer()->synchronous_standby_names);
    for (const std::string& name : (*set)->names) {
        if (name == "*") continue;
        const auto bearers = std::ranges::count_if(finder.input.saved.servers, [&](const model::ServerDefinition& it) {
            return it.enabled && it.name != finder.input.saved.primary && lower(application_name_of(finder.input.saved, it.name)) == name;
        });
        if (bearers == 1) continue;
        finder.add(
            FindingKind::sync_set_drift, std::nullopt,
            bearers == 0 ? fmt::format("synchronous_standby_names names '{}', which no configured replica is called", name)
                         : fmt::format("{} replicas are called '{}', which synchronous_standby_names names", bearers, name));
    }
}

void find_collations(Finder& finder, const ServerName& server) {
    const model::Details* const details = fresh_details(finder.input, server);
    if (details == nullptr) return;
    if (!details->stale_collation.empty())
        finder.add(
            FindingKind::collation_skew, server,
            fmt::format(
                "{} was built with collation version {} and now has {}: indexes on text may be out of order", server.text(),
                details->stale_collation, details->collation));
    const auto& primary = finder.input.saved.primary;
    const model::Details* const other = primary && *primary != server ? fresh_details(finder.input, *primary) : nullptr;
    if (other != nullptr && !details->collation.empty() && !other->collation.empty() && details->collation != other->collation)
        finder.add(
            FindingKind::collation_skew, server,
            fmt::format(
                "{} has collation version {}, the primary {}: after a promotion indexes on text may be out of order", server.text(),
                details->collation, other->collation));
}

void find_versions(Finder& finder) {
    const ServerEvidence* first = nullptr;
    model::ServerVersion ours{};
    for (const ServerEvidence& seen : finder.input.evidence.servers) {
        if (!seen.last_answer || is_foreign(finder.input, seen.last_answer->what)) continue;
        const auto its = seen.last_answer->what.version;
        if (first == nullptr) {
            first = &seen;
            ours = its;
        }
        if (its == ours) continue;
        finder.add(
            FindingKind::minor_skew, seen.server,
            fmt::format(
                "{} runs PostgreSQL {}.{}, {} runs {}.{}", seen.server.text(), its.major(), its.number % 100, first->server.text(),
                ours.major(), ours.number % 100));
    }
}

std::string smaller_settings(const model::Capacity& standby, const model::Capacity& primary) {
    struct Row {
        std::string_view name;
        int model::Capacity::* value;
    };
    constexpr std::array<Row, 5> rows{
        {{"max_connections", &model::Capacity::connections},
         {"max_worker_processes", &model::Capacity::worker_processes},
         {"max_wal_senders", &model::Capacity::wal_senders},
         {"max_prepared_transactions", &model::Capacity::prepared_transactions},
         {"max_locks_per_transaction", &model::Capacity::locks_per_transaction}}};
    std::string out;
    for (const Row& row : rows) {
        if (standby.*row.value < primary.*row.value) out += fmt::format("{}{}", out.empty() ? "" : ", ", row.name);
    }
    return out;
}

void find_debts(Finder& finder, const ServerName& server) {
    const model::Details* const details = fresh_details(finder.input, server);
    if (details == nullptr) return;
    const auto add = [&](std::string text) { finder.add(FindingKind::failover_degraded, server, std::move(text)); };
    if (details->can_rewind == false)
        add(fmt::format(
            "{} has neither data checksums nor wal_log_hints: after a failover it could not be rewound, only cloned", server.text()));
    const auto& primary = finder.input.saved.primary;
    if (primary == server && details->keeps_wal == false &&
        std::ranges::none_of(details->slots, [](const model::Slot& it) { return it.active; }))
        add(fmt::format("{} keeps no WAL for a replica that was away: no slot, no wal_keep_size, no archive", server.text()));
    const model::Details* const other = primary && *primary != server ? fresh_details(finder.input, *primary) : nullptr;
    if (other == nullptr || !details->capacity || !other->capacity) return;
    const std::string smaller = smaller_settings(*details->capacity, *other->capacity);
    if (!smaller.empty())
        add(fmt::format("{} has a smaller {} than the primary: it would not start again as its standby", server.text(), smaller));
}

}  // namespace

void find_setup_trouble(Finder& finder) {
    for (const model::ServerDefinition& server : finder.input.saved.servers) {
        const ServerEvidence* const seen = server.enabled ? finder.input.evidence.find(server.name) : nullptr;
        if (seen == nullptr) continue;
        find_full_disks(finder, *seen);
        find_slots(finder, *seen);
        find_collations(finder, server.name);
        find_debts(finder, server.name);
    }
    find_versions(finder);
    if (finder.primary_answer() == nullptr) return;
    find_wal_sinks(finder, *finder.primary.seen);
    find_sync_trouble(finder);
}

}  // namespace handyrep::decide
