#include "adapters/postgres/classify.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
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

namespace {

struct TlsTrouble {
    std::string_view sign;  // in libpq's words and OpenSSL's verdict
    std::string_view remedy;
};

// The first that fits.
constexpr std::array tls_troubles{
    TlsTrouble{"does not support SSL", "switch ssl on there, or choose another sslmode"},
    TlsTrouble{
        "does not match host name", "hostname must be a name in the server's certificate: correct it, or have a certificate signed for it"},
    TlsTrouble{"certificate has expired", "renew the server's certificate (its ssl_cert_file) and reload the server"},
    TlsTrouble{"certificate is not yet valid", "compare the clocks of the server's machine and of this one"},
    TlsTrouble{
        "certificate verify failed",
        "whoever signed the server's certificate must be in sslrootcert; if that is so, somebody else answers there"},
    TlsTrouble{"alert certificate expired", "renew the manager's certificate (sslcert in handyrep.conf)"},
    TlsTrouble{
        "alert unknown ca",
        "whoever signed the manager's certificate (sslcert in handyrep.conf) must be in the server's ssl_ca_file; the server's log says more"},
    TlsTrouble{"private key", "correct sslkey in handyrep.conf: the key of sslcert, in a file that the daemon's user alone may read"},
    TlsTrouble{"root certificate file", "correct sslrootcert in handyrep.conf"},
    TlsTrouble{"certificate file", "correct sslcert in handyrep.conf"},
    TlsTrouble{"server certificate", "have a certificate signed for the server's hostname"},
    TlsTrouble{"SSL", "the server's log says more"},
};

/// Without "connection to server at … failed: ", which whoever reads it knows.
std::string_view without_address(std::string_view line) {
    constexpr std::string_view end_of_address = " failed: ";
    const auto at = line.starts_with("connection to server") ? line.find(end_of_address) : std::string_view::npos;
    return at == std::string_view::npos ? line : line.substr(at + end_of_address.size());
}

}  // namespace

std::optional<std::string> tls_trouble(std::string_view message, std::string_view verdict) {
    std::string words(without_address(first_line(message)));
    if (words.find("certificate verify failed") != std::string::npos && !verdict.empty()) words += fmt::format(": {}", verdict);
    const auto* const found =
        std::ranges::find_if(tls_troubles, [&](const TlsTrouble& it) { return words.find(it.sign) != std::string::npos; });
    if (found == tls_troubles.end()) return std::nullopt;
    return fmt::format("{}; {}", words, found->remedy);
}

std::string first_line(std::string_view message) { return std::string(trim(message.substr(0, message.find('\n')))); }

}  // namespace handyrep::adapters::postgres
