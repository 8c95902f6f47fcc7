#include "adapters/postgres/postgres_server.hpp"

#include "adapters/postgres/details.hpp"
#include "adapters/postgres/replication.hpp"
#include "adapters/postgres/statements.hpp"
#include "base/overloaded.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace handyrep::adapters::postgres {

using model::Complained;
using model::DialOutcome;
using model::DialSight;
using model::HeldSight;
using model::NotOpen;

Target target_of(const PostgresSettings& settings) {
    return {
        .host = settings.server.hostname,
        .address = {},
        .port = fmt::format("{}", settings.server.port),
        .user = settings.server.database_user,
        .database = settings.database,
        .password = settings.password,
        .application_name = settings.application_name,
        .options = settings.options};
}

namespace {

/// After that a new session is begun all the same: whatever was lost on the way of the old one is not sent again.
constexpr Duration opening_patience = std::chrono::seconds{10};

std::optional<std::uint64_t> unsigned_number(const Row& row, std::string_view column) {
    const auto found = row.find(column);
    if (found == row.end() || !found->second) return std::nullopt;
    std::uint64_t value = 0;
    const auto* const last = found->second->data() + found->second->size();
    const auto [end, error] = std::from_chars(found->second->data(), last, value);
    if (error != std::errc{} || end != last) return std::nullopt;
    return value;
}

}  // namespace

PostgresServer::PostgresServer(
    PostgresSettings settings, const asio::any_io_executor& executor, ports::Clock& clock, Log& log, ports::NodeFiles* node_files)
    : settings_{std::move(settings)},
      clock_{clock},
      log_{log},
      node_files_{node_files},
      dialler_{executor, clock, target_of(settings_)},
      knowledge_{executor, clock, std::max<Duration>(settings_.connect_timeout, std::chrono::seconds{1})} {}

PostgresServer::~PostgresServer() { drop_session(); }

asio::awaitable<DialSight> PostgresServer::dial(Instant deadline) {
    const Instant began = clock_.now();
    Opened opened = co_await dialler_.dial(deadline);
    if (auto* failed = std::get_if<DialSight>(&opened)) co_return std::move(*failed);
    accepted_since_ = began;
    co_return DialSight{DialOutcome::accepted, {}};
}

Async<model::Details> PostgresServer::details(Instant deadline) {
    Opened opened = co_await dialler_.dial(deadline);
    if (const auto* failed = std::get_if<DialSight>(&opened)) co_return Error{ErrorKind::unreachable, failed->message};
    const auto session = std::get<std::shared_ptr<Connection>>(std::move(opened));
    if (session->version() < first_with_details) co_return Error{ErrorKind::unsupported, "older than PostgreSQL 9.4"};
    session->ask(details_statement(session->version()));
    const Outcome outcome = co_await session->answer(clock_, deadline);
    const auto* const reply = std::get_if<Reply>(&outcome);
    if (reply == nullptr) co_return Error{ErrorKind::unreachable, "the session was not answered"};
    if (reply->refusal) co_return Error{ErrorKind::refused, reply->refusal->message};
    if (reply->rows.size() != 1) co_return Error{ErrorKind::failed, "not answered with one row"};
    co_return read_details(reply->rows.front());
}

asio::awaitable<HeldSight> PostgresServer::poll(bool beat, Instant deadline) {
    const auto turn = co_await turn_.take(clock_, deadline);
    // Whoever has the session has had no answer to a command since then.
    if (!turn) co_return model::Silent{turn_.since()};
    if (unreported_end_) {
        const model::Lost lost{*unreported_end_};
        unreported_end_.reset();
        co_return lost;
    }
    if (!session_) {
        auto failed = co_await open_session(deadline);
        if (failed) co_return std::move(*failed);
    }
    if (!question_) {
        session_->ask(poll_statement(session_->version(), beat));
        question_ = Question{clock_.now()};
    }
    co_return co_await hear_answer(deadline);
}

asio::awaitable<HeldSight> PostgresServer::hear_answer(Instant deadline) {
    const auto session = session_;
    const Instant asked = question_ ? question_->asked : clock_.now();
    const Outcome outcome = co_await session->answer(clock_, deadline);
    // Dropped meanwhile: it is known only that there was no answer.
    if (session_ != session) co_return model::Silent{asked};
    if (std::holds_alternative<Pending>(outcome)) co_return model::Silent{asked};
    question_.reset();
    if (const auto* end = std::get_if<Ended>(&outcome)) {
        note_end(*end);
        unreported_end_.reset();
        ends_told_ = ends_;
        co_return model::Lost{end->words};
    }
    const auto& reply = std::get<Reply>(outcome);
    if (reply.refusal) co_return Complained{reply.refusal->sqlstate, reply.refusal->message};
    if (reply.rows.size() != 1 || !identity_) co_return Complained{"", "the poll was not answered with one row"};
    auto answer = read_answer(reply.rows.front(), *identity_);
    if (auto* complained = std::get_if<Complained>(&answer)) co_return std::move(*complained);
    auto& answered = std::get<model::Answered>(answer);
    knowledge_.complete(answered, dialler_.replication_target());
    co_return std::move(answered);
}

/// Nothing when there is a session now.
asio::awaitable<std::optional<HeldSight>> PostgresServer::open_session(Instant deadline) {
    const Instant until = std::min(deadline, clock_.now() + settings_.connect_timeout);
    Opening opening = std::exchange(opening_, std::nullopt).value_or(Opening{nullptr, clock_.now()});
    Opened opened = opening.connection ? co_await Connection::go_on(opening.connection, clock_, until)
                                       : co_await dialler_.dial(until, &opening.connection);
    if (auto* failed = std::get_if<DialSight>(&opened)) {
        if (failed->outcome == DialOutcome::startup_timeout) keep_opening(std::move(opening));
        co_return NotOpen{failed->outcome, std::move(failed->message)};
    }
    const auto session = std::get<std::shared_ptr<Connection>>(std::move(opened));
    auto identity = co_await read_identity(*session, opening.asked, until);
    if (auto* sight = std::get_if<HeldSight>(&identity)) {
        const auto* const slow = std::get_if<NotOpen>(sight);
        if (slow != nullptr && slow->why == DialOutcome::startup_timeout) keep_opening({session, opening.began, true});
        co_return std::move(*sight);
    }
    session_ = session;
    identity_ = std::get<Identity>(identity);
    question_.reset();
    knowledge_.forget();
    log_.write(
        Level::info, "session_opened",
        {{"server", settings_.server.name.text()}, {"version", fmt::format("{}", identity_->version.number)}});
    co_return std::nullopt;
}

/// As long as it is not plain that a new one would be quicker.
void PostgresServer::keep_opening(Opening opening) {
    const bool overtaken = accepted_since_ > opening.began;
    if (opening.connection && !overtaken && clock_.now() - opening.began < opening_patience) opening_ = std::move(opening);
}

asio::awaitable<std::variant<Identity, HeldSight>> PostgresServer::read_identity(Connection& session, bool asked, Instant deadline) {
    const std::string statement = identity_statement(session.version());
    if (statement.empty()) {
        const auto system = co_await identify_system(dialler_.replication_target(), false, clock_, deadline);
        if (!system) co_return HeldSight{Complained{"", fmt::format("its system identifier cannot be read: {}", system.error().what)}};
        co_return Identity{system->system_id, session.version()};
    }
    if (!asked) session.ask(statement);
    const Outcome outcome = co_await session.answer(clock_, deadline);
    co_return std::visit(
        Overloaded{
            [&](const Reply& reply) -> std::variant<Identity, HeldSight> {
                if (reply.refusal) return HeldSight{Complained{reply.refusal->sqlstate, reply.refusal->message}};
                const Row row = reply.rows.size() == 1 ? reply.rows.front() : Row{};
                const auto id = unsigned_number(row, "system_identifier");
                if (!id) return HeldSight{Complained{"", "its system identifier cannot be read"}};
                const auto conninfo = row.find("primary_conninfo");
                if (conninfo != row.end() && conninfo->second) remember_text(*conninfo->second);
                return Identity{model::SystemId{*id}, session.version()};
            },
            [](const Pending&) -> std::variant<Identity, HeldSight> {
                return HeldSight{NotOpen{DialOutcome::startup_timeout, "accepted, but the first question was not answered"}};
            },
            [](const Ended& end) -> std::variant<Identity, HeldSight> {
                return HeldSight{NotOpen{DialOutcome::reset, fmt::format("accepted, then {}", model::word_for(end.words))}};
            },
        },
        outcome);
}

asio::awaitable<void> PostgresServer::session_ended() {
    while (ends_told_ == ends_) {
        const auto session = session_;
        // Whoever has the turn reads the socket; when the turn ends, what it left is looked at here.
        if (!session || turn_.taken()) {
            co_await clock_.wait(turn_.freed(), turn_.freed().rung());
            continue;
        }
        co_await session->readable();
        if (session_ != session || turn_.taken()) continue;
        if (const auto end = session->hear()) note_end(*end);
    }
    ends_told_ = ends_;
}

void PostgresServer::note_end(const Ended& end) {
    log_.write(
        Level::warning, "session_lost",
        {{"server", settings_.server.name.text()}, {"words", std::string(model::word_for(end.words))}, {"message", end.message}});
    forget_session();
    unreported_end_ = end.words;
    ++ends_;
}

void PostgresServer::forget_session() {
    if (session_) session_->close();
    session_.reset();
    identity_.reset();
    question_.reset();
}

void PostgresServer::drop_session() { forget_session(); }

Async<model::TimelineHistory> PostgresServer::timeline_history(Instant deadline) {
    Target target = dialler_.replication_target();
    if (target.address.empty() && !target.host.starts_with('/')) {
        // No address is known before the first dial.
        const DialSight seen = co_await dial(deadline);
        if (seen.outcome != DialOutcome::accepted) co_return Error{ErrorKind::unreachable, seen.message};
        target = dialler_.replication_target();
    }
    const auto identity = co_await identify_system(std::move(target), true, clock_, deadline);
    if (!identity) co_return identity.error();
    if (!identity->history) co_return Error{ErrorKind::failed, "the server told no timeline history"};
    co_return *identity->history;
}

}  // namespace handyrep::adapters::postgres
