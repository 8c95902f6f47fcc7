#include "sim/agenda.hpp"

#include "base/ensure.hpp"

#include <algorithm>

namespace handyrep::sim {

void Agenda::at(Instant when, Task what) {
    std::size_t place = tasks_.size();
    if (free_.empty()) {
        tasks_.push_back(std::move(what));
    } else {
        place = free_.back();
        free_.pop_back();
        tasks_[place] = std::move(what);
    }
    heap_.push_back({std::max(when, now_), ++sequence_, place});
    std::ranges::push_heap(heap_, Later{});
}

std::optional<Instant> Agenda::next() const {
    if (heap_.empty()) return std::nullopt;
    return heap_.front().when;
}

void Agenda::run_next() {
    ensure(!heap_.empty(), "there is a next entry");
    std::ranges::pop_heap(heap_, Later{});
    const Entry entry = heap_.back();
    heap_.pop_back();
    now_ = entry.when;
    // Out of the list first: what is done may well put new entries into it.
    Task what = std::move(tasks_[entry.place]);
    free_.push_back(entry.place);
    what();
}

}  // namespace handyrep::sim
