#include "app/service_manager.hpp"

#include <fmt/format.h>
#include <systemd/sd-daemon.h>

#include <cstdint>

namespace handyrep::app {

void notify_ready(const std::string& status) { ::sd_notify(0, fmt::format("READY=1\nSTATUS={}", status).c_str()); }

void notify_reloading() { ::sd_notify(0, "RELOADING=1"); }

void notify_stopping() { ::sd_notify(0, "STOPPING=1"); }

asio::awaitable<void> feed_watchdog(ports::Clock& clock) {
    std::uint64_t limit_us = 0;
    if (::sd_watchdog_enabled(0, &limit_us) <= 0) co_return;
    const Duration interval = std::chrono::microseconds{limit_us / 3};
    for (;;) {
        ::sd_notify(0, "WATCHDOG=1");
        co_await clock.sleep_until(clock.now() + interval);
    }
}

}  // namespace handyrep::app
