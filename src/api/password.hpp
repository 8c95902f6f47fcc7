// api/password.hpp — the cryptography of logging in, by libsodium: nothing here is our own invention.
//
// Passwords are kept as argon2id (19 MiB, two passes: about 12 ms), so that a stolen file is slow to guess from. Tokens
// have 256 random bits, so a plain BLAKE2b-256 of them is enough (`printf %s TOKEN | b2sum -l 256` makes the same).
#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace handyrep::api {

using Digest = std::array<unsigned char, 32>;

/// Must have returned once before anything else here is called; may be called again.
void prepare_cryptography();

/// Blocks for some 12 ms and takes 19 MiB meanwhile. Fails only when there is no memory.
[[nodiscard]] Result<std::string> hash_password(const Secret& password);
/// Blocks as long. False also for a damaged hash.
[[nodiscard]] bool password_matches(const std::string& hash, const Secret& password);
/// True for the text that hash_password makes.
[[nodiscard]] bool is_password_hash(std::string_view text);

/// `bytes` random bytes in letters, digits, - and _.
[[nodiscard]] Secret random_secret(std::size_t bytes);

[[nodiscard]] Digest digest_of(const Secret& token);
[[nodiscard]] Result<Digest> parse_digest(std::string_view hexadecimal);
/// Takes the same time whatever differs.
[[nodiscard]] bool same(const Digest& left, const Digest& right);

/// A digest under a key that this process drew at its start: what is remembered of a password says nothing elsewhere.
class KeyedDigest {
public:
    KeyedDigest();
    [[nodiscard]] Digest of(std::string_view user, const Secret& password) const;

private:
    std::array<unsigned char, 32> key_{};
};

/// Nothing when it is not base64.
[[nodiscard]] Result<Secret> from_base64(std::string_view text);

}  // namespace handyrep::api
