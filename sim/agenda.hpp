// sim/agenda.hpp — virtual time: what happens next, ordered by (time, sequence). Nothing here or above reads a real clock.
#pragma once

#include "base/time.hpp"
#include "sim/task.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace handyrep::sim {

class Agenda {
public:
    [[nodiscard]] Instant now() const { return now_; }
    /// A time in the past means now. Entries of one time happen in the order in which they were made.
    void at(Instant when, Task what);
    void after(Duration wait, Task what) { at(now_ + wait, std::move(what)); }
    [[nodiscard]] std::optional<Instant> next() const;
    /// Advances to the next entry and does it. There must be one.
    void run_next();

private:
    /// Small, so that ordering moves little: the task itself stays where it was put.
    struct Entry {
        Instant when;
        std::uint64_t sequence;
        std::size_t place;
    };
    struct Later {
        bool operator()(const Entry& left, const Entry& right) const {
            return left.when != right.when ? left.when > right.when : left.sequence > right.sequence;
        }
    };

    Instant now_{std::chrono::hours{1}};  // not zero: a forgotten initialisation shall look wrong
    std::uint64_t sequence_ = 0;
    std::vector<Entry> heap_;
    std::vector<Task> tasks_;
    std::vector<std::size_t> free_;
};

}  // namespace handyrep::sim
