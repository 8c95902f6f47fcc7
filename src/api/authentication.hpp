// api/authentication.hpp — from the header Authorization to a Caller, or to the reason why not.
//
// Basic: one of two passwords, checked on two threads of its own so that the loop never waits for argon2; a login that
// was right is remembered for 60 s as a keyed digest. Bearer: a token, compared in constant time. The answer to a wrong
// login is the same whether the user exists, and takes as long.
#pragma once

#include "api/credentials.hpp"
#include "api/limiter.hpp"
#include "api/turnstile.hpp"
#include "base/log.hpp"
#include "ports/clock.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/thread_pool.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace handyrep::api {

struct NotLoggedIn {
    enum class Why { no_credentials, malformed, wrong, too_many_failures, overloaded };
    Why why;
    std::optional<Duration> retry_after{};
};
using Login = std::variant<control::Caller, NotLoggedIn>;

class Authentication {
public:
    /// `executor` is single-threaded and the only one that calls.
    Authentication(asio::any_io_executor executor, ports::Clock& clock, Log& log, Credentials credentials);

    asio::awaitable<Login> log_in(std::optional<std::string> authorization, std::string from);

    /// Every remembered login is forgotten.
    void replace(Credentials credentials);

private:
    struct Remembered {
        Digest digest;
        std::string name;
        control::Access access;
        Instant until;
    };
    struct Attempt {
        std::string user;
        Secret password;
        std::string from;
    };

    [[nodiscard]] Login by_token(const Secret& token, std::string from) const;
    asio::awaitable<Login> by_password(Attempt attempt);
    asio::awaitable<Login> verify(Attempt attempt, Digest digest);
    [[nodiscard]] std::optional<control::Caller> remembered(const Digest& digest, const std::string& from);
    void remember(const Digest& digest, const PasswordLogin& login);

    asio::any_io_executor executor_;
    ports::Clock& clock_;
    Log& log_;
    Credentials credentials_;
    KeyedDigest keyed_;
    Limiter limiter_;
    Turnstile turnstile_;
    std::vector<Remembered> remembered_;
    std::uint64_t generation_ = 0;  // of the credentials
    asio::thread_pool threads_;     // last, so that its threads end before what they use
};

}  // namespace handyrep::api
