// adapters/postgres/classify.hpp — what an error means: how a dial ended, what a server's last words were, what a refused
// command is. Pure, and by codes: texts are translated by lc_messages. The kinds of 57P03 alone share one code.
#pragma once

#include "base/error.hpp"
#include "model/sighting.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace handyrep::adapters::postgres {

/// How a dial ended that the system's connect() failed with `number` (errno).
[[nodiscard]] model::DialOutcome outcome_of_errno(int number);

/// How a dial ended that the server answered with an error. `message` is looked at for 57P03 only; a text that is not
/// known (translated) is not_yet_accepting, which means "wait".
[[nodiscard]] model::DialOutcome outcome_of_sqlstate(std::string_view sqlstate, std::string_view message);

/// Nothing when the code is not one that ends a session.
[[nodiscard]] std::optional<model::LastWords> words_of(std::string_view sqlstate, std::string_view source_function);

/// What an ERROR to a command means for whoever sent it: the server said no before doing it.
[[nodiscard]] ErrorKind kind_of(std::string_view sqlstate);

/// libpq gives the SQLSTATE of a failed connection only inside its verbose message: "FATAL:  28P01: password authentication …".
struct ServerSaid {
    std::string sqlstate;
    std::string message;  // the primary message alone
};
/// The last error of the server in a verbose message; nothing when the text is libpq's own.
[[nodiscard]] std::optional<ServerSaid> server_said(std::string_view verbose_message);

/// What went wrong with TLS and what to do about it, in one line, from libpq's own words; nothing when they are about something else.
/// `verdict`: OpenSSL's on the server's certificate, which libpq does not repeat: "certificate has expired". Empty: none is known.
[[nodiscard]] std::optional<std::string> tls_trouble(std::string_view message, std::string_view verdict);

/// One line of libpq's own words, for people.
[[nodiscard]] std::string first_line(std::string_view message);

}  // namespace handyrep::adapters::postgres
