#include "cli/files.hpp"

#include "base/text.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

namespace handyrep::cli {

namespace {

constexpr off_t longest_file = 4 << 20;

Error cannot_read(const std::string& path, int code) {
    const ErrorKind kind = code == EACCES || code == EPERM ? ErrorKind::denied : ErrorKind::invalid;
    return Error{kind, fmt::format("cannot read {}: {}", path, std::strerror(code))};
}

std::optional<config::Problem> exposed_passwords(const config::Configuration& configuration) {
    const config::Passwords& passwords = configuration.passwords;
    if (passwords.superuser.empty() && passwords.replication.empty() && passwords.admin.empty() && passwords.read.empty())
        return std::nullopt;
    struct stat about{};
    if (::stat(configuration.file_name.c_str(), &about) != 0 || (about.st_mode & S_IROTH) == 0) return std::nullopt;
    return config::Problem{
        .file = configuration.file_name,
        .key = "passwords",
        .text = fmt::format("the file holds passwords and everybody on this machine may read it: chmod o-r {}", configuration.file_name)};
}

/// libpq's own rule for a private key, asked before libpq refuses it in the middle of the night.
bool libpq_refuses_key(const struct stat& about) {
    const mode_t others = about.st_uid == 0 ? S_IWGRP | S_IXGRP | S_IRWXO : S_IRWXG | S_IRWXO;
    return (about.st_mode & others) != 0;
}

/// What keeps libpq from using this file; nothing: it can.
std::optional<std::string> trouble_with(const std::string& path, bool is_key) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) {
        return fmt::format(
            "cannot read {}: {}; expected a file on this machine that the daemon's user may read", path, std::strerror(errno));
    }
    struct stat about{};
    const bool known = ::fstat(file, &about) == 0;
    ::close(file);
    if (!known || !S_ISREG(about.st_mode)) return fmt::format("{} is not a file", path);
    if (is_key && libpq_refuses_key(about)) {
        return fmt::format(
            "others than its owner may read or change {}, and libpq refuses such a key: chmod {} {}", path,
            about.st_uid == 0 ? "u=rw,g=r,o=" : "0600", path);
    }
    return std::nullopt;
}

}  // namespace

Result<std::string> read_text_file(const std::string& path) {
    struct stat about{};
    if (::stat(path.c_str(), &about) != 0) return cannot_read(path, errno);
    if (S_ISDIR(about.st_mode)) return cannot_read(path, EISDIR);
    if (about.st_size > longest_file) return cannot_read(path, EFBIG);
    std::ifstream file(path, std::ios::binary);
    if (!file) return cannot_read(path, errno);
    std::ostringstream text;
    text << file.rdbuf();
    if (file.bad()) return cannot_read(path, EIO);
    return std::move(text).str();
}

std::string configuration_file(const GlobalOptions& global, const Environment& environment) {
    if (global.config) return *global.config;
    return environment("HANDYREP_CONFIG").value_or(std::string(default_configuration_file));
}

std::vector<config::Problem> problems_of_files(const config::Configuration& configuration) {
    std::vector<config::Problem> out;
    if (auto exposed = exposed_passwords(configuration)) out.push_back(*std::move(exposed));
    for (const config::Setting& it : configuration.settings) {
        const bool is_key = it.key == "sslkey";
        if (it.section != "servers" || it.value.empty() || !(is_key || it.key == "sslcert" || it.key == "sslrootcert")) continue;
        auto trouble = trouble_with(it.value, is_key);
        if (!trouble) continue;
        const bool shared = it.origin.source == config::Origin::Source::server_defaults;
        config::Problem problem{
            .file = configuration.file_name,
            .line = it.origin.at.line,
            .column = it.origin.at.column,
            .key = shared ? fmt::format("server_defaults.{}", it.key) : fmt::format("servers.{}.{}", it.server, it.key),
            .text = *std::move(trouble)};
        // What all servers have from server_defaults is said once.
        if (std::ranges::find(out, problem) == out.end()) out.push_back(std::move(problem));
    }
    return out;
}

Result<Target> local_target(const config::Configuration& configuration, const Environment& environment) {
    Target target;
    target.port = configuration.listen.port;
    target.host = configuration.listen.host;
    if (target.host == "0.0.0.0") target.host = "127.0.0.1";
    if (target.host == "::") target.host = "::1";
    const std::string path = configuration.state_dir + "/cli.token";
    const auto token = read_text_file(path);
    if (token) {
        target.token = Secret{std::string(trim(*token))};
        return target;
    }
    if (auto other = environment("HANDYREP_TOKEN")) {
        target.token = Secret{std::move(*other)};
        return target;
    }
    if (token.error().kind == ErrorKind::denied) {
        return Error{ErrorKind::denied, token.error().what + "; run this as the daemon's user, or give a token in HANDYREP_TOKEN"};
    }
    return Error{
        ErrorKind::unreachable,
        fmt::format(
            "there is no {}: the daemon was never started with this configuration (systemctl status handyrep, or: handyrep daemon)", path)};
}

}  // namespace handyrep::cli
