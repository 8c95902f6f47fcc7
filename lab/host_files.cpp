#include "lab/host_files.hpp"

#include "tests/harness/temporary_folder.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

namespace handyrep::lab {

using std::chrono::seconds;

namespace {

/// Nobody's on a usual machine, and below those that are given out by themselves.
constexpr uid_t ssh_user_id = 58771;

/// In place: a file that is bound over another must stay the same file.
Result<void> rewrite(const std::filesystem::path& path, const std::string& content, mode_t mode) {
    {
        std::ofstream file(path, std::ios::trunc | std::ios::binary);
        file << content;
        file.flush();
        if (!file) return Error{ErrorKind::failed, path.string() + " cannot be written"};
    }
    if (::chmod(path.c_str(), mode) != 0) return Error{ErrorKind::failed, fmt::format("{}: {}", path.string(), std::strerror(errno))};
    return {};
}

Result<std::string> with_line(const char* file, const std::string& line) {
    auto text = harness::read_file(file);
    if (!text) return text;
    return *text + line + "\n";
}

Result<void> make_key(const std::filesystem::path& file) {
    auto made = harness::run_well(
        {.arguments = {"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "handyrep-lab", "-f", file}, .folder = file.parent_path()},
        seconds{20});
    if (!made) return made.error();
    return {};
}

Result<void> write_users(const Machine& machine) {
    const auto etc = machine.folder() / "etc";
    struct Addition {
        const char* file;
        std::string line;
        mode_t mode;
    };
    const std::string home = machine.folder() / "home";
    for (const Addition& it :
         {Addition{"/etc/passwd", fmt::format("{0}:x:{1}:{1}::{2}:/bin/sh", ssh_user, ssh_user_id, home), 0644},
          Addition{"/etc/group", fmt::format("{}:x:{}:", ssh_user, ssh_user_id), 0644},
          Addition{"/etc/shadow", fmt::format("{}:*:19000:0:99999:7:::", ssh_user), 0640}}) {
        const auto text = with_line(it.file, it.line);
        if (!text) return text.error();
        if (auto written = rewrite(etc / std::filesystem::path{it.file}.filename(), *text, it.mode); !written) return written;
    }
    return {};
}

Result<void> write_sshd(const HostFiles& files, const Machine& machine) {
    const auto& folder = machine.folder();
    if (auto made = make_key(folder / "host_key"); !made) return made;
    auto key = harness::read_file(files.client_key().string() + ".pub");
    if (!key) return key.error();
    if (auto written = rewrite(folder / "authorized_keys", *key, 0644); !written) return written;
    return rewrite(
        folder / "sshd_config",
        fmt::format(
            R"(Port 22
HostKey {0}/host_key
PidFile none
AuthorizedKeysFile {0}/authorized_keys
PubkeyAuthentication yes
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin no
AllowUsers {1}
UsePAM no
StrictModes no
UseDNS no
MaxSessions 100
MaxStartups 100
)",
            folder.string(), ssh_user),
        0644);
}

}  // namespace

Result<void> write_names(const Machine& machine, const std::vector<const Machine*>& all, const std::vector<std::string>& forgotten) {
    std::string text = "127.0.0.1 localhost\n";
    for (const Machine* it : all) {
        if (std::ranges::count(forgotten, it->name()) == 0) text += fmt::format("{} {} {}\n", it->address(), it->host_name(), it->name());
    }
    return rewrite(machine.folder() / "etc" / "hosts", text, 0644);
}

Result<void> write_name_service(const Machine& machine, const std::string& address) {
    return rewrite(machine.folder() / "etc" / "resolv.conf", fmt::format("nameserver {}\noptions timeout:5 attempts:2\n", address), 0644);
}

Result<void> write_sudoers(const Machine& machine, bool allowed) {
    std::string text = "Defaults !pam_session\nroot ALL=(ALL:ALL) ALL\n";
    if (allowed) text += fmt::format("{} ALL=(ALL:ALL) NOPASSWD: ALL\n", ssh_user);
    return rewrite(machine.folder() / "etc" / "sudoers", text, 0440);
}

Result<void> HostFiles::make_keys() const {
    if (auto made = make_key(client_key()); !made) return made;
    return rewrite(
        ssh_config(),
        fmt::format(
            R"(Host *
    User {0}
    IdentityFile {1}/manager_key
    IdentitiesOnly yes
    IdentityAgent none
    UserKnownHostsFile {1}/known_hosts
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
    KexAlgorithms curve25519-sha256
)",
            ssh_user, lab.string()),
        0600);
}

Result<void> HostFiles::write(const Machine& machine) const {
    const auto folder = machine.folder();
    std::error_code error;
    for (const char* name : {"etc/postgresql", "home", "log", "run"}) {
        std::filesystem::create_directories(folder / name, error);
        if (error) return Error{ErrorKind::failed, fmt::format("{}: {}", (folder / name).string(), error.message())};
    }
    if (::chown((folder / "home").c_str(), ssh_user_id, ssh_user_id) != 0)
        return Error{ErrorKind::failed, "the home of the manager's login cannot be given to it"};
    for (const char* name : {"log", "run"}) {
        if (auto given = harness::give_to_server_user(folder / name); !given) return given;
    }
    if (auto written = write_users(machine); !written) return written;
    if (auto written = write_sudoers(machine, true); !written) return written;
    if (auto written = write_names(machine, machines); !written) return written;
    const std::string sources = "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n";
    if (auto written = rewrite(folder / "etc" / "nsswitch.conf", sources, 0644); !written) return written;
    // Nobody serves names on loopback: what is not in the file is unknown at once.
    if (auto written = write_name_service(machine, "127.0.0.1"); !written) return written;
    return write_sshd(*this, machine);
}

Result<void> HostFiles::write_known_hosts() const {
    std::string text;
    for (const Machine* it : machines) {
        const auto key = harness::read_file(it->folder() / "host_key.pub");
        if (!key) return key.error();
        text += fmt::format("{},{} {}", it->host_name(), it->address(), *key);
    }
    return rewrite(lab / "known_hosts", text, 0600);
}

Result<void> start_sshd(const Machine& machine) {
    auto started = machine.run(
        {.arguments = {"/usr/sbin/sshd", "-f", machine.folder() / "sshd_config", "-E", machine.folder() / "sshd.log"}}, seconds{20});
    if (!started) return started.error().during("start sshd");
    return {};
}

}  // namespace handyrep::lab
