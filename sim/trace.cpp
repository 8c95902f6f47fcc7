#include "sim/trace.hpp"

#include "sim/agenda.hpp"

#include <fmt/format.h>

namespace handyrep::sim {

namespace {
constexpr std::uint64_t fnv_prime = 0x100000001B3ULL;
}

std::string Trace::Line::text() const {
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(at - Agenda{}.now()).count();
    return fmt::format("{:>5}.{:06}  {:<10} {}", micros / 1000000, micros % 1000000, who, what);
}

void Trace::mix(std::string_view bytes) {
    for (const char it : bytes) hash_ = (hash_ ^ static_cast<unsigned char>(it)) * fnv_prime;
    hash_ = (hash_ ^ 0xFFU) * fnv_prime;
}

void Trace::count(std::uint64_t number) { hash_ = (hash_ ^ number) * fnv_prime; }

void Trace::note(Instant at, std::string_view who, std::string_view what) {
    count(static_cast<std::uint64_t>(at.time_since_epoch().count()));
    mix(who);
    mix(what);
    lines_.push_back({at, std::string(who), std::string(what)});
}

}  // namespace handyrep::sim
