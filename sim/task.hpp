// sim/task.hpp — something to be done once, later. Like std::function<void()>, but moved and never copied, and with room
// for what the simulator's messages carry, because a history is made of hundreds of thousands of them.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

namespace handyrep::sim {

class Task {
public:
    Task() = default;
    template <std::invocable Work>
        requires(!std::same_as<std::remove_cvref_t<Work>, Task>)
    Task(Work&& work) : ways_{&ways_of<std::decay_t<Work>>} {  // NOLINT(google-explicit-constructor): stands where a lambda is written
        using Kept = std::decay_t<Work>;
        if constexpr (fits<Kept>) {
            ::new (place()) Kept(std::forward<Work>(work));
        } else {
            ::new (place()) Kept*(new Kept(std::forward<Work>(work)));
        }
    }
    Task(Task&& other) noexcept { take(other); }
    Task& operator=(Task&& other) noexcept {
        if (this != &other) {
            drop();
            take(other);
        }
        return *this;
    }
    Task(const Task&) = delete;
    Task& operator=(const Task&) = delete;
    ~Task() { drop(); }

    explicit operator bool() const { return ways_ != nullptr; }
    void operator()() { ways_->call(place()); }

private:
    static constexpr std::size_t room = 88;
    template <class Kept>
    static constexpr bool fits =
        sizeof(Kept) <= room && alignof(Kept) <= alignof(std::max_align_t) && std::is_nothrow_move_constructible_v<Kept>;

    struct Ways {
        void (*call)(void*);
        void (*move)(void* from, void* to) noexcept;  // and ends what was at `from`
        void (*end)(void*) noexcept;
    };
    template <class Kept>
    static Kept& kept(void* at) {
        if constexpr (fits<Kept>) {
            return *std::launder(static_cast<Kept*>(at));
        } else {
            return **std::launder(static_cast<Kept**>(at));
        }
    }
    template <class Kept>
    static constexpr Ways ways_of{
        .call = [](void* at) { kept<Kept>(at)(); },
        .move =
            [](void* from, void* to) noexcept {
                if constexpr (fits<Kept>) {
                    ::new (to) Kept(std::move(kept<Kept>(from)));
                    kept<Kept>(from).~Kept();
                } else {
                    ::new (to) Kept*(&kept<Kept>(from));
                }
            },
        .end =
            [](void* at) noexcept {
                if constexpr (fits<Kept>) {
                    kept<Kept>(at).~Kept();
                } else {
                    delete &kept<Kept>(at);
                }
            }};

    [[nodiscard]] void* place() { return room_.data(); }
    void take(Task& other) noexcept {
        ways_ = std::exchange(other.ways_, nullptr);
        if (ways_ != nullptr) ways_->move(other.place(), place());
    }
    void drop() noexcept {
        if (ways_ != nullptr) ways_->end(place());
        ways_ = nullptr;
    }

    alignas(std::max_align_t) std::array<std::byte, room> room_;
    const Ways* ways_ = nullptr;
};

}  // namespace handyrep::sim
