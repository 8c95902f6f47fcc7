// adapters/postgres/statements.hpp — the questions, by server version. One table says what differs.
//
// 10 to 18 are tried; 9.2 to 9.6 go by their names and are untested.
#pragma once

#include "model/server.hpp"

#include <string>
#include <string_view>

namespace handyrep::adapters::postgres {

/// One row that serves both roles; the columns are read by answer.cpp. `beat`: also write a WAL heartbeat (where there is such a function).
[[nodiscard]] std::string poll_statement(model::ServerVersion version, bool beat);

/// The slower questions in one row; the columns are read by details.cpp. From `first_with_details` on.
[[nodiscard]] std::string details_statement(model::ServerVersion version);

/// system_identifier, and primary_conninfo where the role may see it; empty before 9.6, where only a replication connection tells who it is.
[[nodiscard]] std::string identity_statement(model::ServerVersion version);

/// `text` as an SQL literal, for statements that take no parameters.
[[nodiscard]] std::string literal(std::string_view text);

/// in_recovery, setting, source of the parameter `name` (of pg_settings): no row where the role may not see it.
[[nodiscard]] std::string setting_statement(std::string_view name);

/// setting of the parameter `name` (of pg_file_settings) as the next start would read it.
[[nodiscard]] std::string file_setting_statement(std::string_view name);

/// gone: whether there is neither a row of a WAL receiver nor its process, which has no row while it connects (10+).
[[nodiscard]] std::string receiver_gone_statement();

/// left: whether one of our own backends with the process ids {…} of $1 is still there; tells it to end (8.4+).
[[nodiscard]] std::string end_backends_statement();

/// ended: how many sessions of clients were told to end; no row out of recovery (10+).
[[nodiscard]] std::string end_queries_statement();

/// Answers no row when the server's clock has passed $1 or it is not in recovery (12+).
[[nodiscard]] std::string promote_statement();

/// The first version that has what they ask for.
inline constexpr model::ServerVersion first_with_details{90400};

}  // namespace handyrep::adapters::postgres
