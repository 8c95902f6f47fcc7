// tests/harness/sshd.hpp — an sshd of our own on a free loopback port, with keys and configuration that touch nobody's.
#pragma once

#include "base/result.hpp"
#include "tests/harness/process.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace handyrep::harness {

class PrivateSshd {
public:
    /// Makes keys and files below `folder`/ssh and starts it; it takes logins when this returns.
    static Result<std::unique_ptr<PrivateSshd>> make(const std::filesystem::path& folder);
    PrivateSshd(const PrivateSshd&) = delete;
    PrivateSshd& operator=(const PrivateSshd&) = delete;
    ~PrivateSshd() { stop(); }

    Result<void> start();
    /// Ends the listener and every session it serves, as a stopped machine would.
    void stop();

    [[nodiscard]] std::uint16_t port() const { return port_; }
    /// Whom to log in as: the user who runs the servers, or root where that account is locked.
    [[nodiscard]] const std::string& login() const { return login_; }
    /// For `ssh -F`: every host name leads here, with our key and our known_hosts.
    [[nodiscard]] std::filesystem::path client_configuration() const { return folder_ / "ssh_config"; }
    [[nodiscard]] std::filesystem::path known_hosts() const { return folder_ / "known_hosts"; }

private:
    PrivateSshd(std::filesystem::path folder, std::uint16_t port, std::string login)
        : folder_{std::move(folder)}, port_{port}, login_{std::move(login)} {}
    Result<void> write_files() const;

    std::filesystem::path folder_;
    std::uint16_t port_;
    std::string login_;
    Background listener_;
};

}  // namespace handyrep::harness
