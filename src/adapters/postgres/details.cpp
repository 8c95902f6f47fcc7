#include "adapters/postgres/details.hpp"

#include "adapters/postgres/columns.hpp"
#include "adapters/postgres/restore_command.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <limits>

namespace handyrep::adapters::postgres {

namespace {

using Json = nlohmann::json;

Json parsed(const Columns& columns, std::string_view name) { return Json::parse(columns.text_or_empty(name), nullptr, false); }

std::string text_in(const Json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

template <class T>
std::optional<T> number_in(const Json& object, const char* name) {
    const auto found = object.find(name);
    if (found == object.end() || !found->is_number_integer()) return std::nullopt;
    const auto value = found->get<std::int64_t>();
    if (value < 0 || static_cast<std::uint64_t>(value) > static_cast<std::uint64_t>(std::numeric_limits<T>::max())) return std::nullopt;
    return static_cast<T>(value);
}

std::optional<bool> flag(const Columns& columns, std::string_view name) {
    const std::string* const text = columns.text(name);
    return text == nullptr ? std::nullopt : std::optional{*text == "t"};
}

std::optional<model::SyncWait> sync_wait(const Json& object) {
    if (!object.is_object()) return std::nullopt;
    const auto backends = number_in<std::uint32_t>(object, "backends");
    if (!backends) return std::nullopt;
    // A clock that was set back gives a negative age: nobody has waited long then.
    return model::SyncWait{*backends, std::chrono::microseconds{number_in<std::int64_t>(object, "oldest_us").value_or(0)}};
}

std::vector<model::Slot> slots(const Json& list) {
    std::vector<model::Slot> out;
    if (!list.is_array()) return out;
    for (const Json& row : list) {
        if (!row.is_object()) continue;
        const auto active = row.find("active");
        const auto restart = model::Lsn::parse(text_in(row, "restart_lsn"));
        model::Slot slot{
            .name = text_in(row, "slot_name"),
            .active = active != row.end() && active->is_boolean() && active->get<bool>(),
            .wal_status = text_in(row, "wal_status")};
        if (restart) slot.restart = *restart;
        if (const auto safe = number_in<std::uint64_t>(row, "safe_wal_size")) slot.safe_size = model::Bytes{*safe};
        out.push_back(std::move(slot));
    }
    return out;
}

std::optional<model::Capacity> capacity(const Json& object) {
    if (!object.is_object()) return std::nullopt;
    const auto value = [&](const char* name) { return number_in<int>(object, name).value_or(0); };
    return model::Capacity{
        .connections = value("max_connections"),
        .worker_processes = value("max_worker_processes"),
        .wal_senders = value("max_wal_senders"),
        .prepared_transactions = value("max_prepared_transactions"),
        .locks_per_transaction = value("max_locks_per_transaction")};
}

}  // namespace

model::Details read_details(const Row& row) {
    const Columns columns{row};
    model::Details out{
        .sync_wait = sync_wait(parsed(columns, "sync_wait")),
        .slots = slots(parsed(columns, "slots")),
        .archive_failing = flag(columns, "archive_failing"),
        .can_rewind = flag(columns, "can_rewind"),
        .keeps_wal = flag(columns, "keeps_wal"),
        .collation = columns.text_or_empty("collation"),
        .recovery_target_timeline = columns.text_or_empty("recovery_target_timeline"),
        .capacity = capacity(parsed(columns, "capacity")),
        .offers_wal = {}};
    if (const std::string* const command = columns.text("restore_command")) out.offers_wal = replaced_by(*command).has_value();
    if (const std::string built = columns.text_or_empty("built_with_collation"); !built.empty() && built != out.collation)
        out.stale_collation = built;
    return out;
}

}  // namespace handyrep::adapters::postgres
