// cli/client.hpp — one question to the daemon over HTTP, under one deadline.
#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"
#include "base/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace handyrep::cli {

/// Where the daemon is, and how to log in there.
struct Target {
    std::string host;
    std::uint16_t port = 8010;
    Secret token;  // empty: none
    [[nodiscard]] std::string text() const;
};

struct Question {
    std::string method;
    std::string path;  // with its query, encoded
    std::string body{};
};
struct Reply {
    int status;
    std::string body;
};

/// Fails with `unreachable` or `timed_out` and says what to look at; whatever HTTP status comes is a success.
[[nodiscard]] Result<Reply> ask(const Target& target, const Question& question, Duration limit);

/// "http://HOST[:PORT][/]". Fails with `invalid`, also for https, which this version does not speak.
[[nodiscard]] Result<Target> parse_url(std::string_view url);

[[nodiscard]] std::string percent_encoded(std::string_view text);

}  // namespace handyrep::cli
