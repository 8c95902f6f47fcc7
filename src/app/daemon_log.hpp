// app/daemon_log.hpp — the log on standard error: the service manager keeps, rotates and forwards it.
//
// Lines go through a bounded queue to a thread of its own. When nobody reads the other end for a while, the oldest waiting
// lines are dropped and the daemon goes on: a full pipe must not stop a failover.
#pragma once

#include "base/log.hpp"
#include "config/configuration.hpp"
#include "ports/clock.hpp"

#include <atomic>
#include <memory>

namespace handyrep::app {

class DaemonLog final : public Log {
public:
    DaemonLog(const ports::Clock& clock, int descriptor);
    ~DaemonLog() override;

    void set(config::LogFormat format, Level least);
    void write(Level level, std::string_view event, const std::vector<Field>& fields) override;

private:
    struct Lines;

    const ports::Clock& clock_;
    // Threads of the store may write too.
    std::atomic<config::LogFormat> format_ = config::LogFormat::human;
    std::atomic<Level> least_ = Level::info;
    std::unique_ptr<Lines> lines_;
};

}  // namespace handyrep::app
