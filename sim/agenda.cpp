#include "sim/agenda.hpp"

#include "base/ensure.hpp"

#include <algorithm>

namespace handyrep::sim {

bool Agenda::later(const Entry& left, const Entry& right) {
    return left.when != right.when ? left.when > right.when : left.sequence > right.sequence;
}

void Agenda::at(Instant when, std::function<void()> what) {
    heap_.push_back({std::max(when, now_), ++sequence_, std::move(what)});
    std::ranges::push_heap(heap_, later);
}

std::optional<Instant> Agenda::next() const {
    if (heap_.empty()) return std::nullopt;
    return heap_.front().when;
}

void Agenda::run_next() {
    ensure(!heap_.empty(), "there is a next entry");
    std::ranges::pop_heap(heap_, later);
    const Entry entry = std::move(heap_.back());
    heap_.pop_back();
    now_ = entry.when;
    entry.what();
}

}  // namespace handyrep::sim
