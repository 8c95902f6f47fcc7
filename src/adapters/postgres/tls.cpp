#include "adapters/postgres/tls.hpp"

#include "base/ensure.hpp"

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

namespace handyrep::adapters::postgres {

namespace {

// libpq makes its session and frees it again inside one call where the server is quick, so that there is no moment to take hold of it.
// OpenSSL tells whoever asks when a session goes; what it tells has no other way back to whoever called libpq.
thread_local long last_verdict = X509_V_OK;

void session_goes(void* session, void* /*value*/, CRYPTO_EX_DATA* /*data*/, int /*index*/, long /*number*/, void* /*argument*/) {
    last_verdict = SSL_get_verify_result(static_cast<const SSL*>(session));
}

}  // namespace

void forget_tls_verdict() {
    static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, session_goes);
    ensure(index >= 0, "OpenSSL tells when a session goes");
    last_verdict = X509_V_OK;
}

std::string tls_verdict() { return last_verdict == X509_V_OK ? std::string{} : std::string{X509_verify_cert_error_string(last_verdict)}; }

}  // namespace handyrep::adapters::postgres
