#include "adapters/system_clock/system_clock.hpp"
#include "app/service_manager.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <stdexcept>
#include <string>

namespace handyrep::app {
namespace {

/// The socket that systemd gives a service, with this test at the other end.
class ServiceManagerTest : public testing::Test {
protected:
    ServiceManagerTest() : socket_{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)} {
        if (socket_ < 0) throw std::runtime_error("no socket");
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        ::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(sa_family_t));  // any free abstract name
        socklen_t size = sizeof address;
        ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
        const timeval limit{.tv_sec = 30, .tv_usec = 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        const std::string name(address.sun_path + 1, size - sizeof(sa_family_t) - 1);
        ::setenv("NOTIFY_SOCKET", ("@" + name).c_str(), 1);
    }
    ~ServiceManagerTest() override {
        ::close(socket_);
        for (const char* const name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
    }
    [[nodiscard]] std::string heard() const {
        std::array<char, 512> text{};
        const ssize_t got = ::recv(socket_, text.data(), text.size(), 0);
        return got > 0 ? std::string(text.data(), static_cast<std::size_t>(got)) : "(nothing)";
    }

private:
    int socket_;
};

TEST_F(ServiceManagerTest, IsToldReadyAndStopping) {
    notify_ready("watching cluster pay, 3 servers");
    EXPECT_EQ(heard(), "READY=1\nSTATUS=watching cluster pay, 3 servers");
    notify_stopping();
    EXPECT_EQ(heard(), "STOPPING=1");
}

TEST_F(ServiceManagerTest, IsFedByTheLoopSeveralTimesWithinTheWatchdogsLimit) {
    ::setenv("WATCHDOG_USEC", "30000", 1);
    ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
    asio::io_context loop;
    adapters::system_clock::SystemClock clock;
    asio::co_spawn(loop, feed_watchdog(clock), [](const std::exception_ptr& /*stopped*/) {});
    loop.run_for(std::chrono::milliseconds{100});
    EXPECT_EQ(heard(), "WATCHDOG=1");
    EXPECT_EQ(heard(), "WATCHDOG=1");
}

TEST_F(ServiceManagerTest, IsNotFedWhereItWantsNoWatchdog) {
    asio::io_context loop;
    adapters::system_clock::SystemClock clock;
    bool ended = false;
    asio::co_spawn(loop, feed_watchdog(clock), [&](const std::exception_ptr& /*stopped*/) { ended = true; });
    loop.run();
    EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace handyrep::app
