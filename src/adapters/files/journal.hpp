// adapters/files/journal.hpp — journal.sqlite: one row per record of operations that have not ended. Blocks; one thread at a time.
#pragma once

#include "adapters/files/database.hpp"
#include "base/result.hpp"
#include "saved/journal.hpp"

#include <SQLiteCpp/Database.h>

#include <cstdint>
#include <string>
#include <vector>

namespace handyrep::adapters::files {

[[nodiscard]] DatabasePlan journal_plan(const std::string& folder);

class Journal {
public:
    explicit Journal(SQLite::Database database) : database_{std::move(database)} {}

    /// On the disk when it returns. The same record twice is one record, so that a caller who was not told may ask again;
    /// another record in its place, or a new operation with a number that was used before, is a `conflict`.
    /// `ended` takes the operation's records away: what happened is in the history.
    Result<void> append(const saved::JournalRecord& record);

    Result<std::vector<saved::JournalRecord>> open_operations();
    Result<std::uint64_t> last_operation();
    /// Numbers up to `number` count as used: for a journal that had to be begun anew.
    Result<void> skip_operations(std::uint64_t number);

private:
    bool is_here_already(const saved::JournalRecord& record);
    void add(const saved::JournalRecord& record);
    void note_used(std::uint64_t number);
    std::uint64_t highest_used();

    SQLite::Database database_;
};

}  // namespace handyrep::adapters::files
