// Whom a standby follows: primary_conninfo, or recovery.conf before 12. It is taken away, pointed elsewhere, and its password kept out of it.
#include "adapters/postgres/columns.hpp"
#include "adapters/postgres/postgres_server.hpp"
#include "adapters/postgres/statements.hpp"
#include "model/version_facts.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace handyrep::adapters::postgres {

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

Conninfo made_conninfo(const PostgresSettings& settings) {
    Conninfo out;
    out.set("user", settings.replication_user.empty() ? settings.server.database_user : settings.replication_user);
    out.set("application_name", settings.server.name.text());
    if (auto mode = sslmode_of_a_node(settings)) out.set("sslmode", *std::move(mode));
    return out;
}

}  // namespace handyrep::adapters::postgres
