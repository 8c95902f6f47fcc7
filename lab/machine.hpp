// lab/machine.hpp — a host of its own: network, processes, mounts and name, all under one process that is its init.
//
// Namespaces without names: nothing of them is in a file system or list of this machine, and the kernel ends every process and
// mount of a host when its init is killed. That is also how its power is cut.
#pragma once

#include "base/result.hpp"
#include "tests/harness/process.hpp"

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace handyrep::lab {

struct Place {
    std::string name;
    std::string address{};         // on the hosts' network; empty: it has none
    std::filesystem::path folder;  // its own, outside: etc, home, run, disk.img
};

/// Whether this process may make namespaces, loop devices and packet filters. An error says what is missing.
Result<void> can_have_hosts();

class Machine {
public:
    explicit Machine(Place place) : place_{std::move(place)} {}
    Machine(const Machine&) = delete;
    Machine& operator=(const Machine&) = delete;
    ~Machine() = default;  // it runs on: its folder's guardian ends it

    /// Makes it run: its own files over those in /etc, its disk mounted, no network yet. Nothing when it runs already.
    Result<void> power_on();
    /// As a cut of its power: nothing gets to say a last word.
    void power_off();
    [[nodiscard]] bool on() const;

    [[nodiscard]] const std::string& name() const { return place_.name; }
    [[nodiscard]] const std::string& address() const { return place_.address; }
    void set_address(std::string address) { place_.address = std::move(address); }
    [[nodiscard]] const std::filesystem::path& folder() const { return place_.folder; }
    /// "db1.lab": how the others call it.
    [[nodiscard]] std::string host_name() const { return place_.name + ".lab"; }
    /// Its init, as numbered out here. Fails with `unreachable` when it is off.
    [[nodiscard]] Result<pid_t> init() const;

    /// A path in here, as it is reached from outside: its disks are mounted in here only.
    [[nodiscard]] std::filesystem::path from_outside(const std::filesystem::path& path) const;

    /// `command`, run in here; `command.user` in here too.
    [[nodiscard]] Result<harness::Command> inside(const harness::Command& command) const;
    /// Fails when it says anything but yes.
    Result<std::string> run(const harness::Command& command, Duration limit = std::chrono::seconds{30}) const;
    Result<std::string> shell(const std::string& script, Duration limit = std::chrono::seconds{30}) const;

    /// Its processes of this name ("postgres", "sshd"; empty: all), as numbered out here.
    [[nodiscard]] std::vector<pid_t> processes(const std::string& command_name) const;

    /// Runs `work` on a thread that is in this host's network, and waits for it.
    Result<void> visit(const std::function<void()>& work) const;
    /// Takes the calling thread into this host's network for the rest of its life.
    Result<void> enter() const;

private:
    Place place_;
};

/// "S", and the line that `ps` would show.
std::string command_line_of(pid_t process);

}  // namespace handyrep::lab
