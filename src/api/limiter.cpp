#include "api/limiter.hpp"

#include <algorithm>
#include <cstddef>

namespace handyrep::api {

namespace {

constexpr int free_failures = 5;
constexpr Duration longest = std::chrono::minutes{1};
constexpr Duration forgotten_after = std::chrono::minutes{10};
constexpr std::size_t most_rows = 1000;

/// 1 s after the fifth failure, twice as long after each further one.
Duration penalty(int failures) {
    if (failures < free_failures) return Duration::zero();
    return std::min<Duration>(longest, std::chrono::seconds{1LL << std::min(failures - free_failures, 10)});
}

}  // namespace

std::optional<Duration> Limiter::wait_of(const std::string& address, Instant now) const {
    const auto found = rows_.find(address);
    if (found == rows_.end()) return std::nullopt;
    const Instant free_at = found->second.last + penalty(found->second.failures);
    if (free_at <= now) return std::nullopt;
    return free_at - now;
}

void Limiter::failed(const std::string& address, Instant now) {
    if (!rows_.contains(address)) make_room(now);
    Row& row = rows_[address];
    if (now - row.last > forgotten_after) row.failures = 0;
    ++row.failures;
    row.last = now;
}

void Limiter::succeeded(const std::string& address) { rows_.erase(address); }

void Limiter::make_room(Instant now) {
    if (rows_.size() < most_rows) return;
    std::erase_if(rows_, [&](const auto& row) { return now - row.second.last > forgotten_after; });
    if (rows_.size() < most_rows) return;
    rows_.erase(std::ranges::min_element(rows_, {}, [](const auto& row) { return row.second.last; }));
}

}  // namespace handyrep::api
