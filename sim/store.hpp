// sim/store.hpp — the manager's own disk. `StoreDisk` outlives every manager; `SimStore` is one manager's way to it.
#pragma once

#include "ports/store.hpp"
#include "sim/clock.hpp"
#include "sim/world.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace handyrep::sim {

struct StoreDisk {
    std::optional<std::string> servers{};
    std::vector<saved::JournalRecord> records{};
    std::uint64_t last_operation = 0;
    std::vector<saved::Event> events{};
    std::vector<saved::OperationRecord> operations{};

    bool fails = false;         // every request is answered with an error
    bool hangs = false;         // no request is answered
    bool journal_lost = false;  // seen by the next manager that opens it
    std::function<void(const saved::JournalRecord&)> on_append{};
    std::function<void(const saved::Event&)> on_event{};
    std::function<void()> after_append{};  // for a fault that strikes between two steps

    /// Operations that were begun and not ended, with the time of their `begun`.
    [[nodiscard]] std::vector<saved::JournalRecord> open() const;
};

class SimStore final : public ports::Store {
public:
    SimStore(World& world, std::shared_ptr<Waits> waits, StoreDisk& disk) : world_{world}, waits_{std::move(waits)}, disk_{disk} {}

    Async<std::optional<std::string>> read_servers(Instant deadline) override;
    Async<void> write_servers(const std::string& text, Instant deadline) override;
    Async<void> append(const saved::JournalRecord& record, Instant deadline) override;
    Async<void> check(Instant deadline) override;
    Async<std::vector<saved::JournalRecord>> open_operations(Instant deadline) override;
    [[nodiscard]] bool journal_lost() const override { return disk_.journal_lost; }
    Async<std::uint64_t> last_operation(Instant deadline) override;
    void remember(const saved::Event& event) override;
    Async<std::vector<saved::Event>> events(std::size_t count, Instant deadline) override;
    void remember(const saved::OperationRecord& operation) override;
    Async<std::vector<saved::OperationRecord>> operations(std::size_t count, Instant deadline) override;

private:
    /// Waits as long as a disk takes, then does `work` there; a request of a manager that died meanwhile may still be done.
    template <class T>
    Async<T> request(std::string what, Instant deadline, std::function<T()> work);

    World& world_;
    std::shared_ptr<Waits> waits_;
    StoreDisk& disk_;
};

}  // namespace handyrep::sim
