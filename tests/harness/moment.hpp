// tests/harness/moment.hpp — waiting for things that happen in other processes. Every wait has a limit.
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"

#include <chrono>
#include <string>
#include <thread>

namespace handyrep::harness {

using Moment = std::chrono::steady_clock::time_point;

[[nodiscard]] inline Moment now() { return std::chrono::steady_clock::now(); }

[[nodiscard]] inline double milliseconds_between(Moment from, Moment to) {
    return std::chrono::duration<double, std::milli>(to - from).count();
}

/// Asks `question` again and again until it says yes. Fails with `timed_out` after `limit`, naming `what` was waited for.
template <class Question>
Result<void> wait_until(Question question, Duration limit, const std::string& what, Duration pause = std::chrono::milliseconds{10}) {
    const Moment deadline = now() + limit;
    while (!question()) {
        if (now() >= deadline) return Error{ErrorKind::timed_out, "waited " + text(limit) + " in vain: " + what};
        std::this_thread::sleep_for(pause);
    }
    return {};
}

}  // namespace handyrep::harness
