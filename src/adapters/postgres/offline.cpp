// What is told to a server that is down, in its files, and how a program on its host logs in elsewhere.
#include "adapters/postgres/postgres_server.hpp"

#include <fmt/format.h>

#include <utility>

namespace handyrep::adapters::postgres {

Async<void> PostgresServer::prepare_while_down(const ports::Upstream& upstream, model::SystemId expected, Instant deadline) {
    const auto change = co_await changes_.take(clock_, deadline);
    if (!change) co_return Error{ErrorKind::refused, "not begun: another change is under way"};
    if (node_files_ == nullptr)
        co_return Error{ErrorKind::refused, "there is no shell on that host, where the files of a server that is down lie"};
    auto present = co_await node_files_->read_upstream(deadline);
    if (!present) co_return Error{ErrorKind::refused, present.error().text()};
    const auto conninfo = co_await conninfo_to(upstream, *std::move(present), deadline);
    if (!conninfo) co_return conninfo.error();
    co_return co_await node_files_->write_upstream(expected, conninfo->text(), deadline);
}

ports::Login PostgresServer::login_at(const ports::Upstream& upstream) const {
    Conninfo conninfo = made_conninfo(settings_);
    conninfo.set("host", upstream.hostname);
    conninfo.set("port", fmt::format("{}", upstream.port));
    conninfo.set("user", settings_.server.database_user);
    conninfo.set("dbname", settings_.database);
    conninfo.set("application_name", settings_.application_name + " rewind");
    ports::Login out{conninfo.text()};
    if (!settings_.password.empty()) out.passfile_line = passfile_line_for_all(settings_.server.database_user, settings_.password);
    return out;
}

}  // namespace handyrep::adapters::postgres
