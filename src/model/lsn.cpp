#include "model/lsn.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>

namespace handyrep::model {

namespace {

std::optional<std::uint64_t> hexadecimal(std::string_view digits) {
    if (digits.empty() || digits.size() > 8) return std::nullopt;
    std::uint64_t value = 0;
    const auto* const last = digits.data() + digits.size();
    const auto [end, error] = std::from_chars(digits.data(), last, value, 16);
    if (error != std::errc{} || end != last) return std::nullopt;
    return value;
}

struct Unit {
    std::string_view suffix;
    std::uint64_t bytes;
};
// Longest suffix first: every unit ends in B.
constexpr std::array<Unit, 6> units{{{"kb", 1ULL << 10}, {"mb", 1ULL << 20}, {"gb", 1ULL << 30}, {"tb", 1ULL << 40}, {"b", 1}, {"", 1}}};

}  // namespace

std::string text(Bytes bytes) { return bytes_text(bytes.count); }

Result<Bytes> parse_bytes(std::string_view text) {
    const std::string wanted = lower(trim(text));
    for (const Unit& unit : units) {
        if (!std::string_view{wanted}.ends_with(unit.suffix)) continue;
        const std::string_view digits = trim(std::string_view{wanted}.substr(0, wanted.size() - unit.suffix.size()));
        std::uint64_t count = 0;
        const auto* const last = digits.data() + digits.size();
        const auto [end, error] = std::from_chars(digits.data(), last, count);
        if (error != std::errc{} || end != last || digits.empty()) continue;
        if (count > (1ULL << 62) / unit.bytes) break;
        return Bytes{count * unit.bytes};
    }
    return Error{ErrorKind::invalid, fmt::format("'{}' is not a size such as 16MB, 64kB or a number of bytes", text)};
}

Result<Lsn> Lsn::parse(std::string_view text) {
    const auto slash = text.find('/');
    if (slash != std::string_view::npos) {
        const auto high = hexadecimal(text.substr(0, slash));
        const auto low = hexadecimal(text.substr(slash + 1));
        if (high && low) return Lsn{(*high << 32U) | *low};
    }
    return Error{ErrorKind::invalid, fmt::format("'{}' is not a WAL position such as 16/B374D848", text.substr(0, 80))};
}

std::string Lsn::text() const { return fmt::format("{:X}/{:X}", byte_ >> 32U, byte_ & 0xFFFFFFFFU); }

}  // namespace handyrep::model
