// lab/disk_deeds.cpp — what is done to the disk of one server, and to the data directory on it.
#include "lab/deeds.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <chrono>

namespace handyrep::lab {

using scenarios::DeedKind;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr Duration dying = seconds{10};

void wait_until_gone(const Server& server) {
    static_cast<void>(
        harness::wait_until([&] { return !server.has_processes(); }, dying, server.name() + " has no processes", milliseconds{10}));
}

}  // namespace

/// As the kernel does after an error of the device: whoever has a file open for writing cannot write either. Only a new mount
/// ends it, after a check. A lab's servers are made without waiting for the disk, and what is not on it yet the abort throws away.
Deeds::Outcome Deeds::make_read_only(Server& server) {
    const std::string disk = server.disk();
    if (auto aborted = server.machine().shell(fmt::format("sync -f '{0}' && mount -o remount,abort '{0}'", disk)); !aborted)
        return aborted.error();
    return Undo{[&server, disk]() -> Result<void> {
        server.signal_all(SIGKILL);
        wait_until_gone(server);
        auto mended = server.machine().shell(fmt::format(
            "for i in 1 2 3 4 5 6 7 8 9 10; do umount '{0}' && break; sleep 0.5; done; e2fsck -fp '{0}.img' >/dev/null; "
            "mount -o loop '{0}.img' '{0}'",
            disk));
        if (!mended) return mended.error();
        return {};
    }};
}

/// A file that leaves so much of the disk free.
Deeds::Outcome Deeds::fill(Server& server, const std::string& disk, unsigned percent_left) {
    auto filled = server.machine().shell(
        percent_left == 0
            ? fmt::format("fallocate -l 4G '{0}/filler' 2>/dev/null || dd if=/dev/zero of='{0}/filler' bs=1M 2>/dev/null; :", disk)
            : fmt::format(
                  "set -- $(df -Pk '{0}' | tail -n 1); fallocate -l $(( ($4 - $2 * {1} / 100) * 1024 )) '{0}/filler'", disk, percent_left));
    if (!filled) return filled.error();
    return Undo{[&server, disk]() -> Result<void> {
        auto freed = server.machine().shell(fmt::format("rm -f '{}/filler'", disk));
        if (!freed) return freed.error();
        return {};
    }};
}

Deeds::Outcome Deeds::to_disk(DeedKind kind, Server& server) {
    const std::string disk = server.disk();
    const std::string data = server.data();
    switch (kind) {
        case DeedKind::storage_stalled: {
            if (auto frozen = server.machine().shell(fmt::format("fsfreeze --freeze '{}'", disk)); !frozen) return frozen.error();
            return Undo{[&server, disk]() -> Result<void> {
                auto thawed = server.machine().shell(fmt::format("fsfreeze --unfreeze '{}'", disk));
                if (!thawed) return thawed.error();
                return {};
            }};
        }
        case DeedKind::wal_full: {
            auto undo = fill(server, server.wal_disk(), 0);
            // What is reserved already would last for a while.
            if (const auto filled = server.ask("SELECT pg_switch_wal()::text"); !filled) told_("wal_full: " + filled.error().text());
            return undo;
        }
        case DeedKind::data_full:
            if (server.wal_disk() == server.disk())
                return Error{ErrorKind::invalid, "its WAL is on the same disk: it needs the layout wal_apart"};
            return fill(server, disk, 0);
        case DeedKind::read_only_disk: return make_read_only(server);
        case DeedKind::mark_denied: {
            const auto change = [&server, data](char sign) -> Result<void> {
                auto changed = server.machine().shell(fmt::format("chattr {}i '{}'", sign, data));
                if (!changed) return changed.error();
                return {};
            };
            if (auto denied = change('+'); !denied) return denied.error();
            return Undo{[change] { return change('-'); }};
        }
        case DeedKind::disk_nearly_full: return fill(server, disk, 3);
        case DeedKind::foreign: return replace_with_another_system(server);
        case DeedKind::back_up: {
            auto made = server.program(
                {"pg_basebackup", "-D", disk + "/backup", "-X", "stream", "-c", "fast", "--no-sync", "--no-manifest", "-d",
                 fmt::format("host=127.0.0.1 user={} passfile={}/replication.pgpass", replication_user, disk)});
            if (!made) return made.error();
            return Undo{};
        }
        case DeedKind::restore_backup: {
            by_hand_.insert(server.name());
            if (server.has_processes()) {
                if (auto stopped = server.stop("immediate"); !stopped) return stopped.error();
            }
            wait_until_gone(server);
            auto restored = server.as_owner(fmt::format("rm -rf '{0}' && cp -a '{1}/backup' '{0}'", data, disk), seconds{60});
            if (!restored) return restored.error();
            if (auto started = server.begin_start(); !started) return started.error();
            return Undo{};
        }
        default: return to_settings(kind, server);
    }
}

/// A standby of nobody, of a cluster that was initialised anew.
Deeds::Outcome Deeds::replace_with_another_system(Server& server) {
    const std::string data = server.data();
    if (server.has_processes()) {
        if (auto stopped = server.stop("immediate"); !stopped) return stopped.error();
    }
    wait_until_gone(server);
    auto replaced = server.as_owner(
        fmt::format(
            "set -e; cp '{0}/lab.conf' '{0}/pg_hba.conf' '{1}'; rm -rf '{0}'; cat >'{1}/first'; chmod 600 '{1}/first'; "
            "'{2}/initdb' -D '{0}' -U postgres --auth=scram-sha-256 --pwfile='{1}/first' --no-sync --locale=C >/dev/null; "
            "rm '{1}/first'; mv '{1}/lab.conf' '{1}/pg_hba.conf' '{0}'; echo \"include 'lab.conf'\" >>'{0}/postgresql.conf'; '{2}/pg_ctl' -D '{0}' -s -l /dev/null -w start; '{2}/pg_ctl' -D '{0}' -s -w stop; "
            "touch '{0}/standby.signal'",
            data, server.disk().string(), server.programs().string()),
        seconds{60}, site_.passwords().superuser.reveal() + "\n");
    if (!replaced) return replaced.error();
    if (auto started = server.begin_start(); !started) return started.error();
    return Undo{};
}

}  // namespace handyrep::lab
