// model/lsn.hpp — a position in the write-ahead log, and amounts of it.
#pragma once

#include "base/result.hpp"

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace handyrep::model {

struct Bytes {
    std::uint64_t count = 0;
    friend constexpr auto operator<=>(Bytes, Bytes) = default;
};

/// "16 MB".
[[nodiscard]] std::string text(Bytes bytes);
/// Reads "16MB", "64 kB", "1GB" or a bare number of bytes (units as in postgresql.conf, powers of 1024). Fails with `invalid`.
[[nodiscard]] Result<Bytes> parse_bytes(std::string_view text);

/// A position in the write-ahead log, counted in bytes and shown the way PostgreSQL shows it: "16/B374D848".
class Lsn {
public:
    constexpr explicit Lsn(std::uint64_t byte) : byte_{byte} {}

    /// Fails with `invalid` unless `text` is HEX/HEX with at most eight digits on each side.
    static Result<Lsn> parse(std::string_view text);
    [[nodiscard]] std::string text() const;

    friend constexpr auto operator<=>(Lsn, Lsn) = default;
    /// WAL that `behind` has yet to receive to reach `ahead`; zero when it is already there or past it.
    friend constexpr Bytes gap(Lsn behind, Lsn ahead) { return {ahead.byte_ > behind.byte_ ? ahead.byte_ - behind.byte_ : 0}; }
    friend constexpr Lsn operator+(Lsn from, Bytes by) { return Lsn{from.byte_ + by.count}; }

private:
    std::uint64_t byte_;
};

}  // namespace handyrep::model
