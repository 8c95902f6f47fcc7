// lab/certificates.cpp — the lab signs certificates: of servers by their names, and of the manager's login.
#include "lab/site.hpp"

#include <fmt/format.h>

namespace handyrep::lab {

namespace {

constexpr const char* manager_name = "manager";
constexpr const char* login = "postgres";

}  // namespace

harness::Authority Site::authority() const { return harness::Authority{folder_ / "tls"}; }

Result<void> Site::certify(const Server& server, harness::Validity validity) const {
    if (!server.has("tls")) return Error{ErrorKind::invalid, "its servers have no certificates: it needs the layout tls"};
    const harness::Authority signer = authority();
    if (auto done = signer.sign(server.name(), server.machine().host_name(), validity); !done) return done;
    auto placed = server.machine().shell(fmt::format(
        "install -o postgres -m 600 '{}' '{}' && install -o postgres -m 600 '{}' '{}' && install -o postgres -m 644 '{}' '{}'",
        signer.key_of(server.name()).string(), server.key().string(), signer.certificate_of(server.name()).string(),
        server.certificate().string(), signer.certificate().string(), server.authority().string()));
    if (!placed) return placed.error();
    return {};
}

Result<void> Site::certify_login(harness::Validity validity) const {
    if (!has("certificate_logins"))
        return Error{ErrorKind::invalid, "the manager has no certificate: it needs the layout certificate_logins"};
    return authority().sign(manager_name, login, validity);
}

Result<void> Site::make_certificates() const {
    if (!has("tls")) return {};
    if (auto made = authority().make(); !made) return made;
    for (const auto& it : servers_) {
        if (auto done = certify(*it, harness::Validity::good); !done) return done;
    }
    return has("certificate_logins") ? certify_login(harness::Validity::good) : Result<void>{};
}

/// Lines of server_defaults.
std::string Site::tls_keys() const {
    if (!has("tls")) return {};
    const harness::Authority signer = authority();
    std::string out = fmt::format("  sslmode: verify-full\n  sslrootcert: {}\n", signer.certificate().string());
    if (has("certificate_logins"))
        out += fmt::format(
            "  sslcert: {}\n  sslkey: {}\n", signer.certificate_of(manager_name).string(), signer.key_of(manager_name).string());
    return out;
}

}  // namespace handyrep::lab
