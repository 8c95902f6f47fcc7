// A standby restores WAL from a folder on its own machine for a while, and then from where it did before (S10).
#include "adapters/postgres/columns.hpp"
#include "adapters/postgres/postgres_server.hpp"
#include "adapters/postgres/restore_command.hpp"
#include "adapters/postgres/statements.hpp"
#include "model/version_facts.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace handyrep::adapters::postgres {

namespace {

constexpr const char* name = "restore_command";

std::string loaded_at(const std::vector<Row>& rows) { return rows.empty() ? std::string{} : Columns(rows.front()).text_or_empty("loaded"); }

}  // namespace

Async<void> PostgresServer::offer_wal(const std::string& folder, std::uint64_t operation, Instant deadline) {
    const auto change = co_await changes_.take(clock_, deadline);
    if (!change) co_return not_sent("another change is under way");
    auto settled = co_await end_strays(deadline);
    if (!settled) co_return settled.error();
    const auto present = co_await read_setting(name, deadline);
    if (!present) co_return present.error();
    if (!identity_) co_return not_sent("the session was dropped");
    if (model::facts_of(identity_->version).salvaging != model::Salvaging::by_reload)
        co_return Error{
            ErrorKind::unsupported,
            fmt::format("PostgreSQL {} cannot change restore_command without a restart", identity_->version.major())};
    if (!present->in_recovery) co_return Error{ErrorKind::refused, "the server is not in recovery"};
    if (present->source == "command line")
        co_return Error{ErrorKind::refused, "restore_command is fixed on the server's command line, which wins over what would be written"};
    // Without its file nobody could say later whether it was ALTER SYSTEM that set it.
    if (present->source == "configuration file" && present->file.empty())
        co_return Error{
            ErrorKind::denied,
            fmt::format(
                "the role {} may not read where restore_command is set: it needs pg_read_all_settings", settings_.server.database_user)};
    // An earlier salvage that could not be ended: what that replaced is what is to be put back.
    const bool altered = present->file.ends_with("/postgresql.auto.conf");
    const Replaced replaced = replaced_by(present->value).value_or(altered ? Replaced{present->value} : Replaced{});
    co_return co_await write_setting(name, offering_command(folder, operation, replaced), deadline);
}

Async<void> PostgresServer::end_offer(Instant deadline) {
    const auto change = co_await changes_.take(clock_, deadline);
    if (!change) co_return not_sent("another change is under way");
    auto settled = co_await end_strays(deadline);
    if (!settled) co_return settled.error();
    auto read = co_await reload_and_read(name, deadline);
    if (!read) co_return read.error();
    const auto replaced = replaced_by(read->value);
    if (!replaced) co_return Result<void>{};
    if (replaced->altered) co_return co_await write_setting(name, *replaced->altered, deadline);
    const auto reset = co_await ask(fmt::format("ALTER SYSTEM RESET {}", name), {}, deadline);
    if (!reset) co_return reset.error();
    read = co_await reload_and_read(name, deadline);
    if (!read) co_return Error{ErrorKind::failed, fmt::format("{} is reset, but cannot be read back: {}", name, read.error().what)};
    if (replaced_by(read->value)) co_return Error{ErrorKind::failed, fmt::format("{} is reset, and still what it was", name)};
    co_return Result<void>{};
}

/// What the files say now, whoever wrote them: a session sees that once it has read them anew itself.
Async<PostgresServer::Setting> PostgresServer::reload_and_read(std::string setting, Instant deadline) {
    const auto before = co_await ask("SELECT pg_conf_load_time()::text AS loaded, pg_reload_conf()", {}, deadline);
    if (!before) co_return before.error();
    for (;;) {
        const auto now = co_await ask("SELECT pg_conf_load_time()::text AS loaded", {}, deadline);
        if (!now) co_return now.error();
        if (loaded_at(*now) != loaded_at(*before)) co_return co_await read_setting(setting, deadline);
        if (clock_.now() >= deadline) co_return Error{ErrorKind::timed_out, "the server does not read its configuration files anew"};
        co_await clock_.sleep_until(std::min(deadline, clock_.now() + look_again));
    }
}

}  // namespace handyrep::adapters::postgres
