// adapters/system_clock — the clocks of the machine that HandyRep runs on.
#pragma once

#include "ports/clock.hpp"

namespace handyrep::adapters::system_clock {

class SystemClock final : public ports::Clock {
public:
    [[nodiscard]] Instant now() const override;
    [[nodiscard]] Instant boot_now() const override;
    [[nodiscard]] WallTime wall() const override;
    using Clock::wait;
    asio::awaitable<void> sleep_until(Instant when) override;
    asio::awaitable<bool> wait(ports::Bell& bell, std::uint64_t heard, Instant until) override;
};

}  // namespace handyrep::adapters::system_clock
