#include "adapters/postgres/postgres_inspector.hpp"

#include "adapters/postgres/classify.hpp"
#include "base/overloaded.hpp"

#include <fmt/format.h>

#include <charconv>

namespace handyrep::adapters::postgres {

namespace {

constexpr int clock_questions = 3;
constexpr model::ServerVersion first_inspected{100000};

/// `refused` and `denied` are the server's own answer; after any other error the session is of no more use.
Async<Rows> rows_of(Connection& session, std::string statement, ports::Clock& clock, Instant deadline) {
    session.ask(statement);
    Outcome outcome = co_await session.answer(clock, deadline);
    co_return std::visit(
        Overloaded{
            [](Reply& reply) -> Result<Rows> {
                if (reply.refusal && reply.refusal->ends_session()) return Error{ErrorKind::unreachable, reply.refusal->message};
                if (reply.refusal) return Error{ErrorKind::denied, reply.refusal->message};
                return std::move(reply.rows);
            },
            [](const Pending&) -> Result<Rows> { return Error{ErrorKind::timed_out, "a question was not answered in time"}; },
            [](const Ended& end) -> Result<Rows> {
                return Error{ErrorKind::unreachable, fmt::format("the session ended: {}", model::word_for(end.words))};
            },
        },
        outcome);
}

std::optional<WallTime> clock_in(const Rows& rows) {
    if (rows.size() != 1) return std::nullopt;
    const auto found = rows.front().find("clock_us");
    if (found == rows.front().end() || !found->second) return std::nullopt;
    std::int64_t value = 0;
    const auto* const last = found->second->data() + found->second->size();
    const auto [end, error] = std::from_chars(found->second->data(), last, value);
    if (error != std::errc{} || end != last) return std::nullopt;
    return WallTime{std::chrono::microseconds{value}};
}

}  // namespace

PostgresInspector::PostgresInspector(const PostgresSettings& settings, const asio::any_io_executor& executor, ports::Clock& clock)
    : clock_{clock}, dialler_{executor, clock, target_of(settings)}, made_conninfo_{made_conninfo(settings).text()} {}

Async<model::DatabaseInspection> PostgresInspector::inspect(ports::Depth depth, Instant deadline) {
    Opened opened = co_await dialler_.dial(deadline);
    if (const auto* failed = std::get_if<model::DialSight>(&opened)) {
        const bool lets_nobody_in =
            failed->outcome == model::DialOutcome::authentication_failed || failed->outcome == model::DialOutcome::tls_failed;
        const ErrorKind kind = lets_nobody_in ? ErrorKind::denied : ErrorKind::unreachable;
        co_return Error{
            kind, failed->message.empty() ? std::string(word_for(failed->outcome))
                                          : fmt::format("{} ({})", word_for(failed->outcome), failed->message)};
    }
    const auto session = std::get<std::shared_ptr<Connection>>(std::move(opened));
    model::DatabaseInspection out;
    out.version = session->version();
    out.made_conninfo = made_conninfo_;
    if (out.version < first_inspected)
        co_return Error{
            ErrorKind::unsupported, fmt::format("its version number is {}; PostgreSQL 10 to 18 can be verified", out.version.number)};
    const auto measured = co_await measure_clock(*session, out, deadline);
    if (!measured) co_return measured.error();
    const auto asked = co_await ask_all(*session, depth, out, deadline);
    if (!asked) co_return asked.error();
    co_return out;
}

/// The shortest of a few round trips says best what the clock showed when.
Async<void> PostgresInspector::measure_clock(Connection& session, model::DatabaseInspection& out, Instant deadline) {
    std::optional<Duration> shortest;
    for (int i = 0; i < clock_questions; ++i) {
        const Instant began = clock_.now();
        const WallTime wall = clock_.wall();
        const auto rows = co_await rows_of(session, clock_statement(), clock_, deadline);
        if (!rows) co_return rows.error();
        const Duration trip = clock_.now() - began;
        const auto theirs = clock_in(*rows);
        if (!theirs) co_return Error{ErrorKind::failed, "its clock cannot be read"};
        if (shortest && trip >= *shortest) continue;
        shortest = trip;
        out.clock_uncertainty = trip / 2;
        out.clock_ahead = (*theirs - wall) - trip / 2;
    }
    co_return Result<void>{};
}

Async<void> PostgresInspector::ask_all(Connection& session, ports::Depth depth, model::DatabaseInspection& out, Instant deadline) {
    const auto basics = co_await rows_of(session, basics_statement(), clock_, deadline);
    if (!basics) co_return basics.error();
    read_basics(*basics, out);
    std::vector<std::pair<std::string, Reader>> questions{
        {settings_statement(), read_settings},
        {files_statement(), read_files},
        {rights_statement(out.version), read_rights},
        {slots_statement(out.version), read_slots},
        {senders_statement(), read_senders},
        {prepared_statement(), read_prepared},
        {role_settings_statement(), read_role_settings},
        {collations_statement(out.version), read_collations},
        {libraries_statement(), read_libraries},
        {depth == ports::Depth::full ? size_statement() : std::string{}, read_size}};
    for (const auto& [statement, reader] : questions) {
        if (statement.empty()) continue;
        const auto rows = co_await rows_of(session, statement, clock_, deadline);
        if (rows) {
            reader(*rows, out);
        } else if (rows.error().kind != ErrorKind::denied) {
            co_return rows.error();
        }
    }
    co_return Result<void>{};
}

}  // namespace handyrep::adapters::postgres
