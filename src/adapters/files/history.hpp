// adapters/files/history.hpp — history.sqlite: events and operations, for people. Losing it loses history, never the cluster.
//
// `write` and `newest` block and run on one thread. Where the file cannot be written, the newest events are kept in memory,
// and once it can be written again the gap is an event of its own.
#pragma once

#include "adapters/files/database.hpp"
#include "base/result.hpp"
#include "saved/event.hpp"
#include "saved/operation_record.hpp"

#include <SQLiteCpp/Database.h>

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace handyrep::adapters::files {

[[nodiscard]] DatabasePlan history_plan(const std::string& folder);

class History {
public:
    /// Keeps at most `limit` events. Without a database: in memory only.
    History(std::optional<SQLite::Database> database, std::size_t limit) : database_{std::move(database)}, limit_{limit} {}

    void write(const std::deque<saved::Event>& events);
    /// Oldest first.
    std::vector<saved::Event> newest(std::size_t count);
    /// In the place of what is known of it.
    void write(const saved::OperationRecord& operation);
    /// Oldest first.
    std::vector<saved::OperationRecord> newest_operations(std::size_t count);
    /// The highest operation number that an event names; 0 without one.
    std::uint64_t highest_operation();

private:
    void store(SQLite::Database& database, const std::deque<saved::Event>& events) const;
    std::vector<saved::Event> stored(SQLite::Database& database, std::size_t count) const;

    std::optional<SQLite::Database> database_;
    std::size_t limit_;
    std::deque<saved::Event> recent_;
    std::deque<saved::OperationRecord> recent_operations_;
    std::uint64_t lost_ = 0;  // since the file could be written last
};

}  // namespace handyrep::adapters::files
