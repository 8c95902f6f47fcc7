// api/problem.hpp — an error as a problem object (RFC 9457): what happened, and what to do about it.
#pragma once

#include "api/message.hpp"
#include "base/error.hpp"

#include <string>
#include <string_view>

namespace handyrep::api {

struct Problem {
    int status;
    std::string kind;    // one word; a program may compare it
    std::string detail;  // one sentence; never a secret
    std::string remedy;
};

[[nodiscard]] Problem problem_of(const Error& error);
[[nodiscard]] Response answer(const Problem& problem);
/// "Not Found"; the reason phrase and the problem's title.
[[nodiscard]] std::string_view title_of(int status);

}  // namespace handyrep::api
