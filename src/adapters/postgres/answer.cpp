#include "adapters/postgres/answer.hpp"

#include "adapters/postgres/columns.hpp"
#include "adapters/postgres/conninfo.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string_view>

namespace handyrep::adapters::postgres {

using model::Answered;
using model::Complained;
using model::Lsn;
using model::Timeline;
using std::chrono::microseconds;

namespace {

Complained odd(std::string_view column, std::string_view why = "is missing or cannot be read") {
    return {"", fmt::format("the column {} of the poll's answer {}", column, why)};
}

std::vector<model::WalSender> read_senders(const Columns& columns) {
    std::vector<model::WalSender> out;
    const auto list = nlohmann::json::parse(columns.text_or_empty("senders"), nullptr, false);
    if (!list.is_array()) return out;
    // Without pg_monitor the columns of other roles' connections are null.
    const auto field = [](const nlohmann::json& row, const char* name) {
        const auto found = row.find(name);
        return found != row.end() && found->is_string() ? found->get<std::string>() : std::string{};
    };
    for (const auto& row : list) {
        if (!row.is_object()) continue;
        const auto flushed = Lsn::parse(field(row, "flushed"));
        out.push_back(
            {field(row, "application_name"), field(row, "state"), field(row, "sync_state"), field(row, "address"),
             flushed ? std::optional{*flushed} : std::nullopt});
    }
    return out;
}

std::variant<model::PrimaryAnswer, Complained> read_primary(const Columns& columns) {
    const auto inserted = columns.lsn("inserted");
    const auto flushed = columns.lsn("flushed");
    const std::string file = columns.text_or_empty("wal_file");
    const auto timeline = Columns::read<std::uint32_t>(std::string_view{file}.substr(0, 8), 16);
    if (!inserted) return odd("inserted");
    if (!flushed) return odd("flushed");
    if (file.size() < 8 || !timeline) return odd("wal_file");
    return model::PrimaryAnswer{
        .timeline = Timeline{*timeline},
        .inserted = *inserted,
        .flushed = *flushed,
        .read_only = columns.text_or_empty("read_only") == "on",
        .synchronous_standby_names = columns.text_or_empty("synchronous_standby_names"),
        .synchronous_commit = columns.text_or_empty("synchronous_commit"),
        .senders = read_senders(columns),
        .history = std::nullopt};
}

/// Before 11 the upstream is known from the connection string only.
void read_sender(const Columns& columns, model::WalReceiver& receiver) {
    receiver.sender_host = columns.text_or_empty("sender_host");
    receiver.sender_port = columns.number<std::uint16_t>("sender_port").value_or(0);
    const std::string* conninfo = columns.text("receiver_conninfo");
    if (conninfo == nullptr) return;
    const auto parsed = Conninfo::parse(*conninfo);
    if (!parsed) return;
    receiver.sender_host = parsed->get("host").value_or(parsed->get("hostaddr").value_or(""));
    receiver.sender_port = Columns::read<std::uint16_t>(parsed->get("port").value_or("5432")).value_or(0);
}

std::variant<model::StandbyAnswer, Complained> read_standby(const Columns& columns) {
    const auto replayed = columns.lsn("replayed");
    if (!replayed) return odd("replayed");
    model::StandbyAnswer out{
        .timeline = std::nullopt,
        .received = std::max(columns.lsn("received").value_or(*replayed), *replayed),
        .replayed = *replayed,
        .receiver = std::nullopt,
        .replay_paused = columns.text_or_empty("replay_paused") == "t",
        .replay_waits = columns.text_or_empty("replay_waits") == "t",
        .apply_delay = {},
        .replay_delay = std::nullopt};
    if (columns.text("receiver_pid") != nullptr) {
        const auto age = columns.number<std::int64_t>("receiver_age_us");
        const std::string* status = columns.text("receiver_status");
        // A receiver that may not be looked at could be streaming: it must not count as a witness of the primary's death.
        if (status == nullptr || !age) return Complained{"42501", "the role may not read pg_stat_wal_receiver: it needs pg_monitor"};
        model::WalReceiver receiver{.status = *status, .sender_host = {}, .sender_port = 0, .message_age = microseconds{*age}};
        read_sender(columns, receiver);
        out.receiver = std::move(receiver);
        if (const auto timeline = columns.number<std::uint32_t>("receiver_timeline")) out.timeline = Timeline{*timeline};
    }
    if (const std::string* delay = columns.text("apply_delay"); delay != nullptr && *delay != "0") {
        const auto parsed = parse_duration(*delay);
        if (!parsed) return odd("apply_delay");
        out.apply_delay = *parsed;
    }
    if (const auto delay = columns.number<std::int64_t>("replay_delay_us")) out.replay_delay = microseconds{*delay};
    return out;
}

}  // namespace

std::variant<Answered, Complained> read_answer(const Row& row, Identity identity) {
    const Columns columns{row};
    const std::string* in_recovery = columns.text("in_recovery");
    const auto started = columns.number<std::int64_t>("started_us");
    const auto server_time = columns.number<std::int64_t>("server_time_us");
    if (in_recovery == nullptr) return odd("in_recovery");
    if (!started) return odd("started_us");
    if (!server_time) return odd("server_time_us");
    Answered out{
        .system_id = identity.system_id,
        .version = identity.version,
        .server_time = WallTime{microseconds{*server_time}},
        .started = WallTime{microseconds{*started}},
        .as = {model::StandbyAnswer{.timeline = {}, .received = Lsn{0}, .replayed = Lsn{0}, .receiver = {}, .replay_delay = {}}}};
    if (*in_recovery == "t") {
        auto standby = read_standby(columns);
        if (auto* complained = std::get_if<Complained>(&standby)) return std::move(*complained);
        out.as = std::get<model::StandbyAnswer>(std::move(standby));
    } else {
        auto primary = read_primary(columns);
        if (auto* complained = std::get_if<Complained>(&primary)) return std::move(*complained);
        out.as = std::get<model::PrimaryAnswer>(std::move(primary));
    }
    return out;
}

}  // namespace handyrep::adapters::postgres
