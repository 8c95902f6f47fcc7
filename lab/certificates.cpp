// lab/certificates.cpp — the lab signs certificates: of servers by their names, and of the manager's login.
#include "lab/site.hpp"
#include "tests/harness/process.hpp"

#include <fmt/format.h>

#include <chrono>

namespace handyrep::lab {

namespace {

constexpr Duration limit = std::chrono::seconds{30};

/// A key and a certificate "NAME.key" and "NAME.crt" in `folder`, of which ca.crt is there. It was good for a day, a month ago, or it
/// is good now: openssl only counts from today, so that today is moved.
Result<void> sign(const std::filesystem::path& folder, const std::string& name, const std::string& subject, Validity validity) {
    harness::Command command{
        .arguments =
            {"sh", "-c",
             "set -e; umask 077; openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout \"$1.key\" -subj \"/CN=$2\" -out "
             "\"$1.csr\" 2>/dev/null; echo \"subjectAltName=DNS:$2\" >\"$1.ext\"; "
             "openssl x509 -req -in \"$1.csr\" -CA ca.crt -CAkey ca.key -CAcreateserial -days 1 -extfile \"$1.ext\" -out \"$1.crt\" "
             "2>/dev/null",
             "sign", name, subject},
        .folder = folder};
    if (validity == Validity::expired)
        command.environment = {{"LD_PRELOAD", "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"}, {"FAKETIME", "-30d"}};
    auto signed_well = harness::run_well(command, limit);
    if (!signed_well) return signed_well.error().during("sign the certificate of " + subject);
    return {};
}

}  // namespace

Result<void> Site::certify(const Server& server, Validity validity) const {
    if (!has("tls")) return Error{ErrorKind::invalid, "its servers have no certificates: it needs the layout tls"};
    const auto folder = folder_ / "tls";
    if (auto done = sign(folder, server.name(), server.machine().host_name(), validity); !done) return done;
    auto placed = server.machine().shell(fmt::format(
        "for end in crt key; do install -o postgres -m 600 '{0}/{1}.'$end '{2}/server.'$end || exit; done; install -o postgres -m 644 "
        "'{0}/ca.crt' '{2}/ca.crt'",
        folder.string(), server.name(), server.disk().string()));
    if (!placed) return placed.error();
    return {};
}

Result<void> Site::make_certificates() const {
    const auto folder = folder_ / "tls";
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    auto made = harness::run_well(
        {.arguments =
             {"sh", "-c",
              "umask 077; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -subj '/CN=lab' -days 2 "
              "-out ca.crt 2>/dev/null"},
         .folder = folder},
        limit);
    if (!made) return made.error().during("make the lab's authority of certificates");
    for (const auto& it : servers_) {
        if (auto done = certify(*it, Validity::good); !done) return done;
    }
    return sign(folder, "manager", "postgres", Validity::good);
}

}  // namespace handyrep::lab
