// tests/integration/adapters/loop.hpp — an event loop that a test drives, the real clock, and listeners that behave badly.
#pragma once

#include "adapters/system_clock/system_clock.hpp"
#include "base/ensure.hpp"
#include "base/log.hpp"
#include "ports/clock.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace handyrep {

class KeptLog final : public Log {
public:
    void write(Level /*level*/, std::string_view event, const std::vector<Field>& fields) override {
        text += event;
        for (const Field& field : fields) text += " " + field.name + "=" + field.value;
        text += "\n";
    }
    std::string text;
};

class Loop {
public:
    template <class T>
    T run(asio::awaitable<T> work) {
        std::optional<T> out;
        bool done = false;
        std::exception_ptr thrown;
        asio::co_spawn(context, keep(std::move(work), out), [&](std::exception_ptr error) {
            thrown = error;
            done = true;
        });
        turn_until([&] { return done; });
        if (thrown) std::rethrow_exception(thrown);
        return std::move(*out);
    }
    /// Runs the loop until `question` says yes; a test that waits a minute is broken.
    template <class Question>
    void turn_until(Question question) {
        const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{60};
        context.restart();
        while (!question()) {
            ensure(std::chrono::steady_clock::now() < limit, "a test's work ends");
            context.run_one_for(std::chrono::milliseconds{20});
            context.restart();
        }
    }
    void turn_for(Duration length) {
        const auto end = std::chrono::steady_clock::now() + length;
        while (std::chrono::steady_clock::now() < end) {
            context.restart();
            context.run_one_for(std::chrono::milliseconds{5});
        }
    }
    [[nodiscard]] Instant in(Duration length) const { return clock.now() + length; }
    [[nodiscard]] asio::any_io_executor executor() { return context.get_executor(); }

    /// Sights have no value of their own to begin with, so they are kept in an optional.
    template <class T>
    static asio::awaitable<void> keep(asio::awaitable<T> work, std::optional<T>& out) {
        out.emplace(co_await std::move(work));
    }

    asio::io_context context{1};
    adapters::system_clock::SystemClock clock;
    KeptLog log;
};

/// A loopback port that is listened at by nobody who answers.
class BadListener {
public:
    enum class Kind {
        deaf,  // its queue is full: the network swallows whoever comes
        mute,  // takes connections and says nothing
        rude,  // takes them and cuts them
    };
    BadListener(asio::io_context& context, Kind kind);
    ~BadListener();
    BadListener(const BadListener&) = delete;
    BadListener& operator=(const BadListener&) = delete;
    [[nodiscard]] std::uint16_t port() const { return port_; }

private:
    asio::awaitable<void> cut_everybody();

    asio::io_context& context_;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::vector<int> fillers_;
};

}  // namespace handyrep
