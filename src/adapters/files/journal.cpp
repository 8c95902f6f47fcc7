#include "adapters/files/journal.hpp"

#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <fmt/format.h>

#include <utility>

namespace handyrep::adapters::files {

namespace {

using saved::JournalEntry;
using saved::JournalRecord;

std::int64_t signed_number(std::uint64_t number) { return static_cast<std::int64_t>(number); }
std::uint64_t unsigned_number(std::int64_t number) { return static_cast<std::uint64_t>(number); }

/// Leaves a transaction (which is then rolled back); never leaves this file.
struct Refused {
    Error error;
};

JournalRecord record_of(SQLite::Statement& row) {
    auto at = parse_wall_time(row.getColumn(2).getString());
    auto entry = saved::parse_journal_entry(row.getColumn(3).getString());
    if (!at || !entry) {
        const std::string why = !at ? at.error().what : entry.error().what;
        throw Refused{
            {ErrorKind::failed, fmt::format(
                                    "a record of the journal (operation {}, number {}) cannot be understood: {}",
                                    row.getColumn(0).getInt64(), row.getColumn(1).getInt64(), why)}};
    }
    return {
        .operation = unsigned_number(row.getColumn(0).getInt64()),
        .sequence = unsigned_number(row.getColumn(1).getInt64()),
        .at = *at,
        .entry = *entry,
        .step = row.getColumn(4).getString(),
        .detail = row.getColumn(5).getString()};
}

}  // namespace

DatabasePlan journal_plan(const std::string& folder) {
    return {
        .path = folder + "/journal.sqlite",
        .tables =
            "CREATE TABLE record (operation INTEGER NOT NULL, sequence INTEGER NOT NULL, at TEXT NOT NULL, entry TEXT NOT NULL, "
            "step TEXT NOT NULL, detail TEXT NOT NULL, PRIMARY KEY (operation, sequence)) WITHOUT ROWID;"
            "CREATE TABLE used (one INTEGER PRIMARY KEY CHECK (one = 1), operation INTEGER NOT NULL);"
            "INSERT INTO used VALUES (1, 0);",
        .format = 1,
        .synchronous = "FULL"};
}

Result<void> Journal::append(const JournalRecord& record) {
    try {
        SQLite::Transaction transaction{database_, SQLite::TransactionBehavior::IMMEDIATE};
        if (!is_here_already(record)) {
            if (record.entry == JournalEntry::begun && record.operation <= highest_used()) {
                return Error{ErrorKind::conflict, fmt::format("operation number {} was used before", record.operation)};
            }
            add(record);
        }
        note_used(record.operation);
        if (record.entry == JournalEntry::ended) {
            SQLite::Statement statement{database_, "DELETE FROM record WHERE operation = ?"};
            statement.bind(1, signed_number(record.operation));
            statement.exec();
        }
        transaction.commit();
        return {};
    } catch (const Refused& refused) {
        return refused.error;
    } catch (const SQLite::Exception& failure) {
        return database_trouble("write the journal", failure);
    }
}

bool Journal::is_here_already(const JournalRecord& record) {
    SQLite::Statement statement{
        database_, "SELECT operation, sequence, at, entry, step, detail FROM record WHERE operation = ? AND sequence = ?"};
    statement.bind(1, signed_number(record.operation));
    statement.bind(2, signed_number(record.sequence));
    if (!statement.executeStep()) return false;
    const JournalRecord there = record_of(statement);
    if (there.entry != record.entry || there.step != record.step || there.detail != record.detail) {
        throw Refused{
            {ErrorKind::conflict, fmt::format(
                                      "record {} of operation {} is another one already: {} {}", record.sequence, record.operation,
                                      saved::word_for(there.entry), there.step)}};
    }
    return true;
}

void Journal::add(const JournalRecord& record) {
    SQLite::Statement statement{database_, "INSERT INTO record VALUES (?, ?, ?, ?, ?, ?)"};
    statement.bind(1, signed_number(record.operation));
    statement.bind(2, signed_number(record.sequence));
    statement.bind(3, text(record.at));
    statement.bind(4, std::string(saved::word_for(record.entry)));
    statement.bind(5, record.step);
    statement.bind(6, record.detail);
    statement.exec();
}

void Journal::note_used(std::uint64_t number) {
    SQLite::Statement statement{database_, "UPDATE used SET operation = max(operation, ?)"};
    statement.bind(1, signed_number(number));
    statement.exec();
}

std::uint64_t Journal::highest_used() {
    SQLite::Statement statement{database_, "SELECT operation FROM used"};
    return statement.executeStep() ? unsigned_number(statement.getColumn(0).getInt64()) : 0;
}

Result<std::vector<JournalRecord>> Journal::open_operations() {
    try {
        std::vector<JournalRecord> records;
        SQLite::Statement statement{
            database_, "SELECT operation, sequence, at, entry, step, detail FROM record ORDER BY operation, sequence"};
        while (statement.executeStep()) records.push_back(record_of(statement));
        return records;
    } catch (const Refused& refused) {
        return refused.error;
    } catch (const SQLite::Exception& failure) {
        return database_trouble("read the journal", failure);
    }
}

Result<std::uint64_t> Journal::last_operation() {
    try {
        return highest_used();
    } catch (const SQLite::Exception& failure) {
        return database_trouble("read the journal", failure);
    }
}

Result<void> Journal::skip_operations(std::uint64_t number) {
    try {
        note_used(number);
        return {};
    } catch (const SQLite::Exception& failure) {
        return database_trouble("write the journal", failure);
    }
}

}  // namespace handyrep::adapters::files
