#include "api/credentials.hpp"

#include "base/text.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

namespace handyrep::api {

namespace {

constexpr std::size_t longest_file = 1 << 20;

class Descriptor {
public:
    explicit Descriptor(int number) : number_{number} {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    [[nodiscard]] int number() const { return number_; }

private:
    int number_;
};

Error system_error(std::string_view doing, const std::string& path) {
    const int code = errno;
    const ErrorKind kind = code == EACCES || code == EPERM ? ErrorKind::denied : ErrorKind::failed;
    return Error{kind, fmt::format("cannot {} {}: {}", doing, path, std::strerror(code))};
}

/// Nothing when there is no such file.
Result<std::optional<std::string>> read_file(const std::string& path) {
    const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (file.number() < 0 && errno == ENOENT) return std::optional<std::string>{};
    if (file.number() < 0) return system_error("read", path);
    std::string text;
    std::array<char, 4096> part{};
    for (;;) {
        const ssize_t got = ::read(file.number(), part.data(), part.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return system_error("read", path);
        if (got == 0) return std::optional{std::move(text)};
        text.append(part.data(), static_cast<std::size_t>(got));
        if (text.size() > longest_file) return Error{ErrorKind::invalid, fmt::format("{} is longer than 1 MiB", path)};
    }
}

bool write_all(int file, std::string_view text) {
    while (!text.empty()) {
        const ssize_t put = ::write(file, text.data(), text.size());
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return false;
        text.remove_prefix(static_cast<std::size_t>(put));
    }
    return ::fsync(file) == 0;
}

/// The password is durable before its hash: killed in between, the next start makes both anew instead of keeping a hash that nobody can log in with.
Result<std::string> first_start(const std::string& state_dir, Credentials& out) {
    const Secret password = random_secret(18);
    auto hash = hash_password(password);
    if (!hash) return hash;
    const std::string file = state_dir + "/admin.password";
    if (auto written = write_private(file, password.reveal() + "\n"); !written) return written.error();
    if (auto written = write_private(state_dir + "/admin.hash", *hash + "\n"); !written) return written.error();
    out.password_made_in = file;
    return hash;
}

Result<std::string> admin_hash(const std::string& state_dir, Credentials& out) {
    const std::string path = state_dir + "/admin.hash";
    const auto text = read_file(path);
    if (!text) return text.error();
    if (!text->has_value()) return first_start(state_dir, out);
    std::string hash(trim(**text));
    if (!is_password_hash(hash))
        return Error{ErrorKind::invalid, fmt::format("{} is damaged; delete it to have a new password made", path)};
    return hash;
}

}  // namespace

Result<void> write_private(const std::string& path, std::string_view text) {
    const std::string folder = path.substr(0, path.find_last_of('/'));
    const std::string fresh = path + ".new";
    if (::unlink(fresh.c_str()) != 0 && errno != ENOENT) return system_error("replace", fresh);
    {
        const Descriptor file{::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR)};
        if (file.number() < 0 || !write_all(file.number(), text)) return system_error("write", fresh);
    }
    if (::rename(fresh.c_str(), path.c_str()) != 0) return system_error("write", path);
    const Descriptor directory{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (directory.number() < 0 || ::fsync(directory.number()) != 0) return system_error("sync", folder);
    return {};
}

Result<std::vector<TokenLogin>> parse_tokens(std::string_view text, std::string_view file) {
    std::vector<TokenLogin> tokens;
    int number = 0;
    for (const std::string_view whole : split(text, '\n')) {
        ++number;
        const std::string_view line = trim(whole.substr(0, whole.find('#')));
        if (line.empty()) continue;
        std::vector<std::string_view> words;
        for (const std::string_view word : split(line, ' ')) {
            if (!trim(word).empty()) words.push_back(trim(word));
        }
        const auto problem = [&](std::string_view what) { return Error{ErrorKind::invalid, fmt::format("{}:{}: {}", file, number, what)}; };
        if (words.size() != 3) return problem("expected NAME read|admin DIGEST");
        if (words[1] != "read" && words[1] != "admin") return problem("the role is neither read nor admin");
        const auto digest = parse_digest(words[2]);
        if (!digest) return problem("the digest is not the 64 hexadecimal digits of `printf %s TOKEN | b2sum -l 256`");
        tokens.push_back({std::string(words[0]), words[1] == "admin" ? control::Access::admin : control::Access::read, *digest});
    }
    return tokens;
}

Result<Credentials> read_credentials(const std::string& state_dir, const ConfiguredPasswords& configured) {
    prepare_cryptography();
    Credentials out;
    auto admin = configured.admin.empty() ? admin_hash(state_dir, out) : hash_password(configured.admin);
    if (!admin) return admin.error();
    out.passwords.push_back({"admin", control::Access::admin, std::move(*admin)});
    if (!configured.read.empty()) {
        auto read = hash_password(configured.read);
        if (!read) return read.error();
        out.passwords.push_back({"read", control::Access::read, std::move(*read)});
    }

    const std::string file = state_dir + "/tokens";
    const auto text = read_file(file);
    if (!text) return text.error();
    if (text->has_value()) {
        auto tokens = parse_tokens(**text, file);
        if (!tokens) return tokens.error();
        out.tokens = std::move(*tokens);
    }
    return out;
}

Result<TokenLogin> make_cli_token(const std::string& state_dir) {
    prepare_cryptography();
    const Secret token = random_secret(32);
    if (auto written = write_private(state_dir + "/cli.token", token.reveal() + "\n"); !written) return written.error();
    return TokenLogin{"cli", control::Access::admin, digest_of(token)};
}

}  // namespace handyrep::api
