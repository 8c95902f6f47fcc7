#include "adapters/files/database.hpp"

#include "adapters/files/disk.hpp"

#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace handyrep::adapters::files {

namespace {

/// How long somebody who reads the file with a tool of his own is waited for.
constexpr int busy_timeout_milliseconds = 3000;

struct Damaged {};

int number(SQLite::Database& database, const char* question) {
    SQLite::Statement statement{database, question};
    return statement.executeStep() ? statement.getColumn(0).getInt() : 0;
}

void check_whole(SQLite::Database& database) {
    SQLite::Statement statement{database, "PRAGMA quick_check(1)"};
    if (!statement.executeStep() || statement.getColumn(0).getString() != "ok") throw Damaged{};
}

Result<OpenDatabase> open_once(const DatabasePlan& plan) {
    if (auto made = make_private_file(plan.path); !made) return made.error();
    OpenDatabase open{SQLite::Database{plan.path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, busy_timeout_milliseconds}, false, {}};
    SQLite::Database& database = open.database;
    // The write-ahead log needs one sync for a commit where the rollback journal needs three, and survives a kill as well.
    { SQLite::Statement{database, "PRAGMA journal_mode = WAL"}.executeStep(); }
    database.exec("PRAGMA synchronous = " + plan.synchronous);
    const int format = number(database, "PRAGMA user_version");
    if (format > plan.format) {
        return Error{
            ErrorKind::unsupported,
            fmt::format("{} was written by a newer HandyRep (format {}; this one knows {})", plan.path, format, plan.format)};
    }
    check_whole(database);
    if (format == plan.format) return open;
    SQLite::Transaction transaction{database};
    if (format > 0) {
        for (auto at = static_cast<std::size_t>(format) - 1; at < plan.upgrades.size(); ++at) database.exec(plan.upgrades[at]);
        database.exec(fmt::format("PRAGMA user_version = {}", plan.format));
        transaction.commit();
        return open;
    }
    if (number(database, "SELECT count(*) FROM sqlite_master") != 0) throw Damaged{};  // somebody else's file
    database.exec(plan.tables);
    database.exec(fmt::format("PRAGMA user_version = {}", plan.format));
    transaction.commit();
    open.is_new = true;
    return open;
}

/// Nothing when the file is damaged.
std::optional<Result<OpenDatabase>> attempt(const DatabasePlan& plan) {
    try {
        return open_once(plan);
    } catch (const Damaged&) {
        return std::nullopt;
    } catch (const SQLite::Exception& failure) {
        if (failure.getErrorCode() == SQLITE_CORRUPT || failure.getErrorCode() == SQLITE_NOTADB) return std::nullopt;
        return database_trouble("open " + plan.path, failure);
    }
}

}  // namespace

std::string stamp(WallTime now) {
    std::string out = text(now);
    std::erase_if(out, [](char c) { return c == '-' || c == ':'; });
    return out;
}

Result<OpenDatabase> open_database(const DatabasePlan& plan, WallTime now) {
    if (auto open = attempt(plan)) return *std::move(open);
    const std::string aside = fmt::format("{}.damaged-{}", plan.path, stamp(now));
    for (const char* const suffix : {"", "-wal", "-shm"}) {
        if (auto moved = move_aside(plan.path + suffix, aside + suffix); !moved) return moved.error();
    }
    auto open = attempt(plan);
    if (!open) return Error{ErrorKind::failed, fmt::format("a new {} is damaged at once", plan.path)};
    if (*open) (**open).set_aside = aside;
    return *std::move(open);
}

Error database_trouble(std::string_view doing, const std::exception& failure) {
    return {ErrorKind::failed, fmt::format("cannot {}: {}", doing, failure.what())};
}

}  // namespace handyrep::adapters::files
