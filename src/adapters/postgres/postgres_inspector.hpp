// adapters/postgres/postgres_inspector.hpp — the port `DatabaseInspector` over libpq: a session of its own for every look.
#pragma once

#include "adapters/postgres/dialler.hpp"
#include "adapters/postgres/inspection.hpp"
#include "adapters/postgres/postgres_server.hpp"
#include "ports/inspector.hpp"

#include <boost/asio/any_io_executor.hpp>

namespace handyrep::adapters::postgres {

class PostgresInspector final : public ports::DatabaseInspector {
public:
    PostgresInspector(const PostgresSettings& settings, const asio::any_io_executor& executor, ports::Clock& clock);

    Async<model::DatabaseInspection> inspect(ports::Depth depth, Instant deadline) override;

private:
    using Reader = void (*)(const Rows&, model::DatabaseInspection&);

    Async<void> measure_clock(Connection& session, model::DatabaseInspection& out, Instant deadline);
    Async<void> ask_all(Connection& session, ports::Depth depth, model::DatabaseInspection& out, Instant deadline);

    ports::Clock& clock_;
    Dialler dialler_;
    std::string made_conninfo_;
};

}  // namespace handyrep::adapters::postgres
