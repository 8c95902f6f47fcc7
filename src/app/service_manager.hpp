// app/service_manager.hpp — tells systemd (where it is the one that started us) that we are ready, alive, stopping.
#pragma once

#include "ports/clock.hpp"

#include <string>

namespace handyrep::app {

void notify_ready(const std::string& status);
void notify_reloading();
void notify_stopping();

/// Feeds the watchdog from the event loop, so that a loop that hangs is restarted; returns at once where none was asked for.
asio::awaitable<void> feed_watchdog(ports::Clock& clock);

}  // namespace handyrep::app
