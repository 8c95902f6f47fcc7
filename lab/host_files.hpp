// lab/host_files.hpp — what a host has in its own /etc: names, users, sudo's rules, the keys of its sshd.
#pragma once

#include "base/result.hpp"
#include "lab/machine.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace handyrep::lab {

inline constexpr const char* ssh_user = "handyrep";

struct HostFiles {
    std::filesystem::path lab;             // the folder of the whole lab
    std::vector<const Machine*> machines;  // all that have names
    std::filesystem::path client_key() const { return lab / "manager_key"; }
    std::filesystem::path ssh_config() const { return lab / "ssh_config"; }

    /// The manager's key, and its ssh_config; once for all hosts, before `write`.
    Result<void> make_keys() const;
    /// Everything of one host, before it is switched on first.
    Result<void> write(const Machine& machine) const;
    /// known_hosts, once every host has its key.
    Result<void> write_known_hosts() const;
};

/// The addresses that a host knows by name, without those in `forgotten`.
Result<void> write_names(const Machine& machine, const std::vector<const Machine*>& all, const std::vector<std::string>& forgotten = {});
/// Whether the manager's login may do anything by sudo.
Result<void> write_sudoers(const Machine& machine, bool allowed);
/// Whom a host asks for names that are not in its file.
Result<void> write_name_service(const Machine& machine, const std::string& address);
Result<void> start_sshd(const Machine& machine);

}  // namespace handyrep::lab
