// lab/machine_deeds.cpp — what is done to the machine of one server.
#include "base/text.hpp"
#include "lab/deeds.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>

namespace handyrep::lab {

using scenarios::DeedKind;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

/// `process`, and everything that it or those below it began.
void kill_tree(pid_t process) {
    std::ifstream file(fmt::format("/proc/{0}/task/{0}/children", process));
    for (pid_t child = 0; file >> child;) kill_tree(child);
    ::kill(process, SIGKILL);
}

/// What was begun by that right ends too; else an open shell would go on using it.
Result<void> deny_sudo(const Machine& machine) {
    auto denied = write_sudoers(machine, false);
    for (const pid_t process : machine.processes("sudo")) kill_tree(process);
    return denied;
}

// In the place of sync(1): it says that the fence is writing start.conf, and lets it wait there. postgres may write in run/.
constexpr std::string_view slow_sync = R"sh(#!/bin/sh
case "$1" in
  */start.conf.new) : >"{0}/run/fence-began"; while [ -e "{0}/hold-sync" ]; do sleep 0.02; done;;
esac
exec "{0}/sync" "$@"
)sh";

}  // namespace

Result<void> Deeds::write_managers_names() { return site_.write_names_of(site_.manager().machine(), forgotten_); }

Deeds::Outcome Deeds::deny_sudo_halfway(Server& server) {
    Machine& machine = server.machine();
    const std::string folder = machine.folder();
    auto placed = machine.run(
        {.arguments =
             {"sh", "-c",
              fmt::format(
                  "cd '{0}' && cp /usr/bin/sync sync && cat >slow-sync && chmod 755 sync slow-sync && rm -f run/fence-began && : >hold-sync "
                  "&& mount --bind slow-sync /usr/bin/sync",
                  folder)},
         .input = fmt::format(slow_sync, folder)});
    if (!placed) return placed.error();
    auto denier = std::make_shared<std::jthread>([this, &machine, folder](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            std::this_thread::sleep_for(milliseconds{5});
            if (!std::filesystem::exists(folder + "/run/fence-began")) continue;
            const auto denied = deny_sudo(machine);
            told_(denied ? "sudo is denied, the fence has begun" : denied.error().text());
            return;
        }
    });
    return Undo{[&machine, folder, denier]() -> Result<void> {
        denier->request_stop();
        denier->join();
        auto removed = machine.shell(fmt::format("rm -f '{}/hold-sync'; umount /usr/bin/sync", folder));
        if (!removed) return removed.error();
        return write_sudoers(machine, true);
    }};
}

bool Deeds::is_of_host(DeedKind kind) {
    return kind == DeedKind::power_off || kind == DeedKind::power_on || kind == DeedKind::link_down || kind == DeedKind::sshd_down ||
           kind == DeedKind::sudo_denied || kind == DeedKind::name_lost;
}

/// Whoever lives there.
Deeds::Outcome Deeds::to_host(DeedKind kind, Machine& machine) {
    switch (kind) {
        case DeedKind::power_off: return power_off(machine);
        case DeedKind::power_on: {
            if (auto booted = site_.boot(machine); !booted) return booted.error();
            return Undo{};
        }
        case DeedKind::link_down: {
            if (auto down = site_.fabric().set_link(machine, false); !down) return down.error();
            return Undo{[this, &machine] { return site_.fabric().set_link(machine, true); }};
        }
        case DeedKind::sshd_down:
            for (const pid_t process : machine.processes("sshd")) ::kill(process, SIGKILL);
            return Undo{[&machine] { return start_sshd(machine); }};
        case DeedKind::sudo_denied: {
            if (auto denied = deny_sudo(machine); !denied) return denied.error();
            return Undo{[&machine] { return write_sudoers(machine, true); }};
        }
        case DeedKind::name_lost: {
            forgotten_.insert(machine.name());
            if (auto written = write_managers_names(); !written) return written.error();
            return Undo{[this, name = machine.name()] {
                forgotten_.erase(name);
                return write_managers_names();
            }};
        }
        default: break;
    }
    return Error{ErrorKind::unsupported, fmt::format("the lab cannot do {} to a host", word_for(kind))};
}

Deeds::Outcome Deeds::to_machine(DeedKind kind, Server& server) {
    Machine& machine = server.machine();
    switch (kind) {
        case DeedKind::reboot: {
            if (server.has_processes()) {
                if (auto stopped = server.stop(); !stopped) return stopped.error();
            }
            return power_off(machine);
        }
        case DeedKind::autostart_off: {
            if (auto off = server.set_autostart(false); !off) return off.error();
            return Undo{[&server] { return server.set_autostart(true); }};
        }
        case DeedKind::address_changed: {
            const std::string before = machine.address();
            if (auto changed = site_.change_address(machine, Site::other_address(before)); !changed) return changed.error();
            return Undo{[this, &machine, before] { return site_.change_address(machine, before); }};
        }
        case DeedKind::slow_logins: {
            // sshd runs it before what was asked for (sshd(8), SSHRC).
            const std::string home = machine.folder() / "home";
            auto slowed =
                machine.shell(fmt::format("mkdir -p '{0}/.ssh' && echo 'sleep 1.5' >'{0}/.ssh/rc' && chmod -R a+rX '{0}/.ssh'", home));
            if (!slowed) return slowed.error();
            return Undo{[&machine, home]() -> Result<void> {
                auto removed = machine.shell(fmt::format("rm -f '{}/.ssh/rc'", home));
                if (!removed) return removed.error();
                return {};
            }};
        }
        case DeedKind::sudo_denied_halfway: return deny_sudo_halfway(server);
        case DeedKind::port_closed: {
            if (auto closed = site_.fabric().close_port(machine, postgres_port, true); !closed) return closed.error();
            return Undo{[this, &machine] { return site_.fabric().close_port(machine, postgres_port, false); }};
        }
        default: return to_disk(kind, server);
    }
}

Deeds::Outcome Deeds::power_off(Machine& machine) {
    site_.cut_power(machine);
    return Undo{[this, &machine] { return site_.boot(machine); }};
}

}  // namespace handyrep::lab
