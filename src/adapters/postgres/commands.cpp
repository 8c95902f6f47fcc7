// The changes that a server is told to make, over the held session. Each is a row of single statements, each in a turn of its
// own, so that polls go on meanwhile; each can be repeated.
#include "adapters/postgres/classify.hpp"
#include "adapters/postgres/columns.hpp"
#include "adapters/postgres/postgres_server.hpp"
#include "adapters/postgres/statements.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace handyrep::adapters::postgres {

namespace {

/// Closes the session when it goes, unless the answer came: a late one must never be taken for another's.
class Outstanding {
public:
    explicit Outstanding(PostgresServer& server) : server_{&server} {}
    Outstanding(const Outstanding&) = delete;
    Outstanding& operator=(const Outstanding&) = delete;
    ~Outstanding() {
        if (server_ != nullptr) server_->drop_session();
    }
    void answered() { server_ = nullptr; }

private:
    PostgresServer* server_;
};

}  // namespace

Error not_sent(std::string_view why) { return {ErrorKind::refused, fmt::format("not sent: {}", why)}; }

/// Opens a session where there is none, and lets a poll's late answer come first.
asio::awaitable<std::optional<Error>> PostgresServer::make_ready(Instant deadline) {
    for (int tries = 0; tries < 2; ++tries) {
        if (!session_) {
            const auto failed = co_await open_session(deadline);
            if (failed) {
                const auto* closed = std::get_if<model::NotOpen>(&*failed);
                const auto* complained = std::get_if<model::Complained>(&*failed);
                co_return not_sent(
                    closed != nullptr       ? fmt::format("{} ({})", model::word_for(closed->why), closed->message)
                    : complained != nullptr ? complained->message
                                            : "the session ended while it was opened");
            }
        }
        const auto session = session_;
        if (!question_) {
            // The session may have died since anybody looked.
            if (const auto end = session->hear()) {
                note_end(*end);
                continue;
            }
            co_return std::nullopt;
        }
        const Outcome outcome = co_await session->answer(clock_, deadline);
        if (session_ != session) co_return not_sent("the session was dropped");
        if (std::holds_alternative<Pending>(outcome)) co_return not_sent("the server has not answered the question before");
        question_.reset();
        if (const auto* end = std::get_if<Ended>(&outcome)) {
            note_end(*end);
            continue;
        }
        co_return std::nullopt;
    }
    co_return not_sent("the session ends as soon as it is opened");
}

Async<PostgresServer::Rows> PostgresServer::ask(std::string statement, std::vector<std::string> parameters, Instant deadline) {
    const auto turn = co_await turn_.take(clock_, deadline);
    if (!turn) co_return not_sent("the session is busy");
    auto unready = co_await make_ready(deadline);
    if (unready) co_return std::move(*unready);

    const auto session = session_;
    Outstanding outstanding{*this};
    session->ask(statement, parameters);
    const int backend = statement.starts_with("ALTER ") ? session->backend() : 0;
    if (backend != 0) strays_.push_back(backend);  // until the answer: also when whoever waits is told to stop
    const Outcome outcome = co_await session->answer(clock_, deadline);
    if (std::holds_alternative<Pending>(outcome)) co_return Error{ErrorKind::timed_out, "the server did not answer in time"};
    outstanding.answered();
    if (std::holds_alternative<Reply>(outcome)) std::erase(strays_, backend);
    if (session_ != session) co_return Error{ErrorKind::unreachable, "the session was dropped before the server answered"};
    if (const auto* end = std::get_if<Ended>(&outcome)) {
        note_end(*end);
        co_return Error{
            ErrorKind::unreachable, fmt::format("the session ended before the server answered: {}", model::word_for(end->words))};
    }
    const auto& reply = std::get<Reply>(outcome);
    if (reply.refusal) {
        co_return Error{kind_of(reply.refusal->sqlstate), fmt::format("{} (SQLSTATE {})", reply.refusal->message, reply.refusal->sqlstate)};
    }
    co_return reply.rows;
}

Async<PostgresServer::Setting> PostgresServer::read_setting(std::string name, Instant deadline) {
    const auto rows = co_await ask(setting_statement(name), {}, deadline);
    if (!rows) co_return rows.error();
    if (rows->size() != 1) {
        co_return Error{
            ErrorKind::denied,
            fmt::format("the role {} may not read {}: it needs pg_read_all_settings", settings_.server.database_user, name)};
    }
    const Columns row{rows->front()};
    co_return Setting{is_true(*rows, "in_recovery"), row.text_or_empty("setting"), row.text_or_empty("source")};
}

/// ALTER SYSTEM cannot share a query with anything else, so the reload is one of its own.
Async<void> PostgresServer::write_setting(std::string name, std::string value, Instant deadline) {
    const auto altered = co_await ask(fmt::format("ALTER SYSTEM SET {} TO {}", name, literal(value)), {}, deadline);
    if (!altered) co_return altered.error();
    const auto reloaded = co_await ask("SELECT pg_reload_conf()", {}, deadline);
    // The file is written: the next reload by anybody makes it count, so this is not a plain "no" any more.
    if (!reloaded) co_return Error{ErrorKind::failed, fmt::format("{} is written, but not reloaded: {}", name, reloaded.error().what)};
    co_return co_await wait_until_read_back(std::move(name), std::move(value), deadline);
}

Async<void> PostgresServer::wait_until_read_back(std::string name, std::string value, Instant deadline) {
    for (;;) {
        const auto setting = co_await read_setting(name, deadline);
        if (!setting)
            co_return Error{ErrorKind::failed, fmt::format("{} is written, but cannot be read back: {}", name, setting.error().what)};
        if (setting->value == value) co_return Result<void>{};
        if (setting->source == "command line") {
            co_return Error{
                ErrorKind::failed, fmt::format("{} is fixed on the server's command line, which wins over what was written", name)};
        }
        if (clock_.now() >= deadline)
            co_return Error{ErrorKind::timed_out, fmt::format("{} is written, but the server does not use it yet", name)};
        co_await clock_.sleep_until(std::min(deadline, clock_.now() + look_again));
    }
}

/// A change that nobody waited for to the end could still be carried out, and undo a detach. ALTER SYSTEM cannot carry an
/// expiry of its own, so the backend that has it is ended first.
Async<void> PostgresServer::end_strays(Instant deadline) {
    while (!strays_.empty()) {
        const auto rows = co_await ask(end_backends_statement(), {fmt::format("{{{}}}", fmt::join(strays_, ","))}, deadline);
        if (!rows) co_return rows.error();
        if (!is_true(*rows, "left"))
            strays_.clear();
        else if (clock_.now() >= deadline)
            co_return not_sent("an earlier change may still be under way at the server");
        else
            co_await clock_.sleep_until(std::min(deadline, clock_.now() + look_again));
    }
    co_return Result<void>{};
}

/// What runs keeps its value, so what the files say is read back.
Async<void> PostgresServer::write_for_next_start(std::string name, std::string value, Instant deadline) {
    const auto altered = co_await ask(fmt::format("ALTER SYSTEM SET {} TO {}", name, literal(value)), {}, deadline);
    if (!altered) co_return altered.error();
    const auto rows = co_await ask(file_setting_statement(name), {}, deadline);
    if (!rows) co_return Error{ErrorKind::failed, fmt::format("{} is written, but cannot be read back: {}", name, rows.error().what)};
    if (rows->size() == 1 && Columns(rows->front()).text_or_empty("setting") == value) co_return Result<void>{};
    co_return Error{ErrorKind::failed, fmt::format("{} is written, but another file or line wins over it", name)};
}

Async<void> PostgresServer::set_synchronous_standby_names(const std::string& names, Instant deadline) {
    const auto present = co_await read_setting("synchronous_standby_names", deadline);
    if (present && present->value == names) co_return Result<void>{};
    co_return co_await write_setting("synchronous_standby_names", names, deadline);
}

/// In a session of its own: it may take minutes, and the held one is asked all the while.
Async<void> PostgresServer::checkpoint(Instant deadline) {
    Opened opened = co_await dialler_.dial(deadline);
    if (const auto* failed = std::get_if<model::DialSight>(&opened)) co_return Error{ErrorKind::unreachable, failed->message};
    const auto session = std::get<std::shared_ptr<Connection>>(std::move(opened));
    session->ask("CHECKPOINT");
    const Outcome outcome = co_await session->answer(clock_, deadline);
    const auto* const reply = std::get_if<Reply>(&outcome);
    if (reply == nullptr) co_return Error{ErrorKind::timed_out, "the checkpoint was not done in time"};
    if (reply->refusal)
        co_return Error{
            kind_of(reply->refusal->sqlstate), fmt::format("{} (SQLSTATE {})", reply->refusal->message, reply->refusal->sqlstate)};
    co_return Result<void>{};
}

Async<void> PostgresServer::promote(WallTime expires, Instant deadline) {
    // The function is looked up when the statement is read, so an older server refuses it whole (unsupported).
    const auto rows = co_await ask(promote_statement(), {text(expires)}, deadline);
    if (!rows) co_return rows.error();
    if (rows->empty()) co_return Error{ErrorKind::refused, "the server dropped it: the request had expired, or it is not in recovery"};
    if (!is_true(*rows, "taken")) co_return Error{ErrorKind::failed, "pg_promote() did not answer true"};
    co_return Result<void>{};
}

Async<std::size_t> PostgresServer::end_queries(Instant deadline) {
    const auto rows = co_await ask(end_queries_statement(), {}, deadline);
    if (!rows) co_return rows.error();
    if (rows->size() != 1) co_return Error{ErrorKind::refused, "the server is not in recovery"};
    const std::string ended = Columns(rows->front()).text_or_empty("ended");
    std::size_t count = 0;
    std::from_chars(ended.data(), ended.data() + ended.size(), count);
    co_return count;
}

Async<void> PostgresServer::nudge(Instant deadline) {
    const auto rows = co_await ask("SELECT pg_reload_conf()", {}, deadline);
    if (!rows) co_return rows.error();
    co_return Result<void>{};
}

}  // namespace handyrep::adapters::postgres
