// api/credentials.hpp — who may log in, from the configuration and the files of state_dir.
//
//   admin.hash      argon2id of the administrator's password, unless the configuration gives one
//   admin.password  made at the first start, for the person who logs in first; may be deleted afterwards
//   tokens          one a line: NAME read|admin BLAKE2b-256-of-the-token, `#` begins a comment
//   cli.token       made at every start: who can read it may use the local command line
//
// Blocks (files, hashing): called before the loop runs, and from a thread of its own on SIGHUP. A secret goes into these files and nowhere else.
#pragma once

#include "api/password.hpp"
#include "control/caller.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace handyrep::api {

struct PasswordLogin {
    std::string name;
    control::Access access;
    std::string hash;
};
struct TokenLogin {
    std::string name;
    control::Access access;
    Digest digest;
};
struct Credentials {
    std::vector<PasswordLogin> passwords;
    std::vector<TokenLogin> tokens;
    /// The file with the administrator's new password, when this was the first start.
    std::optional<std::string> password_made_in{};
};

/// Empty: not set.
struct ConfiguredPasswords {
    Secret admin;
    Secret read;
};

/// Everything but cli.token; makes the administrator's password where there is none. Fails with `failed` or `denied` when a file
/// cannot be read or written, with `invalid` on a damaged one; the error names it.
[[nodiscard]] Result<Credentials> read_credentials(const std::string& state_dir, const ConfiguredPasswords& configured);

/// A new cli.token; the login that it opens.
[[nodiscard]] Result<TokenLogin> make_cli_token(const std::string& state_dir);

/// `file` is for the message.
[[nodiscard]] Result<std::vector<TokenLogin>> parse_tokens(std::string_view text, std::string_view file);

/// Whole or not at all, durable, and readable by the owner only.
[[nodiscard]] Result<void> write_private(const std::string& path, std::string_view text);

}  // namespace handyrep::api
