#include "adapters/files/history.hpp"

#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace handyrep::adapters::files {

namespace {

using saved::Event;
using Json = nlohmann::json;

constexpr std::size_t kept_in_memory = 1000;
constexpr std::size_t operations_in_memory = 100;
constexpr std::int64_t operations_kept = 1000;
constexpr const char* operation_table = "CREATE TABLE operation (id INTEGER PRIMARY KEY, record TEXT NOT NULL);";

constexpr std::array<std::pair<Level, std::string_view>, 4> levels{
    {{Level::debug, "debug"}, {Level::info, "info"}, {Level::warning, "warning"}, {Level::error, "error"}}};

std::string word_for(Level level) {
    const auto found = std::ranges::find(levels, level, &std::pair<Level, std::string_view>::first);
    return found == levels.end() ? "info" : std::string(found->second);
}

Level level_of(std::string_view word) {
    const auto found = std::ranges::find(levels, word, &std::pair<Level, std::string_view>::second);
    return found == levels.end() ? Level::info : found->first;
}

std::string fields_text(const std::vector<Field>& fields) {
    Json list = Json::array();
    for (const Field& field : fields) list.push_back(Json::array({field.name, field.value}));
    return list.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::vector<Field> fields_of(const std::string& text) {
    std::vector<Field> fields;
    const Json list = Json::parse(text, nullptr, false);
    if (!list.is_array()) return fields;
    for (const Json& pair : list) {
        const bool whole = pair.is_array() && pair.size() == 2 && pair[0].is_string() && pair[1].is_string();
        if (whole) fields.push_back({pair[0].get<std::string>(), pair[1].get<std::string>()});
    }
    return fields;
}

void add(SQLite::Database& database, const Event& event) {
    SQLite::Statement statement{database, "INSERT INTO event (at, level, name, text, operation, fields) VALUES (?, ?, ?, ?, ?, ?)"};
    statement.bind(1, text(event.at));
    statement.bind(2, word_for(event.level));
    statement.bind(3, event.name);
    statement.bind(4, event.text);
    if (event.operation) statement.bind(5, static_cast<std::int64_t>(*event.operation));
    statement.bind(6, fields_text(event.fields));
    statement.exec();
}

std::vector<Event> last_of(const std::deque<Event>& events, std::size_t count) {
    const auto skipped = events.size() - std::min(count, events.size());
    return {events.begin() + static_cast<std::ptrdiff_t>(skipped), events.end()};
}

}  // namespace

DatabasePlan history_plan(const std::string& folder) {
    return {
        .path = folder + "/history.sqlite",
        .tables = std::string("CREATE TABLE event (number INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, level TEXT NOT NULL, "
                              "name TEXT NOT NULL, text TEXT NOT NULL, operation INTEGER, fields TEXT NOT NULL);") +
                  operation_table,
        .format = 2,
        .synchronous = "NORMAL",
        .upgrades = {operation_table}};
}

void History::write(const std::deque<Event>& events) {
    recent_.insert(recent_.end(), events.begin(), events.end());
    while (recent_.size() > kept_in_memory) recent_.pop_front();
    if (!database_) return;
    try {
        store(*database_, events);
        lost_ = 0;
    } catch (const SQLite::Exception&) {
        lost_ += events.size();
    }
}

void History::store(SQLite::Database& database, const std::deque<Event>& events) const {
    SQLite::Transaction transaction{database, SQLite::TransactionBehavior::IMMEDIATE};
    if (lost_ > 0 && !events.empty()) {
        add(database, {.at = events.front().at,
                       .level = Level::warning,
                       .name = "history_gap",
                       .text = fmt::format("{} events before this one could not be written", lost_)});
    }
    for (const Event& event : events) add(database, event);
    SQLite::Statement bound{database, "DELETE FROM event WHERE number <= (SELECT max(number) FROM event) - ?"};
    bound.bind(1, static_cast<std::int64_t>(limit_));
    bound.exec();
    transaction.commit();
}

std::vector<Event> History::newest(std::size_t count) {
    if (!database_ || lost_ > 0) return last_of(recent_, count);
    try {
        return stored(*database_, count);
    } catch (const SQLite::Exception&) {
        return last_of(recent_, count);
    }
}

std::vector<Event> History::stored(SQLite::Database& database, std::size_t count) const {
    std::vector<Event> events;
    SQLite::Statement statement{database, "SELECT at, level, name, text, operation, fields FROM event ORDER BY number DESC LIMIT ?"};
    statement.bind(1, static_cast<std::int64_t>(std::min(count, limit_)));
    while (statement.executeStep()) {
        const auto at = parse_wall_time(statement.getColumn(0).getString());
        if (!at) continue;
        Event event{
            .at = *at,
            .level = level_of(statement.getColumn(1).getString()),
            .name = statement.getColumn(2).getString(),
            .text = statement.getColumn(3).getString()};
        if (!statement.getColumn(4).isNull()) event.operation = static_cast<std::uint64_t>(statement.getColumn(4).getInt64());
        event.fields = fields_of(statement.getColumn(5).getString());
        events.push_back(std::move(event));
    }
    std::ranges::reverse(events);
    return events;
}

void History::write(const saved::OperationRecord& operation) {
    const auto known = std::ranges::find(recent_operations_, operation.id, &saved::OperationRecord::id);
    if (known == recent_operations_.end())
        recent_operations_.push_back(operation);
    else
        *known = operation;
    if (recent_operations_.size() > operations_in_memory) recent_operations_.pop_front();
    if (!database_) return;
    try {
        SQLite::Transaction transaction{*database_, SQLite::TransactionBehavior::IMMEDIATE};
        SQLite::Statement statement{*database_, "INSERT OR REPLACE INTO operation (id, record) VALUES (?, ?)"};
        statement.bind(1, static_cast<std::int64_t>(operation.id));
        statement.bind(2, saved::to_text(operation));
        statement.exec();
        SQLite::Statement bound{*database_, "DELETE FROM operation WHERE id NOT IN (SELECT id FROM operation ORDER BY id DESC LIMIT ?)"};
        bound.bind(1, operations_kept);
        bound.exec();
        transaction.commit();
    } catch (const SQLite::Exception&) {
        return;  // it stays in memory, and its events say what happened too
    }
}

std::vector<saved::OperationRecord> History::newest_operations(std::size_t count) {
    std::map<std::uint64_t, saved::OperationRecord> all;
    if (database_) {
        try {
            SQLite::Statement statement{*database_, "SELECT record FROM operation ORDER BY id DESC LIMIT ?"};
            statement.bind(1, static_cast<std::int64_t>(count));
            while (statement.executeStep()) {
                if (auto record = saved::operation_record_from_text(statement.getColumn(0).getString())) all[record->id] = *record;
            }
        } catch (const SQLite::Exception&) {
            all.clear();
        }
    }
    // What could not be written is newer than what was.
    for (const saved::OperationRecord& it : recent_operations_) all[it.id] = it;
    while (all.size() > count) all.erase(all.begin());
    std::vector<saved::OperationRecord> out;
    for (auto& [id, record] : all) out.push_back(std::move(record));
    return out;
}

std::uint64_t History::highest_operation() {
    if (!database_) return 0;
    try {
        SQLite::Statement statement{*database_, "SELECT coalesce(max(operation), 0) FROM event"};
        return statement.executeStep() ? static_cast<std::uint64_t>(statement.getColumn(0).getInt64()) : 0;
    } catch (const SQLite::Exception&) {
        return 0;
    }
}

}  // namespace handyrep::adapters::files
