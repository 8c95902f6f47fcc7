// adapters/postgres/tls.hpp — why a server's certificate was not accepted. libpq only says that it was not, and forgets the rest.
#pragma once

#include <string>

namespace handyrep::adapters::postgres {

/// Before a call of libpq that may fail.
void forget_tls_verdict();
/// After it, on the same thread: what OpenSSL had against the certificate of the server whose session libpq gave up in that call, in
/// OpenSSL's words: "certificate has expired". Empty when there was nothing, or no session.
[[nodiscard]] std::string tls_verdict();

}  // namespace handyrep::adapters::postgres
