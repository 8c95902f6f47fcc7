// api/limiter.hpp — slows down whoever guesses passwords, per address, without locking anybody out for long.
//
// Pure but for its memory, which is bounded. Tokens and remembered logins never ask it: who is logged in stays so while
// somebody else behind the same address guesses.
#pragma once

#include "base/time.hpp"

#include <map>
#include <optional>
#include <string>

namespace handyrep::api {

class Limiter {
public:
    /// How long this address must still wait before a password of its is looked at; nothing: not at all.
    [[nodiscard]] std::optional<Duration> wait_of(const std::string& address, Instant now) const;
    void failed(const std::string& address, Instant now);
    void succeeded(const std::string& address);

private:
    struct Row {
        int failures = 0;
        Instant last;
    };
    void make_room(Instant now);

    std::map<std::string, Row> rows_;
};

}  // namespace handyrep::api
