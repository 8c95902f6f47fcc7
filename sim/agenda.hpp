// sim/agenda.hpp — virtual time: what happens next, ordered by (time, sequence). Nothing here or above reads a real clock.
#pragma once

#include "base/time.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace handyrep::sim {

class Agenda {
public:
    [[nodiscard]] Instant now() const { return now_; }
    /// A time in the past means now. Entries of one time happen in the order in which they were made.
    void at(Instant when, std::function<void()> what);
    void after(Duration wait, std::function<void()> what) { at(now_ + wait, std::move(what)); }
    [[nodiscard]] std::optional<Instant> next() const;
    /// Advances to the next entry and does it. There must be one.
    void run_next();

private:
    struct Entry {
        Instant when;
        std::uint64_t sequence;
        std::function<void()> what;
    };
    static bool later(const Entry& left, const Entry& right);

    Instant now_{std::chrono::hours{1}};  // not zero: a forgotten initialisation shall look wrong
    std::uint64_t sequence_ = 0;
    std::vector<Entry> heap_;
};

}  // namespace handyrep::sim
