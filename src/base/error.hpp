// base/error.hpp — what went wrong, as a value.
//
// There are eight kinds, chosen by what the caller can do next; a new kind needs a new next step. One table
// (`kind_table`) gives each its word, its HTTP status and its exit code, so that API and CLI cannot disagree.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace handyrep {

enum class ErrorKind { timed_out, unreachable, refused, denied, invalid, conflict, unsupported, failed };

struct KindRow {
    ErrorKind kind;
    std::string_view word;
    int http_status;
    int exit_code;  // names-and-numbers of the project's documentation: 4 usage, 6 refused, 7 denied, 8 unreachable, 9 failed
};

inline constexpr std::array<KindRow, 8> kind_table{{
    {ErrorKind::timed_out, "timed out", 504, 8},
    {ErrorKind::unreachable, "unreachable", 502, 8},
    {ErrorKind::refused, "refused", 409, 6},
    {ErrorKind::denied, "denied", 403, 7},
    {ErrorKind::invalid, "invalid", 400, 4},
    {ErrorKind::conflict, "conflict", 409, 6},
    {ErrorKind::unsupported, "unsupported", 501, 6},
    {ErrorKind::failed, "failed", 500, 9},
}};

[[nodiscard]] constexpr const KindRow& row_of(ErrorKind kind) { return kind_table.at(static_cast<std::size_t>(kind)); }
[[nodiscard]] constexpr std::string_view word_for(ErrorKind kind) { return row_of(kind).word; }

/// True when the command that failed with `kind` certainly did not take effect and never will.
/// After the other kinds (timed out, unreachable, failed) it may have happened, or may still happen.
[[nodiscard]] constexpr bool surely_not_done(ErrorKind kind) {
    return kind != ErrorKind::timed_out && kind != ErrorKind::unreachable && kind != ErrorKind::failed;
}

/// What went wrong, said once, to whoever must act on it. Never carries a secret.
struct Error {
    ErrorKind kind;                          // what the caller can do about it, not where it came from
    std::string what;                        // one sentence, quoting the value at fault
    std::vector<std::string> while_doing{};  // innermost first: "promote db2", "failover of cluster pay"

    [[nodiscard]] Error during(std::string activity) && {
        while_doing.push_back(std::move(activity));
        return std::move(*this);
    }
    [[nodiscard]] Error during(std::string activity) const& {
        Error copy = *this;
        copy.while_doing.push_back(std::move(activity));
        return copy;
    }

    /// "promote db2: the server refused the connection (while: failover of cluster pay)".
    [[nodiscard]] std::string text() const;

    friend bool operator==(const Error&, const Error&) = default;
};

}  // namespace handyrep
