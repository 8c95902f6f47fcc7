#include "api/authentication.hpp"

#include "base/text.hpp"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

namespace handyrep::api {

namespace {

constexpr Duration remembered_for = std::chrono::seconds{60};
constexpr std::size_t most_remembered = 64;
constexpr std::size_t threads = 2;
constexpr std::size_t most_waiting = 32;
constexpr std::chrono::seconds turn_limit{5};
constexpr std::size_t longest_password = 1024;

NotLoggedIn refusal(NotLoggedIn::Why why) { return NotLoggedIn{.why = why}; }

struct Scheme {
    std::string name;  // lower case
    std::string_view rest;
};

Scheme scheme_of(std::string_view header) {
    const std::string_view text = trim(header);
    const auto space = text.find(' ');
    if (space == std::string_view::npos) return {lower(text), {}};
    return {lower(text.substr(0, space)), trim(text.substr(space))};
}

/// password_matches on a thread of the pool; the result comes back to the caller's executor, which is kept alive meanwhile.
asio::awaitable<bool> matches(asio::thread_pool& pool, asio::any_io_executor executor, std::string hash, Secret password) {
    auto start = [&pool, executor = std::move(executor), hash = std::move(hash), password = std::move(password)](auto handler) mutable {
        auto back = asio::prefer(executor, asio::execution::outstanding_work.tracked);
        asio::post(
            pool, [back = std::move(back), hash = std::move(hash), password = std::move(password), handler = std::move(handler)]() mutable {
                const bool right = password_matches(hash, password);
                asio::post(back, [right, handler = std::move(handler)]() mutable { std::move(handler)(right); });
            });
    };
    return asio::async_initiate<const asio::use_awaitable_t<>, void(bool)>(std::move(start), asio::use_awaitable);
}

}  // namespace

Authentication::Authentication(asio::any_io_executor executor, ports::Clock& clock, Log& log, Credentials credentials)
    : executor_{executor},
      clock_{clock},
      log_{log},
      credentials_{std::move(credentials)},
      turnstile_{std::move(executor), threads, most_waiting},
      threads_{threads} {}

void Authentication::replace(Credentials credentials) {
    credentials_ = std::move(credentials);
    remembered_.clear();
    ++generation_;
}

asio::awaitable<Login> Authentication::log_in(std::optional<std::string> authorization, std::string from) {
    if (!authorization) co_return refusal(NotLoggedIn::Why::no_credentials);
    const Scheme scheme = scheme_of(*authorization);
    if (scheme.name == "bearer" && !scheme.rest.empty()) co_return by_token(Secret{std::string(scheme.rest)}, std::move(from));
    if (scheme.name != "basic") co_return refusal(NotLoggedIn::Why::malformed);
    const auto decoded = from_base64(scheme.rest);
    if (!decoded) co_return refusal(NotLoggedIn::Why::malformed);
    const std::string& both = decoded->reveal();
    const auto colon = both.find(':');
    if (colon == std::string::npos || both.size() > longest_password) co_return refusal(NotLoggedIn::Why::malformed);
    Attempt attempt{both.substr(0, colon), Secret{both.substr(colon + 1)}, std::move(from)};
    co_return co_await by_password(std::move(attempt));
}

Login Authentication::by_token(const Secret& token, std::string from) const {
    const Digest digest = digest_of(token);
    std::optional<control::Caller> caller;
    for (const TokenLogin& known : credentials_.tokens) {
        if (same(known.digest, digest)) caller = control::Caller{known.name, known.access, from};
    }
    if (caller) return *caller;
    log_.write(Level::warning, "login_failed", {{"from", from}, {"by", "token"}});
    return refusal(NotLoggedIn::Why::wrong);
}

asio::awaitable<Login> Authentication::by_password(Attempt attempt) {
    const Digest digest = keyed_.of(attempt.user, attempt.password);
    if (auto caller = remembered(digest, attempt.from)) co_return *caller;
    if (!co_await turnstile_.enter(turn_limit)) co_return refusal(NotLoggedIn::Why::overloaded);
    std::exception_ptr thrown;
    std::optional<Login> login;
    try {
        login = co_await verify(std::move(attempt), digest);
    } catch (...) {
        thrown = std::current_exception();
    }
    turnstile_.leave();
    if (thrown) std::rethrow_exception(thrown);
    co_return *login;
}

/// Asks memory and limiter only now: while this attempt waited for its turn, others were judged.
asio::awaitable<Login> Authentication::verify(Attempt attempt, Digest digest) {
    if (auto caller = remembered(digest, attempt.from)) co_return *caller;
    if (const auto wait = limiter_.wait_of(attempt.from, clock_.now())) {
        co_return NotLoggedIn{.why = NotLoggedIn::Why::too_many_failures, .retry_after = *wait};
    }
    const auto found = std::ranges::find(credentials_.passwords, attempt.user, &PasswordLogin::name);
    const bool known = found != credentials_.passwords.end();
    const PasswordLogin login = known ? *found : credentials_.passwords.front();  // for the time it takes
    const std::uint64_t generation = generation_;
    const bool right = co_await matches(threads_, executor_, login.hash, attempt.password);

    if (!known || !right || generation != generation_) {
        limiter_.failed(attempt.from, clock_.now());
        // An unknown name is not written down: people type passwords where the name belongs.
        log_.write(
            Level::warning, "login_failed", {{"from", attempt.from}, {"by", "password"}, {"user", known ? login.name : "(unknown)"}});
        co_return refusal(NotLoggedIn::Why::wrong);
    }
    limiter_.succeeded(attempt.from);
    remember(digest, login);
    co_return control::Caller{login.name, login.access, attempt.from};
}

std::optional<control::Caller> Authentication::remembered(const Digest& digest, const std::string& from) {
    std::erase_if(remembered_, [now = clock_.now()](const Remembered& it) { return it.until <= now; });
    std::optional<control::Caller> caller;
    for (const Remembered& it : remembered_) {
        if (same(it.digest, digest)) caller = control::Caller{it.name, it.access, from};
    }
    return caller;
}

void Authentication::remember(const Digest& digest, const PasswordLogin& login) {
    if (remembered_.size() >= most_remembered) remembered_.erase(remembered_.begin());
    remembered_.push_back({digest, login.name, login.access, clock_.now() + remembered_for});
}

}  // namespace handyrep::api
