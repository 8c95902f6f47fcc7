// tests/harness/certificates.hpp — certificates for servers and logins, signed by an authority of our own.
#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <string>
#include <utility>

namespace handyrep::harness {

enum class Validity { good, expired };

/// Lives in a folder, by the program openssl.
class Authority {
public:
    explicit Authority(std::filesystem::path folder) : folder_{std::move(folder)} {}

    /// Its own key and certificate; once.
    Result<void> make() const;
    /// The certificate NAME.crt for `subject`, in the place of the one that was there. Its key NAME.key is made at the first time and kept,
    /// so that the two fit at every moment.
    Result<void> sign(const std::string& name, const std::string& subject, Validity validity = Validity::good) const;

    /// For those who verify.
    [[nodiscard]] std::filesystem::path certificate() const { return folder_ / "ca.crt"; }
    [[nodiscard]] std::filesystem::path certificate_of(const std::string& name) const { return folder_ / (name + ".crt"); }
    [[nodiscard]] std::filesystem::path key_of(const std::string& name) const { return folder_ / (name + ".key"); }

private:
    std::filesystem::path folder_;
};

}  // namespace handyrep::harness
