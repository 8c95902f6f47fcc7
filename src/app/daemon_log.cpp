#include "app/daemon_log.hpp"

#include "app/log_line.hpp"

#include <poll.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <cerrno>

namespace handyrep::app {

namespace {

constexpr std::size_t waiting_lines = 512;
constexpr int patience_ms = 500;
// A pipe that poll calls writable takes this much without blocking (PIPE_BUF).
constexpr std::size_t longest_line = 4000;

/// Writes only where a write will not block; drops the line when nobody reads for a while.
class PatientSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
public:
    explicit PatientSink(int descriptor) : descriptor_{descriptor} {}

protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        std::string line(message.payload.data(), std::min<std::size_t>(message.payload.size(), longest_line));
        line += '\n';
        pollfd ready{.fd = descriptor_, .events = POLLOUT, .revents = 0};
        // Once stuck it does not wait again for each line, so that the end of the daemon is not held up either.
        stuck_ = ::poll(&ready, 1, stuck_ ? 0 : patience_ms) <= 0;
        if (stuck_) return;
        std::string_view rest = line;
        while (!rest.empty()) {
            const ssize_t put = ::write(descriptor_, rest.data(), rest.size());
            if (put < 0 && errno != EINTR) return;
            if (put > 0) rest.remove_prefix(static_cast<std::size_t>(put));
        }
    }
    void flush_() override {}

private:
    int descriptor_;
    bool stuck_ = false;
};

}  // namespace

struct DaemonLog::Lines {
    explicit Lines(int descriptor)
        : thread{std::make_shared<spdlog::details::thread_pool>(waiting_lines, 1)},
          logger{std::make_shared<spdlog::async_logger>(
              "handyrep", std::make_shared<PatientSink>(descriptor), thread, spdlog::async_overflow_policy::overrun_oldest)} {
        logger->set_level(spdlog::level::trace);
        logger->set_error_handler([](const std::string& /*what*/) {});  // a log that cannot be written is nothing to log
    }

    std::shared_ptr<spdlog::details::thread_pool> thread;
    std::shared_ptr<spdlog::async_logger> logger;
};

DaemonLog::DaemonLog(const ports::Clock& clock, int descriptor) : clock_{clock}, lines_{std::make_unique<Lines>(descriptor)} {}

DaemonLog::~DaemonLog() = default;

void DaemonLog::set(config::LogFormat format, Level least) {
    format_ = format;
    least_ = least;
}

void DaemonLog::write(Level level, std::string_view event, const std::vector<Field>& fields) {
    if (level < least_) return;
    const std::string line = format_ == config::LogFormat::json ? json_line(clock_.wall(), level, event, fields)
                                                                : human_line(clock_.wall(), level, event, fields);
    lines_->logger->log(spdlog::level::info, spdlog::string_view_t(line));
}

}  // namespace handyrep::app
