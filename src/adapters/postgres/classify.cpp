#include "adapters/postgres/classify.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <cerrno>

namespace handyrep::adapters::postgres {

using model::DialOutcome;
using model::LastWords;

DialOutcome outcome_of_errno(int number) {
    switch (number) {
        case ECONNREFUSED:
        case ENOENT:  // a socket file that is not there: nobody listens
            return DialOutcome::refused;
        case EHOSTUNREACH:
        case ENETUNREACH:
        case EHOSTDOWN:
        case ENETDOWN:
        case EADDRNOTAVAIL: return DialOutcome::unreachable;
        case ECONNRESET:
        case ECONNABORTED:
        case EPIPE: return DialOutcome::reset;
        case ETIMEDOUT: return DialOutcome::connect_timeout;
        default: return DialOutcome::unreachable;  // errno is an open set: the kernel could not connect, whatever its reason
    }
}

DialOutcome outcome_of_sqlstate(std::string_view sqlstate, std::string_view message) {
    if (sqlstate == "57P03") {
        const auto says = [&](std::string_view part) { return message.find(part) != std::string_view::npos; };
        if (says("shutting down")) return DialOutcome::shutting_down;
        if (says("starting up")) return DialOutcome::starting_up;
        if (says("recovery mode")) return DialOutcome::in_recovery;
        return DialOutcome::not_yet_accepting;
    }
    if (sqlstate == "53300") return DialOutcome::too_many_connections;
    if (sqlstate.starts_with("28")) return DialOutcome::authentication_failed;
    return DialOutcome::other_refusal;
}

std::optional<LastWords> words_of(std::string_view sqlstate, std::string_view source_function) {
    if (sqlstate == "57P02") return LastWords::backend_crash;
    if (sqlstate == "57P01") {
        if (source_function == "ProcessInterrupts") return LastWords::administrator;
        if (source_function == "quickdie") return LastWords::immediate_stop;
        if (source_function == "secure_read" || source_function == "secure_write") return LastWords::postmaster_died;
        return LastWords::other;
    }
    // 57P03 to 57P05: cannot connect now, database dropped, idle session timeout.
    if (sqlstate.starts_with("57P")) return LastWords::other;
    return std::nullopt;
}

ErrorKind kind_of(std::string_view sqlstate) {
    if (sqlstate == "42501") return ErrorKind::denied;
    // A function or parameter that this version does not have.
    if (sqlstate == "42883" || sqlstate == "42704" || sqlstate == "0A000") return ErrorKind::unsupported;
    // Cancelled or out of something half-way: an ERROR that does not say that nothing was done.
    if (sqlstate.starts_with("57") || sqlstate.starts_with("53") || sqlstate.starts_with("58") || sqlstate.starts_with("XX")) {
        return ErrorKind::failed;
    }
    return ErrorKind::refused;
}

std::optional<ServerSaid> server_said(std::string_view verbose_message) {
    std::optional<ServerSaid> last;
    for (std::size_t at = verbose_message.find(":  "); at != std::string_view::npos; at = verbose_message.find(":  ", at + 1)) {
        const std::string_view rest = verbose_message.substr(at + 3);
        const bool is_code = rest.size() > 7 && rest.substr(5, 2) == ": " && std::ranges::all_of(rest.substr(0, 5), [](char c) {
                                 return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
                             });
        if (is_code) last = ServerSaid{std::string(rest.substr(0, 5)), first_line(rest.substr(7))};
    }
    return last;
}

std::string first_line(std::string_view message) { return std::string(trim(message.substr(0, message.find('\n')))); }

}  // namespace handyrep::adapters::postgres
