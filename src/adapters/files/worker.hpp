// adapters/files/worker.hpp — blocking work on a thread of its own, asked for by coroutines under a deadline.
//
// Jobs run one after another, in the order in which they were asked for. When a caller's deadline passes, the caller goes on
// and the job is left behind: one that has not begun never begins; one that hangs marks the worker as stuck, and until it
// comes back every further call is refused at once instead of waiting out its deadline.
#pragma once

#include "base/time.hpp"
#include "ports/async.hpp"
#include "ports/clock.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace handyrep::adapters::files {

/// What a finished job leaves to be done where its answer is awaited. Not called once the worker is closed.
using Delivery = std::function<void()>;

struct Job {
    std::function<Delivery()> work;
    std::atomic<bool> left_behind = false;
};

class Worker {
public:
    Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;
    /// Lets the jobs end that were asked for, but waits for them only for a short while; a hung thread is left behind with
    /// everything that it uses. Must happen before the io_context of the callers ends.
    ~Worker();

    void ask(std::shared_ptr<Job> job);
    /// True while a job is here that its caller gave up: it, or the one before it, does not end in time.
    [[nodiscard]] bool stuck() const;

private:
    struct State;
    static void run(const std::shared_ptr<State>& state);

    std::shared_ptr<State> state_;
    std::thread thread_;
};

/// Where the answer of one job arrives. Lives on the caller's executor; the worker knows it only weakly.
template <class T>
struct Arrival {
    explicit Arrival(asio::any_io_executor on) : executor{on}, bell{on, asio::steady_timer::time_point::max()} {}
    asio::any_io_executor executor;
    asio::steady_timer bell;  // cancelled when the answer is there
    std::optional<Result<T>> answer;
};

template <class T>
Async<T> arrived(std::shared_ptr<Arrival<T>> arrival) {
    boost::system::error_code rung;
    if (!arrival->answer) co_await arrival->bell.async_wait(asio::redirect_error(asio::use_awaitable, rung));
    auto answer = std::move(arrival->answer);
    // Both the answer and a stop end the wait with the same code; without an answer it was a stop, which flies past.
    if (!answer) throw boost::system::system_error(asio::error::operation_aborted);
    co_return *std::move(answer);
}

/// Marks the job as left behind when its caller goes without an answer: by timeout, by a stop, by being destroyed.
class LeaveBehind {
public:
    explicit LeaveBehind(std::shared_ptr<Job> job) : job_{std::move(job)} {}
    LeaveBehind(const LeaveBehind&) = delete;
    LeaveBehind& operator=(const LeaveBehind&) = delete;
    ~LeaveBehind() {
        if (!has_answer_) job_->left_behind = true;
    }
    void answered() { has_answer_ = true; }

private:
    std::shared_ptr<Job> job_;
    bool has_answer_ = false;
};

/// The result of `work`, which runs on `worker`'s thread; `timed_out` at the deadline; `refused`, with `work` never begun,
/// while an earlier job hangs.
template <class T>
Async<T> on_worker(Worker& worker, ports::Clock& clock, Instant deadline, std::string what, std::function<Result<T>()> work) {
    if (worker.stuck()) co_return Error{ErrorKind::refused, fmt::format("{}: the disk still hangs in an earlier call", what)};
    auto arrival = std::make_shared<Arrival<T>>(co_await asio::this_coro::executor);
    auto job = std::make_shared<Job>();
    job->work = [weak = std::weak_ptr<Arrival<T>>(arrival), run = std::move(work)]() -> Delivery {
        auto answer = std::make_shared<Result<T>>(run());
        return [weak, answer] {
            const auto there = weak.lock();
            if (!there) return;
            asio::post(there->executor, [there, answer] {
                there->answer.emplace(std::move(*answer));
                there->bell.cancel();
            });
        };
    };
    LeaveBehind guard{job};
    worker.ask(job);
    Result<T> result = co_await ports::within<T>(clock, deadline, std::move(what), arrived<T>(arrival));
    if (arrival->answer) guard.answered();
    co_return result;
}

}  // namespace handyrep::adapters::files
