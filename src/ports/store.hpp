// ports/store.hpp — the manager's own disk. Texts and rows only; what they mean is for the room `saved`.
#pragma once

#include "base/time.hpp"
#include "ports/async.hpp"
#include "saved/event.hpp"
#include "saved/journal.hpp"
#include "saved/operation_record.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace handyrep::ports {

class Store {
public:
    Store() = default;
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;
    virtual ~Store() = default;

    /// The text of servers.save; nothing when there is no such file.
    virtual Async<std::optional<std::string>> read_servers(Instant deadline) = 0;
    /// Atomic and durable: after success the new text is read back after a power cut, after an error the old or the new one, whole.
    virtual Async<void> write_servers(const std::string& text, Instant deadline) = 0;

    /// Durable before it returns. Without it no action.
    virtual Async<void> append(const saved::JournalRecord& record, Instant deadline) = 0;
    /// Whether the records of an operation would find room: fails before one is begun that could not be written to its end.
    virtual Async<void> check(Instant deadline) = 0;
    /// Every record of operations that have not ended, in order.
    virtual Async<std::vector<saved::JournalRecord>> open_operations(Instant deadline) = 0;
    /// The journal was lost or damaged while the saved state stayed: what was under way is not known, so whoever asks begins
    /// provisionally (S13). True until the store is opened again.
    [[nodiscard]] virtual bool journal_lost() const = 0;
    /// The highest operation number ever used here, 0 at first.
    virtual Async<std::uint64_t> last_operation(Instant deadline) = 0;

    /// History: kept when possible, bounded, lost without harm.
    virtual void remember(const saved::Event& event) = 0;
    /// The newest `count` events, oldest first.
    virtual Async<std::vector<saved::Event>> events(std::size_t count, Instant deadline) = 0;

    /// The same for operations: one record for each, in the place of what was remembered of it before.
    virtual void remember(const saved::OperationRecord& operation) = 0;
    /// The newest `count`, oldest first.
    virtual Async<std::vector<saved::OperationRecord>> operations(std::size_t count, Instant deadline) = 0;
};

}  // namespace handyrep::ports
