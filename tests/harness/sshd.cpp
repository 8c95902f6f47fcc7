#include "tests/harness/sshd.hpp"

#include "base/text.hpp"
#include "tests/harness/moment.hpp"
#include "tests/harness/server.hpp"
#include "tests/harness/temporary_folder.hpp"

#include <fmt/format.h>
#include <shadow.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>

namespace handyrep::harness {
namespace {

/// sshd without PAM lets nobody in whose password field begins with an exclamation mark, not even by key.
bool is_locked(const std::string& user) {
    const spwd* entry = ::getspnam(user.c_str());
    return entry == nullptr || entry->sp_pwdp == nullptr || *entry->sp_pwdp == '!';
}

Result<void> make_key(const std::filesystem::path& file) {
    auto made = run_well(
        {.arguments = {"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "handyrep-harness", "-f", file}, .folder = file.parent_path()},
        std::chrono::seconds{20});
    if (!made) return made.error();
    return {};
}

}  // namespace

Result<std::unique_ptr<PrivateSshd>> PrivateSshd::make(const std::filesystem::path& folder) {
    const auto own = folder / "ssh";
    std::error_code error;
    std::filesystem::create_directory(own, error);
    if (error) return Error{ErrorKind::failed, fmt::format("{}: {}", own.string(), error.message())};
    auto port = free_port();
    if (!port) return port.error();
    const std::string login = ::geteuid() == 0 && is_locked(server_user()) ? "root" : server_user();
    std::unique_ptr<PrivateSshd> sshd{new PrivateSshd(own, *port, login)};
    if (auto written = sshd->write_files(); !written) return written.error();
    if (auto started = sshd->start(); !started) return started.error();
    return sshd;
}

Result<void> PrivateSshd::write_files() const {
    for (const char* name : {"host_key", "client_key"}) {
        if (auto made = make_key(folder_ / name); !made) return made;
    }
    auto host_key = read_file(folder_ / "host_key.pub");
    if (!host_key) return host_key.error();
    auto client_key = read_file(folder_ / "client_key.pub");
    if (!client_key) return client_key.error();
    if (auto written = write_private(folder_ / "authorized_keys", *client_key, login_ != "root"); !written) return written;
    if (auto written = write_private(known_hosts(), "handyrep-harness " + *host_key); !written) return written;

    const std::string server = fmt::format(
        R"(Port {0}
ListenAddress 127.0.0.1
HostKey {1}/host_key
PidFile none
AuthorizedKeysFile {1}/authorized_keys
PubkeyAuthentication yes
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
UsePAM no
StrictModes no
UseDNS no
MaxSessions 100
MaxStartups 100
)",
        port_, folder_.string());
    if (auto written = write_private(folder_ / "sshd_config", server); !written) return written;

    const std::string client = fmt::format(
        R"(Host *
    HostName 127.0.0.1
    Port {0}
    HostKeyAlias handyrep-harness
    IdentityFile {1}/client_key
    IdentitiesOnly yes
    IdentityAgent none
    UserKnownHostsFile {1}/known_hosts
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
    KexAlgorithms curve25519-sha256
)",
        port_, folder_.string());
    return write_private(client_configuration(), client);
}

Result<void> PrivateSshd::start() {
    if (::geteuid() == 0) {
        // Where sshd locks its unprivileged half in. The system makes it when its own sshd starts, which may be never.
        std::error_code error;
        std::filesystem::create_directory("/run/sshd", error);
        if (error) return Error{ErrorKind::failed, fmt::format("/run/sshd: {}", error.message())};
    }
    auto started = Background::start(
        {.arguments = {"/usr/sbin/sshd", "-D", "-e", "-f", folder_ / "sshd_config"}, .folder = folder_}, folder_ / "sshd.log");
    if (!started) return started.error();
    listener_ = std::move(*started);
    return wait_until(
        [&] {
            const auto greeted =
                run({.arguments = {"ssh-keyscan", "-T", "1", "-t", "ed25519", "-p", std::to_string(port_), "127.0.0.1"}, .folder = folder_},
                    std::chrono::seconds{5});
            return greeted && !greeted->output.empty();
        },
        std::chrono::seconds{10}, "sshd takes logins", std::chrono::milliseconds{20});
}

void PrivateSshd::stop() {
    if (listener_.pid() <= 0) return;
    // Its sessions first: once the listener is gone nothing says any more that they were its own.
    listener_.signal(SIGSTOP);
    for (const pid_t process : descendants_of(listener_.pid())) ::kill(process, SIGKILL);
    listener_ = Background{};
}

}  // namespace handyrep::harness
