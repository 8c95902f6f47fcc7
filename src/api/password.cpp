#include "api/password.hpp"

#include "base/ensure.hpp"

#include <sodium.h>

#include <vector>

namespace handyrep::api {

namespace {

constexpr unsigned long long passes = 2;
constexpr std::size_t memory_bytes = std::size_t{19} << 20;
constexpr std::string_view hash_begin = "$argon2id$";

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());  // libsodium hashes unsigned bytes
}

}  // namespace

void prepare_cryptography() { ensure(sodium_init() >= 0, "libsodium has a source of random numbers"); }

Result<std::string> hash_password(const Secret& password) {
    std::array<char, crypto_pwhash_STRBYTES> out{};
    const std::string& text = password.reveal();
    if (crypto_pwhash_str_alg(out.data(), text.data(), text.size(), passes, memory_bytes, crypto_pwhash_ALG_ARGON2ID13) != 0) {
        return Error{ErrorKind::failed, "there are not 19 MiB of memory to hash a password"};
    }
    return std::string(out.data());
}

bool password_matches(const std::string& hash, const Secret& password) {
    const std::string& text = password.reveal();
    return is_password_hash(hash) && crypto_pwhash_str_verify(hash.c_str(), text.data(), text.size()) == 0;
}

bool is_password_hash(std::string_view text) {
    return text.starts_with(hash_begin) && text.size() < crypto_pwhash_STRBYTES &&
           crypto_pwhash_str_needs_rehash(std::string(text).c_str(), passes, memory_bytes) >= 0;
}

Secret random_secret(std::size_t bytes) {
    std::vector<unsigned char> raw(bytes);
    randombytes_buf(raw.data(), raw.size());
    std::string out(sodium_base64_encoded_len(bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING), '\0');
    sodium_bin2base64(out.data(), out.size(), raw.data(), raw.size(), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    out.pop_back();  // the terminating zero
    return Secret{std::move(out)};
}

Digest digest_of(const Secret& token) {
    Digest out{};
    crypto_generichash(out.data(), out.size(), bytes_of(token.reveal()), token.reveal().size(), nullptr, 0);
    return out;
}

Result<Digest> parse_digest(std::string_view hexadecimal) {
    Digest out{};
    std::size_t length = 0;
    const char* end = nullptr;
    const int failed = sodium_hex2bin(out.data(), out.size(), hexadecimal.data(), hexadecimal.size(), nullptr, &length, &end);
    if (failed != 0 || length != out.size() || end != hexadecimal.data() + hexadecimal.size()) {
        return Error{ErrorKind::invalid, "expected 64 hexadecimal digits"};
    }
    return out;
}

bool same(const Digest& left, const Digest& right) { return sodium_memcmp(left.data(), right.data(), left.size()) == 0; }

KeyedDigest::KeyedDigest() { randombytes_buf(key_.data(), key_.size()); }

Digest KeyedDigest::of(std::string_view user, const Secret& password) const {
    crypto_generichash_state state;
    crypto_generichash_init(&state, key_.data(), key_.size(), Digest{}.size());
    crypto_generichash_update(&state, bytes_of(user), user.size());
    constexpr unsigned char between = 0;  // "ab","c" and "a","bc" are two logins
    crypto_generichash_update(&state, &between, 1);
    crypto_generichash_update(&state, bytes_of(password.reveal()), password.reveal().size());
    Digest out{};
    crypto_generichash_final(&state, out.data(), out.size());
    return out;
}

Result<Secret> from_base64(std::string_view text) {
    std::string out(text.size(), '\0');
    std::size_t length = 0;
    const char* end = nullptr;
    const int failed = sodium_base642bin(
        reinterpret_cast<unsigned char*>(out.data()), out.size(), text.data(), text.size(), nullptr, &length, &end,
        sodium_base64_VARIANT_ORIGINAL);
    if (failed != 0 || end != text.data() + text.size()) return Error{ErrorKind::invalid, "the credentials are not base64"};
    out.resize(length);
    return Secret{std::move(out)};
}

}  // namespace handyrep::api
