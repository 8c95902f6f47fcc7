#include "adapters/files/worker.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <mutex>

namespace handyrep::adapters::files {

struct Worker::State {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<std::shared_ptr<Job>> jobs;
    std::shared_ptr<Job> at_hand;
    bool closing = false;  // no delivery any more; ends when the jobs are done
    bool ended = false;
};

namespace {

/// How long the end of the daemon waits for a disk.
constexpr std::chrono::seconds patience{2};

/// Signals are the main thread's business.
class SignalsBlocked {
public:
    SignalsBlocked() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, &before_);
    }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;
    ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

private:
    sigset_t before_{};
};

}  // namespace

Worker::Worker() : state_{std::make_shared<State>()} {
    const SignalsBlocked blocked;  // a thread is born with its maker's mask
    thread_ = std::thread{[state = state_] { run(state); }};
}

Worker::~Worker() {
    std::unique_lock lock{state_->mutex};
    state_->closing = true;
    state_->changed.notify_all();
    const bool ended = state_->changed.wait_for(lock, patience, [this] { return state_->ended; });
    lock.unlock();
    if (ended) {
        thread_.join();
    } else {
        thread_.detach();
    }
}

void Worker::ask(std::shared_ptr<Job> job) {
    const std::lock_guard lock{state_->mutex};
    state_->jobs.push_back(std::move(job));
    state_->changed.notify_all();
}

bool Worker::stuck() const {
    const std::lock_guard lock{state_->mutex};
    const auto given_up = [](const std::shared_ptr<Job>& job) { return job && job->left_behind; };
    return given_up(state_->at_hand) || std::ranges::any_of(state_->jobs, given_up);
}

void Worker::run(const std::shared_ptr<State>& state) {
    std::unique_lock lock{state->mutex};
    for (;;) {
        state->changed.wait(lock, [&] { return !state->jobs.empty() || state->closing; });
        if (state->jobs.empty()) break;
        state->at_hand = std::move(state->jobs.front());
        state->jobs.pop_front();
        if (!state->at_hand->left_behind) {
            lock.unlock();
            Delivery deliver = state->at_hand->work();
            lock.lock();
            // Under the lock, so that the executor is still there: whoever closes the worker waits for it.
            if (deliver && !state->closing) deliver();
        }
        state->at_hand.reset();
    }
    state->ended = true;
    state->changed.notify_all();
}

}  // namespace handyrep::adapters::files
