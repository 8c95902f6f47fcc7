#include "tests/harness/certificates.hpp"

#include "tests/harness/process.hpp"

#include <chrono>

namespace handyrep::harness {

namespace {

constexpr Duration limit = std::chrono::seconds{30};

constexpr const char* make_script = R"sh(set -e; umask 077
mkdir -p issued; : >index.txt; echo 01 >serial
cat >ca.conf <<'END'
[ca]
default_ca = here
[here]
dir = .
database = index.txt
serial = serial
new_certs_dir = issued
certificate = ca.crt
private_key = ca.key
default_md = sha256
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
END
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -subj '/CN=authority' -days 3650 -out ca.crt 2>&1
)sh";

// $1 the name, $2 the subject, $3 the last moment.
constexpr const char* sign_script = R"sh(set -e; umask 077
[ -e "$1.key" ] || openssl ecparam -name prime256v1 -genkey -noout -out "$1.key" 2>&1
openssl req -new -key "$1.key" -subj "/CN=$2" -addext "subjectAltName=DNS:$2" -out "$1.csr" 2>&1
openssl ca -config ca.conf -batch -notext -in "$1.csr" -startdate 20000101000000Z -enddate "$3" -out "$1.crt.new" 2>&1
mv "$1.crt.new" "$1.crt"
)sh";

}  // namespace

Result<void> Authority::make() const {
    std::error_code error;
    std::filesystem::create_directories(folder_, error);
    auto made = run_well({.arguments = {"sh", "-c", make_script}, .folder = folder_}, limit);
    if (!made) return made.error().during("make an authority of certificates");
    return {};
}

Result<void> Authority::sign(const std::string& name, const std::string& subject, Validity validity) const {
    const std::string last = validity == Validity::good ? "20491231235959Z" : "20200101000000Z";
    auto done = run_well({.arguments = {"sh", "-c", sign_script, "sign", name, subject, last}, .folder = folder_}, limit);
    if (!done) return done.error().during("sign a certificate for " + subject);
    return {};
}

}  // namespace handyrep::harness
