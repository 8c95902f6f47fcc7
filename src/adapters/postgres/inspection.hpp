// adapters/postgres/inspection.hpp — the questions of `verify`, by version, and how their answers are read. Pure.
//
// Each is a statement of its own, so that a right that is missing costs one answer and not all. PostgreSQL 10 to 18.
#pragma once

#include "adapters/postgres/row.hpp"
#include "model/readiness.hpp"

#include <string>
#include <vector>

namespace handyrep::adapters::postgres {

using Rows = std::vector<Row>;

/// clock_us alone: the shorter the question, the better its round trip says when the answer was true.
[[nodiscard]] std::string clock_statement();
[[nodiscard]] std::string basics_statement();
/// A parameter that this version does not have is no row.
[[nodiscard]] std::string settings_statement();
/// The configuration files' own words, for what a restart would bring.
[[nodiscard]] std::string files_statement();
[[nodiscard]] std::string rights_statement(model::ServerVersion version);
[[nodiscard]] std::string slots_statement(model::ServerVersion version);
[[nodiscard]] std::string senders_statement();
[[nodiscard]] std::string prepared_statement();
[[nodiscard]] std::string role_settings_statement();
/// Empty before 15, which records no version for databases.
[[nodiscard]] std::string collations_statement(model::ServerVersion version);
[[nodiscard]] std::string libraries_statement();
[[nodiscard]] std::string size_statement();

/// Each takes the answer to the statement of its name. A row that cannot be read is left out or leaves its value unknown.
void read_basics(const Rows& rows, model::DatabaseInspection& out);
/// Secrets stay behind: primary_conninfo becomes `upstream`, restore_command "set".
void read_settings(const Rows& rows, model::DatabaseInspection& out);
void read_files(const Rows& rows, model::DatabaseInspection& out);
void read_rights(const Rows& rows, model::DatabaseInspection& out);
void read_slots(const Rows& rows, model::DatabaseInspection& out);
void read_senders(const Rows& rows, model::DatabaseInspection& out);
void read_prepared(const Rows& rows, model::DatabaseInspection& out);
void read_role_settings(const Rows& rows, model::DatabaseInspection& out);
void read_collations(const Rows& rows, model::DatabaseInspection& out);
void read_libraries(const Rows& rows, model::DatabaseInspection& out);
void read_size(const Rows& rows, model::DatabaseInspection& out);

}  // namespace handyrep::adapters::postgres
