// The changes that a server is told to make, over the held session. Each is a row of single statements, each in a turn of its
// own, so that polls go on meanwhile; each can be repeated.
#include "adapters/postgres/classify.hpp"
#include "adapters/postgres/postgres_server.hpp"
#include "adapters/postgres/statements.hpp"
#include "model/version_facts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace handyrep::adapters::postgres {

namespace {

constexpr Duration look_again = std::chrono::milliseconds{4};

bool is_true(const std::vector<Row>& rows, std::string_view column) {
    if (rows.size() != 1) return false;
    const auto found = rows.front().find(column);
    return found != rows.front().end() && found->second == "t";
}

std::string column_of(const Row& row, std::string_view column) {
    const auto found = row.find(column);
    return found == row.end() ? std::string{} : found->second.value_or("");
}

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
    const Row& row = rows->front();
    co_return Setting{
        column_of(row, "in_recovery") == "t", column_of(row, "setting"), column_of(row, "source"), column_of(row, "sourcefile")};
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

Async<void> PostgresServer::detach(Instant deadline) {
    const auto change = co_await changes_.take(clock_, deadline);
    if (!change) co_return not_sent("another change is under way");
    co_return co_await detach_alone(deadline);
}

Async<void> PostgresServer::follow(const ports::Upstream& upstream, Instant deadline) {
    const auto change = co_await changes_.take(clock_, deadline);
    if (!change) co_return not_sent("another change is under way");
    co_return co_await follow_alone(upstream, deadline);
}

Async<void> PostgresServer::redial(Instant deadline) {
    const auto change = co_await changes_.take(clock_, deadline);
    if (!change) co_return not_sent("another change is under way");
    co_return co_await redial_alone(deadline);
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

/// Before 12 it is no setting: it stands in recovery.conf, on the host.
Async<PostgresServer::Setting> PostgresServer::conninfo_of_file(Instant deadline) {
    if (node_files_ == nullptr) co_return Error{ErrorKind::refused, "there is no shell on that host, where its recovery.conf lies"};
    const auto rows = co_await ask("SELECT pg_is_in_recovery() AS in_recovery", {}, deadline);
    if (!rows) co_return rows.error();
    auto text = co_await node_files_->read_upstream(deadline);
    if (!text) co_return not_sent(text.error().text());
    co_return Setting{is_true(*rows, "in_recovery"), std::move(*text), "recovery.conf"};
}

/// `at_once`: for a change that must take effect without a restart.
Async<PostgresServer::Setting> PostgresServer::standby_conninfo(bool at_once, Instant deadline) {
    auto setting = co_await read_setting("primary_conninfo", deadline);
    if (!setting && setting.error().kind != ErrorKind::denied) co_return setting.error();
    if (!identity_) co_return not_sent("the session was dropped");
    const model::VersionFacts& facts = model::facts_of(identity_->version);
    if (facts.repointing == model::Repointing::not_possible || (at_once && !facts.stays_detached)) {
        co_return Error{
            ErrorKind::unsupported,
            fmt::format("PostgreSQL {} cannot change primary_conninfo without a restart", identity_->version.major())};
    }
    if (facts.repointing == model::Repointing::by_recovery_conf) setting = co_await conninfo_of_file(deadline);
    if (!setting) co_return setting.error();
    if (!setting->in_recovery) co_return Error{ErrorKind::refused, "the server is not in recovery"};
    co_return *setting;
}

Async<void> PostgresServer::detach_alone(Instant deadline) {
    auto settled = co_await end_strays(deadline);
    if (!settled) co_return settled.error();
    const auto setting = co_await standby_conninfo(true, deadline);
    if (!setting) co_return setting.error();
    if (!setting->value.empty()) {
        auto conninfo = Conninfo::parse(setting->value);
        if (!conninfo) co_return conninfo.error();
        if (conninfo->get("password")) {
            if (node_files_ == nullptr) {
                co_return Error{
                    ErrorKind::refused, "primary_conninfo holds a password, and there is no shell on that host to move it to a passfile"};
            }
            // A host that cannot be reached must not keep the replica attached; the password is then kept here for `follow`.
            Conninfo without = *conninfo;
            const auto moved = co_await put_password_away(without, deadline);
            if (moved) {
                conninfo = without;
            } else {
                remembered_password_ = conninfo->take_password();
            }
        }
        remember(*conninfo);
        const auto written = co_await write_setting("primary_conninfo", "", deadline);
        if (!written) co_return written.error();
    }
    // Two looks: the process that starts receivers reads the new setting by itself, a moment before or after our session does.
    for (int gone = 0;;) {
        const auto rows = co_await ask(receiver_gone_statement(), {}, deadline);
        if (!rows)
            co_return Error{
                ErrorKind::failed, fmt::format("primary_conninfo is empty, but its receiver cannot be looked at: {}", rows.error().what)};
        gone = is_true(*rows, "gone") ? gone + 1 : 0;
        if (gone == 2) co_return Result<void>{};
        if (clock_.now() >= deadline)
            co_return Error{ErrorKind::timed_out, "primary_conninfo is empty, but the WAL receiver is still there"};
        co_await clock_.sleep_until(std::min(deadline, clock_.now() + look_again));
    }
}

/// `present` with another upstream; what was there before, or what this program makes, where it is empty.
Async<Conninfo> PostgresServer::conninfo_to(ports::Upstream upstream, std::string present, Instant deadline) {
    const std::string base = !present.empty() ? present : remembered_.value_or("");
    auto conninfo = base.empty() ? Result<Conninfo>{made_conninfo(settings_)} : Conninfo::parse(base);
    if (!conninfo) co_return conninfo.error();
    if (remembered_password_ && !conninfo->get("password")) conninfo->set("password", remembered_password_->reveal());
    conninfo->erase("hostaddr");
    conninfo->set("host", upstream.hostname);
    conninfo->set("port", fmt::format("{}", upstream.port));
    if (conninfo->get("password")) {
        const auto moved = co_await put_password_away(*conninfo, deadline);
        if (!moved) co_return moved.error();
    }
    remember(*conninfo);
    co_return *std::move(conninfo);
}

Async<void> PostgresServer::follow_alone(const ports::Upstream& upstream, Instant deadline) {
    const auto setting = co_await standby_conninfo(false, deadline);
    if (!setting) co_return setting.error();
    const std::optional<Identity> identity = identity_;  // the session may end before we do
    if (!identity) co_return not_sent("the session was dropped");
    const auto conninfo = co_await conninfo_to(upstream, setting->value, deadline);
    if (!conninfo) co_return conninfo.error();
    const std::string text = conninfo->text();
    switch (model::facts_of(identity->version).repointing) {
        case model::Repointing::by_recovery_conf: co_return co_await node_files_->write_upstream(identity->system_id, text, deadline);
        case model::Repointing::by_restart: co_return co_await write_for_next_start("primary_conninfo", text, deadline);
        case model::Repointing::not_possible:
        case model::Repointing::by_reload: break;
    }
    if (setting->value == text) co_return Result<void>{};
    co_return co_await write_setting("primary_conninfo", text, deadline);
}

Async<void> PostgresServer::prepare_to_follow(const ports::Upstream& upstream, Instant deadline) {
    const auto change = co_await changes_.take(clock_, deadline);
    if (!change) co_return not_sent("another change is under way");
    const auto setting = co_await read_setting("primary_conninfo", deadline);
    const std::optional<Identity> identity = identity_;
    if (!identity) co_return not_sent("the session was dropped");
    const model::Repointing repointing = model::facts_of(identity->version).repointing;
    if (repointing != model::Repointing::by_restart && repointing != model::Repointing::by_reload)
        co_return Error{ErrorKind::unsupported, fmt::format("PostgreSQL {} has no setting primary_conninfo", identity->version.major())};
    if (!setting) co_return setting.error();
    if (setting->in_recovery) co_return Error{ErrorKind::refused, "the server is in recovery"};
    auto conninfo = co_await conninfo_to(upstream, setting->value, deadline);
    if (!conninfo) co_return conninfo.error();
    co_return co_await write_for_next_start("primary_conninfo", conninfo->text(), deadline);
}

/// What runs keeps its value, so what the files say is read back.
Async<void> PostgresServer::write_for_next_start(std::string name, std::string value, Instant deadline) {
    const auto altered = co_await ask(fmt::format("ALTER SYSTEM SET {} TO {}", name, literal(value)), {}, deadline);
    if (!altered) co_return altered.error();
    const auto rows = co_await ask(file_setting_statement(name), {}, deadline);
    if (!rows) co_return Error{ErrorKind::failed, fmt::format("{} is written, but cannot be read back: {}", name, rows.error().what)};
    if (rows->size() == 1 && column_of(rows->front(), "setting") == value) co_return Result<void>{};
    co_return Error{ErrorKind::failed, fmt::format("{} is written, but another file or line wins over it", name)};
}

/// The receiver is started anew when the text of primary_conninfo changes. Whatever fallback_application_name says there is
/// overruled by the receiver itself, so it may come and go.
Async<void> PostgresServer::redial_alone(Instant deadline) {
    constexpr std::string_view keyword = "fallback_application_name";
    const auto setting = co_await standby_conninfo(true, deadline);
    if (!setting) co_return setting.error();
    if (setting->value.empty()) co_return Error{ErrorKind::refused, "it follows nobody"};
    auto conninfo = Conninfo::parse(setting->value);
    if (!conninfo) co_return conninfo.error();
    if (conninfo->get("password")) co_return Error{ErrorKind::refused, "primary_conninfo holds a password"};
    if (conninfo->get(keyword))
        conninfo->erase(keyword);
    else
        conninfo->set(keyword, "handyrep");
    remember(*conninfo);
    co_return co_await write_setting("primary_conninfo", conninfo->text(), deadline);
}

/// S18: a password in primary_conninfo would be written to the server's log and be seen in pg_stat_activity.
Async<void> PostgresServer::put_password_away(Conninfo& conninfo, Instant deadline) {
    if (node_files_ == nullptr) {
        co_return Error{
            ErrorKind::refused, "primary_conninfo holds a password, and there is no shell on that host to move it to a passfile"};
    }
    const auto password = conninfo.take_password();
    if (!password) co_return Result<void>{};
    const Secret line = passfile_line(conninfo.get("user").value_or("*"), *password);
    const auto path = co_await node_files_->keep_password(line, deadline);
    if (!path)
        co_return Error{
            ErrorKind::refused, fmt::format("the password of primary_conninfo was not moved to a passfile: {}", path.error().what)};
    conninfo.set("passfile", *path);
    remembered_password_.reset();
    co_return Result<void>{};
}

void PostgresServer::remember(Conninfo conninfo) {
    conninfo.erase("password");
    remembered_ = conninfo.text();
}

void PostgresServer::remember_text(const std::string& conninfo) {
    if (conninfo.empty()) return;
    if (auto parsed = Conninfo::parse(conninfo)) remember(std::move(*parsed));
}

void PostgresServer::remember_upstream_settings(std::string conninfo) {
    if (!remembered_) remember_text(conninfo);
}

namespace {

/// What the manager insists on, a replica insists on as well. But no file: those of the configuration are on the manager's machine.
/// A node has its own in ~/.postgresql, which libpq finds by itself, and with a root.crt there `require` means verify-ca.
std::optional<std::string> sslmode_of_a_node(const PostgresSettings& settings) {
    const auto mode = std::ranges::find(settings.options, "sslmode", &std::pair<std::string, std::string>::first);
    if (mode == settings.options.end()) return std::nullopt;
    if (mode->second == "disable") return mode->second;
    if (mode->second == "require" || mode->second.starts_with("verify")) return "require";
    return std::nullopt;
}

}  // namespace

Conninfo made_conninfo(const PostgresSettings& settings) {
    Conninfo out;
    out.set("user", settings.replication_user.empty() ? settings.server.database_user : settings.replication_user);
    out.set("application_name", settings.server.name.text());
    if (auto mode = sslmode_of_a_node(settings)) out.set("sslmode", *std::move(mode));
    return out;
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
    const std::string ended = column_of(rows->front(), "ended");
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
