#include "base/time.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

namespace handyrep {

namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

struct Unit {
    std::string_view suffix;
    Duration length;
};

// Longest suffix first, so that "min" and "ms" are not read as "s" with letters in front.
constexpr std::array<Unit, 10> units{{
    {"min", minutes{1}},
    {"ms", milliseconds{1}},
    {"us", microseconds{1}},
    {"ns", Duration{1}},
    {"day", days{1}},
    {"d", days{1}},
    {"h", hours{1}},
    {"m", minutes{1}},
    {"s", seconds{1}},
    {"", seconds{1}},
}};

std::string decimal(double value, std::string_view unit) {
    std::string digits = fmt::format("{:.3f}", value);
    while (digits.back() == '0') digits.pop_back();
    if (digits.back() == '.') digits.pop_back();
    return digits + std::string(unit);
}

bool read_number(std::string_view digits, int& out) {
    const auto* const last = digits.data() + digits.size();
    const auto [end, error] = std::from_chars(digits.data(), last, out);
    // from_chars also takes a minus sign, which no part of a time has.
    return error == std::errc{} && end == last && !digits.empty() && digits.front() != '-';
}

}  // namespace

std::string text(Duration duration) {
    // The lowest number has no positive counterpart.
    if (duration < Duration::zero()) return "-" + text(duration == Duration::min() ? Duration::max() : -duration);
    const auto count = static_cast<double>(duration.count());
    if (duration == Duration::zero()) return "0s";
    if (duration < milliseconds{1}) return decimal(count / 1e3, "us");
    if (duration < seconds{1}) return decimal(count / 1e6, "ms");
    if (duration < minutes{2}) return decimal(count / 1e9, "s");
    if (duration < hours{2}) return decimal(count / 60e9, "min");
    return decimal(count / 3600e9, "h");
}

Result<Duration> parse_duration(std::string_view text) {
    const std::string_view trimmed = trim(text);
    const auto refusal = [&] {
        return Error{ErrorKind::invalid, fmt::format("'{}' is not a duration such as 500ms, 3s, 10min or a number of seconds", text)};
    };
    for (const Unit& unit : units) {
        if (!trimmed.ends_with(unit.suffix)) continue;
        const std::string_view digits = trim(trimmed.substr(0, trimmed.size() - unit.suffix.size()));
        double value = 0;
        const auto* const last = digits.data() + digits.size();
        const auto [end, error] = std::from_chars(digits.data(), last, value, std::chars_format::fixed);
        if (error != std::errc{} || end != last || digits.empty()) continue;
        const double count = value * static_cast<double>(unit.length.count());
        // A hundred years is far above every sensible setting and far below where the counter overflows.
        if (!(count >= 0) || count > 3.2e18) return refusal();
        return Duration{static_cast<Duration::rep>(std::llround(count))};
    }
    return refusal();
}

std::string text(WallTime time) {
    const auto day = floor<days>(time);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{time - day};
    return fmt::format(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
        static_cast<unsigned>(date.day()), clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
        clock.subseconds().count());
}

Result<WallTime> parse_wall_time(std::string_view text) {
    const auto refusal = [&] { return Error{ErrorKind::invalid, fmt::format("'{}' is not a time such as 2026-11-22T03:04:05Z", text)}; };
    const bool shaped = text.size() >= 20 && text[4] == '-' && text[7] == '-' && text[10] == 'T' && text[13] == ':' && text[16] == ':' &&
                        text.back() == 'Z';
    if (!shaped) return refusal();
    std::array<int, 6> part{};
    const std::array<std::pair<std::size_t, std::size_t>, 6> where{{{0, 4}, {5, 2}, {8, 2}, {11, 2}, {14, 2}, {17, 2}}};
    for (std::size_t i = 0; i < part.size(); ++i) {
        if (!read_number(text.substr(where.at(i).first, where.at(i).second), part.at(i))) return refusal();
    }
    const std::chrono::year_month_day date{
        std::chrono::year{part[0]}, std::chrono::month{static_cast<unsigned>(part[1])}, std::chrono::day{static_cast<unsigned>(part[2])}};
    if (!date.ok() || part[3] > 23 || part[4] > 59 || part[5] > 60) return refusal();
    int micros = 0;
    std::string fraction(text.substr(19, text.size() - 20));
    if (!fraction.empty()) {
        if (fraction.front() != '.' || fraction.size() < 2 || fraction.size() > 7) return refusal();
        fraction.erase(0, 1);
        fraction.resize(6, '0');
        if (!read_number(fraction, micros)) return refusal();
    }
    return WallTime{std::chrono::sys_days{date} + hours{part[3]} + minutes{part[4]} + seconds{part[5]} + microseconds{micros}};
}

}  // namespace handyrep
